//! A Worker that runs the conformance suite on its bindings: `POST /DRIVER` with the driver's options as JSON. It answers
//! how many rules hold; a rule that is broken is a panic, on the console.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]
// This crate serves tests alone.
#![allow(clippy::expect_used)]

use cloakroom_storage::{conformance, open};
use worker::{Context, Env, Request, Response, Result, event};

#[event(fetch)]
async fn fetch(mut request: Request, _env: Env, _context: Context) -> Result<Response> {
    let options = request.json().await?;
    let path = request.path();
    let driver = path.trim_start_matches('/');
    let hold = conformance::run(|| async { open(driver, &options).await.expect("it opens") }).await;
    Response::ok(hold.to_string())
}
