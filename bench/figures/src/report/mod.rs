//! What a run leaves behind: `bench/results.json`, the tables of `docs/speed.md`, the figures in its text, and the plots.

mod changes;
mod plot;
mod quoted;
mod table;

use std::fs;
use std::io::ErrorKind;
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
    // The results first: what comes after them can be made again.
    let rows = write_results(root, &groups)?;
    let page = root.join(PAGE);
    let mut text = fs::read_to_string(&page).with_context(|| page.display().to_string())?;
    for (name, comparisons) in &groups {
        text = table::replace(&text, name, &table(comparisons))
            .with_context(|| format!("{PAGE} has no marks for `{name}`"))?;
        let plot = root.join(format!("docs/images/speed-{name}.svg"));
        fs::write(&plot, plot::bars(name, comparisons))?;
    }
    fs::write(&page, &text)?;
    fs::write(&page, quoted::quote(&text, &rows).with_context(|| PAGE.to_owned())?)?;
    Ok(())
}

/// All rows that there are then. One of another group that cannot be read, as of another version, stays as it is.
fn write_results(root: &Path, groups: &[(&str, Vec<Comparison>)]) -> Result<Vec<Comparison>> {
    let path = root.join(RESULTS);
    let mut rows: Vec<Value> = match fs::read_to_string(&path) {
        Ok(before) => serde_json::from_str(&before).with_context(|| RESULTS.to_owned())?,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).with_context(|| RESULTS.to_owned()),
    };
    let group = |row: &Value| row["name"].as_str()?.split(": ").next().map(str::to_owned);
    rows.retain(|row| !groups.iter().any(|(name, _)| group(row).as_deref() == Some(name)));
    for (name, comparisons) in groups {
        for comparison in comparisons {
            let name = format!("{name}: {}", comparison.name);
            rows.push(serde_json::to_value(Comparison { name, ..comparison.clone() })?);
        }
    }
    fs::write(path, serde_json::to_string_pretty(&rows)? + "\n")?;
    Ok(rows.into_iter().filter_map(|row| serde_json::from_value(row).ok()).collect())
}
