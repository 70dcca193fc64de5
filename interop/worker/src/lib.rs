//! A Worker for the tests of the drivers that live in one. It answers
//! - `POST /conformance/DRIVER` with the driver's options: how many rules of the conformance suite hold. One that is
//!   broken is a panic, on the console;
//! - `POST /items/DRIVER` with `{ options, calls }`: the result of each call;
//! - `POST /list/DRIVER` with `{ item }`: the list in the session, with the item.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]
// This crate serves tests alone.
#![allow(clippy::expect_used)]

mod items;
mod list;

use cloakroom_storage::{conformance, open};
use worker::{Context, Env, Request, Response, Result, event};

#[event(fetch, respond_with_errors)]
async fn fetch(mut request: Request, _env: Env, _context: Context) -> Result<Response> {
    let path = request.path();
    match path.trim_start_matches('/').split_once('/') {
        Some(("conformance", driver)) => {
            let options = request.json().await?;
            let open = || async { open(driver, &options).await.expect("the driver opens") };
            Response::ok(conformance::run(open).await.to_string())
        }
        Some(("items", driver)) => {
            let answers = items::answer(driver, request.json().await?).await;
            Response::from_json(&answers.map_err(|error| error.to_string())?)
        }
        Some(("list", driver)) => {
            let cookies = request.headers().get("cookie")?;
            let pushed = list::push(driver, request.json().await?, cookies).await;
            let (list, cookie) = pushed.map_err(|error| error.to_string())?;
            let mut response = Response::from_json(&list)?;
            if let Some(cookie) = cookie {
                response.headers_mut().set("set-cookie", &cookie)?;
            }
            Ok(response)
        }
        _ => Response::error("there is nothing here", 404),
    }
}
