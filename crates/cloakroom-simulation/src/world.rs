//! The world of a history: its time, its timers, its numbers, and who is running.

use std::cell::RefCell;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cloakroom_storage::platform;

use crate::browser::Browser;
use crate::random::Random;
use crate::store::Store;
use crate::trace::{Event, Id, Owner, What};

/// When every history begins, since 1970.
pub(crate) const BEGINNING: Duration = Duration::from_millis(1_795_431_615_459);

pub(crate) type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Everything that the tasks of a history share.
pub(crate) struct World {
    pub(crate) now: Duration,
    pub(crate) random: Random,
    pub(crate) timers: BinaryHeap<Reverse<Timer>>,
    pub(crate) running: Owner,
    pub(crate) spawned: Vec<(Owner, Task)>,
    pub(crate) dead: Vec<bool>,
    pub(crate) events: Vec<Event>,
    pub(crate) store: Store,
    pub(crate) browsers: Vec<Browser>,
    /// The IDs in the order in which they were first seen.
    pub(crate) ids: Vec<String>,
    /// Those that a response has named, in that order.
    pub(crate) told: Vec<Id>,
    /// How many values were made.
    pub(crate) tags: u32,
    skews: Vec<i64>,
    timers_made: u64,
}

pub(crate) struct Timer {
    at: Duration,
    number: u64,
    pub(crate) waker: Waker,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// Calls `with` with this thread's world. It must neither wake nor drop a task.
pub(crate) fn with<T>(with: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with_borrow_mut(|world| with(world.as_mut().expect("a history is running")))
}

/// As [`with`], where a world is there: a task that is dropped at the end finds none.
pub(crate) fn try_with<T>(with: impl FnOnce(&mut World) -> T) -> Option<T> {
    WORLD.with_borrow_mut(|world| world.as_mut().map(with))
}

pub(crate) fn begin(world: World) -> platform::Entered {
    WORLD.set(Some(world));
    platform::enter(&Simulated)
}

pub(crate) fn end() -> World {
    WORLD.take().expect("a history is running")
}

/// Notes that something happened, and says at which event.
pub(crate) fn note(what: What) -> usize {
    with(|world| world.note(what))
}

/// Runs a task on behalf of `owner`, unless its machine is dead.
pub(crate) fn spawn(owner: Owner, task: impl Future<Output = ()> + 'static) {
    let task: Task = Box::pin(task);
    // What is refused is dropped outside of the world, which its drop may want.
    let _refused = with(|world| match world.is_dead(owner) {
        true => Some(task),
        false => {
            world.spawned.push((owner, task));
            None
        }
    });
}

/// The owner of the task that is running.
pub(crate) fn owner() -> Owner {
    with(|world| world.running)
}

/// Waits until then.
pub(crate) async fn sleep_until(moment: Duration) {
    std::future::poll_fn(|context| poll_until(moment, context)).await;
}

/// Waits for so long.
pub(crate) async fn sleep(duration: Duration) {
    sleep_until(with(|world| world.now) + duration).await;
}

fn poll_until(moment: Duration, context: &mut Context<'_>) -> Poll<()> {
    let waker = context.waker().clone();
    let reached = try_with(|world| {
        if world.now >= moment {
            return true;
        }
        let number = world.timers_made;
        world.timers_made += 1;
        world.timers.push(Reverse(Timer { at: moment, number, waker }));
        false
    });
    if reached.unwrap_or(false) { Poll::Ready(()) } else { Poll::Pending }
}

impl World {
    pub(crate) fn new(seed: u64, store: Store, skews: Vec<i64>, browsers: usize) -> World {
        World {
            now: Duration::ZERO,
            random: Random::new(seed),
            timers: BinaryHeap::new(),
            running: Owner { request: 0, machine: None },
            spawned: Vec::new(),
            dead: vec![false; skews.len()],
            events: Vec::with_capacity(128),
            store,
            browsers: (0..browsers).map(|_| Browser::default()).collect(),
            ids: Vec::new(),
            told: Vec::new(),
            tags: 0,
            skews,
            timers_made: 0,
        }
    }

    pub(crate) fn note(&mut self, what: What) -> usize {
        self.events.push(Event { at: self.now, owner: self.running, what });
        self.events.len() - 1
    }

    pub(crate) fn is_dead(&self, owner: Owner) -> bool {
        owner.machine.is_some_and(|machine| self.dead[machine])
    }

    /// A number that marks one value.
    pub(crate) fn tag(&mut self) -> u32 {
        self.tags += 1;
        self.tags
    }

    /// The number of an ID.
    pub(crate) fn id(&mut self, text: &str) -> Id {
        let known = self.ids.iter().position(|id| id == text);
        Id(known.unwrap_or_else(|| {
            self.ids.push(text.to_owned());
            self.ids.len() - 1
        }))
    }

    /// When the next timer comes.
    pub(crate) fn next_timer(&self) -> Option<Duration> {
        self.timers.peek().map(|Reverse(timer)| timer.at)
    }
}

/// What the session's code asks; it has no data of its own.
struct Simulated;

impl platform::World for Simulated {
    fn elapsed(&self) -> Duration {
        try_with(|world| world.now).unwrap_or_default()
    }

    fn since_1970(&self) -> Duration {
        let skewed = try_with(|world| {
            let skew = world.running.machine.map_or(0, |machine| world.skews[machine]);
            let since = (BEGINNING + world.now).as_micros() as i64 + skew * 1000;
            Duration::from_micros(since as u64)
        });
        skewed.unwrap_or(BEGINNING)
    }

    fn poll_until(&self, moment: Duration, context: &mut Context<'_>) -> Poll<()> {
        poll_until(moment, context)
    }

    fn detach(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let mut task = Some(task);
        try_with(|world| {
            if !world.is_dead(world.running)
                && let Some(task) = task.take()
            {
                world.spawned.push((world.running, task));
            }
        });
    }

    fn fill(&self, bytes: &mut [u8]) {
        try_with(|world| world.random.fill(bytes));
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Timer) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Timer {}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Timer) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timer {
    fn cmp(&self, other: &Timer) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}
