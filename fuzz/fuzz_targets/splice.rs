//! Copying the entries of a record ends, with a text or an error. The text has the same values, and copying its
//! entries changes nothing any more; nor does copying those of a text that was encoded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_devalue::{Flat, Index, Options, Reference, Result, Source, Splice, Value, from_slice};

fn copy(text: &[u8]) -> Result<Vec<u8>> {
    splice(text, |splice, flat, source, key, value| splice.copy(&flat.string(key)?, source, value))
}

/// The same, with the keys as they are.
fn keep(text: &[u8]) -> Result<Vec<u8>> {
    splice(text, |splice, _, source, key, value| splice.keep(source, key, value))
}

/// All entries of a record, each added by `add`.
fn splice(
    text: &[u8],
    add: impl Fn(&mut Splice<'_>, Flat<'_>, Source, Reference, Reference) -> Result<()>,
) -> Result<Vec<u8>> {
    let index = Index::new(text)?;
    let flat = Flat::new(text, &index);
    let mut splice = Splice::map();
    let source = splice.source(flat);
    for entry in flat.map(flat.root()?)? {
        let (key, value) = entry?;
        add(&mut splice, flat, source, key, value)?;
    }
    splice.finish()
}

fuzz_target!(|text: &[u8]| {
    if let Ok(value) = from_slice::<Value>(text)
        && let Ok(encoded) = Options::astro().to_vec(&value)
        && let Ok(written) = copy(&encoded)
        // Where something refers to the Map itself, that is copied as a value.
        && Index::new(&written).unwrap().len() == Index::new(&encoded).unwrap().len()
    {
        assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&encoded));
    }
    let Ok(written) = copy(text) else { return };
    // A primitive that a text has twice, as devalue writes none, may lose its second slot on the way.
    let twice = copy(&written).expect("what was spliced is spliced again");
    let thrice = copy(&twice).expect("what was spliced is spliced again");
    assert_eq!(String::from_utf8_lossy(&thrice), String::from_utf8_lossy(&twice));
    if let Ok(kept) = keep(text)
        && let Ok(kept) = copy(&kept).and_then(|copied| copy(&copied))
    {
        assert_eq!(String::from_utf8_lossy(&kept), String::from_utf8_lossy(&twice));
    }
    // A splice interprets no dates and the like, so it copies what decoding refuses; the reverse must not happen.
    if from_slice::<Value>(text).is_ok()
        && let Err(error) = from_slice::<Value>(&written)
    {
        assert!(error.is_limit(), "no longer decoded: {error}");
    }
});
