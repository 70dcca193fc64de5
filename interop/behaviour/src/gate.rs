//! Where tests and handlers wait for each other.

use std::sync::Arc;

use tokio::sync::{Barrier, watch};

/// Where tests and handlers wait for each other. All clones are the same gate.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    /// Two requests in one place of their handlers.
    pair: Arc<Barrier>,
    arrived: watch::Sender<usize>,
    gone: watch::Sender<usize>,
}

impl Gate {
    pub(crate) fn new() -> Gate {
        Gate {
            pair: Arc::new(Barrier::new(2)),
            arrived: watch::Sender::new(0),
            gone: watch::Sender::new(0),
        }
    }

    /// Waits for another request to come here.
    pub(crate) async fn meet(&self) {
        self.pair.wait().await;
    }

    /// Says that a request has come this far; and, once this is dropped, that the server is done with it.
    pub(crate) fn arrive(&self) -> Guard {
        self.arrived.send_modify(|arrived| *arrived += 1);
        Guard(self.gone.clone())
    }

    /// Waits until a request arrived.
    pub(crate) async fn arrived(&self) {
        self.arrived.subscribe().wait_for(|arrived| *arrived > 0).await.unwrap();
    }

    /// Waits until the server is done with a request that arrived.
    pub(crate) async fn gone(&self) {
        self.gone.subscribe().wait_for(|gone| *gone > 0).await.unwrap();
    }
}

/// A request, or the body of its response.
pub(crate) struct Guard(watch::Sender<usize>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.send_modify(|gone| *gone += 1);
    }
}
