//! Every metric, in one table, and how it is told to the program's recorder. What `docs/observing.md` lists is this.
//!
//! Without the feature `metrics` nothing is told, and nobody looks at the clock for it.

#![cfg_attr(not(feature = "metrics"), allow(dead_code))]

use cloakroom_storage::ErrorKind as StorageKind;
#[cfg(feature = "metrics")]
use cloakroom_storage::platform::Instant;

/// Something that a program may count or measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Metric {
    kind: Kind,
    name: &'static str,
    help: &'static str,
}

/// Which says what its name ends with, by Prometheus' rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// How often something has happened.
    Counter,
    /// How long something takes, in seconds.
    Seconds,
    /// How large something is, in bytes.
    Bytes,
    /// How much there is of something now.
    Gauge,
}

/// A constant for each metric, by which it is counted, and a list of them all.
macro_rules! table {
    ($($constant:ident: $kind:ident $name:literal, $help:literal;)*) => {
        $(pub(crate) const $constant: Metric =
            Metric { kind: Kind::$kind, name: $name, help: $help };)*

        const ALL: &[Metric] = &[$($constant),*];
    };
}

table! {
    CREATED: Counter "cloakroom_sessions_created_total", "sessions that were stored for the first time";
    SIGNED_IN: Counter "cloakroom_sessions_signed_in_total", "sign-ins";
    REAUTHENTICATED: Counter "cloakroom_sessions_reauthenticated_total", "principals that were authenticated once more";
    REGENERATED: Counter "cloakroom_sessions_regenerated_total", "new IDs for another reason than a sign-in";
    SIGNED_OUT: Counter "cloakroom_sessions_signed_out_total", "sessions with a principal that their own request has ended";
    DESTROYED: Counter "cloakroom_sessions_destroyed_total", "sessions without a principal that their own request has ended";
    REVOKED: Counter "cloakroom_sessions_revoked_total", "sessions that were ended by their principal's list";
    SIGN_INS_REFUSED: Counter "cloakroom_session_sign_ins_refused_total", "sign-ins that were refused for `maxSessions`";
    EVICTED: Counter "cloakroom_sessions_evicted_total", "sessions that were ended for `maxSessions`";
    DESTROYED_ELSEWHERE: Counter "cloakroom_sessions_destroyed_elsewhere_total",
        "requests whose changes were dropped, because another has ended the session";
    EXPIRED_MEANWHILE: Counter "cloakroom_sessions_expired_meanwhile_total",
        "sessions whose time passed while a request held them";
    OVER: Counter "cloakroom_sessions_over_total", "sessions that were removed once their absolute timeout had passed";
    CORRUPT: Counter "cloakroom_sessions_corrupt_total", "readings of records that cannot be read";
    QUARANTINED: Counter "cloakroom_sessions_quarantined_total", "torn records that were moved aside";
    DEGRADED: Counter "cloakroom_sessions_degraded_total", "requests that went on without the store";
    OVERWRITES: Counter "cloakroom_session_overwrites_total",
        "sessions that another program has overwritten as a whole, by `kind`";
    CONFLICTS: Counter "cloakroom_session_conflicts_total", "writes that another request was faster than";
    NEVER_SAVED: Counter "cloakroom_sessions_never_saved_total", "sessions whose changes were never saved";
    UPKEEP_FAILURES: Counter "cloakroom_session_upkeep_failures_total", "deadlines of sessions that could not be moved";
    MOVED_IN_DOUBT: Counter "cloakroom_sessions_moved_in_doubt_total",
        "new IDs whose old one may be alive until the store answers";
    WITHOUT_TOMBSTONE: Counter "cloakroom_sessions_without_tombstone_total",
        "sessions that were removed without a note that they were there";
    LEFT_OVER: Counter "cloakroom_sessions_left_over_total", "records that should be gone and could not be removed";
    STORE_FAILURES: Counter "cloakroom_session_store_failures_total",
        "calls of the store that have failed, after all tries, by `kind`";
    STORES_FAILING_AT_START: Counter "cloakroom_session_stores_failing_at_start_total",
        "stores that did not answer when they were opened";
    COOKIES_REPLACED: Counter "cloakroom_session_cookies_replaced_total",
        "cookies of the session cookie's name that gave way to it";
    RESPONSES_MADE_PRIVATE: Counter "cloakroom_session_responses_made_private_total",
        "responses that shared caches may no longer store";
    LOAD_SECONDS: Seconds "cloakroom_session_load_seconds", "how long it takes to load a session";
    COMMIT_SECONDS: Seconds "cloakroom_session_commit_seconds",
        "how long a commit takes, with all that it asks of the store";
    RECORD_BYTES: Bytes "cloakroom_session_record_bytes", "how large the records are that are written";
    LIVE: Gauge "cloakroom_sessions_live", "sessions in the store, when `Sessions::count` counted them";
}

/// Something has happened once more.
#[cfg(feature = "metrics")]
pub(super) fn count(counter: Metric) {
    metrics::counter!(counter.name).increment(1);
}

/// The same, of this kind.
#[cfg(feature = "metrics")]
pub(super) fn count_kind(counter: Metric, kind: &'static str) {
    metrics::counter!(counter.name, "kind" => kind).increment(1);
}

/// A call of the store has failed like this.
#[cfg(feature = "metrics")]
pub(crate) fn store_failed(kind: StorageKind) {
    metrics::counter!(STORE_FAILURES.name, "kind" => format!("{kind:?}")).increment(1);
}

/// A record of so many bytes was written.
#[cfg(feature = "metrics")]
pub(crate) fn record_written(bytes: usize) {
    metrics::histogram!(RECORD_BYTES.name).record(bytes as f64);
}

/// There are so many sessions now.
#[cfg(feature = "metrics")]
pub(crate) fn sessions_counted(sessions: u64) {
    metrics::gauge!(LIVE.name).set(sessions as f64);
}

/// Tells the recorder what each metric is.
#[cfg(feature = "metrics")]
pub(crate) fn describe() {
    for Metric { kind, name, help } in ALL.iter().copied() {
        match kind {
            Kind::Counter => metrics::describe_counter!(name, metrics::Unit::Count, help),
            Kind::Seconds => metrics::describe_histogram!(name, metrics::Unit::Seconds, help),
            Kind::Bytes => metrics::describe_histogram!(name, metrics::Unit::Bytes, help),
            Kind::Gauge => metrics::describe_gauge!(name, metrics::Unit::Count, help),
        }
    }
}

/// How long it is since something began.
#[cfg(feature = "metrics")]
pub(super) struct Timer(Instant);

#[cfg(feature = "metrics")]
impl Timer {
    pub(super) fn start() -> Timer {
        Timer(Instant::now())
    }

    pub(super) fn stop(self, seconds: &Metric) {
        metrics::histogram!(seconds.name).record(self.0.elapsed().as_secs_f64());
    }
}

#[cfg(not(feature = "metrics"))]
pub(super) fn count(_: Metric) {}

#[cfg(not(feature = "metrics"))]
pub(super) fn count_kind(_: Metric, _: &'static str) {}

#[cfg(not(feature = "metrics"))]
pub(crate) fn store_failed(_: StorageKind) {}

#[cfg(not(feature = "metrics"))]
pub(crate) fn record_written(_: usize) {}

#[cfg(not(feature = "metrics"))]
pub(crate) fn sessions_counted(_: u64) {}

#[cfg(not(feature = "metrics"))]
pub(crate) fn describe() {}

#[cfg(not(feature = "metrics"))]
pub(super) struct Timer;

#[cfg(not(feature = "metrics"))]
impl Timer {
    pub(super) fn start() -> Timer {
        Timer
    }

    pub(super) fn stop(self, _: &Metric) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_each_metric_as_it_is_and_no_other() {
        let page = include_str!("../../../../docs/observing.md");
        let listed = page.lines().filter(|line| line.starts_with("| `cloakroom_"));
        let expected = ALL.iter().map(|Metric { kind, name, help }| {
            let kind = match kind {
                Kind::Counter => "counter",
                Kind::Seconds | Kind::Bytes => "histogram",
                Kind::Gauge => "gauge",
            };
            format!("| `{name}` | {kind} | {help} |")
        });
        assert_eq!(listed.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }

    #[test]
    fn each_counter_is_beside_its_event() {
        let page = include_str!("../../../../docs/events.md");
        for Metric { name, .. } in ALL.iter().filter(|metric| metric.kind == Kind::Counter) {
            assert!(page.contains(&format!("| `{name}`")), "{name}");
        }
    }

    #[test]
    fn names_follow_the_rules_of_prometheus() {
        for Metric { kind, name, .. } in ALL {
            let allowed = |letter: char| letter.is_ascii_lowercase() || letter == '_';
            assert!(name.starts_with("cloakroom_session") && name.chars().all(allowed), "{name}");
            let unit = ["_total", "_seconds", "_bytes"].into_iter().find(|it| name.ends_with(it));
            let expected = match kind {
                Kind::Counter => Some("_total"),
                Kind::Seconds => Some("_seconds"),
                Kind::Bytes => Some("_bytes"),
                Kind::Gauge => None,
            };
            assert_eq!(unit, expected, "{name}");
        }
    }
}
