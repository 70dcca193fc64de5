//! What a run leaves behind: `bench/results.json`, the tables of `docs/speed.md` and the plots beside it.

mod changes;
mod plot;
mod table;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

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
    fs::write(page, text)?;
    let path = root.join(RESULTS);
    let before = fs::read_to_string(&path).ok();
    let before: Vec<Value> =
        before.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default();
    let group = |row: &Value| {
        row["name"].as_str().and_then(|name| name.split(": ").next().map(str::to_owned))
    };
    let mut rows: Vec<Value> = before
        .into_iter()
        .filter(|row| !groups.iter().any(|(name, _)| group(row).as_deref() == Some(name)))
        .collect();
    for (name, comparisons) in groups {
        for mut comparison in comparisons {
            comparison.name = format!("{name}: {}", comparison.name);
            rows.push(serde_json::to_value(comparison)?);
        }
    }
    fs::write(path, serde_json::to_string_pretty(&rows)? + "\n")?;
    Ok(())
}
