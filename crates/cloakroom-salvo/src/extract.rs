//! The extractor.

use std::ops::Deref;
use std::sync::OnceLock;

use cloakroom_session::Error;
use cloakroom_session::adapter::{Scope, Scopes};
use salvo::extract::Metadata;
use salvo::{Depot, Extractible, Request};

use crate::error::{Result, SessionError};

/// The request's session.
///
/// Dereferences to [`cloakroom_session::Session`], so a `&Session` can be handed to functions that know nothing of
/// salvo. A type of its own, because only the crate of a type or of a trait may implement one for the other. Handlers
/// that can do without it, and middleware, take it from the [`Depot`]: [`SessionDepotExt`].
#[derive(Clone, Debug)]
pub struct Session(cloakroom_session::Session);

impl Deref for Session {
    type Target = cloakroom_session::Session;

    fn deref(&self) -> &cloakroom_session::Session {
        &self.0
    }
}

/// For a test of a handler, or for code that has a session from elsewhere.
impl From<cloakroom_session::Session> for Session {
    fn from(session: cloakroom_session::Session) -> Session {
        Session(session)
    }
}

impl From<Session> for cloakroom_session::Session {
    fn from(session: Session) -> cloakroom_session::Session {
        session.0
    }
}

impl<'ex> Extractible<'ex> for Session {
    fn metadata() -> &'static Metadata {
        static METADATA: OnceLock<Metadata> = OnceLock::new();
        METADATA.get_or_init(|| Metadata::new("Session"))
    }

    #[expect(refining_impl_trait, reason = "whoever extracts by hand can use `?`")]
    async fn extract(request: &'ex mut Request, depot: &'ex mut Depot) -> Result<Session> {
        session(request, depot).cloned().map(Session)
    }
}

/// The request's session, and where it has none an error that says what to do.
pub(crate) fn session<'a>(
    request: &Request,
    depot: &'a Depot,
) -> Result<&'a cloakroom_session::Session> {
    match scope(depot) {
        Some(Scope::Session(session)) => Ok(session),
        Some(Scope::Prerendered(page)) => Err(page.error().into()),
        None => Err(SessionError::from(Error::no_session(
            request.uri().path(),
            "below a SessionMiddleware; add the route to a router that has \
             `.hoop(SessionMiddleware::new(sessions))`, or take `depot.session()`",
        ))),
    }
}

/// The session in a request's [`Depot`].
pub trait SessionDepotExt {
    /// The request's session, and `None` on a route without sessions.
    fn session(&self) -> Option<&cloakroom_session::Session>;
}

impl SessionDepotExt for Depot {
    fn session(&self) -> Option<&cloakroom_session::Session> {
        match scope(self) {
            Some(Scope::Session(session)) => Some(session),
            Some(Scope::Prerendered(_)) | None => None,
        }
    }
}

fn scope(depot: &Depot) -> Option<&Scope> {
    depot.get_typed::<Scopes>().ok()?.innermost()
}
