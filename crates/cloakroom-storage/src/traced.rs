//! A span around every call, for whoever follows a request through its services.

use std::time::Duration;

use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use tracing::{Instrument, Span, field};

use crate::{
    Advice, Capabilities, Driver, Error, Item, ItemKey, Operation, RemoveOutcome, Result,
    SetOutcome, Swept, When,
};

/// What the spans of a store are found by.
pub(crate) const TARGET: &str = "cloakroom::store";

/// Puts a `tracing` span around every call of a driver: `cloakroom.store`, on the level debug, of the target
/// `cloakroom::store`, with the attributes that OpenTelemetry has for a
/// [database's client](https://opentelemetry.io/docs/specs/semconv/db/database-spans/).
///
/// Sessions put it around their driver by themselves, outside of [`Limits`](crate::Limits): all tries of a call are one span.
/// No span has a key or a value. Where nobody listens a call is handed on as it is, and that costs a look.
///
/// ```
/// use cloakroom_drivers::memory::Memory;
/// use cloakroom_storage::{Driver, ItemKey, Traced};
///
/// # async fn example() -> cloakroom_storage::Result<()> {
/// let store = Traced::new(Memory::new());
/// assert_eq!(store.get(&ItemKey::new("sess:42")?).await?, None);
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Traced<D> {
    driver: D,
}

impl<D: Driver> Traced<D> {
    /// Traces the calls of `driver`.
    pub fn new(driver: D) -> Traced<D> {
        Traced { driver }
    }

    /// The driver within.
    pub fn into_inner(self) -> D {
        self.driver
    }

    fn span(&self, operation: Operation) -> Span {
        // Nothing of this is asked for where nobody listens.
        tracing::debug_span!(
            target: TARGET,
            "cloakroom.store",
            otel.name = operation.name(),
            otel.kind = "client",
            otel.status_code = field::Empty,
            db.system.name = self.driver.system(),
            db.operation.name = operation.name(),
            error.type = field::Empty,
        )
    }

    fn call<'call, T: Send + 'call>(
        &self,
        operation: Operation,
        call: BoxFuture<'call, Result<T>>,
    ) -> BoxFuture<'call, Result<T>> {
        let span = self.span(operation);
        if span.is_disabled() {
            return call;
        }
        Box::pin(async move {
            let result = call.instrument(span.clone()).await;
            result.inspect_err(|error| fail(&span, error))
        })
    }
}

/// Says in a span what its call has failed with: the kind alone, because a message is another for each item.
pub(crate) fn fail(span: &Span, error: &Error) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", field::debug(error.kind()));
}

/// Written out, so that the future of the driver within is handed on where nobody listens, and is not put into another one.
impl<D: Driver> Driver for Traced<D> {
    fn name(&self) -> &'static str {
        self.driver.name()
    }

    fn system(&self) -> &'static str {
        self.driver.system()
    }

    fn capabilities(&self) -> Capabilities {
        self.driver.capabilities()
    }

    fn alias(&self, key: &ItemKey) -> Result<ItemKey> {
        self.driver.alias(key)
    }

    fn unwrapped(&self, key: &ItemKey) -> Result<Option<(&dyn Driver, ItemKey)>> {
        self.driver.unwrapped(key)
    }

    fn advice<'driver, 'call>(&'driver self) -> BoxFuture<'call, Vec<Advice>>
    where
        'driver: 'call,
        Self: 'call,
    {
        self.driver.advice()
    }

    fn time<'driver, 'call>(&'driver self) -> BoxFuture<'call, Result<Option<Duration>>>
    where
        'driver: 'call,
        Self: 'call,
    {
        self.driver.time()
    }

    fn get<'driver, 'key, 'call>(
        &'driver self,
        key: &'key ItemKey,
    ) -> BoxFuture<'call, Result<Option<Item>>>
    where
        'driver: 'call,
        'key: 'call,
        Self: 'call,
    {
        self.call(Operation::Get, self.driver.get(key))
    }

    fn get_with_ttl<'driver, 'key, 'call>(
        &'driver self,
        key: &'key ItemKey,
    ) -> BoxFuture<'call, Result<Option<(Item, Option<Duration>)>>>
    where
        'driver: 'call,
        'key: 'call,
        Self: 'call,
    {
        self.call(Operation::Get, self.driver.get_with_ttl(key))
    }

    fn set<'driver, 'key, 'call>(
        &'driver self,
        key: &'key ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> BoxFuture<'call, Result<SetOutcome>>
    where
        'driver: 'call,
        'key: 'call,
        Self: 'call,
    {
        self.call(Operation::Set, self.driver.set(key, value, when, ttl))
    }

    fn remove<'driver, 'key, 'call>(
        &'driver self,
        key: &'key ItemKey,
        when: When,
    ) -> BoxFuture<'call, Result<RemoveOutcome>>
    where
        'driver: 'call,
        'key: 'call,
        Self: 'call,
    {
        self.call(Operation::Remove, self.driver.remove(key, when))
    }

    fn touch<'driver, 'key, 'call>(
        &'driver self,
        key: &'key ItemKey,
        ttl: Option<Duration>,
    ) -> BoxFuture<'call, Result<bool>>
    where
        'driver: 'call,
        'key: 'call,
        Self: 'call,
    {
        self.call(Operation::Touch, self.driver.touch(key, ttl))
    }

    /// One span for the whole listing, which ends with the stream.
    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let mut keys = self.driver.keys(prefix);
        let span = self.span(Operation::Keys);
        if span.is_disabled() {
            return keys;
        }
        stream::poll_fn(move |context| {
            let next = span.in_scope(|| keys.poll_next_unpin(context));
            next.map(|next| next.map(|key| key.inspect_err(|error| fail(&span, error))))
        })
        .boxed()
    }

    fn sweep<'driver, 'call>(&'driver self, budget: usize) -> BoxFuture<'call, Result<Swept>>
    where
        'driver: 'call,
        Self: 'call,
    {
        self.call(Operation::Sweep, self.driver.sweep(budget))
    }
}
