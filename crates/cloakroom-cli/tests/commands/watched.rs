//! What becomes of sessions is told while it happens.

use std::io::BufReader;
use std::process::Stdio;

use serde_json::Value;

use crate::support::Site;

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_and_a_revocation_are_told_by_handles() {
    for (store, site) in Site::on_each().await {
        let arguments = ["watch", "--every", "100ms", "--json"];
        let mut watch =
            site.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = |output: &mut dyn std::io::BufRead| {
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            line
        };
        let mut errors = BufReader::new(watch.stderr.take().unwrap());
        while !lines(&mut errors).contains("there are 0 sessions") {}
        let id = site.signed_in("ann").await;
        let mut output = BufReader::new(watch.stdout.take().unwrap());
        let created: Value = serde_json::from_str(&lines(&mut output)).unwrap();
        assert_eq!(created["what"], "created", "{store}");
        assert_eq!(created["principal"], "ann", "{store}");
        assert!(!created.to_string().contains(&id.to_string()), "{store}");
        let handle = created["handle"].as_str().unwrap();
        assert_eq!(site.run(&["revoke", handle, "--yes"]).code, 0, "{store}");
        let ended: Value = serde_json::from_str(&lines(&mut output)).unwrap();
        assert_eq!(
            (&ended["what"], &ended["handle"]),
            (&"ended".into(), &created["handle"]),
            "{store}"
        );
        watch.kill().unwrap();
        watch.wait().unwrap();
    }
}

#[test]
fn who_looks_too_often_is_told() {
    let ran = Site::on_files().run(&["watch", "--every", "1ms"]);
    assert_eq!(ran.code, 1);
    assert!(ran.errors.contains("at least 100ms"), "{}", ran.errors);
}
