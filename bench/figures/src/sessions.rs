//! The sessions that are stored: for each number an ID and a record of 1 KB, which are the same in every run.

/// How long a record is, in bytes.
pub const LENGTH: usize = 1024;

/// How long an ID is, in bytes.
pub const ID_LENGTH: usize = 36;

/// What stands before its number in a record.
const BEGIN: &str = r#"[["Map",1,2],"visitor",{"data":3,"expires":-1},""#;

/// What else is in one, again and again.
const REST: &str = "and what else there is to know of a visitor, ";

/// An ID as Astro makes them, a UUID.
pub fn id(number: usize) -> String {
    let (high, low) = (mixed(2 * number as u64), mixed(2 * number as u64 + 1));
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}

/// A record as Astro writes it. `turn` tells it from what it was before.
pub fn record(number: usize, turn: u32) -> String {
    let mut record = String::with_capacity(LENGTH);
    record.push_str(BEGIN);
    record.push_str(&format!("{number:08} {turn:08} "));
    while record.len() < LENGTH - 2 {
        let rest = &REST[..REST.len().min(LENGTH - 2 - record.len())];
        record.push_str(rest);
    }
    record.push_str("\"]");
    record
}

/// Whether a record is this session's.
pub fn is_of(number: usize, record: &[u8]) -> bool {
    let digits = record.strip_prefix(BEGIN.as_bytes()).and_then(|rest| rest.get(..8));
    let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| digits.parse().ok()) == Some(number)
}

/// Numbers that follow each other become numbers that have nothing in common: the finalizer of SplitMix64.
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_tells_whose_it_is() {
        assert!(is_of(12_345, record(12_345, 7).as_bytes()));
        assert!(!is_of(12_345, record(12_346, 7).as_bytes()));
        assert!(!is_of(0, b""));
    }
}
