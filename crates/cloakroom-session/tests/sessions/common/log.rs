//! What a program logs, at every level and of everybody.

use std::fmt::{Debug, Write};
use std::sync::{Arc, LazyLock, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

/// Everything that was logged, as text.
#[derive(Clone)]
pub(crate) struct Log(Arc<Mutex<String>>);

/// A second subscriber, which is always there. With one alone `tracing` asks the default of whichever thread first comes to a
/// place that logs, and where that thread has none, the place is taken for one that nobody listens to.
static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Log(Arc::default())));

impl Default for Log {
    fn default() -> Log {
        LazyLock::force(&ANOTHER);
        Log(Arc::default())
    }
}

impl Log {
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Line(&mut self.0.lock().unwrap()));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0, "{field}={value:?}").unwrap();
    }
}
