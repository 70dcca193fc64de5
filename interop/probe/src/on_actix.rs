//! The site's actions on actix-web.

use std::error::Error;

use actix_web::{App, HttpServer, web};
use cloakroom::Sessions;
pub(crate) use cloakroom::actix_web::{Actions, Input, Session, Valid};
use cloakroom::actix_web::{Result as SessionResult, SessionMiddleware};

#[allow(clippy::duplicate_mod, reason = "the same actions, with another framework's extractors")]
#[path = "actions.rs"]
mod site;

/// Serves them until it is told to end.
pub(crate) async fn serve(sessions: Sessions) -> Result<(), Box<dyn Error>> {
    let server = HttpServer::new(move || {
        App::new()
            .route("/signup", web::get().to(signup_page))
            .wrap(site::actions())
            .wrap(SessionMiddleware::new(sessions.clone()))
    });
    let server = server.workers(1).bind(crate::address()?)?;
    if let Some(address) = server.addrs().first() {
        crate::announce(*address)?;
    }
    Ok(server.run().await?)
}

async fn signup_page(session: Session) -> SessionResult<web::Html> {
    Ok(web::Html::new(site::signup_page(&session).await?))
}
