//! The `redis` driver's compare-and-swap: by commands of the server's own, and without them.

use std::time::Duration;

use crate::redis_support::{bare, key, put, read, written};
use cloakroom_storage::{Driver, RemoveOutcome, SetOutcome, Version, When};
use interop_peers::Redis;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the server's statistics say of a command, such as `calls`; 0 where it was never sent.
fn counted(redis: &Redis, command: &str, what: &str) -> usize {
    let statistics = redis.command(&["INFO", "commandstats"]).text();
    let Some((_, rest)) = statistics.split_once(&format!("cmdstat_{command}:")) else { return 0 };
    let line = rest.lines().next().unwrap();
    let (_, count) = line.split_once(&format!("{what}=")).unwrap();
    count.split(',').next().unwrap().parse().unwrap()
}

/// Writes and removes on a version, on the right one and on one that is stale; and says whether all of it is as it should be.
async fn swap_and_remove(driver: &dyn Driver, value: &str) {
    let id = key("id");
    let stale = put(driver, "id", "other").await;
    let version = put(driver, "id", value).await;
    let on = |version: &Version| When::Version(version.clone());
    let hour = Some(Duration::from_secs(3600));

    let refused = driver.set(&id, "lost".into(), on(&stale), None).await.unwrap();
    assert_eq!(refused, SetOutcome::Conflict);
    let version = written(driver.set(&id, "next".into(), on(&version), hour).await.unwrap());
    let (_, ttl) = driver.get_with_ttl(&id).await.unwrap().unwrap();
    assert!(ttl.is_some_and(|ttl| ttl > Duration::from_secs(3590)), "{ttl:?}");
    let version =
        written(driver.set(&id, value.to_owned().into(), on(&version), None).await.unwrap());
    let (_, ttl) = driver.get_with_ttl(&id).await.unwrap().unwrap();
    assert_eq!(ttl, None, "a write without a deadline takes the old one away");

    assert_eq!(driver.remove(&id, on(&stale)).await.unwrap(), RemoveOutcome::Conflict);
    assert_eq!(read(driver, "id").await.unwrap().as_deref(), Some(value));
    assert_eq!(driver.remove(&id, on(&version)).await.unwrap(), RemoveOutcome::Removed);
    assert_eq!(driver.remove(&id, on(&version)).await.unwrap(), RemoveOutcome::Missing);
    let refused = driver.set(&id, "lost".into(), on(&version), None).await.unwrap();
    assert_eq!(refused, SetOutcome::Conflict, "nothing is there");

    // What is over already is removed, on a version too.
    let version = put(driver, "id", value).await;
    written(driver.set(&id, "over".into(), on(&version), Some(Duration::ZERO)).await.unwrap());
    assert_eq!(read(driver, "id").await.unwrap(), None);
}

#[tokio::test]
async fn a_server_that_compares_by_itself_is_left_to_it() {
    let Some(valkey) = Redis::valkey() else { return };
    let driver = bare(json!({ "url": valkey.url() })).await;
    let version = put(&driver, "id", "0").await;
    let on = When::Version(version);
    let version = written(driver.set(&key("id"), "1".into(), on, None).await.unwrap());
    let removed = driver.remove(&key("id"), When::Version(version)).await.unwrap();
    assert_eq!(removed, RemoveOutcome::Removed);
    assert_eq!(counted(&valkey, "evalsha", "calls") + counted(&valkey, "eval", "calls"), 0);
    assert_eq!(counted(&valkey, "delifeq", "calls"), 1);
}

#[tokio::test]
async fn short_and_long_values_are_compared_alike_on_each_server() {
    for redis in [Redis::start(), Redis::valkey()].into_iter().flatten() {
        let driver = bare(json!({ "url": redis.url() })).await;
        for length in [1, 65_535, 65_536, 300_000] {
            swap_and_remove(&driver, &"x".repeat(length)).await;
        }
    }
}

#[tokio::test]
async fn what_a_server_does_not_know_it_is_asked_once() {
    let Some(redis) = Redis::start() else { return };
    let driver = bare(json!({ "url": redis.url() })).await;
    // A client says who it is at first, which not every server understands.
    put(&driver, "id", "value").await;
    redis.command(&["CONFIG", "RESETSTAT"]);
    for _ in 0..5 {
        swap_and_remove(&driver, "value").await;
    }
    assert_eq!(counted(&redis, "set", "failed_calls"), 1);
    let errors = redis.command(&["INFO", "errorstats"]).text();
    // The one of `SET`, and those of both commands that remove.
    assert!(errors.contains("errorstat_ERR:count=3"), "{errors}");
}

#[tokio::test]
async fn a_user_who_may_not_use_a_command_has_the_script_in_its_place() {
    let Some(valkey) = Redis::valkey() else { return };
    let commands = "+get +set +unlink +exists +pttl +pexpire +persist +scan +eval +evalsha";
    let mut user = vec!["ACL", "SETUSER", "shop", "on", ">secret", "~*"];
    user.extend(commands.split(' '));
    valkey.command(&user);
    let url = valkey.url().replace("redis://", "redis://shop:secret@");
    let driver = bare(json!({ "url": url })).await;
    swap_and_remove(&driver, "value").await;
    assert_eq!(counted(&valkey, "delifeq", "calls"), 0);
}

/// Answers one client as the documentation of Redis 8.4 says, and gives the commands that it was sent.
async fn answer_as_redis_8_4(stream: TcpStream) -> Vec<String> {
    let mut stream = BufReader::new(stream);
    let mut commands = Vec::new();
    while let Some(command) = next_command(&mut stream).await {
        let words: Vec<&str> = command.split(' ').collect();
        let answer = match words[..] {
            ["HELLO", ..] => "%1\r\n+proto\r\n:3\r\n".to_owned(),
            ["DELIFEQ", ..] => "-ERR unknown command 'DELIFEQ'\r\n".to_owned(),
            ["DELEX", _, "IFEQ", "1"] => ":1\r\n".to_owned(),
            ["DELEX", ..] => ":0\r\n".to_owned(),
            ["EVALSHA", ..] => ":-1\r\n".to_owned(),
            ["SET", _, _, "IFEQ", seen, ..] if seen != "0" => "$-1\r\n".to_owned(),
            _ => "+OK\r\n".to_owned(),
        };
        if !matches!(words[0], "HELLO" | "CLIENT") {
            commands.push(command);
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
    commands
}

async fn next_command(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let count = number(stream, '*').await?;
    let mut words = Vec::new();
    for _ in 0..count {
        let mut word = vec![0; number(stream, '$').await? + 2];
        stream.read_exact(&mut word).await.ok()?;
        words.push(String::from_utf8(word).ok()?.trim_end().to_owned());
    }
    Some(words.join(" "))
}

async fn number(stream: &mut BufReader<TcpStream>, sign: char) -> Option<usize> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    line.strip_prefix(sign)?.trim_end().parse().ok()
}

#[tokio::test]
async fn redis_8_4_is_spoken_to_as_its_documentation_says() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        answer_as_redis_8_4(stream).await
    });
    let driver = bare(json!({ "port": port })).await;
    let (id, hour) = (key("id"), Some(Duration::from_secs(3600)));
    let first = put(&driver, "id", "0").await;
    let on = |version: &Version| When::Version(version.clone());
    let second = written(driver.set(&id, "1".into(), on(&first), hour).await.unwrap());
    let refused = driver.set(&id, "2".into(), on(&second), None).await.unwrap();
    assert_eq!(refused, SetOutcome::Conflict);
    assert_eq!(driver.remove(&id, on(&first)).await.unwrap(), RemoveOutcome::Conflict);
    assert_eq!(driver.remove(&id, on(&second)).await.unwrap(), RemoveOutcome::Removed);
    drop(driver);

    let mut commands = server.await.unwrap();
    commands.retain(|command| !command.starts_with("EVALSHA"));
    assert_eq!(
        commands,
        [
            "SET id 0",
            "SET id 1 IFEQ 0 PX 3600000",
            "SET id 2 IFEQ 1",
            "DELIFEQ id 0",
            "DELEX id IFEQ 0",
            "DELEX id IFEQ 1",
        ]
    );
}
