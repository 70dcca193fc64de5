//! A simulated world's, on a thread where one is entered; everywhere else the [native](super::native) ones.
//!
//! So one build serves both: tests that know nothing of simulations run beside them as ever.

use std::cell::Cell;
use std::hash::{BuildHasher, DefaultHasher};
use std::marker::PhantomData;
use std::ops::{Add, Sub};
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTimeError};

use tokio::runtime::TryCurrentError;

use super::native;
pub use super::native::{JoinHandle, OUTLIVES_REQUESTS, print, spawn};

/// Where time passes, tasks run and numbers fall only as a simulation wants it.
pub trait World: Send + Sync {
    /// How long it is since the world began, by a clock that nobody can set.
    fn elapsed(&self) -> Duration;

    /// How long it is since 1970 by the clock of the machine whose task is running.
    fn since_1970(&self) -> Duration;

    /// Whether `elapsed` has come to `moment`; where not, the task is woken then.
    fn poll_until(&self, moment: Duration, context: &mut Context<'_>) -> Poll<()>;

    /// Runs a task on the machine whose task is running.
    fn detach(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>);

    /// Fills `bytes` with the numbers that come next.
    fn fill(&self, bytes: &mut [u8]);
}

thread_local! {
    static WORLD: Cell<Option<&'static dyn World>> = const { Cell::new(None) };
}

/// Makes `world` this thread's, until the answer is dropped.
pub fn enter(world: &'static dyn World) -> Entered {
    Entered { before: WORLD.replace(Some(world)), on_this_thread: PhantomData }
}

/// Leaves the world when it is dropped.
#[must_use = "the world is left at once"]
pub struct Entered {
    before: Option<&'static dyn World>,
    on_this_thread: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        WORLD.set(self.before);
    }
}

/// The world that is entered on this thread.
pub fn world() -> Option<&'static dyn World> {
    WORLD.get()
}

/// Random bytes of the world, where there is one.
pub fn simulated_bytes<const LENGTH: usize>() -> Option<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    world()?.fill(&mut bytes);
    Some(bytes)
}

/// The present moment.
pub fn now() -> Instant {
    if world().is_some() { Instant::now() } else { Instant(native::now()) }
}

/// Waits.
pub async fn sleep(duration: Duration) {
    match world() {
        Some(world) => wait(world, duration).await,
        None => native::sleep(duration).await,
    }
}

/// What the future gives, or `None` where it takes longer.
pub async fn timeout<F: Future>(longest: Duration, future: F) -> Option<F::Output> {
    let Some(world) = world() else { return native::timeout(longest, future).await };
    let mut future = std::pin::pin!(future);
    let mut limit = std::pin::pin!(wait(world, longest));
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => limit.as_mut().poll(context).map(|()| None),
    })
    .await
}

fn wait(world: &'static dyn World, duration: Duration) -> impl Future<Output = ()> + Send {
    let moment = world.elapsed().saturating_add(duration);
    std::future::poll_fn(move |context| match self::world() {
        Some(world) => world.poll_until(moment, context),
        // The world has ended, and what still waits in it is only to be dropped.
        None => Poll::Pending,
    })
}

/// Runs a task that nobody waits for.
///
/// # Errors
/// Outside of a world and of a tokio runtime; the task is dropped then.
pub fn detach(task: impl Future<Output = ()> + Send + 'static) -> Result<(), TryCurrentError> {
    match world() {
        Some(world) => {
            world.detach(Box::pin(task));
            Ok(())
        }
        None => native::detach(task),
    }
}

/// A moment by a clock that nobody can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(std::time::Instant);

impl Instant {
    /// The present moment.
    pub fn now() -> Instant {
        // All moments of all worlds count from here.
        static BEGINNING: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
        Instant(match world() {
            Some(world) => *BEGINNING + world.elapsed(),
            None => std::time::Instant::now(),
        })
    }

    /// How long it is since then.
    pub fn elapsed(&self) -> Duration {
        Instant::now().duration_since(*self)
    }

    /// How long it was from `earlier` until then; zero where that was later.
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        self.0.duration_since(earlier.0)
    }

    /// As [`duration_since`](Instant::duration_since).
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }

    /// As [`duration_since`](Instant::duration_since), but `None` where `earlier` was later.
    pub fn checked_duration_since(&self, earlier: Instant) -> Option<Duration> {
        self.0.checked_duration_since(earlier.0)
    }

    /// The moment that much later, where there is one.
    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        self.0.checked_add(duration).map(Instant)
    }

    /// The moment that much earlier, where there is one.
    pub fn checked_sub(&self, duration: Duration) -> Option<Instant> {
        self.0.checked_sub(duration).map(Instant)
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        Instant(self.0 + duration)
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;

    fn sub(self, duration: Duration) -> Instant {
        Instant(self.0 - duration)
    }
}

impl Sub<Instant> for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.0 - earlier.0
    }
}

/// The time by a machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SystemTime(std::time::SystemTime);

impl SystemTime {
    /// The beginning of 1970.
    pub const UNIX_EPOCH: SystemTime = SystemTime(std::time::SystemTime::UNIX_EPOCH);

    /// The present time.
    pub fn now() -> SystemTime {
        SystemTime(match world() {
            Some(world) => std::time::SystemTime::UNIX_EPOCH + world.since_1970(),
            None => std::time::SystemTime::now(),
        })
    }

    /// How long it was from `earlier` until then.
    ///
    /// # Errors
    /// Where `earlier` was later.
    pub fn duration_since(&self, earlier: SystemTime) -> Result<Duration, SystemTimeError> {
        self.0.duration_since(earlier.0)
    }
}

/// A hasher with a salt, or without one in a world: one that is kept for longer than the world lasts must not take
/// numbers from the first that needs it.
#[derive(Clone, Debug)]
pub struct RandomState(Option<native::RandomState>);

impl RandomState {
    /// A new salt.
    #[allow(clippy::new_without_default)]
    pub fn new() -> RandomState {
        RandomState(world().is_none().then(native::RandomState::new))
    }
}

impl BuildHasher for RandomState {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        self.0.as_ref().map_or_else(DefaultHasher::new, BuildHasher::build_hasher)
    }
}
