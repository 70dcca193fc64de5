//! Whose the session is, as handlers take it.

use std::fmt;
use std::ops::Deref;

use crate::error::{Error, ErrorKind, Result};
use crate::session::{Session, not_signed_in};

/// Whose the request's session is: the text by which somebody has [signed in](Session::sign_in).
///
/// It dereferences to that text. A handler that takes it is reached by those alone who are signed in; others get 401, or what
/// the route's guard says. For a test of a handler it is made of any text.
///
/// ```
/// use cloakroom_session::adapter::Principal;
///
/// fn is_admin(name: &str) -> bool {
///     name == "ann"
/// }
///
/// let principal = Principal::from("ann");
/// assert!(is_admin(&principal));
/// assert_eq!(principal.to_string(), "ann");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Principal(String);

impl Principal {
    /// Whose a session is, where somebody has to be signed in. For authors of framework adapters.
    ///
    /// # Errors
    /// [`ErrorKind::NotSignedIn`] where nobody is signed in, [`ErrorKind::Unavailable`] where the store does not answer, even
    /// where the policy for outages lets the page be made for nobody, and as [`Session::has`].
    pub async fn of(session: &Session) -> Result<Principal> {
        match Principal::find(session).await? {
            Some(principal) => Ok(principal),
            // A client that is told to sign in takes its login for lost.
            None if session.is_degraded() => Err(Error::new(
                ErrorKind::Unavailable,
                "the session store does not answer, so that nobody knows who is signed in",
            )),
            None => Err(not_signed_in()),
        }
    }

    /// Whose a session is, if anybody's. For authors of framework adapters.
    ///
    /// # Errors
    /// As [`Session::has`].
    pub async fn find(session: &Session) -> Result<Option<Principal>> {
        Ok(session.principal().await?.map(Principal))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl Deref for Principal {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<String> for Principal {
    fn from(principal: String) -> Principal {
        Principal(principal)
    }
}

impl From<&str> for Principal {
    fn from(principal: &str) -> Principal {
        Principal(principal.to_owned())
    }
}

impl From<Principal> for String {
    fn from(principal: Principal) -> String {
        principal.0
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Without the text, which may be an address.
impl fmt::Debug for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Principal(…)")
    }
}
