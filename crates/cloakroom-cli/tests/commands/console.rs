//! The console as a program, asked as a browser asks.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use cloakroom_session::StoredHandle;
use serde_json::Value;

use crate::support::Site;

/// A console that ends with this value.
struct Console {
    child: Child,
    port: u16,
}

impl Console {
    /// Starts it on a free port of the loopback.
    fn start(site: &Site, arguments: &[&str], variables: &[(&str, &str)]) -> Console {
        let start = ["console", "--listen", "127.0.0.1:0", "--json", "--every", "1s"];
        let mut command = site.command(&[&start[..], arguments].concat());
        Console::of(command.envs(variables.iter().copied()))
    }

    fn of(command: &mut Command) -> Console {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        let port = line["url"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
        Console { child, port }
    }

    fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[])
    }

    /// A request with the `Host` of who connects, unless it has another one.
    fn call(&self, method: &str, path: &str, headers: &[&str]) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n");
        if headers.iter().all(|header| !header.starts_with("Host:")) {
            head.push_str(&format!("Host: localhost:{}\r\n", self.port));
        }
        for header in headers {
            head.push_str(&format!("{header}\r\n"));
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let status = text.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, text }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

struct Answer {
    status: u16,
    text: String,
}

/// What a browser says of a form of the console's own.
const OWN: &str = "Sec-Fetch-Site: same-origin";

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_seen_found_and_ended_on_every_store() {
    for (store, site) in Site::on_each().await {
        let ids = [site.signed_in("ann").await, site.signed_in("bob").await];
        let console = Console::start(&site, &[], &[]);
        // Until a walk is over, of which a page of a small store waits for the first.
        while !console.get("/").text.contains("<dt>live</dt><dd>2</dd>") {}
        let anns = console.get("/principal?name=ann").text;
        let own = format!("/sessions/{}", StoredHandle::from(ids[0]));
        assert!(anns.contains(&own[1..]), "{store}: {anns}");
        let page = console.get(&own).text;
        assert!(page.contains("[&quot;hat&quot;, &quot;scarf&quot;]"), "{store}: {page}");
        for text in [&anns, &page, &console.get("/sessions").text] {
            assert!(!text.contains("hunter2"), "{store}");
            assert!(ids.iter().all(|id| !text.contains(&id.to_string())), "{store}");
        }

        let end = format!("{own}/revoke");
        for forged in ["Origin: https://evil.example", "Sec-Fetch-Site: cross-site", "X-Nothing: 1"]
        {
            assert_eq!(console.call("POST", &end, &[forged]).status, 403, "{store}: {forged}");
        }
        assert!(console.get(&end).text.contains("End this session?"), "{store}");
        assert!(site.is_alive(ids[0]).await, "{store}");
        let ended = console.call("POST", &end, &[OWN]).text;
        assert!(ended.contains("The session was ended"), "{store}: {ended}");
        assert!(!site.is_alive(ids[0]).await && site.is_alive(ids[1]).await, "{store}");
    }
}

#[test]
fn who_reads_its_log_no_more_ends_no_request() {
    let (_, closed) = std::io::pipe().unwrap();
    let site = Site::on_files();
    let mut command = site.command(&["console", "--listen", "127.0.0.1:0", "--json"]);
    let console = Console::of(command.stderr(closed));
    // It is warned of what was asked for.
    assert_eq!(console.get("/principal?name=").status, 400);
}

/// As many connections as there may be, on each of which somebody sends the form that signs in, and never ends.
#[test]
fn nobody_is_kept_out_by_forms_that_do_not_come() {
    let console = Console::start(&Site::on_files(), &["--token", "a long random text"], &[]);
    let slow: Vec<_> = (0..128)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", console.port)).unwrap();
            let head = format!(
                "POST /sign-in HTTP/1.1\r\nHost: localhost\r\n{OWN}\r\nContent-Length: 99\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    let begin = std::time::Instant::now();
    assert_eq!(console.get("/").status, 401);
    assert!(begin.elapsed().as_secs() < 10, "{:?}", begin.elapsed());
    drop(slow);
}

#[test]
fn an_address_that_others_can_reach_needs_a_token() {
    let site = Site::on_files();
    for address in ["0.0.0.0:0", "[::]:0", "192.168.0.1:0"] {
        let refused = site.run(&["console", "--listen", address]);
        assert_eq!(refused.code, 1);
        let errors = refused.errors;
        assert!(
            errors.contains("there is no token") && errors.contains("CLOAKROOM_CONSOLE_TOKEN"),
            "{errors}"
        );
    }
    let empty = site.run(&["console", "--token", " "]);
    assert!(empty.code == 1 && empty.errors.contains("the token is empty"), "{}", empty.errors);
}

#[test]
fn without_a_token_it_answers_to_the_loopbacks_names_alone() {
    let console = Console::start(&Site::on_files(), &[], &[]);
    assert_eq!(console.get("/").status, 200);
    let rebound = console.call("GET", "/", &["Host: rebound.example"]);
    assert_eq!(rebound.status, 421);
    assert!(rebound.text.contains("no token"), "{}", rebound.text);
}

#[test]
fn with_a_token_nobody_sees_anything_without_it() {
    let site = Site::on_files();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "a long random text\n").unwrap();
    for console in [
        Console::start(&site, &["--token-file", file.to_str().unwrap()], &[]),
        Console::start(&site, &[], &[("CLOAKROOM_CONSOLE_TOKEN", "a long random text")]),
    ] {
        // By whatever name, since nobody gets in by it.
        for headers in [&[][..], &["Authorization: Bearer wrong"], &["Host: console.example"]] {
            let refused = console.call("GET", "/sessions", headers);
            assert_eq!(refused.status, 401, "{headers:?}");
            assert!(!refused.text.contains("fs-lite"), "{}", refused.text);
        }
        let bearer = "Authorization: Bearer a long random text";
        assert_eq!(console.call("GET", "/", &[bearer]).status, 200);
    }
}
