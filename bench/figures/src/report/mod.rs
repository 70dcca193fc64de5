//! What a run leaves behind: `bench/results.json`, the tables of `docs/speed.md` and the plots beside it.

mod plot;
mod table;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::comparison::Comparison;

pub use table::table;

/// The page that shows the results, between marks for each group.
const PAGE: &str = "docs/speed.md";

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
    let path = root.join("bench/results.json");
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
