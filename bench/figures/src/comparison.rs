//! One row of the results.

use serde::{Deserialize, Serialize};

use crate::measure::Series;

/// What is counted, and which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    #[serde(rename = "ns")]
    Nanoseconds,
    #[serde(rename = "µs")]
    Microseconds,
    #[serde(rename = "ms")]
    Milliseconds,
    #[serde(rename = "requests/s")]
    RequestsPerSecond,
    #[serde(rename = "sessions/s")]
    SessionsPerSecond,
    #[serde(rename = "bytes")]
    Bytes,
    #[serde(rename = "MB")]
    Megabytes,
    #[serde(rename = "allocations")]
    Allocations,
    #[serde(rename = "instructions")]
    Instructions,
    #[serde(rename = "switches")]
    Switches,
    #[serde(rename = "commands")]
    Commands,
}

impl Unit {
    pub fn name(self) -> &'static str {
        match self {
            Unit::Nanoseconds => "ns",
            Unit::Microseconds => "µs",
            Unit::Milliseconds => "ms",
            Unit::RequestsPerSecond => "requests/s",
            Unit::SessionsPerSecond => "sessions/s",
            Unit::Bytes => "bytes",
            Unit::Megabytes => "MB",
            Unit::Allocations => "allocations",
            Unit::Instructions => "instructions",
            Unit::Switches => "switches",
            Unit::Commands => "commands",
        }
    }

    pub(crate) fn more_is_better(self) -> bool {
        matches!(self, Unit::RequestsPerSecond | Unit::SessionsPerSecond)
    }
}

/// Ours beside a peer, or beside a limit that is no peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Comparison {
    pub name: String,
    pub unit: Unit,
    pub ours: f64,
    pub peer: Option<f64>,
    pub peer_name: Option<String>,
    /// How many times better ours is: 2 is twice as fast, or half as large.
    pub ratio: Option<f64>,
    /// How far the ratio strays from round to round: the distance of its quartiles, by the median.
    pub spread: Option<f64>,
    /// The ratio that is to be reached.
    pub target: Option<f64>,
    pub target_met: Option<bool>,
}

impl Comparison {
    /// Two series that were measured in turn.
    pub fn new(name: impl Into<String>, unit: Unit, ours: &Series, peer: &Series) -> Comparison {
        let ratios = ours.samples.iter().zip(&peer.samples).map(|(ours, peer)| {
            match unit.more_is_better() {
                true => ours / peer,
                false => peer / ours,
            }
        });
        let ratios = Series { name: String::new(), samples: ratios.collect() };
        Comparison {
            peer: Some(peer.median()),
            peer_name: Some(peer.name.clone()),
            ratio: Some(ratios.median()),
            spread: Some(ratios.spread()),
            ..Comparison::alone(name, unit, ours)
        }
    }

    /// A figure that stands for itself.
    pub fn alone(name: impl Into<String>, unit: Unit, ours: &Series) -> Comparison {
        Comparison {
            name: name.into(),
            unit,
            ours: ours.median(),
            peer: None,
            peer_name: None,
            ratio: None,
            spread: Some(ours.spread()),
            target: None,
            target_met: None,
        }
    }

    /// A figure beside a limit that somebody set.
    pub fn limit(name: impl Into<String>, unit: Unit, ours: &Series, limit: f64) -> Comparison {
        let samples = vec![limit; ours.samples.len()];
        let limit = Series { name: "the limit".to_owned(), samples };
        Comparison::new(name, unit, ours, &limit).target(1.0)
    }

    /// With the ratio that is to be reached.
    #[must_use]
    pub fn target(mut self, target: f64) -> Comparison {
        self.target = Some(target);
        self.target_met = self.ratio.map(|ratio| ratio >= target);
        self
    }
}
