//! Which half answers what.

use axum::Router;
use axum::http::uri::Authority;
use axum::routing::{get, post};
use cloakroom::{OriginLayer, SessionLayer, Sessions};

use crate::proxy::proxy;
use crate::{cart, catalogue, checkout};

/// The whole shop: the routes of this half, and behind them all that Astro has, which listens at `astro`.
pub fn app(sessions: Sessions, astro: Authority) -> Router {
    let rust = Router::new()
        .route("/api/cart", get(cart::show).post(cart::add))
        .route("/api/cart/remove", post(cart::remove))
        .route("/checkout", get(checkout::show).post(checkout::place_order))
        .route("/thanks", get(checkout::thanks))
        .layer(SessionLayer::new(sessions))
        .layer(OriginLayer::new());

    // The same for everybody, so no session.
    let plain = Router::new()
        .route("/api/catalogue", get(catalogue::show))
        .route("/assets/{hash}/{name}", get(shop::assets::serve));

    rust.merge(plain).fallback_service(proxy(astro))
}
