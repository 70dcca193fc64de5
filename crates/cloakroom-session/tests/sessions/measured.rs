//! What a recorder of metrics is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use cloakroom_session::SessionId;
use cloakroom_session::adapter::Commit;
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

use crate::common::Site;

/// A recorder that keeps what it is told.
#[derive(Clone, Default)]
struct Told {
    described: Arc<Mutex<BTreeMap<String, (Unit, String)>>>,
    values: Arc<Mutex<BTreeMap<String, Vec<f64>>>>,
}

/// One metric of it.
struct Values(Told, String);

impl Told {
    fn describe(&self, name: &KeyName, unit: Option<Unit>, help: SharedString) {
        let described = (unit.expect("each has one"), help.into_owned());
        self.described.lock().unwrap().insert(name.as_str().to_owned(), described);
    }

    fn values_of(&self, key: &Key) -> Arc<Values> {
        let labels = key.labels().map(|label| format!("{{{}={}}}", label.key(), label.value()));
        Arc::new(Values(
            self.clone(),
            labels.fold(key.name().to_owned(), |name, label| name + &label),
        ))
    }

    /// What this metric was told since the last time somebody asked.
    fn take(&self, name: &str) -> Vec<f64> {
        self.values.lock().unwrap().remove(name).unwrap_or_default()
    }
}

impl Values {
    fn push(&self, value: f64) {
        let Values(told, name) = self;
        told.values.lock().unwrap().entry(name.clone()).or_default().push(value);
    }
}

impl Recorder for Told {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.describe(&name, unit, help);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.describe(&name, unit, help);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.describe(&name, unit, help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.values_of(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.values_of(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.values_of(key))
    }
}

impl CounterFn for Values {
    fn increment(&self, value: u64) {
        self.push(value as f64);
    }

    fn absolute(&self, _: u64) {
        panic!("what has happened is counted one by one");
    }
}

impl GaugeFn for Values {
    fn increment(&self, _: f64) {
        panic!("what there is now is said as a whole");
    }

    fn decrement(&self, _: f64) {
        panic!("what there is now is said as a whole");
    }

    fn set(&self, value: f64) {
        self.push(value);
    }
}

impl HistogramFn for Values {
    fn record(&self, value: f64) {
        self.push(value);
    }
}

#[tokio::test]
async fn a_request_says_how_long_it_loads_and_commits_and_how_much_it_writes() {
    let told = Told::default();
    let _recording = metrics::set_default_local_recorder(&told);
    let site = Site::new().await;
    let id = site.stored(&[("cart", "scarf")]).await;
    assert_eq!(told.take("cloakroom_sessions_created_total"), [1.0]);
    // There was nothing to load.
    assert!(told.take("cloakroom_session_load_seconds").is_empty());
    assert_eq!(told.take("cloakroom_session_commit_seconds").len(), 1);
    assert_eq!(told.take("cloakroom_session_record_bytes"), [size(&site, id).await]);

    let session = site.request(id);
    session.get::<String>("cart").await.unwrap();
    session.set("cart", "a hat, and another one for a friend").unwrap();
    session.finish().await.unwrap();
    for name in ["cloakroom_session_load_seconds", "cloakroom_session_commit_seconds"] {
        let seconds = told.take(name);
        assert!(matches!(seconds[..], [seconds] if (0.0..60.0).contains(&seconds)), "{seconds:?}");
    }
    assert_eq!(told.take("cloakroom_session_record_bytes"), [size(&site, id).await]);
}

async fn size(site: &Site, id: SessionId) -> f64 {
    site.raw(id).await.unwrap().len() as f64
}

#[tokio::test]
async fn what_fails_is_measured_and_writes_nothing() {
    let told = Told::default();
    let _recording = metrics::set_default_local_recorder(&told);
    let site = Site::new().await;
    let id = site.stored(&[("cart", "scarf")]).await;
    told.values.lock().unwrap().clear();
    site.set_down(true);
    site.request(id).get::<String>("cart").await.unwrap_err();
    assert_eq!(told.take("cloakroom_session_store_failures_total{kind=Unavailable}"), [1.0]);
    assert_eq!(told.take("cloakroom_session_load_seconds").len(), 1);
    let session = site.request(id);
    session.update("visits", |visits: &mut u32| *visits += 1).await.unwrap_err();
    assert_eq!(told.take("cloakroom_session_commit_seconds").len(), 1);
    assert!(told.take("cloakroom_session_record_bytes").is_empty());
}

#[tokio::test]
async fn the_sessions_are_counted_when_somebody_asks_and_what_is_beside_them_is_not() {
    let told = Told::default();
    let _recording = metrics::set_default_local_recorder(&told);
    let site = Site::new().await;
    for name in ["ann", "bob"] {
        let session = site.visitor();
        // With an index beside it.
        session.sign_in(name).await.unwrap();
        session.finish().await.unwrap();
    }
    assert!(told.take("cloakroom_sessions_live").is_empty());
    assert_eq!(site.sessions.count().await.unwrap(), 2);
    assert_eq!(told.take("cloakroom_sessions_live"), [2.0]);
}

/// Which hides what is a session's, and what an index is.
#[cfg(feature = "hash-ids")]
#[tokio::test]
async fn a_store_that_cannot_count_says_so_and_sets_no_gauge() {
    let told = Told::default();
    let _recording = metrics::set_default_local_recorder(&told);
    let mut config = cloakroom_session::Config::new("memory");
    config.hash_ids = Some(cloakroom_session::storage::KeyHasher::sha256());
    let site = Site::with(config).await;
    let error = site.sessions.count().await.unwrap_err();
    assert_eq!(error.kind(), cloakroom_session::ErrorKind::Storage);
    assert!(error.to_string().contains("cannot list its keys"), "{error}");
    assert!(told.take("cloakroom_sessions_live").is_empty());
}

#[tokio::test]
async fn the_recorder_is_told_what_each_metric_is_as_the_page_has_it() {
    let told = Told::default();
    let _recording = metrics::set_default_local_recorder(&told);
    let _site = Site::new().await;
    let page = include_str!("../../../../docs/observing.md");
    let listed = page.lines().filter(|line| line.starts_with("| `cloakroom_"));
    let listed: BTreeSet<_> = listed.map(|line| line.split('`').nth(1).unwrap()).collect();
    let described = told.described.lock().unwrap();
    assert_eq!(described.keys().map(String::as_str).collect::<BTreeSet<_>>(), listed);
    for (name, (unit, help)) in &*described {
        let expected = match name {
            name if name.ends_with("_seconds") => Unit::Seconds,
            name if name.ends_with("_bytes") => Unit::Bytes,
            _ => Unit::Count,
        };
        assert_eq!(*unit, expected, "{name}");
        assert!(page.contains(&format!("| {help} |")), "{name}");
    }
}
