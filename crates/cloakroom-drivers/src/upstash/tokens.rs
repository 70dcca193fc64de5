//! Sync tokens: what a request names, so that a copy of the database that has fallen behind does not answer it.
//!
//! Tokens have an order that nobody tells, and answers overtake each other: the last that came need not be the latest. What
//! is sure is that a write, which the database itself carries out, comes after everything that was known when it was sent;
//! and an answer to a read, not before what the read named.

use std::collections::HashMap;

use http::HeaderValue;

/// How many keys are remembered that no write covers.
const KEYS: usize = 10_000;

/// What a request is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum About<'a> {
    Read(&'a str),
    Write(&'a str),
    /// A part of a list.
    Store,
}

impl<'a> About<'a> {
    fn key(self) -> Option<&'a str> {
        match self {
            About::Read(key) | About::Write(key) => Some(key),
            About::Store => None,
        }
    }
}

/// What is known by now.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// How many have come.
    count: u64,
    latest: Option<Latest>,
    /// By the key that the answer was about, and which it was.
    own: HashMap<String, (u64, HeaderValue)>,
}

#[derive(Clone, Debug)]
struct Latest {
    token: HeaderValue,
    /// It is not before any of so many that had come.
    covers: u64,
}

/// What a request named, and how much was known then.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) token: Option<HeaderValue>,
    count: u64,
}

impl Tokens {
    /// What a request about this has to name.
    pub(super) fn named(&self, about: About<'_>) -> Named {
        let latest = self.latest.as_ref();
        let covers = latest.map_or(0, |latest| latest.covers);
        let own = about.key().and_then(|key| self.own.get(key));
        let own = own.filter(|(number, _)| *number > covers).map(|(_, token)| token);
        let token = own.or(latest.map(|latest| &latest.token)).cloned();
        Named { token, count: self.count }
    }

    /// Takes the token of an answer to a request that named this.
    pub(super) fn learn(&mut self, about: About<'_>, named: &Named, token: HeaderValue) {
        let is_write = matches!(about, About::Write(_));
        // Another one that came for the key in between may be later than that of a read.
        let is_first = |(number, _): &(u64, HeaderValue)| *number <= named.count;
        if let Some(key) = about.key()
            && (is_write || self.own.get(key).is_none_or(is_first))
        {
            self.count += 1;
            self.own.insert(key.to_owned(), (self.count, token.clone()));
        }
        let covers = self.latest.as_ref().map_or(0, |latest| latest.covers);
        let is_latest_named =
            named.token.as_ref() == self.latest.as_ref().map(|latest| &latest.token);
        if is_write && named.count >= covers {
            self.latest = Some(Latest { token, covers: named.count });
        } else if is_latest_named {
            self.latest = Some(Latest { token, covers });
        }
        if self.own.len() > KEYS {
            let covers = self.latest.as_ref().map_or(0, |latest| latest.covers);
            self.own.retain(|_, (number, _)| *number > covers);
            if self.own.len() > KEYS {
                self.own.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: &'static str) -> HeaderValue {
        HeaderValue::from_static(number)
    }

    fn named(tokens: &Tokens, key: &str) -> Option<String> {
        let named = tokens.named(About::Read(key)).token?;
        named.to_str().ok().map(str::to_owned)
    }

    #[test]
    fn a_slow_answer_to_a_read_sets_nothing_back() {
        let mut tokens = Tokens::default();
        let first = tokens.named(About::Write("id"));
        tokens.learn(About::Write("id"), &first, token("1"));
        let (slow, second) = (tokens.named(About::Read("id")), tokens.named(About::Write("id")));
        tokens.learn(About::Write("id"), &second, token("2"));
        tokens.learn(About::Read("id"), &slow, token("1"));
        assert_eq!(named(&tokens, "id").as_deref(), Some("2"));
        assert_eq!(named(&tokens, "other").as_deref(), Some("2"));
    }

    #[test]
    fn of_two_writes_that_cross_each_key_names_its_own_until_a_later_one_covers_both() {
        let mut tokens = Tokens::default();
        let slow = tokens.named(About::Write("a"));
        let fast = tokens.named(About::Write("b"));
        tokens.learn(About::Write("b"), &fast, token("2"));
        tokens.learn(About::Write("a"), &slow, token("1"));
        assert_eq!(named(&tokens, "b").as_deref(), Some("2"));
        assert_eq!(named(&tokens, "a").as_deref(), Some("1"));
        let later = tokens.named(About::Write("c"));
        tokens.learn(About::Write("c"), &later, token("3"));
        for key in ["a", "b", "c", "d"] {
            assert_eq!(named(&tokens, key).as_deref(), Some("3"), "{key}");
        }
    }

    #[test]
    fn a_read_goes_on_from_what_was_read_last() {
        let mut tokens = Tokens::default();
        for number in ["1", "2"] {
            let read = tokens.named(About::Read("id"));
            tokens.learn(About::Read("id"), &read, token(number));
            assert_eq!(named(&tokens, "id").as_deref(), Some(number));
        }
        assert_eq!(named(&tokens, "other").as_deref(), Some("2"));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let mut tokens = Tokens::default();
        for index in 0..2 * KEYS {
            let key = index.to_string();
            let read = tokens.named(About::Read(&key));
            tokens.learn(About::Read(&key), &read, token("1"));
        }
        assert!(tokens.own.len() <= KEYS);
    }
}
