//! What operators and programs see: each event in a session's life as a trace, a counter and a broadcast, and each trouble
//! that should be rare as a trace and a counter. What takes time is a span and a histogram besides.
//!
//! Users touch what is public in `event` and `events`. Whoever sees something happen tells the [`Observer`] once the store
//! has said that it is so; where nobody listens and nothing is logged, that costs a look.

mod event;
mod events;
mod metric;
mod overwrite;
mod table;
mod trouble;
mod watch;

use std::sync::{Arc, OnceLock};

use tokio::sync::broadcast;
use tracing::Level;

use crate::clock::Clock;
use crate::error::Error;
use crate::id::SessionHash;

pub use event::{Event, EventKind, RevokedBy};
pub use events::{Events, Missed};
pub(crate) use metric::{describe, record_written, sessions_counted, store_failed};
pub(crate) use overwrite::Overwrite;
pub(crate) use trouble::*;
pub(crate) use watch::{commit, load};

use metric::{OVERWRITES, count, count_kind};
use overwrite::Warned;
use table::Row;

/// How many events are kept for a reader who is behind.
const KEPT: usize = 1024;

/// What a trace event of a session is found by.
const TARGET: &str = "cloakroom::session";

/// What one event is about.
pub(crate) struct About {
    pub(crate) session: SessionHash,
    pub(crate) previous: Option<SessionHash>,
    /// Not asked for where nobody listens.
    pub(crate) principal: Option<Arc<str>>,
}

/// The one place where something that happens becomes a trace, a counter and a broadcast.
pub(crate) struct Observer {
    clock: Clock,
    /// Made for the first who listens, since it has room from the beginning for all that it keeps.
    sender: OnceLock<broadcast::Sender<Event>>,
    warned: Warned,
}

impl Observer {
    pub(crate) fn new(clock: Clock) -> Observer {
        Observer { clock, sender: OnceLock::new(), warned: Warned::default() }
    }

    /// What happens from now on.
    pub(crate) fn listen(&self) -> Events {
        let sender = self.sender.get_or_init(|| broadcast::Sender::new(KEPT));
        Events::new(sender.subscribe())
    }

    /// Something has happened. What it is about is asked for where somebody hears it, and whose it is where somebody listens.
    pub(crate) fn tell(
        &self,
        kind: EventKind,
        error: Option<&Error>,
        about: impl FnOnce(bool) -> About,
    ) {
        let Row { level, counter, .. } = kind.row();
        count(counter);
        let sender = self.sender();
        let is_logged = is_logged(level);
        if sender.is_none() && !is_logged {
            return;
        }
        let about = about(sender.is_some());
        if is_logged {
            log(&kind, &about, error);
        }
        self.send(sender, kind, about);
    }

    /// A session was overwritten as a whole.
    pub(crate) fn overwritten(&self, overwrite: Overwrite, about: impl FnOnce(bool) -> About) {
        let sender = self.sender().filter(|_| overwrite == Overwrite::Revived);
        let about = about(sender.is_some());
        self.warned.log(overwrite, about.session);
        count_kind(OVERWRITES, overwrite.kind());
        self.send(sender, EventKind::Revived, about);
    }

    /// Whether anybody hears of something on this level, so that it is worth to be found out.
    pub(crate) fn is_heard(&self, level: Level) -> bool {
        cfg!(feature = "metrics") || self.sender().is_some() || is_logged(level)
    }

    /// The way to whoever listens, where somebody does.
    fn sender(&self) -> Option<&broadcast::Sender<Event>> {
        self.sender.get().filter(|sender| sender.receiver_count() > 0)
    }

    fn send(&self, sender: Option<&broadcast::Sender<Event>>, kind: EventKind, about: About) {
        if let Some(sender) = sender {
            let About { session, previous, principal } = about;
            // Where the last who listened has gone meanwhile, nobody misses it.
            _ = sender.send(Event { kind, session, previous, principal, at: self.clock.time() });
        }
    }
}

/// With a level that is known only when the program runs, which `tracing` has no word for.
macro_rules! on_level {
    ($level:expr, $macro:ident!($($argument:tt)*)) => {
        match $level {
            Level::ERROR => tracing::$macro!(target: TARGET, Level::ERROR, $($argument)*),
            Level::WARN => tracing::$macro!(target: TARGET, Level::WARN, $($argument)*),
            Level::INFO => tracing::$macro!(target: TARGET, Level::INFO, $($argument)*),
            _ => tracing::$macro!(target: TARGET, Level::DEBUG, $($argument)*),
        }
    };
}

fn is_logged(level: Level) -> bool {
    on_level!(level, event_enabled!())
}

fn log(kind: &EventKind, about: &About, error: Option<&Error>) {
    let Row { name, level, message, .. } = kind.row();
    let (mut by, mut policy) = (None, None);
    match kind {
        EventKind::Revoked { by: who } => by = Some(tracing::field::display(who)),
        EventKind::Degraded { policy: what } => policy = Some(tracing::field::debug(what)),
        _ => {}
    }
    let previous = about.previous.map(tracing::field::display);
    let error = error.map(tracing::field::display);
    on_level!(
        level,
        event!(event = name, session = %about.session, previous, by, policy, error, "{message}")
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nobody_hears_it_nothing_is_asked_for() {
        let observer = Observer::new(Clock::default());
        let tell = || observer.tell(EventKind::SignedIn, None, |_| panic!("nobody hears it"));
        tell();
        // Nor where somebody has listened once.
        drop(observer.listen());
        tell();
    }
}
