//! The routes.

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use cloakroom::{SessionLayer, Sessions};

use crate::middleware::{errors_as_pages, last_visit, same_origin, security_headers};
use crate::pages::{about, cart, checkout, home, login, problem, product, settings};
use crate::{api, assets};

/// The whole shop on these sessions.
pub fn app(sessions: Sessions) -> Router {
    let pages = Router::new()
        .route("/", get(home::show))
        .route("/products/{slug}", get(product::show))
        .route("/cart", get(cart::show).post(cart::add))
        .route("/cart/remove", post(cart::remove))
        .route("/checkout", get(checkout::show).post(checkout::place))
        .route("/login", get(login::show).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/settings", get(settings::show).post(settings::save))
        .layer(from_fn(last_visit));

    let api = Router::new()
        .route("/api/addToCart", post(api::add_to_cart))
        .route("/api/cart", get(api::cart));

    // What follows the session layer has no session, and costs none.
    Router::new()
        .merge(pages)
        .merge(api)
        .layer(SessionLayer::new(sessions))
        .route("/about", get(about::show))
        .route("/assets/{hash}/{name}", get(assets::serve))
        .fallback(problem::not_found)
        .layer(from_fn(same_origin))
        .layer(from_fn(errors_as_pages))
        .layer(from_fn(security_headers))
}
