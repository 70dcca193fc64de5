//! What a record shows that was overwritten by somebody who had not seen it.

use std::time::Duration;

use crate::error::Result;

use super::Record;

/// By how much an end has to be another one, so that clocks that are apart do not matter.
pub(super) const APART: Duration = Duration::from_secs(1);

/// What a write leaves behind that nobody undoes who has seen it.
///
/// Of most that is overwritten nothing tells: an entry that is gone may have been deleted, and a value that is back may have
/// been set again, by another server or by a page of Astro's. Two things do:
///
/// - an entry that has a ttl ends later each time it is set, so that no end comes back that was once an earlier one;
/// - our own notes are deleted by nobody.
///
/// Two things look the same, both where a request is stored a second and more after it has set an entry: another has set the
/// entry in the same millisecond and was stored at once; or the request was stored before, and was not told so.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    /// Entries that the write has replaced by later ones: their keys, and when they would have expired.
    pub(super) replaced: Box<[(String, f64)]>,
    /// The record says when the session was created.
    pub(super) is_noted: bool,
    /// The record ends before its entries do.
    pub(crate) has_deadline: bool,
}

/// How many entries are kept of one write, and the longest key among them, in bytes: a trace of each of many sessions is
/// kept, whatever their size.
const MOST: usize = 16;
const LONGEST: usize = 128;

/// Whether an entry that was to expire ends later by its new value, and by so much that it is not because of clocks.
pub(super) fn is_prolonged(end: f64, new: Option<f64>) -> bool {
    new.is_some_and(|later| later - end >= APART.as_secs_f64() * 1000.0)
}

impl Trace {
    /// Of a write that has replaced these.
    pub(super) fn of<'a>(replaced: impl IntoIterator<Item = (&'a str, f64)>) -> Trace {
        let short = replaced.into_iter().filter(|(key, _)| key.len() <= LONGEST);
        let replaced = short.take(MOST).map(|(key, end)| (key.to_owned(), end)).collect();
        Trace { replaced, ..Trace::default() }
    }

    /// Whether no later record can differ from what this says.
    pub(crate) fn tells_nothing(&self) -> bool {
        self.replaced.is_empty() && !self.is_noted && !self.has_deadline
    }

    /// Whether a record that is newer was made from one that is older.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(crate) fn is_undone_in(&self, newer: &Record) -> Result<bool> {
        if self.is_noted && !newer.is_noted()? {
            return Ok(true);
        }
        for (key, end) in &self.replaced {
            if newer.expires(key, newer.now())? == Some(Some(*end)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Change, Changes, Lifetime, Owner, Written, apply};
    use super::*;
    use crate::id::SessionId;

    const NOW: f64 = 1_795_431_615_459.0;

    fn record(text: &str) -> Record {
        Record::parse(text.to_owned().into(), NOW).unwrap()
    }

    /// A session with a theme that expires so many milliseconds from now.
    fn themed(theme: &str, left: f64) -> Record {
        let end = NOW + left;
        record(&format!(r#"[["Map",1,2],"theme",{{"data":3,"expires":4}},"{theme}",{end}]"#))
    }

    fn set(theme: &str, left: f64) -> Changes {
        let mut changes = Changes::default();
        let written = Written::new(format!("[{theme:?}]").into(), Some(NOW + left)).unwrap();
        changes.apply("theme", Change::set(written));
        changes
    }

    fn owner() -> Owner<'static> {
        Owner { id: SessionId::random(), path: None, entered: None }
    }

    fn trace(base: &Record, changes: &Changes, lifetime: Lifetime) -> Trace {
        apply(Some(base), changes, NOW, None, &lifetime, &owner()).unwrap().0.trace
    }

    #[test]
    fn an_entry_that_was_replaced_and_is_back_was_put_back_with_the_whole_record() {
        let trace = trace(&themed("dark", 1_000.0), &set("light", 2_000.0), Lifetime::default());
        assert!(trace.is_undone_in(&themed("dark", 1_000.0)).unwrap());
        // Not where it is set again, whoever does that, or is gone.
        for since in [themed("light", 2_000.0), themed("dark", 3_000.0), record(r#"[["Map"]]"#)] {
            assert!(!trace.is_undone_in(&since).unwrap(), "{since:?}");
        }
    }

    #[test]
    fn a_trace_is_small_whatever_was_written() {
        let keys: Vec<String> = (0..1000).map(|index| format!("key-{index}")).collect();
        let long = "k".repeat(100_000);
        let all = keys.iter().map(String::as_str).chain([long.as_str()]);
        let trace = Trace::of(all.rev().map(|key| (key, NOW)));
        assert_eq!(trace.replaced.len(), MOST);
        assert!(trace.replaced.iter().all(|(key, _)| key.len() <= LONGEST));
    }

    #[test]
    fn what_ends_no_later_tells_nothing() {
        for left in [1_000.0, 1_999.0, 500.0] {
            let trace = trace(&themed("dark", 1_000.0), &set("light", left), Lifetime::default());
            assert!(!trace.is_undone_in(&themed("dark", 1_000.0)).unwrap(), "{left}");
        }
        // One that is removed may be set again at once.
        let mut changes = Changes::default();
        changes.delete("theme");
        let trace = trace(&themed("dark", 1_000.0), &changes, Lifetime::default());
        assert!(!trace.is_undone_in(&themed("dark", 1_000.0)).unwrap());
    }

    #[test]
    fn nor_does_an_entry_without_an_end() {
        let endless = record(r#"[["Map",1,2],"theme",{"data":3,"expires":-1},"dark"]"#);
        let trace = trace(&endless, &set("light", 1_000.0), Lifetime::default());
        assert!(!trace.is_undone_in(&endless).unwrap());
    }

    #[test]
    fn a_note_of_our_own_is_deleted_by_nobody() {
        let absolute = Some(Duration::from_secs(3600));
        let lifetime = Lifetime { absolute, ..Lifetime::default() };
        let bare = record(r#"[["Map",1,2],"cart",{"data":3,"expires":-1},"hat"]"#);
        let (noted, _) =
            apply(Some(&bare), &Changes::default(), NOW, None, &lifetime, &owner()).unwrap();
        assert!(noted.trace.is_undone_in(&bare).unwrap());
        assert!(!noted.trace.is_undone_in(&noted.record).unwrap());
        assert!(
            !trace(&bare, &Changes::default(), Lifetime::default()).is_undone_in(&bare).unwrap()
        );
    }
}
