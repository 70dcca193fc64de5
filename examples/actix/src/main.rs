//! `cargo run -p example-actix`: the API at http://localhost:4321, its sessions in `.data/sessions`.

use std::error::Error;

use actix_web::{App, HttpServer};
use cloakroom::actix_web::SessionMiddleware;
use cloakroom::{Config, Sessions};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut config = Config::new("fs-lite").option("base", ".data/sessions");
    // Plain http on localhost, where not every client sends a Secure cookie back.
    config.cookie.secure = false;
    let sessions = Sessions::from_config(config).await?;
    let app = move || {
        App::new()
            .configure(example_actix::routes)
            .wrap(example_actix::actions())
            .wrap(SessionMiddleware::new(sessions.clone()))
    };
    HttpServer::new(app).bind(("127.0.0.1", 4321))?.run().await?;
    Ok(())
}
