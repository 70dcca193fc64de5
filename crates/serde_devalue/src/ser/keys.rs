//! The keys of objects that were written before.

/// Foretells each key: objects of one origin have the same keys, one after the other.
///
/// A key that comes as foretold is copied as it was written before, without another look at what is in it.
pub(super) struct Keys {
    /// The text of the known keys, each with its quotes and the colon.
    text: Vec<u8>,
    /// The first stands for the outermost value, which has no key.
    known: Vec<Known>,
}

/// A key that was written before. The names of others are their places in the list, and 0 is none.
#[derive(Clone, Copy, Default)]
struct Known {
    start: usize,
    end: usize,
    /// The key that followed in the same object.
    next: usize,
    /// The first key of the object that was under this one.
    inside: usize,
}

/// Where a key stands.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// First in an object that is under this key.
    Inside(usize),
    /// Behind this key.
    Behind(usize),
}

impl Keys {
    /// Where there are more, each object may well have others.
    const MAX: usize = 256;

    pub(super) fn new() -> Self {
        Keys { text: Vec::new(), known: vec![Known::default()] }
    }

    /// The key and its text, if the one that is foretold for the place has this name.
    pub(super) fn foretold(&self, place: Place, name: &str) -> Option<(usize, &[u8])> {
        let key = match place {
            Place::Inside(key) => self.known.get(key)?.inside,
            Place::Behind(key) => self.known.get(key)?.next,
        };
        let Known { start, end, .. } = *self.known.get(key)?;
        let token = self.text.get(start..end)?;
        match token {
            [b'"', known @ .., b'"', b':'] if known == name.as_bytes() => Some((key, token)),
            _ => None,
        }
    }

    /// Keeps the text of a key that was not foretold, and foretells it from now on.
    pub(super) fn learn(&mut self, place: Place, token: &[u8]) -> usize {
        let key = self.known.len();
        // What is escaped is not compared with names.
        if key == Self::MAX || token.contains(&b'\\') {
            return 0;
        }
        let before = match place {
            Place::Inside(key) => self.known.get_mut(key).map(|known| &mut known.inside),
            Place::Behind(key) => self.known.get_mut(key).map(|known| &mut known.next),
        };
        if let Some(before) = before {
            *before = key;
        }
        let start = self.text.len();
        self.text.extend_from_slice(token);
        self.text.push(b':');
        self.known.push(Known { start, end: self.text.len(), ..Known::default() });
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_foretold_where_it_was_before() {
        let mut keys = Keys::new();
        let place = Place::Inside(0);
        assert_eq!(keys.foretold(place, ""), None);
        let user = keys.learn(place, b"\"user\"");
        let name = keys.learn(Place::Inside(user), b"\"name\"");
        let age = keys.learn(Place::Behind(name), b"\"age\"");
        assert_eq!(keys.foretold(place, "user"), Some((user, &b"\"user\":"[..])));
        assert_eq!(keys.foretold(Place::Inside(user), "name"), Some((name, &b"\"name\":"[..])));
        assert_eq!(keys.foretold(Place::Behind(name), "age"), Some((age, &b"\"age\":"[..])));
        assert_eq!(keys.foretold(Place::Behind(name), "name"), None);
        assert_eq!(keys.foretold(Place::Behind(age), "age"), None);
    }

    #[test]
    fn many_keys_are_not_kept() {
        let mut keys = Keys::new();
        for _ in 0..2 * Keys::MAX {
            keys.learn(Place::Behind(0), b"\"key\"");
        }
        assert_eq!(keys.known.len(), Keys::MAX);
    }
}
