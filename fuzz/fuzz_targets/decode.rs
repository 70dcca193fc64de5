//! Decoding any bytes ends, with a value or an error, and every view of them agrees on which.
#![no_main]

use std::collections::{BTreeMap, HashMap};

use libfuzzer_sys::fuzz_target;
use serde_devalue::{BigInt, Date, Flat, Index, Map, RegExp, Url, Value, from_slice};

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
    // Types that copy whatever there is, as often as it is referred to.
    let _ = from_slice::<serde_json::Value>(text);
    let _ = from_slice::<Vec<serde_json::Value>>(text);
    let _ = from_slice::<Vec<String>>(text);
    let _ = from_slice::<Vec<RegExp>>(text);
    let _ = from_slice::<Vec<Url>>(text);
    let _ = from_slice::<Vec<BigInt>>(text);
    let _ = from_slice::<Vec<Vec<u8>>>(text);
});
