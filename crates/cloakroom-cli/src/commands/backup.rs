//! The lines of an export, which `docs/command.md` in the repository writes down.

use std::borrow::Cow;

use base64_simd::STANDARD;
use cloakroom_storage::{Bytes, ItemKey};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of the format.
const VERSION: u32 = 1;

/// A line of an export. The first is the [`Head`](Line::Head), and the [`End`](Line::End) is the last: without it the file was cut off.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Line<'a> {
    Head {
        /// The version of the format.
        #[serde(rename = "cloakroomExport")]
        version: u32,
        at: Timestamp,
    },
    /// An item that is text.
    Text {
        key: Cow<'a, str>,
        /// When it ends; `null` where it never does. What says neither would live for ever by mistake.
        #[serde(deserialize_with = "Option::deserialize")]
        expires: Option<Timestamp>,
        text: Cow<'a, str>,
    },
    /// An item that is no text.
    Bytes {
        key: Cow<'a, str>,
        #[serde(deserialize_with = "Option::deserialize")]
        expires: Option<Timestamp>,
        base64: Cow<'a, str>,
    },
    End {
        items: usize,
    },
}

/// An item as it was exported.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Exported {
    pub(super) key: ItemKey,
    pub(super) value: Bytes,
    pub(super) expires: Option<Timestamp>,
}

impl Line<'static> {
    pub(super) fn head(at: Timestamp) -> Line<'static> {
        Line::Head { version: VERSION, at }
    }
}

impl Exported {
    pub(super) fn to_line(&self) -> Line<'_> {
        let (key, expires) = (self.key.as_str().into(), self.expires);
        match std::str::from_utf8(&self.value) {
            Ok(text) => Line::Text { key, expires, text: text.into() },
            Err(_) => {
                Line::Bytes { key, expires, base64: STANDARD.encode_to_string(&self.value).into() }
            }
        }
    }
}

/// What a line is. Its reason, where it is none, shows nothing of it.
#[derive(Debug, PartialEq)]
pub(super) enum Read {
    Head,
    Item(Exported),
    End(usize),
}

pub(super) fn read(line: &[u8]) -> Result<Read, String> {
    let line = serde_json::from_slice(line).map_err(|error| match error.classify() {
        serde_json::error::Category::Eof => "it is cut off".to_owned(),
        serde_json::error::Category::Syntax => "it is no JSON".to_owned(),
        _ => "it is no line of an export".to_owned(),
    })?;
    let item = |key: &str, expires, value| {
        let key = ItemKey::new(key).ok().filter(|parsed| parsed.as_str() == key);
        let key = key.ok_or("its key cannot be one")?;
        Ok(Read::Item(Exported { key, value, expires }))
    };
    match line {
        Line::Head { version: VERSION, .. } => Ok(Read::Head),
        Line::Head { version, .. } => Err(format!(
            "the format is version {version}, and this program knows version {VERSION}"
        )),
        Line::Text { key, expires, text } => item(&key, expires, text.into_owned().into()),
        Line::Bytes { key, expires, base64 } => {
            let value =
                STANDARD.decode_to_vec(base64.as_bytes()).map_err(|_| "its base64 is none")?;
            item(&key, expires, value.into())
        }
        Line::End { items } => Ok(Read::End(items)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a later version has to read.
    #[test]
    fn the_lines_are_fixed() {
        let exported = |value: &'static [u8], expires: Option<i64>| Exported {
            key: ItemKey::new("0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11").unwrap(),
            value: Bytes::from_static(value),
            expires: expires.map(|at| Timestamp::from_millisecond(at).unwrap()),
        };
        for (line, read_as) in [
            (r#"{"cloakroomExport":1,"at":"2026-11-23T11:00:15Z"}"#, Read::Head),
            (
                r#"{"key":"0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11","expires":"2026-11-23T11:00:15.459Z","text":"[[\"Map\"]]"}"#,
                Read::Item(exported(br#"[["Map"]]"#, Some(1_795_431_615_459))),
            ),
            (
                r#"{"key":"0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11","expires":null,"base64":"//4="}"#,
                Read::Item(exported(b"\xff\xfe", None)),
            ),
            (r#"{"items":2}"#, Read::End(2)),
        ] {
            if let Read::Item(item) = &read_as {
                assert_eq!(serde_json::to_string(&item.to_line()).unwrap(), line);
            }
            assert_eq!(read(line.as_bytes()), Ok(read_as), "{line}");
        }
    }

    #[test]
    fn what_is_no_line_is_said_without_showing_it() {
        for (line, part) in [
            (r#"{"key":"hunter2","text":"hunt"#, "cut off"),
            ("hunter2", "no JSON"),
            (r#"{"key":"hunter2"}"#, "no line of an export"),
            (r#"{"key":"hunter2","text":"a"}"#, "no line of an export"),
            (
                r#"{"key":"hunter2","expires":null,"text":"a","base64":"YQ=="}"#,
                "no line of an export",
            ),
            (r#"{"key":"hunter2","expires":"soon","text":"a"}"#, "no line of an export"),
            (r#"{"key":"hunter2/","expires":null,"text":"a"}"#, "key cannot be one"),
            (r#"{"key":"hunter2","expires":null,"base64":"?"}"#, "base64"),
            (r#"{"cloakroomExport":2,"at":"2026-11-23T11:00:15Z"}"#, "version 2"),
        ] {
            let error = read(line.as_bytes()).unwrap_err();
            assert!(error.contains(part) && !error.contains("hunter2"), "{line}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(value: Vec<u8>, at in proptest::option::of(0..9_999_999_999_999_i64), number: u64) {
            let exported = Exported {
                key: ItemKey::new(&format!("key:{number}")).unwrap(),
                value: value.into(),
                expires: at.map(|at| Timestamp::from_millisecond(at).unwrap()),
            };
            let line = serde_json::to_vec(&exported.to_line()).unwrap();
            prop_assert!(!line.contains(&b'\n'));
            prop_assert_eq!(read(&line), Ok(Read::Item(exported)));
        }

        #[test]
        fn any_text_comes_back_as_a_text(value: String) {
            let exported = Exported { key: ItemKey::new("key").unwrap(), value: value.into(), expires: None };
            let is_text = matches!(exported.to_line(), Line::Text { .. });
            prop_assert!(is_text);
            let line = serde_json::to_vec(&exported.to_line()).unwrap();
            prop_assert_eq!(read(&line), Ok(Read::Item(exported)));
        }

        #[test]
        fn no_line_is_a_panic(line: Vec<u8>) {
            _ = read(&line);
        }
    }
}
