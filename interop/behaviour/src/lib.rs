//! What has to hold in every framework, as tests over HTTP against a real server.
//!
//! [`Site`] is a site whose handlers are written once, over a `&Session`. A framework's tests implement [`Framework`],
//! which puts that site behind the framework's own routes, extractor, middleware and errors, and call [`behaviours!`],
//! which makes one test of every behaviour.

// Whoever calls this is a test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answer;
pub mod behaviours;
mod gate;
mod list;
mod server;
mod site;

use std::net::TcpListener;
use std::time::Duration;

pub use answer::Answer;
pub use server::Server;
pub use site::{
    CONFIRM, OUTAGE_TWICE, PRERENDERED, PRERENDERED_TWICE, RECENT, Reply, ReplyBody, ReplyStream,
    SIGN_IN, Site, current, optional, returning, whose,
};

/// A framework, with the site behind its own routes.
///
/// | path | handler |
/// |---|---|
/// | anything | extracts the session, and calls [`Site::answer`] |
/// | `/unavailable`, `/read-only`, `/anonymous` | the same, with that policy for outages on the route |
/// | `/visited` | the same, below a middleware of the framework that calls [`Site::before`] and [`Site::after`] |
/// | `/optional`, `/static/optional`, `/outside/optional` | takes the session if there is one, and calls [`optional`] |
/// | `/bare`, `/static/bare`, `/outside/bare` | takes no session, and calls [`current`] |
/// | `/principal` | takes the principal, and calls [`whose`] |
/// | `/principal/optional` | takes the principal if there is one, and calls [`whose`] |
/// | `/return` | takes where to return to, and calls [`returning`] |
/// | `/members`, `/outside/members` | as anything, by any method, below a guard that requires a principal |
/// | below `/pages` | the same, below one that sends visitors to [`SIGN_IN`]; in a router of its own, where the framework has them |
/// | below `/recent` | the same, below one that requires an authentication within [`RECENT`], or sends visitors to [`CONFIRM`] |
///
/// | below `/twice` | the same, below a second session middleware of [`Site::sessions`], which takes [`OUTAGE_TWICE`] and [`PRERENDERED_TWICE`] |
/// | `/twice/static/optional`, `/twice/static/bare` | [`optional`] and [`current`], in the same place |
/// | `/static/twice/optional` | [`optional`], below a second session middleware of [`Site::sessions`] that takes nothing |
/// | below `/others`, `/namesake` | the same, below a session middleware of [`Site::others`], of [`Site::namesake`] |
/// | below `/others/twice` | the same, below one of [`Site::others`], and one of [`Site::sessions`] below that |
///
/// Between the first session middleware and those below it stands one of the framework, but on `/static/twice`, which
/// calls [`Site::between`] with `before`, and with `after` when the handler has returned.
///
/// What begins with `/outside` is not below the session middleware, which takes [`Site::outage`] and [`PRERENDERED`].
pub trait Framework {
    /// Serves the site on this listener until it is dropped.
    fn serve(
        listener: TcpListener,
        site: Site,
    ) -> impl Future<Output = std::io::Result<()>> + Send + 'static;
}

/// Runs one behaviour, and takes it for failed when it never ends.
#[doc(hidden)]
pub fn run(behaviour: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(async {
        let limit = Duration::from_secs(60);
        tokio::time::timeout(limit, behaviour).await.expect("the behaviour ends");
    });
}
