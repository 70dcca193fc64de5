//! What operators are told, as far as it is of a kind: that somebody overwrites whole records.

use std::fmt::Debug;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Event, Metadata, Subscriber};

use crate::trace::What;
use crate::world;

/// The field that names the kind.
const KIND: &str = "kind";

thread_local! {
    static DISPATCH: Dispatch = Dispatch::new(Operator);
}

/// Notes what this thread's history tells the operator, until this is dropped.
pub(crate) fn listen() -> DefaultGuard {
    DISPATCH.with(tracing::dispatcher::set_default)
}

struct Operator;

impl Subscriber for Operator {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.fields().field(KIND).is_some()
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Kind);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Kind;

impl Visit for Kind {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == KIND {
            world::note(What::Overwritten(value.to_owned()));
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
