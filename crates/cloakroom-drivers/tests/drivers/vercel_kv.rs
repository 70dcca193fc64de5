//! The `vercel-kv` driver: `upstash` by another name and with other variables.

use crate::conformance;
use crate::http_support::{SESSION, open, open_patient, put, read, refusal};
use crate::javascript::{Texts, both_directions};
use cloakroom_drivers::vercel_kv::{Options, VercelKv};
use cloakroom_storage::{Driver as _, DynDriver, ErrorKind};
use interop_peers::{JavaScript, Upstash};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn vercel_kv_conforms() {
    let Some(upstash) = Upstash::start() else { return };
    let options = json!({ "url": upstash.url(), "token": Upstash::TOKEN, "base": "sess" });
    conformance::run(|| open_patient("vercel-kv", options.clone())).await;
}

#[tokio::test]
async fn javascript_and_rust_share_their_items() {
    let Some(upstash) = Upstash::start() else { return };
    // Without a base: with one, unstorage's driver lists keys that it does not find again.
    let options = json!({ "url": upstash.url(), "token": Upstash::TOKEN });
    let Some(mut theirs) = JavaScript::open("vercel-kv", &options) else { return };
    let ours = open("vercel-kv", options).await;
    both_directions(&ours, &mut theirs, Texts::SessionsOnly).await;
}

#[tokio::test]
async fn vercel_kv_and_upstash_are_one_store() {
    let Some(upstash) = Upstash::start() else { return };
    let options = json!({ "url": upstash.url(), "token": Upstash::TOKEN, "base": "sess" });
    let vercel = open("vercelKv", options.clone()).await;
    put(&vercel, "id", SESSION, None).await;
    assert_eq!(vercel.name(), "vercel-kv");
    let upstash = open("upstash", options).await;
    assert_eq!(read(&upstash, "id").await.unwrap().as_deref(), Some(SESSION));
}

#[tokio::test]
async fn a_program_sets_the_options_as_fields() {
    let Some(upstash) = Upstash::start() else { return };
    let mut options = Options::new(upstash.url(), Upstash::TOKEN);
    options.upstash.base = "sess".to_owned();
    let driver: DynDriver = std::sync::Arc::new(VercelKv::new(options).unwrap());
    put(&driver, "id", SESSION, None).await;
    assert_eq!(driver.name(), "vercel-kv");
    assert_eq!(upstash.redis().command(&["GET", "sess:id"]).text(), SESSION);

    let mut nowhere = Options::default();
    for (env, named) in [
        (nowhere.env.clone(), "`url` or the variable `KV_REST_API_URL`"),
        (Some("SHOP".to_owned()), "`url` or the variable `SHOP_REST_API_URL`"),
        (None, "option `url` is needed"),
    ] {
        nowhere.env = env;
        let error = VercelKv::new(nowhere.clone()).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[tokio::test]
async fn options_that_are_wrong_are_named() {
    for (options, named) in [
        (json!({}), "`url` or the variable `KV_REST_API_URL`"),
        (json!({ "env": "SHOP" }), "`url` or the variable `SHOP_REST_API_URL`"),
        (json!({ "env": false, "url": "https://a.example" }), "option `token` is needed"),
        (json!({ "env": 7 }), "option `env`"),
        (json!({ "token": 7, "ur": "https://a.example" }), "did you mean `url`?"),
        (json!({ "zzz": 7 }), "known are `url`, `token`, `base`, `ttl`, `scanCount`"),
    ] {
        let error = refusal("vercel-kv", options).await;
        assert_eq!(error.kind(), ErrorKind::InvalidOptions);
        assert!(error.to_string().contains(named), "{error}");
    }
}
