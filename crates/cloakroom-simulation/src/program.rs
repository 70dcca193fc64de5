//! What a handler does with its session, operation by operation.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use cloakroom_session::{Error, Result, Session, SetOptions};
use cloakroom_storage::platform;

use crate::history::{Key, Operation};
use crate::trace::{Act, Outcome, What};
use crate::world;

/// What a request's handler and its tasks know.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    /// What was read last under which key.
    read: Rc<RefCell<BTreeMap<Key, Vec<u32>>>>,
}

/// Notes that a call was begun, and at its drop that it was given up, unless it [ended](Noted::end).
pub(crate) struct Noted(Option<usize>);

impl Noted {
    pub(crate) fn begin(act: Act) -> Noted {
        Noted(Some(world::note(What::Begun(act))))
    }

    pub(crate) fn end(mut self, outcome: Outcome) {
        if let Some(begun) = self.0.take() {
            world::note(What::Ended(begun, outcome));
        }
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        if let Some(begun) = self.0.take() {
            world::try_with(|world| world.note(What::Ended(begun, Outcome::GivenUp)));
        }
    }
}

fn outcome<T>(result: Result<T>, well: impl FnOnce(T) -> Outcome) -> Outcome {
    match result {
        Ok(value) => well(value),
        Err(error) => Outcome::Failed(error.kind()),
    }
}

/// Does all of a program.
pub(crate) fn run<'a>(
    session: &'a Session,
    memory: &'a Memory,
    program: &'a [Operation],
) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    Box::pin(async move {
        for operation in program {
            step(session, memory, operation).await;
        }
    })
}

async fn step(session: &Session, memory: &Memory, operation: &Operation) {
    match operation {
        Operation::Get(key) => get(session, memory, *key).await,
        Operation::Has(key) => {
            let noted = Noted::begin(Act::Has(*key));
            noted.end(outcome(session.has(&key.to_string()).await, Outcome::Bool));
        }
        Operation::Keys => keys(session).await,
        Operation::Update(key) => update(session, *key).await,
        Operation::Peek(key) => {
            let noted = Noted::begin(Act::Peek(*key));
            let seen = session.update(&key.to_string(), |_: &mut Vec<u32>| {}).await;
            noted.end(outcome(seen, |seen| Outcome::Value(Some(seen))));
        }
        Operation::TryUpdate(key) => try_update(session, *key).await,
        Operation::TakeOut(key) => take_out(session, *key).await,
        Operation::Refuse(key) => refuse(session, *key).await,
        Operation::Reload => {
            let noted = Noted::begin(Act::Reload);
            noted.end(outcome(session.reload().await, Outcome::Bool));
        }
        Operation::UpdateAround(key, inner) => update_around(session, memory, *key, inner).await,
        Operation::Save => {
            let noted = Noted::begin(Act::Save);
            noted.end(outcome(session.save().await, |()| Outcome::Done));
        }
        Operation::SaveFor(time) => save_for(session, *time).await,
        Operation::Regenerate => {
            let noted = Noted::begin(Act::Regenerate);
            noted.end(outcome(session.regenerate().await, |()| Outcome::Done));
        }
        Operation::Load(back) => load(session, *back).await,
        Operation::Pause(time) => world::sleep(*time).await,
        Operation::Spawn(inner) => {
            let (session, memory, inner) = (session.clone(), memory.clone(), inner.clone());
            world::spawn(world::owner(), async move { run(&session, &memory, &inner).await });
        }
        _ => at_once(session, memory, operation),
    }
}

/// What takes no waiting, and can be done within a closure too.
fn at_once(session: &Session, memory: &Memory, operation: &Operation) {
    match operation {
        Operation::Set(key) => set(session, *key, None),
        Operation::SetFor(key, ttl) => set(session, *key, Some(*ttl)),
        Operation::SetSame(key) => {
            let Some(value) = memory.read.borrow().get(key).cloned() else { return };
            let noted = Noted::begin(Act::SetSame(*key));
            noted.end(outcome(session.set(key.to_string(), &value), |()| Outcome::Done));
        }
        Operation::Delete(key) => {
            let noted = Noted::begin(Act::Delete(*key));
            session.delete(key.to_string());
            noted.end(Outcome::Done);
        }
        Operation::Destroy => {
            let noted = Noted::begin(Act::Destroy);
            session.destroy();
            noted.end(Outcome::Done);
        }
        _ => {}
    }
}

async fn get(session: &Session, memory: &Memory, key: Key) {
    let noted = Noted::begin(Act::Get(key));
    let value = session.get::<Vec<u32>>(&key.to_string()).await;
    if let Ok(Some(value)) = &value {
        memory.read.borrow_mut().insert(key, value.clone());
    }
    noted.end(outcome(value, Outcome::Value));
}

async fn keys(session: &Session) {
    let noted = Noted::begin(Act::Keys);
    let letters = |keys: Vec<String>| {
        Outcome::Keys(keys.iter().filter_map(|key| key.bytes().next()).map(Key).collect())
    };
    noted.end(outcome(session.keys().await, letters));
}

fn set(session: &Session, key: Key, ttl: Option<Duration>) {
    let tag = world::with(|world| world.tag());
    let noted = Noted::begin(Act::Set(key, tag, ttl));
    let options = ttl.map_or(SetOptions::new(), |ttl| SetOptions::new().ttl(ttl));
    let set = session.set_with(key.to_string(), &vec![tag], options);
    noted.end(outcome(set, |()| Outcome::Done));
}

async fn update(session: &Session, key: Key) {
    let tag = world::with(|world| world.tag());
    let noted = Noted::begin(Act::Update(key, tag));
    let updated = session.update(&key.to_string(), |tags: &mut Vec<u32>| tags.push(tag)).await;
    noted.end(outcome(updated, |tags| Outcome::Value(Some(tags))));
}

async fn try_update(session: &Session, key: Key) {
    let tag = world::with(|world| world.tag());
    let noted = Noted::begin(Act::Update(key, tag));
    let change = |tags: &mut Option<Vec<u32>>| {
        let tags = tags.get_or_insert_default();
        tags.push(tag);
        Ok::<_, Error>(tags.clone())
    };
    let updated = session.try_update(&key.to_string(), change).await;
    noted.end(outcome(updated, |tags| Outcome::Value(Some(tags))));
}

async fn take_out(session: &Session, key: Key) {
    let noted = Noted::begin(Act::TakeOut(key));
    let taken = session
        .try_update(&key.to_string(), |tags: &mut Option<Vec<u32>>| Ok::<_, Error>(tags.take()))
        .await;
    noted.end(outcome(taken, Outcome::Value));
}

async fn refuse(session: &Session, key: Key) {
    let noted = Noted::begin(Act::Refuse(key));
    let change = |tags: &mut Option<Vec<u32>>| {
        *tags = Some(Vec::new());
        Err::<(), _>(Refused(None))
    };
    let refused = session.try_update(&key.to_string(), change).await;
    noted.end(match refused {
        Err(Refused(Some(error))) => Outcome::Failed(error.kind()),
        Err(Refused(None)) => Outcome::Refused,
        Ok(()) => Outcome::Done,
    });
}

/// The error of a closure that refuses, or the session's own.
struct Refused(Option<Error>);

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused(Some(error))
    }
}

/// Another task, on another thread, does something while the closure runs.
async fn update_around(session: &Session, memory: &Memory, key: Key, inner: &[Operation]) {
    let tag = world::with(|world| world.tag());
    let noted = Noted::begin(Act::Update(key, tag));
    let mut is_first = true;
    let change = |tags: &mut Vec<u32>| {
        if std::mem::take(&mut is_first) {
            inner.iter().for_each(|operation| at_once(session, memory, operation));
        }
        tags.push(tag);
    };
    let updated = session.update(&key.to_string(), change).await;
    noted.end(outcome(updated, |tags| Outcome::Value(Some(tags))));
}

async fn save_for(session: &Session, time: Duration) {
    let saving = async {
        let noted = Noted::begin(Act::Save);
        noted.end(outcome(session.save().await, |()| Outcome::Done));
    };
    // Dropped where it takes longer.
    let _ended: Option<()> = platform::timeout(time, saving).await;
}

async fn load(session: &Session, back: usize) {
    let target = world::with(|world| {
        let place = world.told.len().checked_sub(back + 1)?;
        let id = world.told[place];
        Some((id, world.ids[id.0].clone()))
    });
    let Some((id, text)) = target else { return };
    let noted = Noted::begin(Act::Load(id));
    noted.end(outcome(session.load(&text).await, Outcome::Bool));
}
