//! What has changed since the last results, by more than the figures stray from round to round.

use std::fmt;

use crate::comparison::Comparison;

/// A row that is another one than it was.
#[derive(Debug)]
pub struct Change {
    name: String,
    /// How many times as good as before: below one is worse.
    factor: f64,
    before: f64,
    now: f64,
    /// Of a figure that stands for itself; of the rest it is a ratio.
    unit: Option<&'static str>,
}

impl Change {
    /// Whether it has become slower, or larger.
    pub fn is_worse(&self) -> bool {
        self.factor < 1.0
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { name, before, now, .. } = self;
        match self.unit {
            Some(unit) => write!(formatter, "{name}: {before:.1} {unit} before, {now:.1} now"),
            None => write!(formatter, "{name}: {before:.2}× before, {now:.2}× now"),
        }
    }
}

/// The rows that were measured before, too, and have changed by more than either of them strays; the worst first.
///
/// Ratios are compared where there are any: another day is another machine, and the peer has been on it, too.
pub fn changes(group: &str, before: &[Comparison], now: &[Comparison]) -> Vec<Change> {
    let mut changes: Vec<Change> = now
        .iter()
        .filter_map(|now| {
            let name = format!("{group}: {}", now.name);
            let is_same = |before: &&Comparison| {
                before.name == name && before.unit == now.unit && before.peer_name == now.peer_name
            };
            change(before.iter().find(is_same)?, now)
        })
        .collect();
    changes.sort_by(|one, other| one.factor.total_cmp(&other.factor));
    changes
}

fn change(before: &Comparison, now: &Comparison) -> Option<Change> {
    let (was, is, unit) = match (before.ratio, now.ratio) {
        (Some(before), Some(now)) => (before, now, None),
        _ => (before.ours, now.ours, Some(now.unit.name())),
    };
    let factor = if unit.is_none() || now.unit.more_is_better() { is / was } else { was / is };
    let strays = before.spread.unwrap_or_default().max(now.spread.unwrap_or_default());
    let has_changed = factor.is_finite() && !(1.0 - strays..=1.0 + strays).contains(&factor);
    let peer = now.peer_name.as_deref().map(|peer| format!(", beside {peer}")).unwrap_or_default();
    let name = format!("{}{peer}", now.name);
    has_changed.then_some(Change { name, factor, before: was, now: is, unit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::Unit;
    use crate::measure::Series;

    fn series(samples: [f64; 3]) -> Series {
        Series { name: "peer".to_owned(), samples: samples.to_vec() }
    }

    fn row(name: &str, ours: [f64; 3]) -> Comparison {
        Comparison::new(name, Unit::Nanoseconds, &series(ours), &series([100.0; 3]))
    }

    #[test]
    fn what_has_become_slower_by_more_than_it_strays_is_told_the_worst_first() {
        let before =
            [row("codec: a", [10.0; 3]), row("codec: b", [10.0; 3]), row("codec: c", [10.0; 3])];
        let now = [row("a", [12.0; 3]), row("b", [20.0; 3]), row("new", [90.0; 3])];
        let changes = changes("codec", &before, &now);
        let told: Vec<String> = changes.iter().map(Change::to_string).collect();
        assert_eq!(
            told,
            [
                "b, beside peer: 10.00× before, 5.00× now",
                "a, beside peer: 10.00× before, 8.33× now"
            ]
        );
        assert!(changes.iter().all(Change::is_worse));
    }

    #[test]
    fn what_strays_as_far_in_either_run_is_no_change_and_what_is_faster_is_no_worse() {
        let before = [row("codec: a", [8.0, 10.0, 12.0]), row("codec: b", [10.0; 3])];
        assert!(changes("codec", &before, &[row("a", [11.0; 3])]).is_empty());
        let changes = changes("codec", &before, &[row("b", [5.0; 3])]);
        assert!(matches!(&changes[..], [change] if !change.is_worse()));
    }

    #[test]
    fn a_figure_without_a_peer_is_compared_with_itself_in_the_way_that_its_unit_goes() {
        let alone = |name: &str, unit, figure| Comparison::alone(name, unit, &series([figure; 3]));
        let before = [
            alone("served: memory", Unit::Megabytes, 10.0),
            alone("served: load", Unit::RequestsPerSecond, 10.0),
        ];
        let now =
            [alone("memory", Unit::Megabytes, 15.0), alone("load", Unit::RequestsPerSecond, 15.0)];
        let worse: Vec<bool> =
            changes("served", &before, &now).iter().map(Change::is_worse).collect();
        assert_eq!(worse, [true, false]);
    }
}
