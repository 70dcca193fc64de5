//! Several processes on one database: none loses what another one wrote.
//!
//! The test binary starts itself again with one of the `child_` tests, which do nothing by themselves.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::sql_support::Place;
use bytes::Bytes;
use cloakroom_drivers::sql::{Options, Sql};
use cloakroom_storage::{Driver, ItemKey, SetOutcome, When};

const URL: &str = "CLOAKROOM_TEST_URL";
const PROCESSES: usize = 3;
const EACH: usize = 100;
const TTL: Option<Duration> = Some(Duration::from_secs(3600));

fn start(child: &str, url: &str) -> Child {
    crate::part_command(module_path!(), child).env(URL, url).stdout(Stdio::piped()).spawn().unwrap()
}

async fn table_of_parent() -> Option<Sql> {
    let url = std::env::var(URL).ok()?;
    Some(Sql::new(Options::new(url)).await.unwrap())
}

fn key(name: impl ToString) -> ItemKey {
    ItemKey::new(&name.to_string()).unwrap()
}

#[tokio::test]
async fn processes_that_count_together_lose_nothing() {
    for place in Place::each().await {
        let table = Sql::new(Options::new(&place.url)).await.unwrap();
        let _ = table.set(&key("counter"), "0".into(), When::Absent, TTL).await.unwrap();
        let children: Vec<_> = (0..PROCESSES).map(|_| start("child_counts", &place.url)).collect();
        for mut child in children {
            assert!(child.wait().unwrap().success(), "{:?}", place.kind);
        }
        let counted = table.get(&key("counter")).await.unwrap().unwrap().value;
        assert_eq!(counted, (PROCESSES * EACH).to_string(), "{:?}", place.kind);
    }
}

#[tokio::test]
#[ignore = "a part of `processes_that_count_together_lose_nothing`"]
async fn child_counts() {
    let Some(table) = table_of_parent().await else { return };
    let mut done = 0;
    while done < EACH {
        let item = table.get(&key("counter")).await.unwrap().unwrap();
        let count: usize = std::str::from_utf8(&item.value).unwrap().parse().unwrap();
        let next = (count + 1).to_string().into();
        let when = When::Version(item.version);
        let outcome = table.set(&key("counter"), next, when, TTL).await.unwrap();
        done += usize::from(outcome != SetOutcome::Conflict);
    }
}

/// A value that tells whether it is whole.
fn value(round: usize) -> Bytes {
    let length = [3, 700, 40_000, 300_000][round % 4];
    Bytes::from(vec![b'a' + (round % 4) as u8; length])
}

#[tokio::test]
async fn what_a_killed_process_wrote_to_a_file_of_sqlite_is_there_and_whole() {
    let place = Place::sqlite();
    let table = Sql::new(Options::new(&place.url)).await.unwrap();
    for kill in 0..8 {
        let mut child = start("child_writes", &place.url);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let wrote = lines.map(Result::unwrap).filter(|line| line.starts_with("wrote "));
        // A different while each time.
        let wrote: Vec<String> = wrote.take(1 + kill * 5).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        let last: usize = wrote.last().unwrap()["wrote ".len()..].parse().unwrap();
        let found = table.get(&key("written")).await.unwrap().unwrap().value;
        assert!((0..4).any(|round| found == value(round)), "{} bytes", found.len());
        let count = table.get(&key("count")).await.unwrap().unwrap().value;
        let count: usize = std::str::from_utf8(&count).unwrap().parse().unwrap();
        assert!(count >= last, "{count} of {last}");
    }
}

#[tokio::test]
#[ignore = "a part of `what_a_killed_process_wrote_to_a_file_of_sqlite_is_there_and_whole`"]
async fn child_writes() {
    let Some(table) = table_of_parent().await else { return };
    for round in 0..1000_usize {
        let _ = table.set(&key("written"), value(round), When::Always, TTL).await.unwrap();
        let count = round.to_string().into();
        let _ = table.set(&key("count"), count, When::Always, TTL).await.unwrap();
        println!("wrote {round}");
    }
}
