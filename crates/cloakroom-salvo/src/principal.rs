//! Whose the session is, as an extractor.

use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use cloakroom_session::adapter;
use salvo::extract::Metadata;
use salvo::{Depot, Extractible, Request};

use crate::error::Result;
use crate::extract::session;

/// Whose the request's session is. A handler that takes it is reached by those alone who are signed in; others get 401.
///
/// Dereferences to [`cloakroom_session::adapter::Principal`]. A handler that is for all asks
/// [`Session::principal`](cloakroom_session::Session::principal).
///
/// ```
/// use cloakroom_salvo::Principal;
/// use salvo::{Writer, handler};
///
/// #[handler]
/// async fn orders(principal: Principal) -> String {
///     format!("The orders of {principal}")
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal(adapter::Principal);

impl Principal {
    /// The text.
    pub fn into_string(self) -> String {
        self.0.into_string()
    }
}

impl Deref for Principal {
    type Target = adapter::Principal;

    fn deref(&self) -> &adapter::Principal {
        &self.0
    }
}

/// For a test of a handler.
impl From<&str> for Principal {
    fn from(principal: &str) -> Principal {
        Principal(principal.into())
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<'ex> Extractible<'ex> for Principal {
    fn metadata() -> &'static Metadata {
        static METADATA: OnceLock<Metadata> = OnceLock::new();
        METADATA.get_or_init(|| Metadata::new("Principal"))
    }

    #[expect(refining_impl_trait, reason = "whoever extracts by hand can use `?`")]
    async fn extract(request: &'ex mut Request, depot: &'ex mut Depot) -> Result<Principal> {
        Ok(Principal(adapter::Principal::of(session(request, depot)?).await?))
    }
}
