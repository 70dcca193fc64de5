//! The `cloudflare-kv-binding` driver, which is nowhere but inside of a Worker: there it runs the suite.

use cloakroom_drivers::open;
use cloakroom_storage::ErrorKind;
use interop_peers::conformance_in_worker;
use serde_json::{Map, json};

/// As many rules as the suite has for a store without compare-and-swap that sweeps by itself, or more.
const RULES: usize = 27;

/// Of these, as many as are about listing, which hashed keys cannot be.
const LISTING: usize = 4;

#[test]
fn a_namespace_of_kv_obeys_every_rule_over_a_binding_of_ones_own() {
    let Some(hold) = conformance_in_worker("cloudflare-kv-binding", &json!({})) else { return };
    assert!(hold >= RULES, "only {hold} rules were run");
}

#[test]
fn a_namespace_of_kv_obeys_every_rule() {
    let options = json!({ "binding": "STORAGE", "base": "a:b/", "minTTL": 90 });
    let Some(hold) = conformance_in_worker("cloudflare-kv-binding", &options) else { return };
    assert!(hold >= RULES, "only {hold} rules were run");
}

#[test]
fn a_namespace_of_kv_obeys_every_rule_with_hashed_keys_and_sealed_values() {
    let driver = "at-rest/cloudflare-kv-binding";
    let Some(hold) = conformance_in_worker(driver, &json!({})) else { return };
    assert!(hold >= RULES - LISTING, "only {hold} rules were run");
}

#[tokio::test]
async fn outside_of_a_worker_it_says_where_it_exists_and_what_to_use() {
    for name in ["cloudflare-kv-binding", "cloudflareKVBinding"] {
        let error = open(name, &Map::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let text = error.to_string();
        assert!(text.contains("inside of Cloudflare Workers only"), "{text}");
        assert!(text.contains("`cloudflare-kv-http`"), "{text}");
    }
}
