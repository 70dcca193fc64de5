//! Answers `POST /api/session` as the Astro site beside it does, so that a test can store any value that JavaScript has
//! from either side, `POST /api/storage` with the items below, and the site's actions. For the tests alone: nothing here
//! asks who is calling.
//!
//! `interop-probe --config FILE` listens on `PORT`, or on a free port. The files in the folder `FILES`, if there is one,
//! are served too. With `FRAMEWORK=actix-web` it is a server of actix-web, with the actions alone.

mod gate;
mod on_actix;
mod on_axum;
mod problem;
mod step;
mod storage;

use std::error::Error;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use cloakroom::axum::Session;
use cloakroom::{Config, SessionLayer, Sessions};
use serde_json::Value as JsonValue;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower_http::services::ServeDir;

use crate::gate::Gates;
use crate::problem::Problem;
use crate::step::Step;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let sessions = Sessions::from_config(Config::from_file(config_file()?)?).await?;
    if std::env::var_os("FRAMEWORK").is_some_and(|framework| framework == "actix-web") {
        return on_actix::serve(sessions).await;
    }
    let driver = sessions.driver().clone();
    let app = Router::new()
        .route("/signup", get(on_axum::signup_page))
        .route("/api/session", post(answer))
        .route("/api/gates/{name}/reached", post(gate::reached))
        .route("/api/gates/{name}/open", post(gate::open))
        .with_state(Gates::default());
    let app = match std::env::var_os("FILES").filter(|folder| !folder.is_empty()) {
        Some(folder) => app.fallback_service(ServeDir::new(folder)),
        None => app,
    };
    let app = app
        .layer(on_axum::actions())
        .layer(SessionLayer::new(sessions))
        .route("/api/storage", post(storage::answer).with_state(driver));

    let listener = TcpListener::bind(address()?).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    announce(listener.local_addr()?)?;

    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            terminate.recv().await;
        })
        .await?;
    Ok(())
}

fn address() -> Result<SocketAddr, Box<dyn Error>> {
    let port = std::env::var("PORT").map_or(Ok(0), |port| port.parse())?;
    Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

fn announce(address: SocketAddr) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "probe: listening on http://localhost:{}", address.port())?;
    out.flush()
}

fn config_file() -> Result<PathBuf, Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    match (arguments.next(), arguments.next(), arguments.next()) {
        (Some(flag), Some(file), None) if flag == "--config" => Ok(file.into()),
        _ => Err("usage: interop-probe --config FILE".into()),
    }
}

/// Takes the steps in order and answers with the result of each.
async fn answer(
    State(gates): State<Gates>,
    session: Session,
    Json(steps): Json<Vec<Step>>,
) -> Result<Json<Vec<JsonValue>>, Problem> {
    let mut results = Vec::with_capacity(steps.len());
    for step in steps {
        results.push(step.take(&session, &gates).await?);
    }
    Ok(Json(results))
}
