//! What becomes of sessions, as who watches their store sees it.

use std::time::Duration;

use cloakroom_session::storage::{Driver as _, ItemKey, KeyHasher, When};
use cloakroom_session::testing::TestSite;
use cloakroom_session::{ChangeKind, Config, SessionsWatch};

use crate::principals::browser;

/// The kinds of what has changed, and whose it was, in no order.
async fn seen(watch: &mut SessionsWatch) -> Vec<(ChangeKind, Option<String>)> {
    let changes = watch.look().await.unwrap();
    let told = changes.into_iter().map(|it| (it.kind, it.principal.map(|name| name.to_string())));
    let mut told: Vec<_> = told.collect();
    told.sort_by_key(|(kind, principal)| (kind.name(), principal.clone()));
    told
}

fn of_ann(kind: ChangeKind) -> Vec<(ChangeKind, Option<String>)> {
    vec![(kind, Some("ann".to_owned()))]
}

fn configured(hashes: bool) -> Config {
    let mut config = Config::new("memory");
    config.idle = Some(Duration::from_secs(3600));
    config.hash_ids = hashes.then(KeyHasher::sha256);
    config
}

#[tokio::test]
async fn what_is_created_ended_and_moved_is_seen_once() {
    for hashes in [false, true] {
        let site = TestSite::with(configured(hashes));
        browser(&site, "Firefox", "bob").await;
        let mut watch = site.sessions().all().watch().await.unwrap();
        assert_eq!(watch.count(), 1);
        assert_eq!(seen(&mut watch).await, []);

        let safari = browser(&site, "Safari", "ann").await;
        assert_eq!(seen(&mut watch).await, of_ann(ChangeKind::Created));
        let session = site.next(&safari);
        session.regenerate().await.unwrap();
        site.commit(&session).await.unwrap();
        let moved = [of_ann(ChangeKind::Created), of_ann(ChangeKind::Moved)].concat();
        assert_eq!(seen(&mut watch).await, moved);
        site.sessions().of("ann").revoke_all().await.unwrap();
        assert_eq!(seen(&mut watch).await, of_ann(ChangeKind::Ended));
        assert_eq!(seen(&mut watch).await, []);
    }
}

#[tokio::test]
async fn what_expires_is_told_from_what_somebody_has_removed() {
    let site = TestSite::with(configured(false));
    let mut watch = site.sessions().all().watch().await.unwrap();
    let id = browser(&site, "Safari", "ann").await.id().unwrap();
    assert_eq!(seen(&mut watch).await, of_ann(ChangeKind::Created));
    let key = ItemKey::new(&id.to_string()).unwrap();
    site.store().remove(&key, When::Always).await.unwrap();
    assert_eq!(seen(&mut watch).await, of_ann(ChangeKind::Removed));

    browser(&site, "Safari", "ann").await;
    assert_eq!(seen(&mut watch).await, of_ann(ChangeKind::Created));
    site.advance(Duration::from_secs(3601));
    assert_eq!(seen(&mut watch).await, of_ann(ChangeKind::Expired));
}

#[tokio::test]
async fn a_look_that_fails_takes_nothing_from_the_next() {
    let site = TestSite::with(configured(false));
    let mut watch = site.sessions().all().watch().await.unwrap();
    browser(&site, "Safari", "ann").await;
    site.store_down(true);
    watch.look().await.unwrap_err();
    site.store_down(false);
    assert_eq!(seen(&mut watch).await, of_ann(ChangeKind::Created));
}
