//! JavaScript's, as Cloudflare Workers and browsers have it. There is one thread.

use std::convert::Infallible;
use std::hash::{BuildHasher, DefaultHasher, Hasher};
use std::time::Duration;

use futures_timer::Delay;
use futures_util::future::{BoxFuture, Either, FutureExt, select};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

pub use web_time::{Instant, SystemTime};

/// A Worker lives for its requests, and the runtime refuses that one of them goes on with the I/O of another.
pub const OUTLIVES_REQUESTS: bool = false;

/// The longest that `setTimeout` takes; what is more comes at once.
const LONGEST_SLEEP: Duration = Duration::from_millis(i32::MAX as u64);

/// The present moment.
pub fn now() -> Instant {
    Instant::now()
}

/// Waits.
pub fn sleep(duration: Duration) -> Delay {
    Delay::new(duration.min(LONGEST_SLEEP))
}

/// What the future gives, or `None` where it takes longer.
pub async fn timeout<F: Future>(longest: Duration, future: F) -> Option<F::Output> {
    match select(std::pin::pin!(future), sleep(longest)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

/// A task that others run beside.
pub type JoinHandle<T> = BoxFuture<'static, Result<T, Infallible>>;

/// Makes a task of a future. It runs while it is waited for.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
{
    future.map(Ok).boxed()
}

/// Runs a task that nobody waits for, as long as the request lives that it belongs to.
///
/// # Errors
/// Never.
pub fn detach(task: impl Future<Output = ()> + 'static) -> Result<(), Infallible> {
    wasm_bindgen_futures::spawn_local(task);
    Ok(())
}

/// Writes a line for whoever runs a test.
pub fn print(line: &str) {
    log(&JsValue::from_str(line));
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    fn log(line: &JsValue);
}

/// A hasher with a salt: what the standard library has by this name, but with a random salt here too.
#[derive(Clone, Debug)]
pub struct RandomState([u8; 16]);

impl RandomState {
    /// A new salt.
    #[allow(clippy::new_without_default)]
    pub fn new() -> RandomState {
        let mut salt = [0; 16];
        // Where there is no randomness there are no session IDs either, and nothing to hide.
        let _ = getrandom::fill(&mut salt);
        RandomState(salt)
    }
}

impl BuildHasher for RandomState {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.0);
        hasher
    }
}
