//! Sixteen visitors who fill their carts at the same time.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::client::{Addition, Client};

const CLIENTS: usize = 16;
/// Between two additions of one visitor.
const PAUSE: Duration = Duration::from_millis(25);
/// No condition may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The visitors, at work until they are told to stop.
pub(crate) struct Load {
    shared: Arc<Shared>,
    clients: JoinSet<Client>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    acknowledged: AtomicUsize,
    unavailable: AtomicUsize,
    unknown: AtomicUsize,
    /// How many of the latest additions were acknowledged, one after the other.
    in_a_row: AtomicUsize,
}

impl Load {
    /// Begins with one item in each cart.
    pub(crate) async fn start(address: SocketAddr) -> Self {
        let shared = Arc::new(Shared::default());
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            let mut client = Client::new(format!("client-{number}"), address);
            assert_eq!(client.add().await, Addition::Acknowledged);
            clients.spawn(fill(client, Arc::clone(&shared)));
        }
        Self { shared, clients }
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.shared.acknowledged.load(Ordering::SeqCst)
    }

    pub(crate) fn unavailable(&self) -> usize {
        self.shared.unavailable.load(Ordering::SeqCst)
    }

    pub(crate) fn unknown(&self) -> usize {
        self.shared.unknown.load(Ordering::SeqCst)
    }

    /// Waits until something more is acknowledged, and says how long that took.
    pub(crate) async fn next_acknowledged(&self) -> Duration {
        let (started, before) = (Instant::now(), self.acknowledged());
        until(|| self.acknowledged() > before).await;
        started.elapsed()
    }

    /// Waits until the latest additions were all acknowledged, as many as this.
    pub(crate) async fn acknowledged_in_a_row(&self, count: usize) {
        self.shared.in_a_row.store(0, Ordering::SeqCst);
        until(|| self.shared.in_a_row.load(Ordering::SeqCst) >= count).await;
    }

    pub(crate) async fn stop(self) -> Vec<Client> {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.clients.join_all().await
    }
}

async fn fill(mut client: Client, shared: Arc<Shared>) -> Client {
    while !shared.stop.load(Ordering::SeqCst) {
        let counter = match client.add().await {
            Addition::Acknowledged => &shared.acknowledged,
            Addition::Unavailable => &shared.unavailable,
            Addition::Unknown => &shared.unknown,
        };
        counter.fetch_add(1, Ordering::SeqCst);
        match std::ptr::eq(counter, &shared.acknowledged) {
            true => _ = shared.in_a_row.fetch_add(1, Ordering::SeqCst),
            false => shared.in_a_row.store(0, Ordering::SeqCst),
        }
        tokio::time::sleep(PAUSE).await;
    }
    client
}

pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "waited for too long");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Each visitor finds everything in the cart that was acknowledged, once, and nothing else than what was sent.
/// `excuse` names what may be missing; its answer counts.
pub(crate) async fn check(
    clients: &mut [Client],
    excuse: impl Fn(&Client, &str, Instant) -> bool,
) -> usize {
    let mut missing = 0;
    for client in clients {
        let cart = client.cart().await;
        let items: BTreeSet<&str> = cart.iter().map(String::as_str).collect();
        assert_eq!(items.len(), cart.len(), "an item is in the cart twice");
        assert!(items.iter().all(|item| client.has_sent(item)), "somebody else's item");
        for (item, when) in &client.acknowledged {
            if !items.contains(item.as_str()) {
                assert!(excuse(client, item, *when), "{item} was acknowledged and is lost");
                missing += 1;
            }
        }
    }
    missing
}

/// For stores that never lose anything.
pub(crate) fn no_excuse(_: &Client, _: &str, _: Instant) -> bool {
    false
}
