//! A store as lines of JSON, and back.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use cloakroom_storage::{Bytes, Driver as _, When};
use serde_json::json;

use crate::migrate::support::{assert_alike, contents, driver, key, on_files, plain, put, text};
use crate::support::Site;

#[tokio::test(flavor = "multi_thread")]
async fn an_export_comes_back_byte_by_byte_in_every_store() {
    let folder = tempfile::tempdir().unwrap();
    for (store, site) in Site::on_each().await {
        let ids = [site.signed_in("ann").await, site.signed_in("bob").await];
        site.sessions().await.of("bob").revoke_all().await.unwrap();
        let source = driver(&site.config).await;
        _ = source
            .set(&key(1), Bytes::from_static(b"\xff\0\xfe"), When::Always, None)
            .await
            .unwrap();
        let path = folder.path().join(store);
        let exported = site.run(&["export", "--json", "--output", path.to_str().unwrap()]);
        assert_eq!(
            (exported.code, &exported.json()[0]["items"]),
            (0, &4.into()),
            "{store}: {}",
            exported.errors
        );
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{store}");
        // The standard output has the same lines.
        let lines = |text: &str| text.lines().count();
        let printed = site.run(&["export"]);
        assert_eq!(lines(&printed.output), lines(&fs::read_to_string(&path).unwrap()), "{store}");

        let empty = plain();
        let imported = empty.run(&["import", "--json", "--input", path.to_str().unwrap()]);
        assert_eq!(
            (imported.code, &imported.json()[0]["imported"]),
            (0, &4.into()),
            "{store}: {}",
            imported.errors
        );
        assert_alike(&source, &driver(&empty.config).await, store).await;
        assert!(empty.is_alive(ids[0]).await && !empty.is_alive(ids[1]).await, "{store}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_stays_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export");
    let at_rest = json!({ "hashIds": true, "encryption": { "keys": [crate::keys::OLD] } });
    let (site, other) = (on_files(at_rest.clone()), on_files(at_rest));
    let id = site.signed_in("ann").await;
    assert_eq!(
        site.run(&["export", "--output", path.to_str().unwrap()]).output,
        "2 items were written\n"
    );
    let lines = fs::read_to_string(&path).unwrap();
    assert!(!lines.contains(&id.to_string()) && !lines.contains("hunter2"), "{lines}");
    assert_eq!(other.run(&["import", "--input", path.to_str().unwrap()]).code, 0);
    assert!(other.is_alive(id).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_plain_gets_into_no_store_that_is_said_to_be_hashed_or_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export");
    let path = path.to_str().unwrap();
    let site = plain();
    site.signed_in("ann").await;
    site.run(&["export", "--output", path]);
    let encryption = json!({ "keys": [crate::keys::OLD] });
    for (at_rest, why) in [
        (json!({ "hashIds": true }), "not hashed"),
        (json!({ "encryption": encryption }), "not sealed"),
    ] {
        let other = on_files(at_rest);
        let ran = other.run(&["import", "--json", "--input", path]);
        assert_eq!((ran.code, &ran.json()[0]["refused"]), (6, &2.into()), "{}", ran.errors);
        assert!(ran.errors.contains(why), "{}", ran.errors);
        assert!(contents(&driver(&other.config).await).await.is_empty(), "{why}");
    }
    // While a store is being sealed it may have both.
    let other =
        on_files(json!({ "encryption": { "keys": [crate::keys::OLD], "acceptPlain": true } }));
    assert_eq!(other.run(&["import", "--input", path]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_stays_unless_it_shall_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export");
    let path = path.to_str().unwrap();
    let site = plain();
    let store = driver(&site.config).await;
    put(&store, &key(1), "exported", None).await;
    put(&store, &key(2), "exported", None).await;
    site.run(&["export", "--output", path]);
    assert_eq!(site.run(&["export", "--output", path]).code, 1, "a file that is there is kept");
    put(&store, &key(1), "newer", None).await;
    let counts = |arguments: &[&str]| {
        let ran = site.run(arguments);
        assert_eq!(ran.code, 0, "{}", ran.errors);
        ran.json().remove(0)
    };
    let kept = counts(&["import", "--json", "--input", path]);
    assert_eq!(
        (&kept["imported"], &kept["already"], &kept["differing"]),
        (&0.into(), &1.into(), &1.into())
    );
    assert_eq!(text(&store, &key(1)).await.as_deref(), Some("newer"));
    assert_eq!(counts(&["import", "--json", "--overwrite", "--input", path])["imported"], 2);
    assert_eq!(text(&store, &key(1)).await.as_deref(), Some("exported"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_line_costs_nothing_else_and_is_named_by_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export");
    let item = |number: usize, expires: &str| {
        format!(r#"{{"key":"{}","expires":{expires},"text":"[[\"Map\"]]"}}"#, key(number).as_str())
    };
    let lines = [
        r#"{"cloakroomExport":1,"at":"2026-11-23T11:00:15Z"}"#.to_owned(),
        item(1, "null"),
        r#"{"key":"hunter2","#.to_owned(),
        item(2, r#""2020-01-01T00:00:00Z""#),
        item(3, r#""2999-01-01T00:00:00Z""#),
    ];
    fs::write(&path, lines.join("\n")).unwrap();
    let site = plain();
    let ran = site.run(&["import", "--json", "--input", path.to_str().unwrap()]);
    let report = &ran.json()[0];
    // The one that is broken, and the last line, which is missing.
    let counts = [&report["imported"], &report["expired"], &report["broken"]];
    assert_eq!((ran.code, counts), (4, [&2.into(), &1.into(), &2.into()]), "{}", ran.errors);
    assert!(ran.errors.contains("line 3:") && ran.errors.contains("was cut off"), "{}", ran.errors);
    assert!(!ran.errors.contains("hunter2"), "{}", ran.errors);
    assert_eq!(contents(&driver(&site.config).await).await.len(), 2);
}

#[test]
fn what_is_no_export_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export");
    for text in
        ["", "{}\n", "[[\"Map\"]]\n", "{\"cloakroomExport\":9,\"at\":\"2026-11-23T11:00:15Z\"}\n"]
    {
        fs::write(&path, text).unwrap();
        let ran = plain().run(&["import", "--input", path.to_str().unwrap()]);
        assert_eq!(ran.code, 1, "{text}");
        assert!(ran.errors.contains("this is no export"), "{text}: {}", ran.errors);
    }
}

/// A terminal would keep all IDs in its window. `script` gives one.
#[test]
fn an_export_is_not_shown_to_a_terminal_unless_it_is_asked_for() {
    let site = plain();
    site.run(&["count"]);
    let on_a_terminal = |rest: &str| {
        let base = site.config["options"]["base"].as_str().unwrap();
        let program = env!("CARGO_BIN_EXE_cloakroom");
        let command = format!("{program} export --driver fs-lite --option base={base} {rest}");
        let output = std::process::Command::new("script")
            .args(["-qec", &command, "/dev/null"])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, output) = on_a_terminal("");
    assert_eq!(code, 1, "{output}");
    assert!(output.contains("credentials") && !output.contains("cloakroomExport"), "{output}");
    let (code, output) = on_a_terminal("--reveal");
    assert_eq!(code, 0, "{output}");
    assert!(output.contains("cloakroomExport"), "{output}");
}
