//! An order in which to come by all of a number of sessions.

/// Comes by every number below a power of ten before it comes by one again, in an order without a pattern: a linear
/// congruential generator of full period.
#[derive(Clone, Debug)]
pub struct Walk {
    count: usize,
    place: usize,
    /// How many walks there are side by side, and which of them this is.
    walks: usize,
    which: usize,
}

impl Walk {
    pub fn new(count: usize) -> Walk {
        Walk { count, place: 0, walks: 1, which: 0 }
    }

    /// Two, neither of which comes by where the other does.
    pub fn apart(count: usize) -> [Walk; 2] {
        [0, 1].map(|which| Walk { count: count / 2, place: 0, walks: 2, which })
    }
}

impl Iterator for Walk {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.place = (self.place * 48_281 + 12_347) % self.count;
        Some(self.place * self.walks + self.which)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_comes_by_every_session_once() {
        let mut numbers: Vec<_> = Walk::new(10_000).take(10_000).collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..10_000));
    }

    #[test]
    fn two_walks_apart_come_by_every_session_once() {
        let mut numbers: Vec<_> =
            Walk::apart(10_000).map(|walk| walk.take(5_000)).into_iter().flatten().collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..10_000));
    }
}
