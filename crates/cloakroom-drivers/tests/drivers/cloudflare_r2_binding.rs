//! The `cloudflare-r2-binding` driver, which is nowhere but inside of a Worker: there it runs the suite.

use cloakroom_drivers::open;
use cloakroom_storage::ErrorKind;
use interop_peers::conformance_in_worker;
use serde_json::{Map, json};

/// As many rules as the suite has for a store with compare-and-swap that has to be swept, or more.
const RULES: usize = 41;

#[test]
fn a_bucket_of_r2_obeys_every_rule() {
    let options = json!({ "binding": "BUCKET", "base": "a:b/" });
    let Some(hold) = conformance_in_worker("cloudflare-r2-binding", &options) else { return };
    assert!(hold >= RULES, "only {hold} rules were run");
}

#[test]
fn a_bucket_of_r2_obeys_every_rule_with_the_options_of_a_program() {
    let Some(hold) = conformance_in_worker("cloudflare-r2-binding", &json!({})) else { return };
    assert!(hold >= RULES, "only {hold} rules were run");
}

#[test]
fn a_bucket_of_r2_obeys_every_rule_with_hashed_keys_and_sealed_values() {
    let driver = "at-rest/cloudflare-r2-binding";
    let Some(hold) = conformance_in_worker(driver, &json!({})) else { return };
    assert!(hold >= RULES, "only {hold} rules were run");
}

#[tokio::test]
async fn outside_of_a_worker_it_says_where_it_exists_and_what_to_use() {
    let error = open("cloudflare-r2-binding", &Map::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let text = error.to_string();
    assert!(text.contains("inside of Cloudflare Workers only"), "{text}");
    assert!(text.contains("`s3`"), "{text}");
}
