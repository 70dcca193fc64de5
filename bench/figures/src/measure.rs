//! How something is measured: in turn, so that whatever else the machine does befalls all of them alike.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;

/// How thorough a run is, and where.
pub struct Settings {
    pub quick: bool,
    /// The checkout.
    pub root: PathBuf,
}

impl Settings {
    /// How often each side is measured.
    pub fn rounds(&self) -> usize {
        if self.quick { 3 } else { 15 }
    }

    /// How long one measurement of a side takes, where that can be chosen.
    pub fn sample(&self) -> Duration {
        Duration::from_millis(if self.quick { 10 } else { 50 })
    }
}

/// One of those that are compared, and how it is measured once.
pub struct Side<'a> {
    pub name: &'static str,
    pub sample: Box<dyn FnMut() -> Result<f64> + 'a>,
}

impl<'a> Side<'a> {
    pub fn new(name: &'static str, sample: impl FnMut() -> Result<f64> + 'a) -> Side<'a> {
        Side { name, sample: Box::new(sample) }
    }

    /// Something in this process, in nanoseconds for each time that it is done.
    pub fn timed<T>(
        name: &'static str,
        settings: &Settings,
        mut operation: impl FnMut() -> T + 'a,
    ) -> Side<'a> {
        let sample = settings.sample();
        Side::new(name, move || Ok(nanoseconds(sample, &mut operation)))
    }

    /// Nothing measured yet.
    fn series(&self) -> Series {
        Series { name: self.name.to_owned(), samples: Vec::new() }
    }
}

/// What was measured of one side, round by round.
#[derive(Clone, Debug)]
pub struct Series {
    pub name: String,
    pub samples: Vec<f64>,
}

impl Series {
    /// What this has on top of the other, round by round.
    #[must_use]
    pub fn above(&self, other: &Series) -> Series {
        let pairs = self.samples.iter().zip(&other.samples);
        Series {
            name: self.name.clone(),
            samples: pairs.map(|(this, other)| this - other).collect(),
        }
    }

    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The distance of the quartiles, by the median.
    pub fn spread(&self) -> f64 {
        (self.quantile(0.75) - self.quantile(0.25)) / self.median()
    }

    fn quantile(&self, part: f64) -> f64 {
        let mut sorted = self.samples.clone();
        sorted.sort_by(f64::total_cmp);
        let place = part * sorted.len().saturating_sub(1) as f64;
        let (below, above) = (place.floor() as usize, place.ceil() as usize);
        let (Some(low), Some(high)) = (sorted.get(below), sorted.get(above)) else {
            return f64::NAN;
        };
        low + (high - low) * place.fract()
    }
}

/// Measures all sides in turn, round by round. A first round warms them up and is not counted.
pub fn side_by_side<const N: usize>(
    settings: &Settings,
    mut sides: [Side<'_>; N],
) -> Result<[Series; N]> {
    let mut series = sides.each_ref().map(Side::series);
    in_turn(settings, &mut sides, &mut series)?;
    Ok(series)
}

/// As [`side_by_side`], where it is not known beforehand how many sides there are.
pub fn all_in_turn(settings: &Settings, mut sides: Vec<Side<'_>>) -> Result<Vec<Series>> {
    let mut series: Vec<_> = sides.iter().map(Side::series).collect();
    in_turn(settings, &mut sides, &mut series)?;
    Ok(series)
}

fn in_turn(settings: &Settings, sides: &mut [Side<'_>], series: &mut [Series]) -> Result<()> {
    for round in 0..=settings.rounds() {
        for (side, series) in sides.iter_mut().zip(&mut *series) {
            let sample = (side.sample)()?;
            if round > 0 {
                series.samples.push(sample);
            }
        }
    }
    Ok(())
}

/// How long an operation takes, done again and again for about so long.
fn nanoseconds<T>(sample: Duration, operation: &mut impl FnMut() -> T) -> f64 {
    let mut times = 1_u64;
    loop {
        let begin = Instant::now();
        for _ in 0..times {
            std::hint::black_box(operation());
        }
        let elapsed = begin.elapsed();
        if elapsed >= sample / 2 {
            return elapsed.as_nanos() as f64 / times as f64;
        }
        let wanted = sample.as_nanos() / elapsed.as_nanos().max(1);
        times = times.saturating_mul(u64::try_from(wanted).unwrap_or(u64::MAX).clamp(2, 1000));
    }
}
