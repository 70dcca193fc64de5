//! Subjects: keys of items as keys of NATS, `a.b` for `a:b`.
//!
//! A key of NATS has letters and digits of ASCII, `-`, `_`, `/`, `=` and `.`; the rest goes as `=` and two hexadecimal
//! digits for each byte, and so do `.` and `=` themselves.

use std::fmt::Write as _;

pub(super) fn encode(key: &str) -> String {
    let mut subject = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b':' => subject.push('.'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => subject.push(char::from(byte)),
            _ => _ = write!(subject, "={byte:02X}"),
        }
    }
    subject
}

/// `None` for what [`encode`] does not give.
pub(super) fn decode(subject: &str) -> Option<String> {
    let mut key = Vec::with_capacity(subject.len());
    let mut bytes = subject.bytes();
    while let Some(byte) = bytes.next() {
        key.push(match byte {
            b'.' => b':',
            b'=' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    let key = String::from_utf8(key).ok()?;
    (encode(&key) == subject).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_subject_of_its_own() {
        for (key, subject) in [
            ("sess:6f1de3d4-2c0c", "sess.6f1de3d4-2c0c"),
            ("a.b:c", "a=2Eb.c"),
            ("a=2Eb", "a=3D2Eb"),
            (".a", "=2Ea"),
            ("a b*>", "a=20b=2A=3E"),
            ("ä", "=C3=A4"),
        ] {
            assert_eq!(encode(key), subject);
            assert_eq!(decode(subject).as_deref(), Some(key));
        }
    }

    #[test]
    fn what_another_program_wrote_otherwise_is_no_key_of_ours() {
        for subject in ["a/b", "a=2", "a=zz", "a=2e", "a=61", "a=FF", "a=+1"] {
            assert_eq!(decode(subject), None, "{subject}");
        }
    }
}
