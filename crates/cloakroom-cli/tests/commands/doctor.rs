//! The doctor says what is unsafe and what does not work, and leaves the store as it was.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use cloakroom_storage::Driver as _;
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};

use crate::support::{Ran, Site};

/// The codes of what was found on this level.
fn codes(ran: &Ran, level: &str) -> Vec<String> {
    let found = ran.json().into_iter().filter(|row| row["level"] == level);
    found.map(|row| row["code"].as_str().unwrap().to_owned()).collect()
}

fn row(ran: &Ran, code: &str) -> Value {
    ran.json().into_iter().find(|row| row["code"] == code).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_well_is_measured_and_left_as_it_was() {
    for (store, mut site) in Site::on_each().await {
        for hashes in [false, true] {
            site.config["hashIds"] = hashes.into();
            site.config["encryption"] = json!({ "keys": [crate::keys::OLD] });
            site.signed_in("ann").await;
            let driver = site.sessions().await.driver().clone();
            let before: Vec<_> = driver.keys("").try_collect().await.unwrap();
            let ran = site.run(&["doctor", "--json", "--rounds", "3"]);
            assert_eq!(ran.code, 0, "{store}: {}{}", ran.output, ran.errors);
            for code in ["read", "write", "compare-and-swap", "remove"] {
                let row = row(&ran, code);
                let [median, worst] = ["median", "worst"].map(|it| row[it].as_f64().unwrap());
                assert!(0.0 < median && median <= worst, "{store}: {row}");
            }
            for code in ["configuration", "deadline", "clock", "list", "sessions"] {
                assert_eq!(row(&ran, code)["level"], "ok", "{store}: {}", ran.output);
            }
            let tells_time = row(&ran, "clock")["skew"].as_f64().is_some();
            assert_eq!(tells_time, store != "files", "{store}: {}", ran.output);
            let mut after: Vec<_> = driver.keys("").try_collect().await.unwrap();
            after.retain(|key| !before.contains(key));
            assert_eq!(after, [], "{store}");
            site.run(&["revoke", "--all", "--yes"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unsafe_is_told_with_what_to_do() {
    let mut site = Site::on_files();
    site.signed_in("ann").await;
    let folder = site.config["options"]["base"].as_str().unwrap().to_owned();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    site.config["cookie"] = json!({ "secure": false });
    site.config.as_object_mut().unwrap().retain(|key, _| key != "idle" && key != "absolute");
    let ran = site.run(&["doctor", "--json", "--rounds", "1"]);
    assert_eq!(ran.code, 5, "{}", ran.output);
    let expected = ["cookie-not-secure", "sessions-never-end", "open-to-others"];
    assert_eq!(codes(&ran, "warning"), expected, "{}", ran.output);
    assert!(row(&ran, "open-to-others")["remedy"].as_str().unwrap().contains(&folder));
    let told = site.run(&["doctor", "--rounds", "1"]);
    assert!(told.output.contains("warning  open-to-others: "), "{}", told.output);
    // Once is enough.
    assert!(!told.errors.contains("sessions-never-end"), "{}", told.errors);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_throws_sessions_out_is_told() {
    let arguments = ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"];
    let Some(server) = interop_peers::Redis::start_with(&arguments) else { return };
    let site = Site::on(json!({ "driver": "redis", "options": { "url": server.url() } }));
    let ran = site.run(&["doctor", "--json", "--rounds", "1"]);
    assert_eq!(
        (ran.code, codes(&ran, "warning")),
        (5, vec!["eviction".to_owned()]),
        "{}",
        ran.output
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_no_key_opens_are_a_failure() {
    let mut site = Site::on_files();
    site.config["encryption"] = json!({ "keys": [crate::keys::OLD] });
    site.signed_in("ann").await;
    site.config["encryption"] = json!({ "keys": [crate::keys::NEW] });
    let ran = site.run(&["doctor", "--json", "--rounds", "1"]);
    assert_eq!(
        (ran.code, codes(&ran, "failure")),
        (5, vec!["sessions".to_owned()]),
        "{}",
        ran.output
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_takes_no_writes_says_so() {
    let mut site = Site::on_files();
    site.signed_in("ann").await;
    site.config["options"]["readOnly"] = true.into();
    let ran = site.run(&["doctor", "--json"]);
    assert_eq!(
        (ran.code, codes(&ran, "note")),
        (0, vec!["read-only".to_owned()]),
        "{}",
        ran.output
    );
}

#[test]
fn a_store_that_is_away_is_a_failure_without_its_password() {
    let url = "redis://ann:hunter2@127.0.0.1:1/0";
    let site = Site::on(json!({ "driver": "redis", "options": { "url": url } }));
    for arguments in [&["doctor"][..], &["doctor", "--json"]] {
        let ran = site.run(arguments);
        assert_eq!(ran.code, 5, "{}{}", ran.output, ran.errors);
        assert!(ran.output.contains("failure"), "{}", ran.output);
        assert!(!format!("{}{}", ran.output, ran.errors).contains("hunter2"));
    }
}
