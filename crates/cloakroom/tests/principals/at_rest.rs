//! Who reads the whole store of a site that hashes its IDs and seals its records.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use cloakroom::Sessions;
use futures_util::TryStreamExt as _;
use interop_peers::Store;
use serde_json::json;

use crate::{ANN, anns, configuration, is_signed_in, open, request, respond, sign_in};

const SECRET: &str = "a secret in the session";

/// Every key and every value, in one text.
async fn dump(store: &Store) -> String {
    let plain = open(&configuration(store, &json!({}))).await;
    let driver = plain.driver();
    let keys: Vec<_> = driver.keys("").try_collect().await.unwrap();
    let mut dump = String::new();
    for key in keys {
        dump.push_str(key.as_str());
        dump.push('\n');
        let item = driver.get(&key).await.unwrap();
        dump.push_str(
            &item.map_or_else(String::new, |item| String::from_utf8_lossy(&item.value).into()),
        );
        dump.push('\n');
    }
    dump
}

/// Whether a text has the form of a session's ID somewhere.
fn has_uuid(text: &str) -> bool {
    let is_uuid = |window: &[u8]| {
        window.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    text.as_bytes().windows(36).any(is_uuid)
}

async fn sealed(store: &Store) -> Sessions {
    let settings = json!({
        "hashIds": { "secret": "a secret of this site's own" },
        "encryption": { "keys": [BASE64_STANDARD.encode([7; 32])] },
        "indexSecret": "another secret of this site's",
    });
    open(&configuration(store, &settings)).await
}

async fn who_reads_the_store_finds_nobody_and_ends_still_end(store: Store) {
    let sessions = sealed(&store).await;
    let mut cookies = Vec::new();
    for _ in 0..3 {
        let cookie = sign_in(&sessions).await.unwrap();
        let session = request(&sessions, &cookie);
        session.set("note", SECRET).unwrap();
        session.regenerate().await.unwrap();
        cookies.push(respond(&session).await.unwrap().unwrap());
    }
    let before = dump(&store).await;
    let listed = anns(&sessions).list().await.unwrap();
    assert_eq!(listed.len(), 3);
    assert_eq!(listed[0].get::<String>("note").unwrap().as_deref(), Some(SECRET));
    assert!(listed[0].is_current(&request(&sessions, &cookies[2])).await.unwrap());

    assert!(anns(&sessions).revoke(listed[0].handle()).await.unwrap());
    assert!(!is_signed_in(&sessions, &cookies[2]).await);
    assert!(is_signed_in(&sessions, &cookies[1]).await);
    let between = dump(&store).await;
    assert_eq!(anns(&sessions).revoke_all().await.unwrap(), 2);
    for cookie in &cookies {
        assert!(!is_signed_in(&sessions, cookie).await);
    }
    for (moment, dump) in [("before", before), ("between", between), ("after", dump(&store).await)]
    {
        assert!(!dump.is_empty());
        assert!(!has_uuid(&dump), "{moment}: an ID is in the store");
        for shown in [ANN, SECRET, "cloakroom.", "principal"] {
            assert!(!dump.contains(shown), "{moment}: {shown} is in the store");
        }
    }
}

on_every_store!(who_reads_the_store_finds_nobody_and_ends_still_end);

#[test]
fn an_id_is_found_in_a_text() {
    assert!(has_uuid("\"key\":\"0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11\""));
    assert!(!has_uuid("0e7d2a536d0f4a529d0e2f8a4f1f6b11"));
}
