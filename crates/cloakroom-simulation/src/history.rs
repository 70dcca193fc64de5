//! What happens in a history, as a plain value: it is made from a seed, run, shrunk and printed.

use std::time::Duration;

/// A history: some requests to some machines over one store, and what goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// Decides which of the ready tasks runs next, and how long each call to the store takes.
    pub schedule: u64,
    /// The site and its store.
    pub setup: Setup,
    /// In the order of their numbers, which is not that of their starts.
    pub requests: Vec<Request>,
    /// What goes wrong with which call to the store.
    pub faults: Vec<Fault>,
    /// Which machine dies when.
    pub deaths: Vec<Death>,
}

/// The site and its store.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// How far the clock of each machine is ahead of the store's, in milliseconds. There are so many machines.
    pub skews: Vec<i64>,
    /// Whether the store compares and swaps.
    pub compares: bool,
    /// What the store tells versions by.
    pub versions: Versions,
    /// Whether the store lets records expire.
    pub expires: bool,
    /// The configured ttl of entries.
    pub ttl: Option<Duration>,
    /// The configured idle timeout.
    pub idle: Option<Duration>,
    /// The configured absolute timeout.
    pub absolute: Option<Duration>,
    /// The cookie's `Max-Age`, in seconds.
    pub max_age: Option<u64>,
    /// Whether the library's own retries and deadlines stand around the store.
    pub is_wrapped: bool,
    /// The longest time that a call takes one way, in microseconds.
    pub latency: u64,
}

/// What a store tells versions by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    /// A number that is never used again.
    Counter,
    /// The bytes themselves, so that the same bytes are the same version.
    Bytes,
}

/// A request of a browser to a machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Whose cookies it carries.
    pub browser: usize,
    /// Where it is served.
    pub machine: usize,
    /// When it is sent.
    pub start: Duration,
    /// Who serves it.
    pub site: Site,
    /// Which of the browser's cookies it carries.
    pub cookies: Cookies,
    /// What the handler does.
    pub program: Vec<Operation>,
    /// What the body does that streams after the headers, if one does.
    pub body: Option<Vec<Operation>>,
    /// After how long the client goes away.
    pub gone: Option<Duration>,
    /// How long the answer takes to the browser; `None` where it is lost.
    pub answer: Option<Duration>,
}

/// Who serves a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// This library.
    Cloakroom,
    /// An Astro site over the same store.
    Astro,
}

/// Which of a browser's cookies a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookies {
    /// The one that it was sent last.
    Last,
    /// None, as on a first visit.
    None,
    /// The one that it was sent last, and before it in the same header one that it was sent earlier.
    EarlierAndLast,
}

/// An entry's key: a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(pub u8);

/// One thing that a handler does. Each value is a list of numbers: a set begins a new one with a number of its own,
/// and an update adds one.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// `get`
    Get(Key),
    /// `has`
    Has(Key),
    /// `keys`
    Keys,
    /// `set`
    Set(Key),
    /// `set_with` a ttl
    SetFor(Key, Duration),
    /// `set` to the value that was read last
    SetSame(Key),
    /// `delete`
    Delete(Key),
    /// `update`, by one number more
    Update(Key),
    /// `update`, by a closure that changes nothing
    Peek(Key),
    /// `try_update`, by one number more
    TryUpdate(Key),
    /// `try_update`, that takes the value out
    TakeOut(Key),
    /// `try_update`, whose closure refuses
    Refuse(Key),
    /// `update`, while whose closure runs another task does this
    UpdateAround(Key, Vec<Operation>),
    /// `reload`
    Reload,
    /// `save`
    Save,
    /// `save`, given up after so long
    SaveFor(Duration),
    /// `regenerate`
    Regenerate,
    /// `destroy`
    Destroy,
    /// `load` of one of the IDs that were handed out so far, counted from the latest
    Load(usize),
    /// Something that takes so long
    Pause(Duration),
    /// A task of its own, with a handle of its own
    Spawn(Vec<Operation>),
}

/// Something that goes wrong with one call to the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Whose call, by the number of the request.
    pub request: usize,
    /// Which of its calls.
    pub call: usize,
    /// What goes wrong.
    pub kind: FaultKind,
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The store refuses it, for sure before anything happened.
    Refused,
    /// Nothing happens, and nobody answers.
    RequestLost,
    /// Nothing happens, and the connection breaks.
    RequestBroken,
    /// It happens, and nobody answers.
    AnswerLost,
    /// It happens, and the connection breaks before the answer.
    AnswerBroken,
    /// The store stands still for so long, and then works through what it was sent, in order.
    Stall(Duration),
    /// The store has no room for so long: it refuses writes and takes removals.
    Full(Duration),
}

/// The end of a machine, with all its tasks.
#[derive(Clone, Debug, PartialEq)]
pub struct Death {
    /// Which one.
    pub machine: usize,
    /// When.
    pub at: Duration,
}

impl Setup {
    /// Machines of one time over a store that keeps every promise, and nothing configured.
    #[cfg(test)]
    pub(crate) fn plain(machines: usize) -> Setup {
        Setup {
            skews: vec![0; machines],
            compares: true,
            versions: Versions::Counter,
            expires: true,
            ttl: None,
            idle: None,
            absolute: None,
            max_age: None,
            is_wrapped: false,
            latency: 1,
        }
    }

    /// How far two of the machines' clocks may be apart.
    pub(crate) fn skew(&self) -> Duration {
        let worst = self.skews.iter().map(|skew| skew.unsigned_abs()).max().unwrap_or(0);
        Duration::from_millis(worst * 2)
    }
}

impl Operation {
    /// What a closure or a task within it does.
    pub(crate) fn inner(&self) -> Option<&Vec<Operation>> {
        match self {
            Operation::UpdateAround(_, inner) | Operation::Spawn(inner) => Some(inner),
            _ => None,
        }
    }

    /// As [`inner`](Operation::inner), to be changed.
    pub(crate) fn inner_mut(&mut self) -> Option<&mut Vec<Operation>> {
        match self {
            Operation::UpdateAround(_, inner) | Operation::Spawn(inner) => Some(inner),
            _ => None,
        }
    }
}

impl History {
    /// Whether an Astro site serves any of it.
    pub fn has_astro(&self) -> bool {
        self.requests.iter().any(|request| request.site == Site::Astro)
    }
}
