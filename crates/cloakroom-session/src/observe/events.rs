//! Events as a program reads them, at its own pace.

use std::fmt;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::Event;

/// What happens to sessions from now on: [`Sessions::events`](crate::Sessions::events) makes it. Each one is told of
/// everything, by itself.
#[derive(Debug)]
pub struct Events(broadcast::Receiver<Event>);

/// Events that were not read in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed(
    /// How many.
    pub u64,
);

impl Events {
    pub(super) fn new(receiver: broadcast::Receiver<Event>) -> Events {
        Events(receiver)
    }

    /// The next event, once there is one; `None` where all [`Sessions`](crate::Sessions) of these are gone.
    ///
    /// Nothing is lost where this is dropped before it answers.
    ///
    /// # Errors
    /// With [`Missed`] where this reader was too slow for the events since its last: no request waits for it. It goes on with the
    /// oldest that is kept.
    pub async fn recv(&mut self) -> Option<Result<Event, Missed>> {
        match self.0.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(RecvError::Lagged(missed)) => Some(Err(Missed(missed))),
            Err(RecvError::Closed) => None,
        }
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Missed(missed) = self;
        write!(
            formatter,
            "{missed} events were not read in time and are lost: read them faster than they happen, and let nothing but that \
             wait for where they are written"
        )
    }
}

impl std::error::Error for Missed {}
