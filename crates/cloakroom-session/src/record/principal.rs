//! Whose session it is, by its record.
//!
//! A sign-in leaves three notes among the entries, which JavaScript carries along as any other and our own side hides: whose
//! the session is, when that was shown, and under which ID the session was entered into the index of its principal. A site may
//! have an entry of its own that says whose it is, which then stands for the first.

use std::borrow::Cow;

use serde_devalue::{Flat, Reference, Value, javascript};
use sha2::{Digest as _, Sha256};

use crate::error::Result;
use crate::id::SessionId;

use super::{Change, Changes, FORMAT, Record, Written};

/// The key of the entry that says whose session it is (its data is a text).
pub(crate) const PRINCIPAL: &str = "cloakroom.principal";

/// The key of the entry that says when its principal was last authenticated (its data is a number, milliseconds since 1970).
pub(crate) const AUTHENTICATED: &str = "cloakroom.authenticated";

/// The key of the entry that says that the session is in the index, and where: see [`Indexed`].
pub(crate) const INDEXED: &str = "cloakroom.indexed";

/// The longest principal, in bytes.
pub(crate) const LONGEST_PRINCIPAL: usize = 1024;

/// How many bytes of a hash tell which session of which principal is meant.
const MARK: usize = 8;

/// Where a record says whose session it is: the key of an entry, and the names of fields within its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    key: String,
    fields: Vec<String>,
}

impl Path {
    /// Reads `user.id`; `None` where a part of it is empty.
    pub(crate) fn parse(text: &str) -> Option<Path> {
        let mut parts = text.split('.').map(str::to_owned);
        let (key, fields) = (parts.next()?, parts.collect::<Vec<_>>());
        let is_whole = !key.is_empty() && fields.iter().all(|field| !field.is_empty());
        is_whole.then_some(Path { key, fields })
    }
}

/// What is known of the session whose record is read or written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner<'a> {
    pub(crate) id: SessionId,
    /// Where the site itself says whose it is.
    pub(crate) path: Option<&'a Path>,
    /// In whose index this request has entered it, and on which page.
    pub(crate) entered: Option<(&'a str, u32)>,
}

/// The note that a session is in its principal's index: on which page, and a mark of both, so that it counts no more where
/// either is another one: JavaScript takes it along to a new ID.
struct Indexed<'a> {
    mark: &'a str,
    page: u32,
    /// A hash of the principal alone, by which an authentication of another one is told.
    whom: &'a str,
}

impl<'a> Indexed<'a> {
    fn parse(text: &'a str) -> Option<Indexed<'a>> {
        let mut parts = text.split('.');
        let (mark, page, whom) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Indexed { mark, page: page.parse().ok()?, whom })
    }

    /// Whether it is that of this session and this principal.
    fn is_of(&self, id: SessionId, principal: &str) -> bool {
        self.mark.as_bytes() == mark(id, principal)
    }
}

/// A hash, since the note must not tell the ID to whoever reads the store.
fn mark(id: SessionId, principal: &str) -> [u8; 2 * MARK] {
    id.with_str(|id| hexadecimal(Sha256::new().chain_update(id).chain_update(principal)))
}

fn whom(principal: &str) -> [u8; 2 * MARK] {
    hexadecimal(Sha256::new().chain_update(principal))
}

fn hexadecimal(hash: Sha256) -> [u8; 2 * MARK] {
    let digest = hash.finalize();
    let digit = |value: u8| b"0123456789abcdef"[usize::from(value & 15)];
    std::array::from_fn(|at| digit(if at % 2 == 0 { digest[at / 2] >> 4 } else { digest[at / 2] }))
}

/// The note, as it is stored.
fn note(id: SessionId, principal: &str, page: u32) -> String {
    let (mark, whom) = (mark(id, principal), whom(principal));
    format!("{}.{page}.{}", String::from_utf8_lossy(&mark), String::from_utf8_lossy(&whom))
}

/// The key of the entry that says whose session it is.
fn key(path: Option<&Path>) -> &str {
    path.map_or(PRINCIPAL, |path| &path.key)
}

/// Whose session it is by the value of that entry.
fn read(path: Option<&Path>, flat: Flat<'_>, data: Reference) -> Option<String> {
    let mut at = data;
    for field in path.iter().flat_map(|path| &path.fields) {
        at = flat.field(at, field).ok()??;
    }
    text(flat, at)
}

/// Whose session it is after these changes.
pub(crate) fn principal(
    path: Option<&Path>,
    record: Option<&Record>,
    changes: &Changes,
    moment: f64,
) -> Result<Option<String>> {
    let key = key(path);
    let of = |written: &Written| {
        let flat = written.flat();
        read(path, flat, flat.root().ok()?)
    };
    Ok(match (changes.get(key), record) {
        (Some(change), _) => change.alive_at(moment).and_then(of),
        (None, Some(record)) => match record.data(key, moment)? {
            Some((flat, data)) => read(path, flat, data),
            None => None,
        },
        (None, None) => None,
    })
}

impl Owner<'_> {
    /// The key of the entry that says whose session it is.
    pub(super) fn key(&self) -> &str {
        key(self.path)
    }

    /// The changes with the note that the session was entered, where this request has done so.
    pub(super) fn noted<'c>(
        &self,
        record: Option<&Record>,
        mut changes: Cow<'c, Changes>,
        moment: f64,
    ) -> Result<Cow<'c, Changes>> {
        if let Some((entered, page)) = self.entered
            && principal(self.path, record, &changes, moment)?.as_deref() == Some(entered)
        {
            let changes = changes.to_mut();
            // What another one has shown, in the same session, says nothing of this one.
            if changes.get(AUTHENTICATED).is_none() && !is_by(self.path, record, entered)? {
                changes.delete(AUTHENTICATED);
            }
            changes.set(INDEXED, written(&note(self.id, entered, page))?, true);
        }
        Ok(changes)
    }

    /// Whose index the session is not in that it should be in, by the values of its entries.
    pub(super) fn unentered(
        &self,
        owner: Option<(Flat<'_>, Reference)>,
        indexed: Option<(Flat<'_>, Reference)>,
    ) -> Option<String> {
        let (flat, data) = owner?;
        let principal = read(self.path, flat, data)?;
        let text = indexed.and_then(|(flat, data)| flat.string(data).ok());
        let note = text.as_deref().and_then(Indexed::parse);
        let is_entered = note.is_some_and(|note| note.is_of(self.id, &principal));
        (!is_entered).then_some(principal)
    }

    /// As [`unentered`](Owner::unentered), of a record as it is.
    pub(crate) fn missing(&self, record: &Record) -> Result<Option<String>> {
        let Some(owner) = record.data(self.key(), record.now())? else { return Ok(None) };
        Ok(self.unentered(Some(owner), record.data(INDEXED, record.now())?))
    }

    /// The page of its principal's index that the session is on by its record.
    pub(crate) fn page(&self, record: &Record, principal: &str) -> Result<Option<u32>> {
        let Some((flat, data)) = record.data(INDEXED, record.now())? else { return Ok(None) };
        let text = flat.string(data).ok();
        let note = text.as_deref().and_then(Indexed::parse);
        Ok(note.filter(|note| note.is_of(self.id, principal)).map(|note| note.page))
    }
}

/// A text, or a number as JavaScript writes it; anything else says nothing. Nor does what could be neither listed nor ended,
/// because no principal is that long.
fn text(flat: Flat<'_>, at: Reference) -> Option<String> {
    let text = match flat.string(at) {
        Ok(text) => text.into_owned(),
        Err(_) => match flat.decode_with::<Value>(at, FORMAT).ok()? {
            Value::Number(number) if number.is_finite() => javascript::text(number),
            Value::BigInt(number) => number.to_string(),
            _ => return None,
        },
    };
    Some(text).filter(|text| is_principal(text))
}

/// Whether a text can be a principal.
pub(crate) fn is_principal(text: &str) -> bool {
    (1..=LONGEST_PRINCIPAL).contains(&text.len())
}

/// Whether the authentication that a record notes is one of this principal. Where the site itself says whose a session is, it may
/// have said another since.
fn is_by(path: Option<&Path>, record: Option<&Record>, principal: &str) -> Result<bool> {
    let (Some(record), true) = (record, path.is_some()) else { return Ok(true) };
    let Some((flat, data)) = record.data(INDEXED, record.now())? else { return Ok(false) };
    let text = flat.string(data).ok();
    let note = text.as_deref().and_then(Indexed::parse);
    Ok(note.is_some_and(|note| note.whom.as_bytes() == whom(principal)))
}

/// When the principal was last authenticated, in milliseconds since 1970.
pub(crate) fn authenticated(
    path: Option<&Path>,
    record: Option<&Record>,
    changes: &Changes,
    moment: f64,
) -> Result<Option<f64>> {
    let number = |flat: Flat<'_>, at| flat.number(at).ok().filter(|number| number.is_finite());
    Ok(match (changes.get(AUTHENTICATED), record) {
        (Some(Change::Set { written, .. }), _) => {
            let flat = written.flat();
            flat.root().ok().and_then(|root| number(flat, root))
        }
        (Some(Change::Delete), _) | (None, None) => None,
        (None, Some(record)) => {
            let owner = principal(path, Some(record), changes, moment)?;
            let is_its = owner.map_or(Ok(false), |owner| is_by(path, Some(record), &owner))?;
            match record.data(AUTHENTICATED, moment)?.filter(|_| is_its) {
                Some((flat, data)) => number(flat, data),
                None => None,
            }
        }
    })
}

/// What says whose session it is.
pub(crate) fn owned_by(principal: &str) -> Result<Written> {
    written(principal)
}

/// What says that the principal was authenticated now, in milliseconds since 1970.
pub(crate) fn authenticated_at(now: f64) -> Result<Written> {
    Written::new(format!("[{now}]").into_bytes(), None).map_err(super::not_serializable)
}

fn written(text: &str) -> Result<Written> {
    let text = FORMAT.to_vec(text).map_err(super::not_serializable)?;
    Written::new(text, None).map_err(super::not_serializable)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const NOW: f64 = 1_795_431_615_459.0;

    fn principal_of(record: &str, path: Option<&str>) -> Option<String> {
        let record = Record::parse(Bytes::copy_from_slice(record.as_bytes()), NOW).unwrap();
        let path = path.map(|path| Path::parse(path).unwrap());
        principal(path.as_ref(), Some(&record), &Changes::default(), NOW).unwrap()
    }

    /// A record with a user of this ID.
    fn user_of(id: &str) -> String {
        format!(r#"[["Map",1,2],"user",{{"data":3,"expires":-1}},{{"id":4}},{id}]"#)
    }

    #[test]
    fn a_path_leads_into_an_entry_to_a_text_or_a_number() {
        let text = r#"[["Map",1,2],"user",{"data":3,"expires":-1},{"id":4},"ann"]"#;
        assert_eq!(principal_of(text, Some("user.id")).as_deref(), Some("ann"));
        assert_eq!(principal_of(text, Some("user")), None);
        assert_eq!(principal_of(text, Some("user.id.name")), None);
        assert_eq!(principal_of(text, Some("person.id")), None);
        let number = r#"[["Map",1,2],"user",{"data":3,"expires":-1},{"id":4},17]"#;
        assert_eq!(principal_of(number, Some("user.id")).as_deref(), Some("17"));
        let big = r#"[["Map",1,2],"user",{"data":3,"expires":-1},{"id":4},["BigInt","9007199254740993"]]"#;
        assert_eq!(principal_of(big, Some("user.id")).as_deref(), Some("9007199254740993"));
        for (number, expected) in
            [("1e21", "1e+21"), ("1e-7", "1e-7"), ("-0", "0"), ("-1.5", "-1.5")]
        {
            let record = user_of(number);
            assert_eq!(
                principal_of(&record, Some("user.id")).as_deref(),
                Some(expected),
                "{number}"
            );
        }
    }

    #[test]
    fn what_no_sign_in_takes_is_nobody() {
        let record = |name: &str| user_of(&format!("{name:?}"));
        for (length, is_one) in
            [(0, false), (1, true), (1024, true), (1025, false), (100_000, false)]
        {
            let principal = principal_of(&record(&"a".repeat(length)), Some("user.id"));
            assert_eq!(principal.is_some(), is_one, "{length}");
        }
        let big = format!(r#"["BigInt","{}"]"#, "9".repeat(1025));
        assert_eq!(principal_of(&user_of(&big), Some("user.id")), None);
    }

    #[test]
    fn a_path_has_no_empty_part() {
        for text in ["", ".", "user.", ".id", "user..id"] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }

    #[test]
    fn without_a_path_the_note_of_a_sign_in_counts_alone() {
        let signed = r#"[["Map",1,2],"cloakroom.principal",{"data":3,"expires":-1},"ann"]"#;
        assert_eq!(principal_of(signed, None).as_deref(), Some("ann"));
        assert_eq!(principal_of(signed, Some("user.id")), None);
    }

    #[test]
    fn a_note_of_the_index_counts_for_its_id_and_its_principal_alone() {
        let (id, other) = (SessionId::random(), SessionId::random());
        let note = note(id, "ann", 7);
        let record = format!(
            r#"[["Map",1,2,4,5],"cloakroom.principal",{{"data":3,"expires":-1}},"ann","cloakroom.indexed",{{"data":6,"expires":-1}},"{note}"]"#
        );
        let record = Record::parse(record.into_bytes().into(), NOW).unwrap();
        let owner = |id| Owner { id, path: None, entered: None };
        assert_eq!(owner(id).missing(&record).unwrap(), None);
        assert_eq!(owner(id).page(&record, "ann").unwrap(), Some(7));
        assert_eq!(owner(id).page(&record, "bob").unwrap(), None);
        assert_eq!(owner(other).missing(&record).unwrap().as_deref(), Some("ann"));
        assert!(!note.contains(&id.to_string()[..8]));
    }
}
