//! Actions: functions of the server that Astro's own client calls, and forms without a script.

mod handler;
mod input;
mod middleware;
mod rejection;

use actix_web::{FromRequest, Handler};
use cloakroom_actions::{Accept, ActionError, Registry};
use cloakroom_session::adapter::SitePath;
use serde::Serialize;

pub use input::Input;
#[cfg(feature = "garde-0-23")]
pub use input::Valid;
pub use middleware::ActionsService;
pub use rejection::ActionRejection;

/// The actions of a site: functions that Astro's own client calls, and that forms without a script are posted to.
///
/// An action is an async function with extractors, [`Input`] among them, that returns a `Result` of whatever serde can
/// serialise. It is called as `POST /_actions/cart.add`, and by forms as `POST /cart?_action=cart.add`: then the
/// browser is sent on to `/cart`, or back to the form where the action failed, and the page there tells how it ended
/// by [`Submitted`](cloakroom_actions::Submitted).
///
/// ```
/// use actix_web::{App, web};
/// use cloakroom_actions::Result;
/// use cloakroom_actix::{Actions, Input, Session, SessionMiddleware};
/// use cloakroom_session::{Config, Key, Sessions};
///
/// const CART: Key<Vec<String>> = Key::new("cart");
///
/// #[derive(serde::Deserialize)]
/// struct Add {
///     item: String,
/// }
///
/// async fn add(session: Session, Input(add): Input<Add>) -> Result<Vec<String>> {
///     Ok(session.update(CART, |cart| cart.push(add.item.clone())).await?)
/// }
///
/// # #[actix_web::main]
/// # async fn main() -> cloakroom_session::Result<()> {
/// let sessions = Sessions::from_config(Config::new("memory")).await?;
/// let app = App::new()
///     .route("/cart", web::get().to(async || "…"))
///     .wrap(Actions::new().form("cart.add", add))
///     .wrap(SessionMiddleware::new(sessions));
/// # Ok(())
/// # }
/// ```
///
/// It is a middleware, which is wrapped before the session's and so runs inside of it. Requests that call no action pass
/// it untouched. All of a server's workers can take clones of one. An action's extractors find the request's body read
/// already: it is their [`Input`].
#[derive(Clone, Default)]
pub struct Actions {
    registry: Registry<handler::Action>,
}

impl Actions {
    /// No action yet.
    pub fn new() -> Actions {
        Actions::default()
    }

    /// Adds an action that takes JSON, or no input. `cart.add` is `add` of the group `cart`. It takes the place of an
    /// earlier one of the same name.
    #[must_use]
    pub fn json<H, A, T, E>(self, name: &str, handler: H) -> Actions
    where
        H: Handler<A, Output = Result<T, E>> + Send + Sync,
        A: FromRequest + 'static,
        T: Serialize + 'static,
        E: Into<ActionError>,
    {
        self.insert(name, Accept::Json, handler::erase(name, handler))
    }

    /// Adds an action that takes a form, with a script or without one.
    #[must_use]
    pub fn form<H, A, T, E>(self, name: &str, handler: H) -> Actions
    where
        H: Handler<A, Output = Result<T, E>> + Send + Sync,
        A: FromRequest + 'static,
        T: Serialize + 'static,
        E: Into<ActionError>,
    {
        self.insert(name, Accept::Form, handler::erase(name, handler))
    }

    fn insert(mut self, name: &str, accept: Accept, action: handler::Action) -> Actions {
        self.registry.insert(name, accept, action);
        self
    }

    /// Says which fields of this action's form come back filled in where the action failed: these, and no others. They wait
    /// in the session for the page that shows them. Unless it is said, all do but for those that
    /// [`OldInput`](cloakroom_session::OldInput) takes for secrets.
    ///
    /// ```
    /// # use cloakroom_actix::Actions;
    /// # let actions: Actions = Actions::new();
    /// let actions = actions.keep_only("account.signUp", ["name", "email"]);
    /// ```
    #[must_use]
    pub fn keep_only(
        mut self,
        action: &str,
        fields: impl IntoIterator<Item = impl Into<String>>,
    ) -> Actions {
        self.registry.keep_only(action, fields);
        self
    }

    /// Says which fields of this action's form are secrets, whatever they are called: they never wait in the session.
    #[must_use]
    pub fn secrets(
        mut self,
        action: &str,
        fields: impl IntoIterator<Item = impl Into<String>>,
    ) -> Actions {
        self.registry.keep_never(action, fields);
        self
    }

    /// Adds the actions of another one as a group of this name.
    #[must_use]
    pub fn group(mut self, name: &str, actions: Actions) -> Actions {
        self.registry.insert_group(name, actions.registry);
        self
    }

    /// The path below which the site lies, as in Astro's `base`: `shop` is `/shop`. None unless set.
    #[must_use]
    pub fn base(mut self, base: impl AsRef<str>) -> Actions {
        self.registry.base = SitePath::new(base.as_ref());
        self
    }

    /// How large an input may be, in bytes. 1 MiB unless set, as in Astro.
    #[must_use]
    pub fn body_limit(mut self, limit: usize) -> Actions {
        self.registry.body_limit = limit;
        self
    }

    /// Adds an origin that counts as the site's own, such as the public one behind a proxy that changes `Host`.
    #[must_use]
    pub fn public_origin(mut self, origin: impl Into<String>) -> Actions {
        self.registry.origin = self.registry.origin.public_origin(origin);
        self
    }
}
