//! Sessions are listed, counted, shown and ended.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use cloakroom_session::adapter::Commit as _;
use cloakroom_session::{CookieHeaders, SetOptions};

use crate::support::Site;

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_by_handles_that_the_other_commands_take() {
    for (store, site) in Site::on_each().await {
        let ids =
            [site.signed_in("ann").await, site.signed_in("ann").await, site.signed_in("bob").await];
        let listed = site.run(&["list", "--json"]);
        assert_eq!((listed.code, listed.json().len()), (0, 3), "{store}: {}", listed.errors);
        assert_eq!(site.run(&["count"]).output, "3\n", "{store}");
        assert_eq!(site.run(&["count", "--principal", "ann"]).output, "2\n", "{store}");
        assert_eq!(site.run(&["list", "--json", "--limit", "1", "--sort", "size"]).json().len(), 1);

        let bobs = site.run(&["list", "--json", "--principal", "bob"]).json();
        assert_eq!(bobs.len(), 1, "{store}");
        let [handle, created, used] =
            ["handle", "created", "lastUsed"].map(|key| bobs[0][key].as_str().unwrap());
        assert!(created.ends_with('Z') && used >= created, "{store}: {created} {used}");
        let shown = site.run(&["show", handle]);
        assert!(shown.output.contains("principal  bob"), "{store}: {}", shown.output);
        assert!(shown.output.contains(r#"cart: ["hat", "scarf"]"#), "{store}: {}", shown.output);

        let revoked = site.run(&["revoke", handle, "--yes", "--json"]);
        assert_eq!((revoked.code, &revoked.json()[0]["revoked"]), (0, &1.into()), "{store}");
        assert!(!site.is_alive(ids[2]).await, "{store}");
        assert_eq!(site.run(&["show", handle]).code, 3, "{store}");
        assert_eq!(
            site.run(&["revoke", "--principal", "ann", "--yes"]).output,
            "2 sessions were ended\n",
            "{store}"
        );
        assert_eq!(site.run(&["count", "--json"]).json()[0]["sessions"], 0, "{store}");
    }
}

/// The store has fewer connections than there are sessions under way at once.
#[tokio::test(flavor = "multi_thread")]
async fn hundreds_in_a_database_are_ended_while_they_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("sessions.db").display());
    let site = Site::on(serde_json::json!({ "driver": "sql", "options": { "url": url } }));
    let sessions = site.sessions().await;
    for number in 0..300 {
        let session = sessions.session(CookieHeaders::default());
        session.set("number", &number).unwrap();
        session.finish().await.unwrap();
    }
    let ran = site.run(&["revoke", "--all", "--yes"]);
    assert_eq!((ran.code, ran.output.as_str()), (0, "300 sessions were ended\n"), "{}", ran.errors);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_output_has_an_id_or_a_secret_unless_it_is_asked_for() {
    let site = Site::on_files();
    let id = site.signed_in("ann").await.to_string();
    let handle = site.run(&["list", "--json"]).json()[0]["handle"].as_str().unwrap().to_owned();
    for arguments in [
        &["list"][..],
        &["list", "--json"],
        &["show", &handle],
        &["show", &id, "--json"],
        &["count"],
    ] {
        let ran = site.run(arguments);
        for text in [&ran.output, &ran.errors] {
            assert!(!text.contains(&id) && !text.contains("hunter2"), "{arguments:?}: {text}");
        }
    }
    let revealed = site.run(&["show", &handle, "--reveal"]);
    assert!(revealed.output.contains("apiToken: \"hunter2\""), "{}", revealed.output);
    let raw = site.run(&["show", &handle, "--reveal", "--raw"]);
    assert!(raw.output.contains(r#"[["Map","#), "{}", raw.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_ended_before_somebody_has_agreed() {
    let site = Site::on_files();
    let id = site.signed_in("ann").await;
    let refused = site.run(&["revoke", "--all"]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.errors.contains("all sessions of everybody") && refused.errors.contains("--yes"),
        "{}",
        refused.errors
    );
    assert_eq!(
        site.run(&["revoke", "--all", "--older-than", "1d", "--yes"]).output,
        "0 sessions were ended\n"
    );
    assert!(site.is_alive(id).await);
    assert_eq!(site.run(&["revoke", "--all", "--yes"]).output, "1 session was ended\n");
    assert!(!site.is_alive(id).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_named_and_stays() {
    let site = Site::on_files();
    let id = site.signed_in("ann").await;
    site.signed_in("bob").await;
    let folder = site.config["options"]["base"].as_str().unwrap();
    let file = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file =
        file.into_iter().find(|path| path.to_string_lossy().contains(&id.to_string())).unwrap();
    fs::write(&file, "[[\"Map\",1").unwrap();
    let listed = site.run(&["list", "--json"]);
    assert_eq!(listed.code, 4);
    let unreadable: Vec<_> =
        listed.json().into_iter().filter(|row| row.get("unreadable").is_some()).collect();
    assert_eq!(unreadable.len(), 1, "{}", listed.output);
    assert_eq!(site.run(&["show", unreadable[0]["handle"].as_str().unwrap()]).code, 4);
    assert_eq!(site.run(&["count"]).code, 4);
    assert_eq!(fs::read_to_string(&file).unwrap(), "[[\"Map\",1");
    // A record that is whole, with an entry that is not.
    fs::write(&file, r#"[["Map",1,2],"cart","hat"]"#).unwrap();
    let shown = site.run(&["show", &id.to_string(), "--json"]);
    assert_eq!(shown.code, 4, "{}", shown.errors);
    assert!(
        shown.json()[0]["unreadable"].as_str().unwrap().contains("\"cart\""),
        "{}",
        shown.output
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_at_work_also_where_nobody_reads_its_errors() {
    let site = Site::on_files();
    site.signed_in("ann").await;
    for (arguments, code) in [
        (&["list"][..], 0),
        (&["show", "0000000000000000"], 3),
        (&["count", "--principal", ""], 1),
        (&["revoke", "--all", "--yes"], 0),
    ] {
        let (_, closed) = std::io::pipe().unwrap();
        let status = site.command(arguments).stderr(closed).stdout(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{arguments:?}");
    }
}

/// What asks the store when it is opened is over with the command, and says nothing of the store then.
#[test]
fn a_command_that_is_refused_at_once_warns_of_nothing_else() {
    let site = Site::on_files();
    for _ in 0..20 {
        let ran = site.run(&["count", "--principal", ""]);
        assert!(ran.code == 1 && !ran.errors.contains("WARN"), "{}", ran.errors);
    }
}

#[test]
fn what_cannot_be_asked_is_refused_before_the_store_is_opened() {
    let mut site = Site::on_files();
    site.config.as_object_mut().unwrap().retain(|key, _| key != "idle" && key != "absolute");
    for (arguments, part) in [
        (&["list", "--idle-for", "1d"][..], "no `idle`"),
        (&["revoke", "--all", "--older-than", "1d"], "no `absolute`"),
        (&["rotate"], "no `encryption`"),
        (&["encrypt"], "no `encryption`"),
        (&["show", "hunter2"], "must be a handle"),
        (&["revoke"], "required"),
    ] {
        let ran = site.run(arguments);
        assert!(ran.code == 1 || ran.code == 2, "{arguments:?}");
        assert!(ran.errors.contains(part), "{arguments:?}: {}", ran.errors);
    }
    site.config["encryption"] = serde_json::json!({ "keys": [crate::keys::OLD] });
    assert!(site.run(&["encrypt"]).errors.contains("no `acceptPlain`"));
    assert!(site.run(&["serve"]).errors.contains("the clients' business"));
}

#[tokio::test(flavor = "multi_thread")]
async fn show_says_who_may_have_written_it_and_when_each_entry_ends() {
    let site = Site::on_files();
    let session = site.sessions().await.session(CookieHeaders::default());
    session.set_with("code", "1234x", SetOptions::new().ttl(Duration::from_secs(600))).unwrap();
    session.set("theme", "dark").unwrap();
    session.finish().await.unwrap();
    let shown = || {
        let listed = site.run(&["list", "--json"]).json();
        let ran = site.run(&["show", listed[0]["handle"].as_str().unwrap(), "--json"]);
        ran.json().remove(0)
    };
    let first = shown();
    assert_eq!(first["notes"], true, "when it began is noted: {first}");
    let [code, theme] = [0, 1].map(|entry| &first["values"][entry]["expires"]);
    assert!(code.is_string() && theme.is_null(), "{first}");
    assert_eq!(shown()["version"], first["version"]);

    // What plain Astro would make of it.
    let folder = site.config["options"]["base"].as_str().unwrap();
    let mut files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let file = files.find(|path| path.is_file()).unwrap();
    fs::write(file, r#"[["Map",1,2],"theme",{"data":3},"light"]"#).unwrap();
    let second = shown();
    assert_eq!(second["notes"], false, "{second}");
    assert_ne!(second["version"], first["version"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_lacks_the_sites_principal_is_not_told_that_nobody_is_signed_in() {
    let mut site = Site::on_files();
    site.config["principal"] = "user".into();
    let session = site.sessions().await.session(CookieHeaders::default());
    session.set("user", "zoe").unwrap();
    session.sign_in("zoe").await.unwrap();
    session.finish().await.unwrap();
    assert_eq!(site.run(&["count", "--principal", "zoe"]).output, "1\n");

    site.config.as_object_mut().unwrap().remove("principal");
    for command in ["count", "list"] {
        let ran = site.run(&[command, "--principal", "zoe"]);
        assert_eq!(ran.code, 5, "{command}: {}", ran.errors);
        assert!(ran.errors.contains("index has 1 that say"), "{command}: {}", ran.errors);
        assert_eq!(site.run(&[command, "--principal", "bob"]).code, 0, "{command}");
    }
}
