//! Commits that nobody waits for any more.

use std::pin::Pin;

use cloakroom_session::Error;
use tokio::runtime::Handle;

/// A commit under way.
pub(crate) type CommitFuture<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

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
