//! Two servers on one store: who is logged out at one is logged out at the other.

use interop_peers::Store;

use crate::client::Client;
use crate::program::Program;

async fn who_is_logged_out_at_one_server_is_logged_out_at_the_other(store: Store) {
    let shops = [Program::start(&store), Program::start(&store)];
    let [mut laptop, mut phone, mut tablet] = [("laptop", 0), ("phone", 1), ("tablet", 1)]
        .map(|(name, shop)| Client::new(name.to_owned(), shops[shop].address));
    for client in [&mut laptop, &mut phone] {
        client.log_in().await;
        assert!(client.is_logged_in().await);
    }
    let devices = laptop.other_devices().await;
    assert_eq!(devices.len(), 1);
    laptop.end(&devices[0]).await;
    assert!(!phone.is_logged_in().await);
    assert!(laptop.other_devices().await.is_empty());

    // At once, with the cookie that is worth nothing.
    phone.log_in().await;
    tablet.log_in().await;
    assert_eq!(laptop.other_devices().await.len(), 2);
    phone.end_others().await;
    assert!(phone.is_logged_in().await);
    assert!(!laptop.is_logged_in().await && !tablet.is_logged_in().await);
}

on_every_store!(who_is_logged_out_at_one_server_is_logged_out_at_the_other);
