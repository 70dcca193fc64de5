//! The routes.

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use cloakroom::{OriginLayer, SessionLayer, Sessions};

use crate::actions::actions;
use crate::middleware::{errors_as_pages, kept_by_nobody, last_visit, security_headers};
use crate::pages::{
    about, address, cart, checkout, confirm, devices, home, login, problem, product, settings,
};
use crate::{api, assets};

/// The whole shop on these sessions.
pub fn app(sessions: Sessions) -> Router {
    let account = Router::new()
        .route("/login", get(login::show))
        .route("/address", get(address::show))
        .route("/confirm", get(confirm::show))
        .route("/devices", get(devices::show))
        .route("/settings", get(settings::show))
        .layer(from_fn(kept_by_nobody));

    let pages = Router::new()
        .route("/", get(home::show))
        .route("/products/{slug}", get(product::show))
        .route("/cart", get(cart::show))
        .route("/checkout", get(checkout::show))
        .route("/thanks", get(checkout::thanks))
        .route("/logout", post(login::log_out))
        .merge(account)
        .layer(from_fn(last_visit));

    let api = Router::new()
        .route("/api/addToCart", post(api::add_to_cart))
        .route("/api/cart", get(api::cart));

    // The same for everybody.
    let prerendered = Router::new()
        .route("/about", get(about::show))
        .route("/assets/{hash}/{name}", get(assets::serve));

    Router::new()
        .merge(pages)
        .merge(api)
        .merge(prerendered)
        .fallback(problem::not_found)
        .layer(actions())
        .layer(SessionLayer::new(sessions).prerendered(["/about", "/assets/*"]))
        .layer(OriginLayer::new())
        .layer(from_fn(errors_as_pages))
        .layer(from_fn(security_headers))
}
