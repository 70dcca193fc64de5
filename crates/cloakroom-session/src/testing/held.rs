//! A write that a test keeps waiting.

use tokio::sync::watch;

/// A write that a [`TestStore`](super::TestStore) keeps waiting for as long as this is there.
#[derive(Debug)]
#[must_use = "the write goes on when this is dropped"]
pub struct HeldWrite {
    arrived: watch::Receiver<bool>,
    _lets_go: watch::Sender<()>,
}

impl HeldWrite {
    /// Waits until there is one.
    pub async fn arrived(&self) {
        // The other side is gone where the write was given up while it waited, or where the store is.
        _ = self.arrived.clone().wait_for(|arrived| *arrived).await;
    }
}

/// The store's side of it.
pub(super) struct Hold {
    arrived: watch::Sender<bool>,
    let_go: watch::Receiver<()>,
}

impl Hold {
    pub(super) fn new() -> (Hold, HeldWrite) {
        let (arrives, arrived) = watch::channel(false);
        let (lets_go, let_go) = watch::channel(());
        (Hold { arrived: arrives, let_go }, HeldWrite { arrived, _lets_go: lets_go })
    }

    /// Whether nobody holds anything by it any more.
    pub(super) fn is_over(&self) -> bool {
        self.arrived.is_closed()
    }

    /// Waits until the test lets the write go.
    pub(super) async fn wait(mut self) {
        self.arrived.send_replace(true);
        // Nothing is ever sent: it ends when the other side does.
        while self.let_go.changed().await.is_ok() {}
    }
}
