//! A Worker for the tests of the drivers that live in one. It answers
//! - `POST /conformance/DRIVER` with the driver's options, or with none for one that a program makes by itself: how many
//!   rules of the conformance suite hold, of the driver or, before whose name `at-rest/` stands, of one whose keys are hashed and
//!   whose values are sealed. One that is broken is a panic, on the console;
//! - `POST /items/DRIVER` with `{ options, calls }`: the result of each call;
//! - `POST /list` with `{ item }`: the list in a session in R2, with the item.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]
// This crate serves tests alone.
#![allow(clippy::expect_used)]

mod items;
mod list;

use std::sync::Arc;

use cloakroom_drivers::cloudflare_kv_binding::CloudflareKvBinding;
use cloakroom_drivers::cloudflare_r2_binding::{CloudflareR2Binding, Options};
use cloakroom_drivers::open;
use cloakroom_storage::{
    DynDriver, Encrypted, EncryptionKey, HashedKeys, KeyHasher, KeyRing, conformance,
};
use serde_json::{Map, Value};
use worker::{Context, Env, Request, Response, Result, event};

#[event(fetch, respond_with_errors)]
async fn fetch(mut request: Request, env: Env, _context: Context) -> Result<Response> {
    let path = request.path();
    match path.trim_start_matches('/').split_once('/') {
        Some(("conformance", driver)) => {
            let options = request.json().await?;
            let (driver, is_at_rest) = match driver.strip_prefix("at-rest/") {
                Some(driver) => (driver, true),
                None => (driver, false),
            };
            let make = || async {
                let driver = make(driver, &options, &env).await.expect("the driver opens");
                if is_at_rest { at_rest(driver) } else { driver }
            };
            Response::ok(conformance::run(make).await.to_string())
        }
        Some(("items", driver)) => {
            let answers = items::answer(driver, request.json().await?).await;
            Response::from_json(&answers.map_err(|error| error.to_string())?)
        }
        None if path == "/list" => {
            let cookies = request.headers().get("cookie")?;
            let pushed = list::push(&env, request.json().await?, cookies).await;
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

/// A driver as a configuration with `hashIds` and `encryption` puts it together.
fn at_rest(driver: DynDriver) -> DynDriver {
    let ring = KeyRing::new([EncryptionKey::new([1; 32])]).expect("there is a key");
    Arc::new(HashedKeys::new(Encrypted::new(driver, ring), KeyHasher::sha256()))
}

async fn make(
    name: &str,
    options: &Map<String, Value>,
    env: &Env,
) -> cloakroom_storage::Result<DynDriver> {
    match (name, options.is_empty()) {
        ("cloudflare-kv-binding", true) => {
            Ok(Arc::new(CloudflareKvBinding::from_env(env, "STORAGE")?.with_base("own")))
        }
        ("cloudflare-r2-binding", true) => {
            let mut options = Options::new("BUCKET");
            options.base = "own".to_owned();
            Ok(Arc::new(CloudflareR2Binding::new(options)?))
        }
        _ => open(name, options).await,
    }
}
