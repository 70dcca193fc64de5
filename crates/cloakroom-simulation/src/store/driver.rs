//! The driver: the way to the store and back, with what may go wrong on it.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cloakroom_storage::{
    BoxStream, Capabilities, Driver, Error, ErrorKind, Item, ItemKey, RemoveOutcome, Result,
    SetOutcome, Swept, When,
};
use futures_util::{StreamExt, stream};

use super::fault::{Way, error};
use super::{CallState, Reply, StoreRequest};
use crate::content::Content;
use crate::history::FaultKind;
use crate::trace::{Answer, Call, Condition, What};
use crate::world::{self, World};

/// The way to the store of the world that this thread runs.
#[derive(Debug)]
pub(crate) struct SimulatedDriver {
    pub(crate) compares: bool,
    pub(crate) expires: bool,
}

/// A call whose caller still waits.
struct InFlight {
    call: usize,
    is_answered: bool,
}

impl SimulatedDriver {
    async fn call(&self, key: &ItemKey, request: StoreRequest) -> Result<Reply> {
        let (mut in_flight, way, fault) = world::with(|world| send(world, key, request));
        world::sleep_until(way.answered).await;
        in_flight.is_answered = true;
        world::with(|world| {
            let call = in_flight.call;
            let reply = world.store.calls[call].reply.take();
            let (reply, answer) = match (way.failure, reply) {
                (None, Some(Reply::NoRoom)) => failed(ErrorKind::StorageFull, true, fault),
                (None, Some(reply)) => (Ok(reply), Answer::Told),
                (Some((kind, is_unapplied)), _) => failed(kind, is_unapplied, fault),
                (None, None) => failed(ErrorKind::Timeout, false, fault),
            };
            world.note(What::Answered(call, answer));
            reply
        })
    }

    fn check(&self, when: &When) -> Result<()> {
        match when {
            When::Always => Ok(()),
            _ if self.compares => Ok(()),
            _ => Err(Error::new(ErrorKind::Unsupported, "this store keeps no condition")),
        }
    }
}

fn failed(
    kind: ErrorKind,
    is_unapplied: bool,
    fault: Option<FaultKind>,
) -> (Result<Reply>, Answer) {
    (Err(error(kind, is_unapplied)), Answer::Failed(kind, is_unapplied, fault))
}

/// Sends a call on its way.
fn send(
    world: &mut World,
    key: &ItemKey,
    request: StoreRequest,
) -> (InFlight, Way, Option<FaultKind>) {
    let (id, owner, now) = (world.id(key.as_str()), world.running, world.now);
    let store = &mut world.store;
    let call = store.calls.len();
    let fault = store.next_fault(owner.request);
    match fault {
        Some(FaultKind::Stall(time)) => store.stalled_until = store.stalled_until.max(now + time),
        Some(FaultKind::Full(time)) => store.full_until = store.full_until.max(now + time),
        _ => {}
    }
    let way = Way::new(fault, now, store.stalled_until, store.latency, &mut world.random);
    if let Some(arrives) = way.arrives {
        store.arrivals.push(Reverse((arrives, call)));
    }
    let described = describe(&request);
    store.calls.push(CallState { id, owner, request: Some(request), reply: None });
    world.note(What::Called(call, id, described));
    (InFlight { call, is_answered: false }, way, fault)
}

fn describe(request: &StoreRequest) -> Call {
    let condition = |when: &When| match when {
        When::Always => Condition::Always,
        When::Absent => Condition::Absent,
        When::Version(_) => Condition::Version,
    };
    match request {
        StoreRequest::Get => Call::Get,
        StoreRequest::Set { content, when, ttl, .. } => {
            Call::Set { content: content.clone(), when: condition(when), ttl: *ttl }
        }
        StoreRequest::Remove(when) => Call::Remove(condition(when)),
        StoreRequest::Touch(ttl) => Call::Touch(*ttl),
    }
}

impl super::Store {
    /// What goes wrong with the next call of a request.
    fn next_fault(&mut self, request: usize) -> Option<FaultKind> {
        let made = self.made.get_mut(request)?;
        let call = *made;
        *made += 1;
        let fault = self.faults.iter().find(|fault| fault.request == request && fault.call == call);
        fault.map(|fault| fault.kind)
    }
}

impl Drop for InFlight {
    /// A call that nobody waits for may have left already, or may not.
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        world::try_with(|world| {
            world.note(What::GivenUp(self.call));
            if world.random.chance(50) {
                // Seldom a request that is dropped by the same hand that drops everything.
                world.store.calls[self.call].request = None;
            }
        });
    }
}

fn out_of_place() -> Error {
    Error::new(ErrorKind::Corrupt, "the simulated store gave another call's answer")
}

#[async_trait]
impl Driver for SimulatedDriver {
    fn name(&self) -> &'static str {
        "simulated"
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::none();
        capabilities.retains = true;
        capabilities.compare_and_swap = self.compares;
        capabilities.expiry = self.expires;
        capabilities.native_ttl = true;
        capabilities.durable = true;
        capabilities.shared = true;
        capabilities
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        Ok(self.get_with_ttl(key).await?.map(|(item, _)| item))
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        match self.call(key, StoreRequest::Get).await? {
            Reply::Item(item) => Ok(item),
            _ => Err(out_of_place()),
        }
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        self.check(&when)?;
        let content = Content::read(&value).map(Arc::new);
        match self.call(key, StoreRequest::Set { value, content, when, ttl }).await? {
            Reply::Set(outcome) => Ok(outcome),
            _ => Err(out_of_place()),
        }
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        if when == When::Absent {
            return Err(Error::remove_absent("simulated", key));
        }
        self.check(&when)?;
        match self.call(key, StoreRequest::Remove(when)).await? {
            Reply::Removed(outcome) => Ok(outcome),
            _ => Err(out_of_place()),
        }
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        match self.call(key, StoreRequest::Touch(ttl)).await? {
            Reply::Touched(was_there) => Ok(was_there),
            _ => Err(out_of_place()),
        }
    }

    fn keys<'a>(&'a self, _: &str) -> BoxStream<'a, Result<ItemKey>> {
        stream::empty().boxed()
    }

    async fn sweep(&self, _: usize) -> Result<Swept> {
        Ok(Swept { finished: true, ..Swept::default() })
    }
}
