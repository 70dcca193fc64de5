//! The program: what it prints, what it is told, how it ends.

use std::process::{Command, Output};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Client, Process, command};

/// Runs a program that is to refuse, rather than to wait for visitors.
async fn refusal(command: &mut tokio::process::Command) -> String {
    let Output { status, stderr, .. } =
        timeout(Duration::from_secs(30), command.output()).await.expect("the shop opened").unwrap();
    assert_eq!(status.code(), Some(1));
    String::from_utf8(stderr).unwrap()
}

#[tokio::test]
async fn it_prints_where_it_listens_and_where_it_stores() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Process::start(folder.path(), &[]).await;
    assert!(shop.lines[0].starts_with("shop: listening on http://localhost:"), "{:?}", shop.lines);
    assert_eq!(shop.lines[1], "shop: sessions in fs-lite, .data/sessions");
}

#[tokio::test]
async fn the_cart_outlives_the_process_which_ends_cleanly_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = None;
    for (signal, items) in [("TERM", 1), ("INT", 2)] {
        let mut shop = Process::start(folder.path(), &[]).await;
        let visitor = client.get_or_insert_with(|| Client::new(shop.shop()));
        *visitor = visitor.at(&shop.shop());
        assert_eq!(visitor.add_to_cart("felt-hat").await.json().len(), items);

        let pid = shop.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        assert!(shop.child.wait().await.unwrap().success(), "SIG{signal}");
        let mut rest = String::new();
        shop.out.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "", "two lines are all it prints");
    }
}

#[tokio::test]
async fn a_signal_right_behind_its_first_line_ends_it_cleanly() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let mut shop = Process::start(folder.path(), &[]).await;
        let pid = shop.child.id().unwrap().to_string();
        assert!(Command::new("kill").arg(&pid).status().unwrap().success());
        assert!(shop.child.wait().await.unwrap().success());
    }
}

#[tokio::test]
async fn half_a_request_holds_its_end_up_for_no_longer_than_its_grace() {
    let folder = tempfile::tempdir().unwrap();
    let mut shop = Process::start(folder.path(), &[]).await;
    let port = shop.lines[0].rsplit(':').next().unwrap();
    let mut visitor = TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
    visitor.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let pid = shop.child.id().unwrap().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    let ended = timeout(Duration::from_secs(30), shop.child.wait()).await;
    assert!(ended.expect("it does not end").unwrap().success());
    drop(visitor);
}

#[tokio::test]
async fn a_mistake_in_the_configuration_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.toml");
    std::fs::write(&file, "drivr = \"memory\"\n").unwrap();
    let complaint =
        refusal(command(folder.path()).args(["--config", file.to_str().unwrap()])).await;
    assert!(complaint.contains("drivr") && complaint.contains("driver"), "{complaint}");
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let first = Process::start(folder.path(), &[]).await;
    let port = first.lines[0].rsplit(':').next().unwrap();
    let complaint = refusal(command(folder.path()).env("PORT", port)).await;
    assert!(complaint.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{complaint}");
}
