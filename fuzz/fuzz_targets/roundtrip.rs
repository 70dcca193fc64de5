//! What can be decoded can be encoded, unless a limit forbids it; decoding that gives the same value, and encoding it
//! again the same text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_devalue::{Options, Value, from_slice};

fuzz_target!(|text: &[u8]| {
    let Ok(value) = from_slice::<Value>(text) else { return };
    for options in [Options::new(), Options::new().urls_by_reference(true)] {
        let written = match options.to_vec(&value) {
            Ok(written) => written,
            Err(error) if error.is_limit() => return,
            Err(error) => panic!("decoded, but not encoded: {error}"),
        };
        let again = from_slice::<Value>(&written).expect("what was encoded is decoded");
        // Compared as text, because NaN differs from itself.
        assert_eq!(format!("{again:?}"), format!("{value:?}"));
        let twice = options.to_vec(&again).expect("what was encoded is encoded again");
        assert_eq!(String::from_utf8_lossy(&twice), String::from_utf8_lossy(&written));
    }
});
