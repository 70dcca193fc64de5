//! A platform's default store needs nothing but the environment that the platform gives.
//!
//! The test binary starts itself again with the test `child_on_netlify`, which does nothing by itself.

use std::env;
use std::process::Command;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use cloakroom::adapter::Commit;
use cloakroom::{Adapter, Config, Sessions};
use interop_peers::Store;
use serde_json::json;

use crate::{cookies, sessions, visit};

const COOKIE: &str = "CLOAKROOM_TEST_COOKIE";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn netlifys_adapter_finds_its_blobs_by_the_environment() {
    let Some(store) = Store::netlify_blobs() else { return };
    let cookie = visit(&sessions(&store).await).await;
    let options = Config::from_json(&store.config()).unwrap().options;
    // As Netlify sets it; nobody listens at the address of the cache.
    let context = json!({
        "edgeURL": "http://127.0.0.1:1",
        "uncachedEdgeURL": options["uncachedEdgeURL"],
        "siteID": options["siteID"],
        "token": options["token"],
        "deployID": "0123456789abcdef",
        "primaryRegion": "us-east-2",
    });
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "adapter::child_on_netlify", "--ignored", "--nocapture"])
        .env("NETLIFY", "true")
        .env("NETLIFY_BLOBS_CONTEXT", BASE64_STANDARD.encode(context.to_string()))
        .env(COOKIE, &cookie)
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    let session = sessions(&store).await.session(cookies(&cookie));
    assert_eq!(session.get::<String>("theme").await.unwrap().as_deref(), Some("of the child"));
}

#[tokio::test]
#[ignore = "a part of `netlifys_adapter_finds_its_blobs_by_the_environment`"]
async fn child_on_netlify() {
    let Ok(cookie) = env::var(COOKIE) else { return };
    let adapter = Adapter::detect().unwrap();
    assert_eq!(adapter, Adapter::Netlify);
    let config = Config::for_adapter(adapter).unwrap();
    let session = Sessions::from_config(config).await.unwrap().session(cookies(&cookie));
    assert_eq!(session.get::<String>("theme").await.unwrap().as_deref(), Some("dark"));
    session.set("theme", "of the child").unwrap();
    session.finish().await.unwrap();
}
