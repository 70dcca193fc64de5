//! Where to send a visitor who has signed in, as an extractor.

use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use cloakroom_session::adapter;
use salvo::extract::Metadata;
use salvo::{Depot, Extractible, Request};
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// Where to send a visitor who has signed in: the `return_to` of the request's query, if it is safe to go there, and else `/`.
///
/// Dereferences to [`cloakroom_session::adapter::ReturnTo`], which says what is safe. A form has it as a field:
///
/// ```
/// use cloakroom_salvo::{Result, ReturnTo, Session};
/// use salvo::extract::FormBody;
/// use salvo::writing::Redirect;
/// use salvo::{Writer, handler};
///
/// #[derive(serde::Deserialize)]
/// struct SignIn {
///     name: String,
///     #[serde(default)]
///     return_to: ReturnTo,
/// }
///
/// #[handler]
/// async fn sign_in(session: Session, form: FormBody<SignIn>) -> Result<Redirect> {
///     session.sign_in(form.name.as_str()).await?;
///     Ok(Redirect::other(form.return_to.as_str()))
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct ReturnTo(adapter::ReturnTo);

impl ReturnTo {
    /// The path, with its query.
    pub fn into_string(self) -> String {
        self.0.into_string()
    }
}

impl Deref for ReturnTo {
    type Target = adapter::ReturnTo;

    fn deref(&self) -> &adapter::ReturnTo {
        &self.0
    }
}

impl fmt::Display for ReturnTo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<'ex> Extractible<'ex> for ReturnTo {
    fn metadata() -> &'static Metadata {
        static METADATA: OnceLock<Metadata> = OnceLock::new();
        METADATA.get_or_init(|| Metadata::new("ReturnTo"))
    }

    #[expect(refining_impl_trait, reason = "whoever extracts by hand can use `?`")]
    async fn extract(request: &'ex mut Request, _: &'ex mut Depot) -> Result<ReturnTo> {
        let query = request.uri().query();
        Ok(ReturnTo(query.map(adapter::ReturnTo::from_query).unwrap_or_default()))
    }
}
