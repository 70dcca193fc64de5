//! What a run leaves behind: `bench/results.json`, the tables of `docs/speed.md`, the figures in its text, and the plots.

mod changes;
mod plot;
mod quoted;
mod table;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::comparison::Comparison;

pub use changes::{Change, changes};
pub use table::table;

/// The figures of the last runs.
const RESULTS: &str = "bench/results.json";

/// The page that shows the results, between marks for each group.
const PAGE: &str = "docs/speed.md";

/// What was measured before; nothing where nothing was, or in another form.
pub fn last(root: &Path) -> Vec<Comparison> {
    let text = fs::read_to_string(root.join(RESULTS)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Writes the groups that were measured, and leaves the others as they are.
pub fn write(root: &Path, groups: Vec<(&str, Vec<Comparison>)>) -> Result<()> {
    let page = root.join(PAGE);
    let mut text = fs::read_to_string(&page).with_context(|| page.display().to_string())?;
    for (name, comparisons) in &groups {
        text = table::replace(&text, name, &table(comparisons))
            .with_context(|| format!("{PAGE} has no marks for `{name}`"))?;
        let plot = root.join(format!("docs/images/speed-{name}.svg"));
        fs::write(&plot, plot::bars(name, comparisons))?;
    }
    let is_measured_anew =
        |row: &Comparison| groups.iter().any(|(name, _)| row.name.split(": ").next() == Some(name));
    let path = root.join(RESULTS);
    let mut rows: Vec<Comparison> = match fs::read_to_string(&path) {
        Ok(before) => serde_json::from_str(&before).with_context(|| RESULTS.to_owned())?,
        Err(_) => Vec::new(),
    };
    rows.retain(|row| !is_measured_anew(row));
    for (name, comparisons) in &groups {
        rows.extend(comparisons.iter().cloned().map(|mut comparison| {
            comparison.name = format!("{name}: {}", comparison.name);
            comparison
        }));
    }
    fs::write(path, serde_json::to_string_pretty(&rows)? + "\n")?;
    // Last, so that a figure of no row costs no measurement.
    fs::write(&page, &text)?;
    fs::write(&page, quoted::quote(&text, &rows).with_context(|| PAGE.to_owned())?)?;
    Ok(())
}
