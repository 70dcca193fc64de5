//! Credentials that end: a refusal of them is none of the request, and those at hand are used while their source is away.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::stand_in::{Answer, Asked, stand_in, told};
use cloakroom_drivers::dynamodb::{self, DynamoDb};
use cloakroom_drivers::gcs::{self, Gcs};
use cloakroom_drivers::s3::{self, S3};
use cloakroom_storage::{Driver, DynDriver, ErrorKind, ItemKey, RemoveOutcome, When};
use serde_json::{Value, json};

fn key() -> ItemKey {
    ItemKey::new("id").unwrap()
}

/// Runs the part of a test in a process with this environment, and no other credentials.
fn in_environment(part: &str, variables: &[(&str, &str)]) {
    let mut test = crate::part_command(module_path!(), part);
    test.env_remove("AWS_PROFILE").env("AWS_EC2_METADATA_DISABLED", "true");
    crate::run_part(test.envs(variables.iter().copied()));
}

/// What Amazon's stores answer to whoever signs with this key, and to everybody else.
fn amazon(takes: &Mutex<String>, asked: &Asked) -> Answer {
    let is_let_in =
        asked.headers["authorization"].contains(&format!("={}/", takes.lock().unwrap()));
    match (asked.headers.contains_key("x-amz-target"), is_let_in) {
        (true, true) => {
            let body = json!({ "Item": { "id": { "S": "id" }, "value": { "B": "dmFsdWU=" } } });
            let kind = "application/x-amz-json-1.0".to_owned();
            (200, vec![("content-type", kind)], body.to_string().into())
        }
        (true, false) => {
            let body = json!({ "__type": "com.amazon.coral.service#ExpiredTokenException" });
            (400, vec![], body.to_string().into())
        }
        (false, true) => (200, vec![("etag", "\"1\"".to_owned())], "value".into()),
        (false, false) => {
            let body = "<Error><Code>ExpiredToken</Code><Message>x</Message></Error>";
            (400, vec![], body.into())
        }
    }
}

async fn stores(url: &str) -> [DynDriver; 2] {
    let mut bucket = s3::Options::new("sessions");
    bucket.region = Some("eu-central-1".into());
    bucket.endpoint = Some(url.into());
    let mut table = dynamodb::Options::new("sessions");
    table.region = Some("eu-central-1".into());
    table.endpoint = Some(url.into());
    [Arc::new(S3::new(bucket).unwrap()), Arc::new(DynamoDb::new(table).await.unwrap())]
}

fn write_profile(id: &str) {
    let profile = std::env::var("AWS_SHARED_CREDENTIALS_FILE").unwrap();
    let text = format!(
        "[default]\naws_access_key_id = {id}\naws_secret_access_key = secret\naws_session_token = token\n"
    );
    std::fs::write(profile, text).unwrap();
}

#[tokio::test]
async fn credentials_that_were_renewed_in_their_file_are_found_when_the_old_ones_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("credentials");
    let part = "part_whose_credentials_are_renewed_in_their_file";
    in_environment(part, &[("AWS_SHARED_CREDENTIALS_FILE", profile.to_str().unwrap())]);
}

#[tokio::test]
#[ignore = "a part of `credentials_that_were_renewed_in_their_file_are_found_when_the_old_ones_are_refused`"]
async fn part_whose_credentials_are_renewed_in_their_file() {
    let takes = Arc::new(Mutex::new("KEYONE".to_owned()));
    let (known, requests) = (takes.clone(), Arc::new(AtomicUsize::new(0)));
    let count = requests.clone();
    let url = stand_in(move |asked| {
        count.fetch_add(1, Ordering::SeqCst);
        amazon(&known, &asked)
    });
    for store in stores(&url).await {
        write_profile("KEYONE");
        *takes.lock().unwrap() = "KEYONE".to_owned();
        assert!(store.get(&key()).await.unwrap().is_some());
        *takes.lock().unwrap() = "KEYTWO".to_owned();
        // There are no others yet.
        requests.store(0, Ordering::SeqCst);
        let error = store.get(&key()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(!error.is_retryable() && error.is_unapplied(), "{error}");
        assert_eq!(requests.load(Ordering::SeqCst), 1);
        write_profile("KEYTWO");
        assert!(store.get(&key()).await.unwrap().is_some());
        assert_eq!(requests.load(Ordering::SeqCst), 3);
        assert!(store.get(&key()).await.unwrap().is_some());
        assert_eq!(requests.load(Ordering::SeqCst), 4);
    }
    // `HEAD`, which is refused without a word, too.
    let [s3, _] = stores(&url).await;
    write_profile("KEYTWO");
    assert!(s3.get(&key()).await.unwrap().is_some());
    *takes.lock().unwrap() = "KEYTHREE".to_owned();
    write_profile("KEYTHREE");
    assert_eq!(s3.remove(&key(), When::Always).await.unwrap(), RemoveOutcome::Removed);
}

#[tokio::test]
async fn credentials_of_the_options_that_are_refused_are_refused() {
    let requests = Arc::new(AtomicUsize::new(0));
    let count = requests.clone();
    let url = stand_in(move |asked| {
        count.fetch_add(1, Ordering::SeqCst);
        amazon(&Mutex::new("ANOTHER".to_owned()), &asked)
    });
    let mut options = s3::Options::new("sessions");
    options.region = Some("eu-central-1".into());
    options.endpoint = Some(url);
    options.access_key_id = Some("KEYONE".into());
    options.secret_access_key = Some("secret".into());
    let error = S3::new(options).unwrap().get(&key()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert_eq!(requests.load(Ordering::SeqCst), 1);
}

/// A service that gives credentials of a container: `/status/500` makes it answer so, and `/asked` tells how often it was.
fn giver() -> String {
    let (status, asked) = (AtomicUsize::new(200), AtomicUsize::new(0));
    stand_in(move |request| match request.path.strip_prefix("/status/") {
        Some(wanted) => {
            status.store(wanted.parse().unwrap(), Ordering::SeqCst);
            (200, vec![], vec![])
        }
        None if request.path == "/asked" => {
            (200, vec![], asked.load(Ordering::SeqCst).to_string().into())
        }
        None => {
            asked.fetch_add(1, Ordering::SeqCst);
            let body = json!({
                "AccessKeyId": "KEYONE", "SecretAccessKey": "secret", "Token": "token",
                "Expiration": in_100_seconds(),
            });
            let status = u16::try_from(status.load(Ordering::SeqCst)).unwrap();
            (status, vec![], body.to_string().into())
        }
    })
}

/// As services write it.
fn in_100_seconds() -> String {
    let date = ["--utc", "--date", "100 seconds", "+%Y-%m-%dT%H:%M:%SZ"];
    let output = Command::new("date").args(date).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn credentials_that_are_good_are_used_while_the_service_that_gives_them_is_away() {
    let giver = giver();
    let uri = format!("{giver}/credentials");
    for part in ["part_whose_giver_goes_away", "part_whose_giver_is_away"] {
        let variables = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*uri), ("GIVER", &giver)];
        in_environment(part, &variables);
    }
}

#[tokio::test]
#[ignore = "a part of `credentials_that_are_good_are_used_while_the_service_that_gives_them_is_away`"]
async fn part_whose_giver_goes_away() {
    let giver = std::env::var("GIVER").unwrap();
    let url = stand_in(|asked| amazon(&Mutex::new("KEYONE".to_owned()), &asked));
    let [s3, dynamodb] = stores(&url).await;
    let ids = [key(), key(), key()];
    let first = ids.iter().map(|id| s3.get(id));
    for found in futures_util::future::join_all(first).await {
        assert!(found.unwrap().is_some());
    }
    assert!(dynamodb.get(&key()).await.unwrap().is_some());
    assert_eq!(told(&giver, "/asked"), "2", "once for each store");
    told(&giver, "/status/500");
    for store in [&s3, &dynamodb] {
        assert!(store.get(&key()).await.unwrap().is_some());
    }
}

#[tokio::test]
#[ignore = "a part of `credentials_that_are_good_are_used_while_the_service_that_gives_them_is_away`"]
async fn part_whose_giver_is_away() {
    let giver = std::env::var("GIVER").unwrap();
    let url = stand_in(|asked| amazon(&Mutex::new("KEYONE".to_owned()), &asked));
    for status in ["500", "503", "429"] {
        told(&giver, &format!("/status/{status}"));
        for store in stores(&url).await {
            let error = store.get(&key()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{status}: {error}");
            assert!(error.is_retryable() && error.is_unapplied(), "{status}: {error}");
        }
    }
    told(&giver, "/status/200");
    for store in stores(&url).await {
        assert!(store.get(&key()).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_token_of_googles_that_is_refused_is_asked_for_again_once() {
    let tokens = Arc::new(AtomicUsize::new(0));
    let given = tokens.clone();
    // Gives a token with a number, and takes the last one alone, and only from the second on.
    let url = stand_in(move |asked| {
        if asked.path == "/token" {
            let number = given.fetch_add(1, Ordering::SeqCst) + 1;
            let body = json!({
                "access_token": format!("token-{number}"), "expires_in": 3600, "token_type": "Bearer",
                "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            });
            return (200, vec![], body.to_string().into());
        }
        match asked.headers["authorization"].as_str() {
            "Bearer token-1" => (401, vec![], vec![]),
            _ => {
                let expires = ("x-goog-meta-cloakroom-expires", (1u64 << 53).to_string());
                let generation = ("x-goog-generation", "1".to_owned());
                let metageneration = ("x-goog-metageneration", "1".to_owned());
                (200, vec![expires, generation, metageneration], "value".into())
            }
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let subject = folder.path().join("subject");
    std::fs::write(&subject, "a token of elsewhere").unwrap();
    let account: Value = json!({
        "type": "external_account",
        "audience": "tests",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": format!("{url}/token"),
        "credential_source": { "file": subject, "format": { "type": "text" } },
    });
    let mut options = gcs::Options::new("sessions");
    options.endpoint = Some(url);
    options.credentials = Some(account.to_string());
    let store = Gcs::new(options).unwrap();
    for _ in 0..3 {
        assert!(store.get(&key()).await.unwrap().is_some());
    }
    assert_eq!(tokens.load(Ordering::SeqCst), 2);
}
