//! What carries the machine's steps to the store, and the store's answers back: it decides nothing.
//!
//! The session and what finishes requests call it. What one request shares is in here too, what all of them share, and
//! what is cleaned up behind them.

mod cleanup;
mod inner;
mod queues;
mod shared;

use std::pin::pin;

use cloakroom_storage::platform::{Instant, OUTLIVES_REQUESTS};
use tokio::sync::MutexGuard;

use crate::error::{Error, ErrorKind, Result, Shown};
use crate::id::SessionId;
use crate::machine::{
    Answer, Goal, Machine, Next, Outcome, Proposal, Seen, SetCookie, Step, Target,
};
use crate::observe;
use crate::record::Change;
use crate::store::pause;

pub(crate) use inner::{Inner, check_key};
pub(crate) use queues::Queues;
pub(crate) use shared::Shared;

/// How often an update decides, before it is taken for one that changes its own entry by other means.
const DECISIONS: u32 = 1000;

/// How often a late commit looks whether there is more, where others go on changing the session.
const ROUNDS: u32 = 16;

/// Saves what has changed, or asks whether the session is still there.
pub(crate) async fn save(inner: &Inner) -> Result<()> {
    observe::commit("save").over(pin!(run(inner, Goal::Save))).await
}

/// Lets the deadlines follow the session's use.
pub(crate) async fn keep_alive(inner: &Inner) -> Result<()> {
    observe::commit("keep_alive").over(pin!(run(inner, Goal::KeepAlive))).await
}

/// Reads the session anew.
pub(crate) async fn reload(inner: &Inner) -> Result<()> {
    let session = inner.machine().id().map(|id| inner.shared().store.shown(id));
    observe::load(session).over(pin!(run(inner, Goal::Reload))).await
}

/// Does all that the handler wanted; what it returns is for the response, whose headers may leave then.
pub(crate) async fn finish(inner: &Inner) -> Result<Option<SetCookie>> {
    observe::commit("finish").over(pin!(finish_all(inner))).await
}

/// Does all that was changed after the headers have left.
pub(crate) async fn finish_late(inner: &Inner) -> Result<()> {
    observe::commit("finish_late").over(pin!(finish_rest(inner))).await
}

/// Changes one entry as `change` decides, which is asked again where another request was faster. `None` changes
/// nothing, and is compared with the store all the same.
pub(crate) async fn update(
    inner: &Inner,
    key: &str,
    change: impl FnMut(Seen) -> Result<Option<Change>>,
) -> Result<()> {
    observe::commit("update").over(pin!(decide(inner, key, change))).await
}

/// Reaches a goal that takes one run of steps.
async fn run(inner: &Inner, goal: Goal<'_>) -> Result<()> {
    let _io = inner.io.lock().await;
    inner.machine().begin();
    drive(inner, &goal, &mut Turn::default()).await.map(drop)
}

async fn finish_all(inner: &Inner) -> Result<Option<SetCookie>> {
    let _io = inner.io.lock().await;
    for _ in 0..ROUNDS {
        inner.machine().begin_final();
        let outcome = drive(inner, &Goal::Finish, &mut Turn::default()).await;
        if outcome.is_err() {
            inner.tell(Machine::fail);
        }
        let has_more = inner.clean_up(Machine::has_more).await;
        if let Err(error) = outcome {
            // Nor is what a task has changed while this cleaned up: the response says that nothing was saved.
            inner.tell(Machine::fail);
            return Err(error);
        }
        // What a task does while this cleans up is done, too.
        if !has_more {
            break;
        }
    }
    // Nothing is waited for any more, so that whoever is told is still there. If not, it is taken back.
    let (cookie, happened) = {
        let mut machine = inner.machine();
        let cookie = machine.cookie(&inner.shared().rules());
        (cookie, machine.told_the_browser())
    };
    if let Some(happened) = happened {
        inner.shared().store.tell_happened(happened);
    }
    inner.clean_up(|_| ()).await;
    cookie
}

async fn finish_rest(inner: &Inner) -> Result<()> {
    let _io = inner.io.lock().await;
    // What a task changes while this cleans up has no later chance.
    for _ in 0..ROUNDS {
        inner.machine().begin();
        let outcome = drive(inner, &Goal::Late, &mut Turn::default()).await;
        if outcome.is_err() {
            inner.tell(Machine::fail);
        }
        let is_changed = inner.clean_up(Machine::is_changed).await;
        outcome?;
        if !is_changed {
            break;
        }
    }
    Ok(())
}

async fn decide(
    inner: &Inner,
    key: &str,
    mut change: impl FnMut(Seen) -> Result<Option<Change>>,
) -> Result<()> {
    let _io = inner.io.lock().await;
    inner.machine().begin();
    let mut turn = Turn::default();
    for _ in 0..DECISIONS {
        drive(inner, &Goal::Ready, &mut turn).await?;
        let seen = inner.seen(key);
        let basis = seen.basis;
        let outcome = match change(seen)? {
            Some(change) => {
                let proposal = Proposal { key, change, basis };
                drive(inner, &Goal::Update(&proposal), &mut turn).await?
            }
            None => drive(inner, &Goal::Confirm(key, basis), &mut turn).await?,
        };
        if !matches!(outcome, Outcome::Again) {
            return Ok(());
        }
    }
    Err(Error::new(
        ErrorKind::Conflict,
        format!(
            "the session entry {} was changed {DECISIONS} times while it was updated: try again",
            Shown(key)
        ),
    ))
}

async fn drive<'a>(inner: &'a Inner, goal: &Goal<'_>, turn: &mut Turn<'a>) -> Result<Outcome> {
    loop {
        let next = inner.tell(|machine| machine.next(goal, &inner.shared().rules()))?;
        let step = match next {
            Next::Done(outcome) => return Ok(outcome),
            Next::Do(step) => step,
        };
        let answer = carry(inner.shared(), &step, turn).await;
        inner.tell(|machine| machine.answered(step, answer, &inner.shared().rules()))?;
    }
}

async fn carry<'a>(shared: &'a Shared, step: &Step, turn: &mut Turn<'a>) -> Answer {
    let store = &shared.store;
    match step {
        Step::Look { target, id, conflicts, .. } => {
            if *target == Target::Ending {
                // Nobody is shown it any more, however its end goes.
                store.copies().forget(*id);
            }
            if *conflicts > 0 {
                // Apart, as all that is large and seldom: every other commit would have to have room for it.
                Box::pin(turn.wait(shared, *id, *conflicts)).await;
            }
            Answer::Looked(match store.look(*id).await {
                // Not what is to be destroyed, which goes as it is.
                Err(error) if *target == Target::Session && error.kind() == ErrorKind::Corrupt => {
                    Box::pin(store.quarantine(*id, error)).await
                }
                found => found,
            })
        }
        Step::Write(write) => {
            let (when, on) = (write.when.clone(), write.on.as_deref());
            Answer::Written(store.write(write.id, &write.draft, when, on).await)
        }
        Step::Retire { id, tombstone, when, .. } => {
            Answer::Retired(Box::pin(store.retire(*id, *tombstone, when.clone())).await)
        }
        Step::Enter { entry, .. } => {
            Answer::Entered(Box::pin(shared.index.enter(store, entry)).await)
        }
        Step::Stand { entered, .. } => {
            Answer::Stands(Box::pin(shared.index.has(store, entered)).await)
        }
        Step::Touch { id, ttl, .. } => Answer::Touched(Box::pin(store.touch(*id, *ttl)).await),
    }
}

/// A place among those who want to write the same session, which is taken after a conflict.
struct Turn<'a> {
    place: Option<MutexGuard<'a, ()>>,
    /// Since when it tries; not asked for where the first conflict sets it.
    began: Option<Instant>,
}

impl Default for Turn<'_> {
    fn default() -> Self {
        Turn { place: None, began: (!OUTLIVES_REQUESTS).then(Instant::now) }
    }
}

impl<'a> Turn<'a> {
    /// Waits for the other writers.
    async fn wait(&mut self, shared: &'a Shared, id: SessionId, conflicts: u32) {
        // The requests of a Worker cannot wake each other: there, pauses keep them apart.
        if self.place.is_none() && OUTLIVES_REQUESTS {
            self.place = Some(shared.queues.wait(id).await);
        } else {
            pause(conflicts, self.began.map(|began| began.elapsed()).unwrap_or_default()).await;
        }
        self.began = Some(Instant::now());
    }
}
