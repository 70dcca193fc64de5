//! Two hundred parallel additions to one cart: each of them is in it afterwards.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use tokio::task::JoinSet;

use crate::support::{self, Client, Process, Shop};

const ADDITIONS: usize = 200;

/// Sends them all at once with one cookie, to each shop in turn.
async fn fill_one_cart(shops: &[Shop]) {
    let mut client = Client::new(shops[0].clone());
    client.get("/").await;
    assert!(client.id.is_some(), "the visit has begun");

    let items: BTreeSet<String> = (0..ADDITIONS).map(|number| format!("item-{number}")).collect();
    let mut additions = JoinSet::new();
    for (number, item) in items.iter().cloned().enumerate() {
        let mut client = client.at(&shops[number % shops.len()]);
        additions.spawn(async move {
            let answer = client.add_to_cart(&item).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            assert!(answer.json().contains(&item), "the answer shows what was added");
        });
    }
    additions.join_all().await;

    for shop in shops {
        let cart = client.at(shop).cart().await;
        assert_eq!(cart.len(), ADDITIONS);
        assert_eq!(BTreeSet::from_iter(cart), items);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_the_memory_driver() {
    fill_one_cart(&[support::in_memory().await]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_files() {
    let folder = tempfile::tempdir().unwrap();
    fill_one_cart(&[support::on_files(folder.path()).await]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_files_shared_by_two_processes() {
    let folder = tempfile::tempdir().unwrap();
    let shops =
        [Process::start(folder.path(), &[]).await, Process::start(folder.path(), &[]).await];
    fill_one_cart(&[shops[0].shop(), shops[1].shop()]).await;
}
