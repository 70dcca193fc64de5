//! Commits that nobody waits for any more.

use tokio::runtime::Handle;

use crate::future::CommitFuture;

/// Goes on with a commit whose client went away: a logout must happen, and nothing stay half done.
pub(crate) fn go_on<T: Send + 'static>(commit: CommitFuture<T>) {
    let unsaved = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "the client went away, and what it changed in the session was not saved");
    };
    match Handle::try_current() {
        Ok(runtime) => {
            runtime.spawn(async move {
                if let Err(error) = commit.await {
                    unsaved(&error);
                }
            });
        }
        Err(error) => unsaved(&error),
    }
}
