//! What lies in the store under an ID, as the checks see it.

use std::fmt;

use bytes::Bytes;
use serde_devalue::{Flat, Index};

use crate::history::Key;

/// How what stands in for a session ends that was retired: a number that is too small to be other than zero.
const RETIRED: &[u8] = b"e-999";

/// The key of the entry that says when a session was created.
const CREATED: &str = "cloakroom.created";

/// What the bytes under an ID mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// The entries, in the order of the `Map`.
    pub entries: Vec<Entry>,
    /// When the session was created, where the record says so (milliseconds since 1970).
    pub created: Option<f64>,
    /// Whether this stands in for a session that was retired.
    pub is_tombstone: bool,
}

/// An entry of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its key.
    pub key: Key,
    /// Its value: who set it and who updated it since.
    pub tags: Vec<u32>,
    /// When it expires (milliseconds since 1970).
    pub expires: Option<f64>,
}

impl Content {
    /// Reads the bytes of a record; `None` where they are none.
    pub fn read(bytes: &Bytes) -> Option<Content> {
        if bytes.ends_with(RETIRED) {
            return Some(Content { entries: Vec::new(), created: None, is_tombstone: true });
        }
        let index = Index::new(bytes).ok()?;
        let flat = Flat::new(bytes, &index);
        let mut content = Content { entries: Vec::new(), created: None, is_tombstone: false };
        for pair in flat.root().and_then(|root| flat.map(root)).ok()? {
            let (key, whole) = pair.ok()?;
            let [data, expires] = flat.fields(whole, ["data", "expires"]).ok()?;
            let (key, data) = (flat.string(key).ok()?, data?);
            match &*key {
                CREATED => content.created = flat.number(data).ok(),
                _ => {
                    let tags = flat.decode(data).ok()?;
                    let expires = expires.and_then(|expires| flat.number(expires).ok());
                    let key = Key(key.bytes().next()?);
                    content.entries.push(Entry { key, tags, expires });
                }
            }
        }
        Some(content)
    }

    /// The bytes that JavaScript would write for these entries.
    pub fn write(&self) -> Bytes {
        let mut slots = vec![String::new()];
        let mut map = String::from("[\"Map\"");
        let mut add = |slot: String| {
            slots.push(slot);
            slots.len() - 1
        };
        let created = self.created.map(|created| (CREATED.to_owned(), created.to_string(), None));
        let entries = self.entries.iter().map(|entry| {
            let numbers = entry.tags.iter().map(u32::to_string).collect();
            (entry.key.to_string(), String::new(), Some((numbers, entry.expires)))
        });
        for (key, number, list) in entries.chain(created) {
            let key = add(format!("{key:?}"));
            let (data, expires) = match list {
                None => (add(number), -1),
                Some((numbers, expires)) => {
                    let numbers: Vec<String> = numbers;
                    let places = numbers.into_iter().map(|number| add(number).to_string());
                    let places = places.collect::<Vec<_>>().join(",");
                    let expires = expires.map_or(-1, |expires| add(expires.to_string()) as i64);
                    (add(format!("[{places}]")), expires)
                }
            };
            let whole = add(format!("{{\"data\":{data},\"expires\":{expires}}}"));
            map += &format!(",{key},{whole}");
        }
        slots[0] = map + "]";
        format!("[{}]", slots.join(",")).into()
    }

    /// The entry under `key`.
    pub fn entry(&self, key: Key) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Whether the number stands in any of the entries.
    pub fn holds(&self, tag: u32) -> bool {
        self.entries.iter().any(|entry| entry.tags.contains(&tag))
    }
}

impl Entry {
    /// Astro's rule: gone when `expires` is before now.
    pub fn is_alive(&self, now: f64) -> bool {
        self.expires.is_none_or(|expires| expires >= now)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", char::from(self.0))
    }
}

impl fmt::Display for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_tombstone {
            return formatter.write_str("a tombstone");
        }
        formatter.write_str("{")?;
        for (place, entry) in self.entries.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(formatter, "{comma}{}: {:?}", entry.key, entry.tags)?;
            if entry.expires.is_some() {
                formatter.write_str(" with an end")?;
            }
        }
        formatter.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let entry =
            |key, tags: &[u32], expires| Entry { key: Key(key), tags: tags.into(), expires };
        let entries = vec![entry(b'a', &[1, 2], Some(1_795_431_615_459.0)), entry(b'b', &[], None)];
        let content = Content { entries, created: Some(17.0), is_tombstone: false };
        assert_eq!(Content::read(&content.write()), Some(content));
    }

    #[test]
    fn a_tombstone_is_told_from_a_record() {
        let text = "1179543167610008.19855292164868951e-999";
        assert!(Content::read(&text.into()).unwrap().is_tombstone);
    }
}
