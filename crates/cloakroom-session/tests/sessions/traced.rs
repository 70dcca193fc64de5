//! A request's spans, as a listener sees them.

use cloakroom_session::adapter::Commit;
use cloakroom_session::{Session, SessionHash, SessionId};
use tracing::{Instrument as _, Level};

use crate::common::Site;
use crate::spans::{Seen, Spans, tree};

async fn reads_and_changes(session: &Session) {
    session.get::<String>("cart").await.unwrap();
    session.set("cart", "hat").unwrap();
    session.finish().await.unwrap();
}

fn attribute<'a>(span: &'a Seen, name: &str) -> Option<&'a str> {
    span.attributes.get(name).map(String::as_str)
}

#[tokio::test]
async fn a_request_is_a_load_and_a_commit_around_the_calls_of_the_store() {
    let site = Site::new().await;
    let id = site.stored(&[("cart", "scarf")]).await;
    let spans = Spans::default();
    let _listening = spans.listen();
    let session = site.request(id);
    reads_and_changes(&session).instrument(tracing::info_span!("request")).await;
    let seen = spans.take();
    assert_eq!(
        tree(&seen),
        [
            "request",
            "  cloakroom.load",
            "    cloakroom.store get",
            "  cloakroom.commit",
            "    cloakroom.store set",
        ]
    );
    let [_, load, get, commit, set] = &seen[..] else { unreachable!() };
    assert_eq!(attribute(load, "session"), Some(&*SessionHash::from(id).to_string()));
    assert_eq!(attribute(commit, "reason"), Some("finish"));
    for call in [get, set] {
        assert_eq!(attribute(call, "db.system.name"), Some("recorder"));
        assert_eq!(attribute(call, "otel.kind"), Some("client"));
    }
    for span in &seen[1..] {
        assert_eq!(span.level, Level::DEBUG);
        assert_eq!(attribute(span, "otel.status_code"), None);
    }
}

#[tokio::test]
async fn a_request_that_never_touches_its_session_has_no_span() {
    let site = Site::new().await;
    let id = site.stored(&[("cart", "scarf")]).await;
    let spans = Spans::default();
    let _listening = spans.listen();
    site.request(id).finish().await.unwrap();
    assert!(spans.take().is_empty());
}

#[tokio::test]
async fn each_commit_says_its_reason_and_shows_what_a_faster_request_costs() {
    let site = Site::new().await;
    let id = site.stored(&[("cart", "scarf")]).await;
    let spans = Spans::default();
    let _listening = spans.listen();
    let session = site.request(id);
    session.update("visits", |visits: &mut u32| *visits += 1).await.unwrap();
    let seen = spans.take();
    let commit = ["cloakroom.commit", "  cloakroom.store get", "  cloakroom.store set"];
    assert_eq!((tree(&seen), attribute(&seen[0], "reason")), (lines(&commit), Some("update")));

    site.before_set(move |site| async move {
        site.request(id).update("other", |other: &mut u32| *other += 1).await.unwrap();
    });
    session.set("cart", "hat").unwrap();
    session.save().await.unwrap();
    let seen = spans.take();
    // The other request stands within the call that it was faster than.
    let expected = [
        "cloakroom.commit",
        "  cloakroom.store set",
        "    cloakroom.commit",
        "      cloakroom.store get",
        "      cloakroom.store set",
        "  cloakroom.store get",
        "  cloakroom.store set",
    ];
    assert_eq!((tree(&seen), attribute(&seen[0], "reason")), (lines(&expected), Some("save")));
}

#[tokio::test]
async fn what_fails_says_so_by_the_kind_of_its_error() {
    let site = Site::new().await;
    let id = site.stored(&[("cart", "scarf")]).await;
    let spans = Spans::default();
    let _listening = spans.listen();
    let session = site.request(id);
    site.set_down(true);
    session.get::<String>("cart").await.unwrap_err();
    session.set("cart", "hat").unwrap();
    session.save().await.unwrap_err();
    let seen = spans.take();
    let names: Vec<_> = seen.iter().map(|span| span.name).collect();
    assert!(names.contains(&"cloakroom.load") && names.contains(&"cloakroom.commit"), "{names:?}");
    for span in &seen {
        assert_eq!(attribute(span, "otel.status_code"), Some("ERROR"), "{span:?}");
        assert_eq!(attribute(span, "error.type"), Some("Unavailable"), "{span:?}");
    }
}

#[tokio::test]
async fn no_span_shows_an_id_a_value_or_a_principal() {
    let site = Site::new().await;
    let spans = Spans::default();
    let _listening = spans.listen();
    let id = site.stored(&[("cart", "scarf")]).await;
    let session = site.request(id);
    session.sign_in("ann@example.com").await.unwrap();
    reads_and_changes(&session).await;
    site.sessions.of("ann@example.com").revoke_all().await.unwrap();
    let seen = format!("{:?}", spans.take());
    let new = session.id().unwrap();
    for secret in [&id.to_string(), &new.to_string(), "ann", "scarf", "hat"] {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
}

#[tokio::test]
async fn the_page_has_each_span_with_its_attributes() {
    let page = include_str!("../../../../docs/observing.md");
    let spans = Spans::default();
    let _listening = spans.listen();
    let site = Site::new().await;
    reads_and_changes(&site.request(SessionId::parse(NOBODYS).unwrap())).await;
    let seen = spans.take();
    assert_eq!(tree(&seen)[..2], ["cloakroom.load", "  cloakroom.store get"]);
    for span in &seen {
        assert!(page.contains(&span.row()), "{}", span.row());
    }
    // The fourth is the sweeper's.
    assert_eq!(page.lines().filter(|line| line.starts_with("| `cloakroom.")).count(), 4);
}

const NOBODYS: &str = "0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11";

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}
