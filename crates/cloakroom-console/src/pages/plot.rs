//! A plot as SVG, without a script and without styles of its own: the style sheet has its colours.

use std::fmt::Write as _;
use std::time::Duration;

use maud::{Markup, html};

use crate::text::{figure, long};

/// The units of the picture, which is stretched to the width that a page has.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 100.0;

/// How values become lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// From the lowest to the highest of them.
    Level,
    /// From nothing to the highest.
    Amount,
    /// As an amount that was the same since the value before: a mean.
    Steps,
}

/// One line of a plot.
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) class: &'static str,
    /// Seconds since the beginning, and a value.
    pub(super) points: Vec<(f64, f64)>,
}

/// Lines over the time until now.
pub(super) fn plot(title: &str, unit: &str, kind: Kind, lines: &[Line], time: Duration) -> Markup {
    let values = || lines.iter().flat_map(|line| &line.points).map(|(_, value)| *value);
    let highest = values().fold(0.0, f64::max);
    let lowest = match kind {
        Kind::Level => values().fold(highest, f64::min),
        Kind::Amount | Kind::Steps => 0.0,
    };
    let [low, high] = [lowest, highest].map(|value| format!("{}{unit}", figure(value)));
    let latest = lines.iter().filter_map(|line| {
        let (_, value) = line.points.last()?;
        Some(format!("{}: {}{unit}", line.name, figure(*value)))
    });
    let label = format!(
        "{title}, in {}: between {low} and {high}; now {}",
        long(time),
        latest.collect::<Vec<_>>().join(", ")
    );
    html! {
        figure {
            figcaption {
                (title)
                @if lines.len() > 1 {
                    @for line in lines {
                        span class={ "key " (line.class) } { (line.name) }
                    }
                }
            }
            div class="plot" {
                span class="high" aria-hidden="true" { (high) }
                svg viewBox={ "0 -4 " (WIDTH) " " (HEIGHT + 8.0) } preserveAspectRatio="none" role="img" aria-label=(label) {
                    path class="ground" d={ "M0 " (HEIGHT) "H" (WIDTH) } {}
                    @for line in lines {
                        path class={ "line " (line.class) } d=(path(line, kind, lowest, highest, time)) {}
                    }
                }
                span class="low" aria-hidden="true" { (low) }
            }
            p class="axis" aria-hidden="true" { span { (long(time)) " ago" } span { "now" } }
        }
    }
}

fn path(line: &Line, kind: Kind, lowest: f64, highest: f64, time: Duration) -> String {
    let across = time.as_secs_f64().max(f64::MIN_POSITIVE);
    let height = if highest > lowest { highest - lowest } else { 1.0 };
    let mut path = String::new();
    for (number, (at, value)) in line.points.iter().enumerate() {
        let x = at / across * WIDTH;
        let y = HEIGHT - (value - lowest) / height * HEIGHT;
        // Writing to a text cannot fail.
        _ = match (number, kind) {
            (0, Kind::Steps) => write!(path, "M0 {y:.1}H{x:.1}"),
            (0, _) => write!(path, "M{x:.1} {y:.1}"),
            (_, Kind::Steps) => write!(path, "V{y:.1}H{x:.1}"),
            _ => write!(path, "L{x:.1} {y:.1}"),
        };
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(kind: Kind, points: &[(f64, f64)]) -> String {
        let line = Line { name: "one", class: "first", points: points.to_vec() };
        path(&line, kind, 0.0, 10.0, Duration::from_secs(20))
    }

    #[test]
    fn values_are_points_and_means_are_steps() {
        let points = [(0.0, 0.0), (10.0, 5.0), (20.0, 10.0)];
        assert_eq!(drawn(Kind::Amount, &points), "M0.0 100.0L300.0 50.0L600.0 0.0");
        assert_eq!(drawn(Kind::Steps, &points[1..]), "M0 50.0H300.0V0.0H600.0");
    }

    #[test]
    fn what_does_not_change_is_a_line_too() {
        let line = Line { name: "one", class: "first", points: vec![(0.0, 7.0), (20.0, 7.0)] };
        let drawn = path(&line, Kind::Level, 7.0, 7.0, Duration::from_secs(20));
        assert_eq!(drawn, "M0.0 100.0L600.0 100.0");
    }
}
