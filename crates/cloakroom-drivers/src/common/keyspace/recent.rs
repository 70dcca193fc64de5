//! What a walk through the keys has named.

use std::collections::HashSet;

use cloakroom_storage::ItemKey;

/// How many keys a walk remembers at least.
const REMEMBERED: usize = 50_000;

/// The keys that were named last, so that none is named twice.
///
/// `SCAN` repeats itself where the server's table shrinks meanwhile: it begins the bucket anew at which it stands, whose keys are
/// the last that it named. So nothing older has to be remembered, and a walk takes the same memory for any number of keys. Only a
/// slot that a cluster moves at that time may have a key named again that was named longer ago.
#[derive(Default)]
pub(crate) struct Recent {
    last: HashSet<ItemKey>,
    before: HashSet<ItemKey>,
}

impl Recent {
    /// Whether the key is not among them; from then on it is.
    pub(crate) fn insert(&mut self, key: &ItemKey) -> bool {
        if self.before.contains(key) || !self.last.insert(key.clone()) {
            return false;
        }
        if self.last.len() >= REMEMBERED {
            self.before = std::mem::take(&mut self.last);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_named_once_and_those_of_long_ago_are_forgotten() {
        let key = |number: usize| ItemKey::new(&format!("key:{number}")).unwrap();
        let mut recent = Recent::default();
        for number in 0..4 * REMEMBERED {
            assert!(recent.insert(&key(number)), "{number}");
            assert!(!recent.insert(&key(number.saturating_sub(REMEMBERED - 1))), "{number}");
        }
        assert!(recent.last.len() + recent.before.len() <= 2 * REMEMBERED);
    }
}
