//! How long a session's work takes: each load and each commit is a span, and a value of a histogram.

use std::fmt::Display;
use std::pin::Pin;

use tracing::instrument::Instrument as _;
use tracing::{Span, field};

use crate::error::Result;

use super::TARGET;
use super::metric::{COMMIT_SECONDS, LOAD_SECONDS, Metric, Timer};

/// What is watched until it is done. Given up before, it ends the span and counts nowhere.
#[must_use = "nothing is watched before `over`"]
pub(crate) struct Watch {
    span: Span,
    seconds: &'static Metric,
    timer: Timer,
}

/// A session is read from the store: this one, where that is known before.
pub(crate) fn load(session: Option<impl Display>) -> Watch {
    // Without a listener nothing is hashed for this, and nothing is taken from the heap.
    let span = tracing::debug_span!(
        target: TARGET,
        "cloakroom.load",
        session = session.map(field::display),
        otel.status_code = field::Empty,
        error.type = field::Empty,
    );
    Watch { span, seconds: &LOAD_SECONDS, timer: Timer::start() }
}

/// What a request has changed is written, for this reason.
pub(crate) fn commit(reason: &'static str) -> Watch {
    let span = tracing::debug_span!(
        target: TARGET,
        "cloakroom.commit",
        reason,
        otel.status_code = field::Empty,
        error.type = field::Empty,
    );
    Watch { span, seconds: &COMMIT_SECONDS, timer: Timer::start() }
}

impl Watch {
    /// Watches over this work, which stays where it is: to be moved would cost more than to be watched.
    pub(crate) async fn over<T>(
        self,
        work: Pin<&mut impl Future<Output = Result<T>>>,
    ) -> Result<T> {
        let mut work = work.instrument(self.span);
        let outcome = (&mut work).await;
        self.timer.stop(self.seconds);
        outcome.inspect_err(|error| {
            work.span().record("otel.status_code", "ERROR");
            work.span().record("error.type", field::debug(error.kind()));
        })
    }
}
