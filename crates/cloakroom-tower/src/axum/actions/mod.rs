//! Actions: functions of the server that Astro's own client calls, and forms without a script.

mod handler;
mod input;
mod rejection;
mod service;

use std::sync::Arc;

use cloakroom_actions::{Accept, Registry};
use cloakroom_session::adapter::SitePath;
use tower_layer::Layer;

pub use handler::ActionHandler;
pub use input::Input;
#[cfg(feature = "garde-0-23")]
pub use input::Valid;
pub use rejection::ActionRejection;
pub use service::{ActionFuture, ActionsService};

use handler::Handler;

/// The actions of a site: functions that Astro's own client calls, and that forms without a script are posted to.
///
/// An action is an async function with extractors, [`Input`] among them, that returns a `Result` of whatever serde can
/// serialise. It is called as `POST /_actions/cart.add`, and by forms as `POST /cart?_action=cart.add`: then the
/// browser is sent on to `/cart`, or back to the form where the action failed, and the page there tells how it ended
/// by [`Submitted`](cloakroom_actions::Submitted).
///
/// ```
/// use axum::{Router, routing::get};
/// use cloakroom_actions::Result;
/// use cloakroom_session::{Config, Key, Sessions};
/// use cloakroom_tower::SessionLayer;
/// use cloakroom_tower::axum::{Actions, Input, Session};
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
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cloakroom_session::Result<()> {
/// let sessions = Sessions::from_config(Config::new("memory")).await?;
/// let app: Router = Router::new()
///     .route("/cart", get(async || "…"))
///     .layer(Actions::new().form("cart.add", add))
///     .layer(SessionLayer::new(sessions));
/// # Ok(())
/// # }
/// ```
///
/// It is a layer, which goes below the session's. Requests that call no action pass it untouched.
#[derive(Clone)]
pub struct Actions<S = ()> {
    registry: Registry<Handler<S>>,
}

impl<S> Default for Actions<S> {
    fn default() -> Actions<S> {
        Actions { registry: Registry::default() }
    }
}

impl<S: Clone + Send + Sync + 'static> Actions<S> {
    /// No action yet.
    pub fn new() -> Actions<S> {
        Actions::default()
    }

    /// Adds an action that takes JSON, or no input. `cart.add` is `add` of the group `cart`. It takes the place of an
    /// earlier one of the same name.
    #[must_use]
    pub fn json<A>(self, name: &str, handler: impl ActionHandler<A, S>) -> Actions<S>
    where
        A: 'static,
    {
        self.insert(name, Accept::Json, handler::erase(name, handler))
    }

    /// Adds an action that takes a form, with a script or without one.
    #[must_use]
    pub fn form<A>(self, name: &str, handler: impl ActionHandler<A, S>) -> Actions<S>
    where
        A: 'static,
    {
        self.insert(name, Accept::Form, handler::erase(name, handler))
    }

    fn insert(mut self, name: &str, accept: Accept, handler: Handler<S>) -> Actions<S> {
        self.registry.insert(name, accept, handler);
        self
    }

    /// Says which fields of this action's form come back filled in where the action failed: these, and no others. They wait
    /// in the session for the page that shows them. Unless it is said, all do but for those that
    /// [`OldInput`](cloakroom_session::OldInput) takes for secrets.
    ///
    /// ```
    /// # use cloakroom_tower::axum::Actions;
    /// # let actions: Actions = Actions::new();
    /// let actions = actions.keep_only("account.signUp", ["name", "email"]);
    /// ```
    #[must_use]
    pub fn keep_only(
        mut self,
        action: &str,
        fields: impl IntoIterator<Item = impl Into<String>>,
    ) -> Actions<S> {
        self.registry.keep_only(action, fields);
        self
    }

    /// Says which fields of this action's form are secrets, whatever they are called: they never wait in the session.
    #[must_use]
    pub fn secrets(
        mut self,
        action: &str,
        fields: impl IntoIterator<Item = impl Into<String>>,
    ) -> Actions<S> {
        self.registry.keep_never(action, fields);
        self
    }

    /// Adds the actions of another one as a group of this name.
    #[must_use]
    pub fn group(mut self, name: &str, actions: Actions<S>) -> Actions<S> {
        self.registry.insert_group(name, actions.registry);
        self
    }

    /// The path below which the site lies, as in Astro's `base`: `shop` is `/shop`. None unless set.
    #[must_use]
    pub fn base(mut self, base: impl AsRef<str>) -> Actions<S> {
        self.registry.base = SitePath::new(base.as_ref());
        self
    }

    /// How large an input may be, in bytes. 1 MiB unless set, as in Astro.
    #[must_use]
    pub fn body_limit(mut self, limit: usize) -> Actions<S> {
        self.registry.body_limit = limit;
        self
    }

    /// Adds an origin that counts as the site's own, such as the public one behind a proxy that changes `Host`.
    #[must_use]
    pub fn public_origin(mut self, origin: impl Into<String>) -> Actions<S> {
        self.registry.origin = self.registry.origin.public_origin(origin);
        self
    }

    /// Gives the actions the state that their extractors ask for.
    pub fn with_state(self, state: S) -> ActionsLayer<S> {
        ActionsLayer { registry: Arc::new(self.registry), state }
    }
}

/// Actions without a state are a layer as they are.
impl<I> Layer<I> for Actions<()> {
    type Service = ActionsService<I, ()>;

    fn layer(&self, inner: I) -> ActionsService<I, ()> {
        self.clone().with_state(()).layer(inner)
    }
}

/// Answers the calls of [`Actions`], and lets everything else through.
#[derive(Clone)]
pub struct ActionsLayer<S = ()> {
    registry: Arc<Registry<Handler<S>>>,
    state: S,
}

impl<S: Clone, I> Layer<I> for ActionsLayer<S> {
    type Service = ActionsService<I, S>;

    fn layer(&self, inner: I) -> ActionsService<I, S> {
        ActionsService::new(inner, self.clone())
    }
}
