//! Decoding any bytes ends, with a value or an error, and every view of them agrees on which.
#![no_main]

use std::collections::{BTreeMap, HashMap};

use libfuzzer_sys::fuzz_target;
use serde_devalue::{Date, Flat, Index, Map, Value, from_slice};

fuzz_target!(|text: &[u8]| {
    let value = from_slice::<Value>(text);
    let index = match Index::new(text) {
        Ok(index) => index,
        Err(error) => {
            assert!(value.is_err(), "decoded although there is no index: {error}");
            return;
        }
    };
    let flat = Flat::new(text, &index);
    let lazily = flat.root().and_then(|root| flat.decode::<Value>(root));
    match (&value, &lazily) {
        // Only the whole text is refused for slots that nothing refers to.
        (Ok(_), Err(error)) => panic!("decoded as a whole, but not from its root: {error}"),
        (Err(error), Ok(_)) => assert!(error.is_syntax(), "only from its root: {error}"),
        _ => {}
    }
    // Types of other shapes walk other paths of the deserializer.
    let _ = from_slice::<Vec<Option<f64>>>(text);
    let _ = from_slice::<HashMap<String, (u8, String)>>(text);
    let _ = from_slice::<Map<BTreeMap<String, Date>>>(text);
});
