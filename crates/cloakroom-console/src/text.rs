//! Numbers and moments as people read them.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use maud::{Markup, html};

/// A number with a comma between its thousands.
pub(crate) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// As many of one thing.
pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A rate, or a time in milliseconds: as exact as its size wants.
pub(crate) fn figure(number: f64) -> String {
    match number {
        number if number >= 1_000.0 || number.fract() == 0.0 => count(number.round() as usize),
        number if number >= 10.0 => format!("{number:.0}"),
        number if number >= 1.0 => format!("{number:.1}"),
        number => format!("{number:.2}"),
    }
}

/// Milliseconds.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Bytes.
pub(crate) fn size(bytes: usize) -> String {
    match bytes {
        0..1_024 => counted(bytes, "byte", "bytes"),
        1_024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1_024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

/// How long ago something was.
pub(crate) fn ago(at: SystemTime) -> String {
    format!("{} ago", long(at.elapsed().unwrap_or_default()))
}

/// A time, in its largest unit that makes sense.
pub(crate) fn long(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", count((seconds / 86_400) as usize)),
    }
}

/// A moment; a dash where nobody notes it.
pub(crate) fn moment(at: Option<SystemTime>) -> Markup {
    let at = at.and_then(|at| Timestamp::try_from(at).ok());
    html! {
        @match at {
            Some(at) => time datetime=(at.strftime("%Y-%m-%dT%H:%M:%SZ")) { (at.strftime("%-d %b %Y, %H:%M:%S UTC")) },
            None => span class="quiet" { "–" },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_parted() {
        let numbers = [0, 999, 1_000, 1_204_331].map(count);
        assert_eq!(numbers, ["0", "999", "1,000", "1,204,331"]);
        assert_eq!(counted(1, "session", "sessions"), "1 session");
    }

    #[test]
    fn a_figure_is_as_exact_as_its_size_wants() {
        let figures = [0.0, 0.123, 1.25, 2.0, 12.6, 3_456.7].map(figure);
        assert_eq!(figures, ["0", "0.12", "1.2", "2", "13", "3,457"]);
    }

    #[test]
    fn a_time_is_told_in_its_largest_unit() {
        let times = [5, 119, 120, 7_200, 172_800].map(|seconds| long(Duration::from_secs(seconds)));
        assert_eq!(times, ["5 s", "119 s", "2 min", "2 h", "2 days"]);
    }

    #[test]
    fn a_size_is_told_in_its_unit() {
        assert_eq!(
            [1, 1_023, 1_536, 3 << 20].map(size),
            ["1 byte", "1,023 bytes", "1.5 KiB", "3.0 MiB"]
        );
    }
}
