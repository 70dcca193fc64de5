//! The endpoints that scripts call.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cloakroom::axum::{Result, Session};
use serde::Deserialize;
use serde_json::json;

use crate::cart;
use crate::session::CART;

/// What `POST /api/addToCart` is sent.
#[derive(Debug, Deserialize)]
pub struct AddToCart {
    item: String,
    /// Which size, for products that come in sizes: it is remembered among the settings.
    size: Option<f64>,
}

/// `POST /api/addToCart`: answers with the cart. The item need not be in the catalogue.
pub async fn add_to_cart(session: Session, Json(body): Json<AddToCart>) -> Result<Response> {
    if !cart::is_item(&body.item) {
        let error =
            json!({ "error": format!("`item` must have 1 to {} characters", cart::LONGEST_ITEM) });
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, Json(error)).into_response());
    }
    Ok(Json(cart::add(&session, &body.item, body.size).await?).into_response())
}

/// `GET /api/cart`.
pub async fn cart(session: Session) -> Result<Json<Vec<String>>> {
    Ok(Json(session.get_or_default(CART).await?))
}
