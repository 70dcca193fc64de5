//! The slots that are found by vectors are those that are found byte by byte, and so is what is wrong.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_devalue::Index;

fuzz_target!(|text: &[u8]| {
    let found = Index::new(text);
    let expected = Index::new_without_vectors(text);
    assert_eq!(format!("{found:?}"), format!("{expected:?}"));
});
