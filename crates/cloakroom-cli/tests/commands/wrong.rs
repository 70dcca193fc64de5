//! A configuration that is wrong: each command says what is, where, and what was meant, and does nothing.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::keys::{NEW, OLD};
use crate::support::{Ran, Site, program};

/// Each command that opens one store.
const COMMANDS: [&[&str]; 14] = [
    &["list"],
    &["count"],
    &["show", "00000000000000ff"],
    &["revoke", "--all", "--yes"],
    &["sweep"],
    &["verify", "--repair"],
    &["rotate"],
    &["encrypt"],
    &["export"],
    &["import"],
    &["doctor"],
    &["watch"],
    &["serve", "--listen", "127.0.0.1:0"],
    &["console", "--listen", "127.0.0.1:0"],
];

fn run(arguments: &[&str]) -> Ran {
    program(arguments).stdin(Stdio::null()).output().unwrap().into()
}

/// What each command says with this configuration, and `migrate` from it and to it.
fn refused(name: &str, text: Option<&str>, parts: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    let (path, right) = (place(name), place("right.toml"));
    fs::write(&right, format!("driver = \"fs-lite\"\noptions = {{ base = {:?} }}", place("data")))
        .unwrap();
    if let Some(text) = text {
        fs::write(&path, text).unwrap();
    }
    let commands = COMMANDS.map(|command| [command, &["--config", &path]].concat());
    let migrations = [["--from", &path, "--to", &right], ["--from", &right, "--to", &path]];
    let migrations = migrations.map(|ends| [&["migrate"], &ends[..]].concat());
    for arguments in commands.into_iter().chain(migrations) {
        let ran = run(&arguments);
        assert_eq!((ran.code, ran.output.as_str()), (1, ""), "{arguments:?}: {}", ran.errors);
        for part in parts {
            assert!(ran.errors.contains(part), "{arguments:?}: {}", ran.errors);
        }
        assert!(!ran.errors.contains("hunter2"), "{arguments:?}: {}", ran.errors);
    }
    assert!(!Path::new(&place("data")).exists(), "something was done");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    refused("cloakroom.toml", None, &["cloakroom.toml", "No such file"]);
}

#[test]
fn a_misspelled_key_is_named_and_the_nearest() {
    refused(
        "sessions.toml",
        Some("idel = 3600"),
        &["sessions.toml", "`idel`", "did you mean `idle`?"],
    );
    let text = "[cookie]\nsameSight = \"lax\"";
    refused(
        "sessions.toml",
        Some(text),
        &["`cookie.sameSight`", "did you mean `cookie.sameSite`?"],
    );
}

#[test]
fn what_is_no_toml_is_named_by_its_line() {
    let text = "driver = \"redis\"\noptions = { url = \"redis://u:hunter2@h\"";
    refused("sessions.toml", Some(text), &["sessions.toml", "line 2"]);
}

#[test]
fn an_unknown_driver_is_named_and_who_has_set_it() {
    let text = "driver = \"redsi\"";
    refused(
        "sessions.toml",
        Some(text),
        &["`redsi`", "did you mean `redis`?", "it is set by", "sessions.toml"],
    );
}

#[test]
fn an_option_that_the_driver_does_not_know_is_named_and_who_has_set_it() {
    let text =
        "driver = \"redis\"\noptions = { url = \"redis://u:hunter2@127.0.0.1:1\", bsae = \"x\" }";
    refused(
        "sessions.toml",
        Some(text),
        &["`bsae`", "did you mean `base`?", "it is set by", "sessions.toml"],
    );
}

#[test]
fn with_a_store_that_is_away_nothing_is_said_to_be_done() {
    let options = json!({ "url": "redis://u:hunter2@127.0.0.1:1" });
    let site = Site::on(json!({
        "driver": "redis", "options": options, "encryption": { "keys": [NEW, OLD], "acceptPlain": true },
    }));
    fs::write(site.path("export"), "{\"cloakroomExport\":1,\"at\":\"2026-11-23T11:00:15Z\"}\n\
        {\"key\":\"0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11\",\"expires\":null,\"text\":\"[[\\\"Map\\\"]]\"}\n{\"items\":1}\n").unwrap();
    let export = site.path("export").display().to_string();
    for arguments in COMMANDS {
        let import = ["import", "--input", &export];
        let (arguments, code) = match arguments[0] {
            // They wait for it, and visitors are told meanwhile.
            "serve" | "console" => continue,
            "doctor" => (arguments, 5),
            "import" => (&import[..], 1),
            _ => (arguments, 1),
        };
        let ran = site.run(arguments);
        let said = format!("{}{}", ran.output, ran.errors);
        assert_eq!(ran.code, code, "{arguments:?}: {said}");
        assert!(said.contains("Redis cannot be reached"), "{arguments:?}: {said}");
        assert!(!said.contains("hunter2"), "{arguments:?}: {said}");
    }
}

/// The codes of the commands that read sessions, and of those that change them.
fn codes(site: &Site) -> Vec<(String, i32, String)> {
    let commands = [
        &["list"][..],
        &["count"],
        &["verify", "--repair"],
        &["rotate"],
        &["revoke", "--principal", "ann", "--yes"],
        &["revoke", "--all", "--yes"],
    ];
    let codes = commands.into_iter().map(|arguments| {
        let ran = site.run(arguments);
        (arguments.join(" "), ran.code, ran.errors)
    });
    codes.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_wrong_key_it_is_said_that_sessions_cannot_be_read_and_they_stay() {
    for (store, mut site) in Site::on_each().await {
        site.config["encryption"] = json!({ "keys": [OLD] });
        let id = site.signed_in("ann").await;
        site.config["encryption"] = json!({ "keys": [NEW] });
        for (command, code, errors) in codes(&site) {
            let meant = match command.as_str() {
                "verify --repair" => 5,
                // Its index is what cannot be read.
                "revoke --principal ann --yes" => 1,
                _ => 4,
            };
            assert_eq!(code, meant, "{store}, {command}: {errors}");
        }
        site.config["encryption"] = json!({ "keys": [OLD] });
        assert!(site.is_alive(id).await, "{store}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_the_configuration_does_not_see_are_no_empty_store() {
    for (store, mut site) in Site::on_each().await {
        for hashes in [true, false] {
            site.config["encryption"] = json!({ "keys": [OLD] });
            site.config["hashIds"] = hashes.into();
            let id = site.signed_in("ann").await;
            site.config["hashIds"] = (!hashes).into();
            for (command, code, errors) in codes(&site) {
                assert_eq!(code, 5, "{store}, {command}, hashed: {hashes}: {errors}");
                assert!(errors.contains("`hashIds`"), "{store}, {command}: {errors}");
            }
            site.config["hashIds"] = hashes.into();
            assert!(site.is_alive(id).await, "{store}");
            crate::keys::clear(site.sessions().await.driver()).await;
        }
    }
}

#[test]
fn a_folder_that_is_not_there_is_told() {
    let mut site = Site::on_files();
    site.config["options"]["base"] = Value::from(site.path("misspelled").display().to_string());
    let ran = site.run(&["count"]);
    assert_eq!((ran.code, ran.output.as_str()), (0, "0\n"));
    assert!(ran.errors.contains("there is no such folder yet"), "{}", ran.errors);
}
