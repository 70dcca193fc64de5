//! `x-ttl`: how long an item lives, in seconds.

use std::time::Duration;

use axum::http::header::{HeaderMap, HeaderName, HeaderValue};

/// unstorage's header.
pub(crate) const TTL: HeaderName = HeaderName::from_static("x-ttl");

/// Less leaves no item behind.
const SHORTEST: f64 = 0.001;

/// What is longer never ends.
const LONGEST: Duration = Duration::from_secs(1 << 40);

/// The ttl that a request gives, as JavaScript reads it: `Number(header) || undefined`.
pub(crate) fn of(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(TTL)?.to_str().ok()?.trim();
    // DIFFERENCE: decimal alone. JavaScript would take `0x10` too.
    let is_number = text.trim_start_matches(['+', '-']) == "Infinity"
        || text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let seconds: f64 = text.parse().ok().filter(|_| is_number)?;
    match seconds {
        0.0 => None,
        ..SHORTEST => Some(Duration::ZERO),
        _ => Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)),
    }
}

/// What is told of an item that lives for so long: to the thousandth of a second, and never nothing.
pub(crate) fn header(ttl: Duration) -> Option<HeaderValue> {
    if ttl > LONGEST {
        return None;
    }
    let milliseconds = ttl.as_nanos().div_ceil(1_000_000).max(1);
    HeaderValue::from_str(&(milliseconds as f64 / 1000.0).to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_is_read_as_javascript_reads_numbers() {
        let read = |text| of(&HeaderMap::from_iter([(TTL, HeaderValue::from_static(text))]));
        for (text, expected) in [
            ("60", Some(Duration::from_secs(60))),
            (" 60 ", Some(Duration::from_secs(60))),
            ("1.5", Some(Duration::from_millis(1500))),
            (".5", Some(Duration::from_millis(500))),
            ("1e3", Some(Duration::from_secs(1000))),
            ("Infinity", Some(Duration::MAX)),
            ("1e300", Some(Duration::MAX)),
            ("0.0001", Some(Duration::ZERO)),
            ("-5", Some(Duration::ZERO)),
            ("-Infinity", Some(Duration::ZERO)),
            ("0", None),
            ("-0", None),
            ("", None),
            ("soon", None),
            ("nan", None),
            ("inf", None),
            ("1, 2", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn a_ttl_is_told_to_the_thousandth() {
        let told = |ttl| header(ttl).map(|value| value.to_str().expect("text").to_owned());
        assert_eq!(told(Duration::from_secs(60)).as_deref(), Some("60"));
        assert_eq!(told(Duration::from_micros(1_500_100)).as_deref(), Some("1.501"));
        assert_eq!(told(Duration::ZERO).as_deref(), Some("0.001"));
        assert_eq!(told(Duration::MAX), None);
    }
}
