//! The extractor.

use std::cell::RefCell;
use std::future::{Ready, ready};
use std::ops::Deref;
use std::rc::Rc;

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use cloakroom_session::Error;
use cloakroom_session::adapter::{Scope, Scopes};

use crate::error::SessionError;

/// The request's session.
///
/// Dereferences to [`cloakroom_session::Session`], so a `&Session` can be handed to functions that know nothing of
/// actix-web. A type of its own, because only the crate of a type or of a trait may implement one for the other.
/// `Option<Session>` is `None` on a route without sessions.
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

impl FromRequest for Session {
    type Error = SessionError;
    type Future = Ready<Result<Session, SessionError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Session::of(request))
    }
}

impl Session {
    /// The request's session, and where it has none an error that says what to do.
    pub(crate) fn of(request: &HttpRequest) -> Result<Session, SessionError> {
        let none = |remedy| Err(Error::no_session(request.path(), remedy).into());
        match (Place::of(request), Place::is_in(request)) {
            (Some(Scope::Session(session)), _) => Ok(Session(session)),
            (Some(Scope::Prerendered(page)), _) => Err(page.error().into()),
            (None, true) => none(
                "until their handler has returned; extract the session there, and let the body hold it",
            ),
            (None, false) => none(
                "below a SessionMiddleware; add the route to an `App` or a scope that has \
                 `.wrap(SessionMiddleware::new(sessions))`, or take `Option<Session>`",
            ),
        }
    }
}

/// Where a request keeps its session while the handler runs.
///
/// The response holds on to its request, and so to all that is in it. Emptied after the handler, this leaves no handle
/// to the session but those that the body has of its own.
#[derive(Clone)]
pub(crate) struct Place(Rc<RefCell<Scopes>>);

impl Place {
    /// The request's place, which it has from the first session middleware on.
    pub(crate) fn in_request(request: &ServiceRequest) -> Place {
        let mut extensions = request.extensions_mut();
        match extensions.get::<Place>() {
            Some(place) => place.clone(),
            None => {
                let place = Place(Rc::default());
                extensions.insert(place.clone());
                place
            }
        }
    }

    pub(crate) fn of(request: &impl HttpMessage) -> Option<Scope> {
        let extensions = request.extensions();
        let Place(scopes) = extensions.get()?;
        scopes.borrow().innermost().cloned()
    }

    /// Whether the session middleware stands above, even if the handler has returned.
    fn is_in(request: &HttpRequest) -> bool {
        request.extensions().contains::<Place>()
    }

    pub(crate) fn scopes(&self) -> Scopes {
        self.0.borrow().clone()
    }

    /// Puts these in, until what is returned is dropped.
    pub(crate) fn fill(self, scopes: Scopes) -> Filled {
        let before = self.0.replace(scopes);
        Filled { place: self, before }
    }
}

/// Puts back what was in the place before, also where the handler is given up: what stands above has it then.
pub(crate) struct Filled {
    place: Place,
    before: Scopes,
}

impl Drop for Filled {
    fn drop(&mut self) {
        drop(self.place.0.replace(std::mem::take(&mut self.before)));
    }
}
