//! The program itself: how it is started, and how it ends.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Server, command, refused};

#[test]
fn an_address_that_others_can_reach_needs_a_token() {
    for address in ["0.0.0.0:0", "[::]:0", "192.168.0.1:0"] {
        let error = refused(&["--driver", "memory", "--listen", address]);
        assert!(
            error.contains("there is no token") && error.contains("CLOAKROOM_TOKEN"),
            "{error}"
        );
    }
}

#[test]
fn what_cannot_be_is_named() {
    for (arguments, part) in [
        (["--driver", "redi"].as_slice(), "there is no driver `redi`; did you mean"),
        (&["--driver", "memory", "--option", "max=1"], "no such option `max`"),
        (&["--driver", "memory", "--option", "max"], "must be NAME=VALUE"),
        (&["--driver", "memory", "--config", "x.toml"], "cannot be used with"),
        (&["--config", "nowhere.toml"], "nowhere.toml"),
        (&["--driver", "memory", "--token-file", "nowhere"], "cannot read the token from nowhere"),
        (&["--driver", "memory", "--token", " "], "a token is empty"),
        (&["--driver", "memory", "--token", "t", "--read-token", " t"], "the one to write with"),
        (&["--driver", "memory", "--base", ".."], "`.` or `..`"),
        (&["--driver", "memory", "--max-size", "much"], "--max-size"),
    ] {
        let error = refused(arguments);
        assert!(error.contains(part), "{arguments:?}: {error}");
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = Server::start(&["--driver", "memory"]);
    let address = format!("127.0.0.1:{}", taken.port);
    let error = refused(&["--driver", "memory", "--listen", &address]);
    assert!(error.contains("cannot listen on") && error.contains(&address), "{error}");
}

#[test]
fn the_help_says_what_there_is_and_no_secret() {
    let output = command(&["--help"]).env("CLOAKROOM_TOKEN", "a-secret").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for part in [
        "--driver",
        "--option",
        "--config",
        "--listen",
        "--token-file",
        "--read-token",
        "--read-only",
        "--base",
        "--max-size",
        "127.0.0.1:3999",
        "Examples:",
    ] {
        assert!(help.contains(part), "{part} is not in:\n{help}");
    }
    assert!(!help.contains("a-secret"));
}

#[tokio::test]
async fn a_configuration_file_and_the_environment_choose_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.toml");
    let base = folder.path().join("items");
    let text = format!(
        "driver = \"fs-lite\"\noptions = {{ base = \"{}\" }}\nmaxSize = 3\n",
        base.display()
    );
    std::fs::write(&file, text).unwrap();
    let server = Server::start(&["--config", file.to_str().unwrap()]);
    assert_eq!(server.put("PUT", "/id", &[], "abc").await.status, 200);
    assert_eq!(server.put("PUT", "/id", &[], "abcd").await.status, 413);
    assert_eq!(std::fs::read_to_string(base.join("id")).unwrap(), "abc");

    let other = base.display().to_string();
    let variables =
        [("CLOAKROOM_SESSION_DRIVER", "fs-lite"), ("CLOAKROOM_SESSION_OPTIONS_BASE", &*other)];
    let server = Server::start_with(&[], &variables);
    assert_eq!(server.call("GET", "/id", &[]).await.text(), "abc");
}

#[tokio::test]
async fn it_ends_when_it_is_asked_to() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&["--driver", "memory"]);
        server.put("PUT", "/id", &[], "value").await;
        let pid = server.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = server.child.try_wait().unwrap() {
                break status;
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "it does not end");
            tokio::task::yield_now().await;
        };
        assert!(status.success(), "{signal}: {status}");
    }
}

#[test]
fn the_guides_transcript_is_what_happens() {
    let server = Server::start_with(&["--driver", "memory"], &[("CLOAKROOM_TOKEN", "token")]);
    let guide = include_str!("../../../../docs/guide.md");
    let section = guide.split("\n## Over HTTP\n").nth(1).unwrap();
    let block = section.split("```console\n$ ").nth(1).unwrap().split("```").next().unwrap();
    let steps: Vec<&str> = block.split("\n$ ").collect();
    assert!(steps.len() >= 4, "the transcript is missing from the guide");
    for step in steps {
        let (call, expected) = step.split_once('\n').unwrap();
        let call = call.replace("http://localhost:3999", &server.url());
        let output = Command::new("bash")
            .args(["-c", &call])
            .env("CLOAKROOM_TOKEN", "token")
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.trim_end(), expected.trim_end(), "{call}");
    }
}
