//! Killed at many moments, again and again, on files, where the process itself holds the locks and writes: whenever there is a little
//! more done than the last time.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;

use cloakroom_storage::{Driver as _, EncryptionKey};
use futures_util::StreamExt as _;

use super::{Case, alive};
use crate::keys::NEW;
use crate::migrate::support::{contents, driver};
use crate::support::Site;

/// So many have two sessions each.
const PRINCIPALS: usize = 60;

/// How far it has come, as anybody sees it who looks into the store.
async fn done(case: &Case, site: &Site) -> usize {
    let store = driver(&site.config).await;
    match case.name {
        "import" => store.keys("").count().await,
        "verify" => store.keys("corrupt").count().await,
        "revoke" => 2 * PRINCIPALS - alive(site).await.len().min(2 * PRINCIPALS),
        _ => {
            let begin = format!("sealed.1.{}.", NEW.parse::<EncryptionKey>().unwrap().id());
            let values = contents(&store).await.into_values();
            values.filter(|(value, _)| value.starts_with(begin.as_bytes())).count()
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_many_moments_it_goes_on_where_it_was() {
    for case in Case::all() {
        let mut site = Site::on_files();
        let people = case.begin(&mut site, PRINCIPALS).await;
        case.configure(&mut site, &case.meanwhile);
        let arguments = case.arguments(&site);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        // A repair has two records to move.
        let more = if case.name == "verify" { 1 } else { 10 };
        let mut killed = 0;
        let mut before = alive(&site).await;
        loop {
            let wanted = done(&case, &site).await + more;
            let mut child = site
                .command(&arguments)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            while done(&case, &site).await < wanted && child.try_wait().unwrap().is_none() {}
            child.kill().unwrap();
            let status = child.wait().unwrap();
            let why = format!("{}, killed {killed} times", case.name);
            case.assert_ended(&site, &people, &why).await;
            if case.name == "revoke" {
                // Who was ended by the first run is not back after the second.
                let now = alive(&site).await;
                assert!(now.iter().all(|handle| before.contains(handle)), "{why}");
                before = now;
            }
            if status.signal().is_none() {
                assert!(status.success(), "{why}: {status}");
                break;
            }
            killed += 1;
        }
        let why = format!("{}, killed {killed} times", case.name);
        case.finish(&mut site, &people, &why).await;
        assert!(killed > 0, "{why}");
    }
}
