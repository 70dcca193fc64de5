//! The operating system's, and tokio's.

use std::time::Duration;

use tokio::runtime::{Handle, TryCurrentError};

pub use std::hash::RandomState;
#[cfg_attr(feature = "simulation", allow(unused_imports))]
pub use std::time::{Instant, SystemTime};
pub use tokio::task::{JoinHandle, spawn};
pub use tokio::time::sleep;

/// Whether the process lives between requests, and a task may wake another request's.
pub const OUTLIVES_REQUESTS: bool = true;

/// The present moment by tokio's clock, which a test can pause.
pub fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// What the future gives, or `None` where it takes longer.
pub async fn timeout<F: Future>(longest: Duration, future: F) -> Option<F::Output> {
    tokio::time::timeout(longest, future).await.ok()
}

/// Runs a task that nobody waits for.
///
/// # Errors
/// Outside of a tokio runtime; the task is dropped then.
pub fn detach(task: impl Future<Output = ()> + Send + 'static) -> Result<(), TryCurrentError> {
    Handle::try_current()?.spawn(task);
    Ok(())
}

/// Writes a line for whoever runs a test.
pub fn print(line: &str) {
    println!("{line}");
}
