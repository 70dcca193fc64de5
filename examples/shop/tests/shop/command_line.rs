//! The program: what it prints, what it is told, how it ends.

use std::process::{Command, Output};
use std::time::Duration;

use tokio::io::AsyncReadExt;
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
