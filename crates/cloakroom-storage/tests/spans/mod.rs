//! The spans that a thread opens, as a listener sees them. The tests of sessions have it too.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, LazyLock, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

/// Every span since somebody listens, in the order in which they began.
#[derive(Clone, Default)]
pub(crate) struct Spans(Arc<Mutex<Vec<Seen>>>);

/// A span, with what was said of it until now.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    pub(crate) level: Level,
    /// How many spans it is within.
    pub(crate) depth: usize,
    /// All that may be said of it.
    pub(crate) fields: Vec<&'static str>,
    /// What was said of it.
    pub(crate) attributes: BTreeMap<&'static str, String>,
}

/// A second subscriber, which is always there. With one alone `tracing` asks the default of whichever thread first comes to a
/// span, and where that thread has none, the span is taken for one that nobody listens to.
static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Spans::default().layered()));

impl Spans {
    /// Listens on this thread until the answer is dropped.
    pub(crate) fn listen(&self) -> DefaultGuard {
        LazyLock::force(&ANOTHER);
        tracing::subscriber::set_default(self.clone().layered())
    }

    /// All of them, and none of them the next time.
    pub(crate) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn layered(self) -> impl Subscriber + Send + Sync {
        tracing_subscriber::registry().with(self)
    }
}

/// The names of spans, each indented by how many it is within, and what the store was asked for.
pub(crate) fn tree(spans: &[Seen]) -> Vec<String> {
    let line = |span: &Seen| {
        let operation = span.attributes.get("db.operation.name");
        let operation = operation.map(|operation| format!(" {operation}")).unwrap_or_default();
        format!("{:indent$}{}{operation}", "", span.name, indent = 2 * span.depth)
    };
    spans.iter().map(line).collect()
}

impl Seen {
    /// What the page about spans has to say of it.
    pub(crate) fn row(&self) -> String {
        let fields: Vec<_> = self.fields.iter().map(|field| format!("`{field}`")).collect();
        format!("| `{}` | `{}` | {} | ", self.name, self.target, fields.join(", "))
    }
}

/// Where a span is in the list.
struct Place(usize);

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let (span, metadata) = (context.span(id).unwrap(), attributes.metadata());
        let mut seen = Seen {
            name: metadata.name(),
            target: metadata.target(),
            level: *metadata.level(),
            depth: span.scope().count() - 1,
            fields: metadata.fields().iter().map(|field| field.name()).collect(),
            attributes: BTreeMap::new(),
        };
        attributes.record(&mut seen);
        let mut spans = self.0.lock().unwrap();
        span.extensions_mut().insert(Place(spans.len()));
        spans.push(seen);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let extensions = span.extensions();
        let Some(Place(place)) = extensions.get() else { return };
        if let Some(seen) = self.0.lock().unwrap().get_mut(*place) {
            values.record(seen);
        }
    }
}

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.attributes.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.attributes.insert(field.name(), format!("{value:?}"));
    }
}
