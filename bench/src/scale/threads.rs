//! Two threads that use one store at once.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use tokio::runtime::Builder;

use super::Operation;

/// What a session is read from and changed in.
pub(super) trait Timed: Send {
    /// Nanoseconds for a session to be read, as often as there is time for.
    fn read(&mut self, sample: Duration) -> impl Future<Output = Result<f64>>;

    /// Nanoseconds for a session to be read and written back changed.
    fn change(&mut self, sample: Duration) -> impl Future<Output = Result<f64>>;
}

impl Operation {
    pub(super) async fn time(self, timed: &mut impl Timed, sample: Duration) -> Result<f64> {
        match self {
            Operation::Read => timed.read(sample).await,
            Operation::Change => timed.change(sample).await,
        }
    }
}

/// Nanoseconds from one to the next of all that both threads do.
pub(super) fn both<T: Timed>(
    threads: &mut [T; 2],
    operation: Operation,
    sample: Duration,
) -> Result<f64> {
    let start = Barrier::new(threads.len());
    let run = |timed: &mut T| {
        let runtime = Builder::new_current_thread().enable_all().build();
        start.wait();
        runtime?.block_on(operation.time(timed, sample))
    };
    thread::scope(|scope| {
        let running = threads.each_mut().map(|timed| scope.spawn(|| run(timed)));
        let mut rate = 0.0;
        for thread in running {
            rate += 1.0 / thread.join().map_err(|_| anyhow!("a thread panicked"))??;
        }
        Ok(1.0 / rate)
    })
}
