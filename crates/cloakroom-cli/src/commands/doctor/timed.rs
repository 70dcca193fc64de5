//! How long calls take.

use std::time::{Duration, Instant};

/// The times of one kind of call.
#[derive(Debug, Default)]
pub(super) struct Timed(Vec<Duration>);

impl Timed {
    /// Awaits a call, and notes how long it took.
    pub(super) async fn call<T>(&mut self, call: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let result = call.await;
        self.0.push(begun.elapsed());
        result
    }

    /// In milliseconds; zero where there was no call.
    pub(super) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort();
        milliseconds(sorted.get(sorted.len() / 2))
    }

    /// In milliseconds; zero where there was no call.
    pub(super) fn worst(&self) -> f64 {
        milliseconds(self.0.iter().max())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn milliseconds(duration: Option<&Duration>) -> f64 {
    duration.map_or(0.0, |duration| duration.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_and_the_worst_at_the_end() {
        let timed = Timed([9, 1, 3].map(Duration::from_millis).to_vec());
        assert_eq!((timed.median(), timed.worst()), (3.0, 9.0));
        assert_eq!((Timed::default().median(), Timed::default().worst()), (0.0, 0.0));
    }
}
