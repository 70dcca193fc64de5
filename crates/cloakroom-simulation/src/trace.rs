//! What happened in a history, event by event.

use std::sync::Arc;
use std::time::Duration;

use cloakroom_session::ErrorKind;
use cloakroom_storage::ErrorKind as StorageKind;

use crate::content::Content;
use crate::history::{FaultKind, History, Key};

/// An ID, by the order in which they were first seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub usize);

/// On whose behalf a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The number of the request.
    pub request: usize,
    /// The machine; `None` for what belongs to the browser.
    pub machine: Option<usize>,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// When, since the beginning of the history.
    pub at: Duration,
    /// In whose task.
    pub owner: Owner,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum What {
    /// The request came to its machine, with these IDs in its cookies.
    Began(Vec<Id>),
    /// A call to the session was begun.
    Begun(Act),
    /// A call to the session ended, which was begun at this event.
    Ended(usize, Outcome),
    /// A call to the store left, the number of which is this one's place among all calls.
    Called(usize, Id, Call),
    /// The store did what call asked for.
    Applied(usize, Effect),
    /// The caller was told.
    Answered(usize, Answer),
    /// The future of a call was dropped before it was answered.
    GivenUp(usize),
    /// The answer of the request came to the browser, with its cookie.
    Delivered(Option<Sent>),
    /// The answer was lost on its way.
    AnswerLost,
    /// The client went away before the answer.
    Gone,
    /// The operator was told that somebody overwrites whole records, by this.
    Overwritten(String),
    /// The machine died.
    Died(usize),
    /// Nothing happens any more.
    Quiet,
}

/// A call to the session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Act {
    /// `get`
    Get(Key),
    /// `has`
    Has(Key),
    /// `keys`
    Keys,
    /// `set` to a list of this number alone, to live for so long
    Set(Key, u32, Option<Duration>),
    /// `set` to what was read
    SetSame(Key),
    /// `delete`
    Delete(Key),
    /// `update`, by this number
    Update(Key, u32),
    /// `update` that changes nothing
    Peek(Key),
    /// `try_update` that takes the value out
    TakeOut(Key),
    /// `try_update` whose closure refuses
    Refuse(Key),
    /// `reload`
    Reload,
    /// `save`
    Save,
    /// `regenerate`
    Regenerate,
    /// `destroy`
    Destroy,
    /// `load`
    Load(Id),
    /// The commit at the end of the request
    Finish,
    /// The commit at the end of a streamed body
    FinishLate,
}

/// How a call to the session ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Well.
    Done,
    /// A value.
    Value(Option<Vec<u32>>),
    /// Yes or no.
    Bool(bool),
    /// The keys.
    Keys(Vec<Key>),
    /// The request is finished, with this cookie.
    Finished(Option<Sent>),
    /// An error.
    Failed(ErrorKind),
    /// The closure's own error.
    Refused,
    /// Its future was dropped.
    GivenUp,
}

/// What a response says of the cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// This ID is to be kept.
    Id(Id),
    /// The cookie is to be forgotten.
    Deletion,
}

/// A call to the store.
#[derive(Clone, Debug)]
pub enum Call {
    /// `get`, or with the ttl
    Get,
    /// `set`
    Set {
        /// What is written.
        content: Option<Arc<Content>>,
        /// On which condition.
        when: Condition,
        /// For how long.
        ttl: Option<Duration>,
    },
    /// `remove`
    Remove(Condition),
    /// `touch`
    Touch(Option<Duration>),
}

/// The condition of a call, without its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// None.
    Always,
    /// That there is nothing.
    Absent,
    /// That the version is still there.
    Version,
}

/// What a call did at the store.
#[derive(Clone, Debug)]
pub enum Effect {
    /// It read this, or that there is nothing.
    Read(Option<Arc<Content>>),
    /// It wrote over what was there.
    Wrote {
        /// What was there.
        before: Option<Arc<Content>>,
        /// Until when that would have lived.
        deadline_before: Option<Duration>,
        /// What is there now.
        after: Arc<Content>,
        /// Until when it lives, by the store's clock.
        deadline: Option<Duration>,
    },
    /// It removed what was there.
    Removed(Arc<Content>),
    /// It moved the deadline of what is there.
    Touched {
        /// What is there.
        content: Arc<Content>,
        /// Until when it would have lived.
        before: Option<Duration>,
        /// Until when it lives.
        deadline: Option<Duration>,
    },
    /// The condition did not hold.
    Conflict,
    /// There was nothing.
    Missing,
    /// The store has no room.
    NoRoom,
}

/// What the caller was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// What was done.
    Told,
    /// An error, and whether it says that nothing happened.
    Failed(StorageKind, bool, Option<FaultKind>),
}

/// A history, and what happened in it.
#[derive(Clone, Debug)]
pub struct Trace {
    /// What was to happen.
    pub history: History,
    /// What happened.
    pub events: Vec<Event>,
    /// Tasks that wait for something that never comes.
    pub hung: usize,
    /// Whether it did not come to an end.
    pub is_endless: bool,
}
