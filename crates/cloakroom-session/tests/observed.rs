//! What an operator's log says, and does not.

#![allow(clippy::unwrap_used)]

mod common;

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use common::Site;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Everything that was logged, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Line(&mut self.0.lock().unwrap()));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0, "{field}={value:?}").unwrap();
    }
}

#[tokio::test]
async fn a_change_that_nobody_will_save_is_not_silent() {
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    let session = site.request(id);
    session.get::<String>("a").await.unwrap();
    session.finish().await.unwrap();
    assert_eq!(log.text(), "");
    session.set("a", "2").unwrap();
    drop(session);
    assert!(log.text().contains("never saved"), "{}", log.text());
}

#[tokio::test]
async fn lost_races_and_broken_records_are_logged_without_the_id() {
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    site.before_set(move |site| async move { site.log_out(id).await });
    let session = site.request(id);
    session.set("a", "2").unwrap();
    session.finish().await.unwrap();
    site.write_raw(id, "broken").await;
    site.request(id).get::<String>("a").await.unwrap_err();
    let text = log.text();
    assert!(text.contains("destroyed by another request") && text.contains("cannot be read"));
    assert!(!text.contains(&id.to_string()), "{text}");
}
