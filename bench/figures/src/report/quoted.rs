//! Figures in the page's text, which come from the results as the tables do: so none of them is older than they are.
//!
//! `<!-- = ratio of codec: encode, typical | devalue 6.0.3, Node.js -->11.0×<!-- . -->` is what a reader sees as 11.0×. In
//! place of `ratio` may stand `ours` or `peer`. Where several rows have the name and the peer, the unit stands behind them.
//! `<!-- = missed -->` is how many targets are missed, and `<!-- = met -->` how many are met.

use anyhow::{Context as _, Result, bail};

use super::table::number;
use crate::comparison::Comparison;

const OPEN: &str = "<!-- = ";
const END: &str = " -->";
const CLOSE: &str = "<!-- . -->";

/// The text with each of its figures as the results have it.
///
/// # Errors
/// Where a figure is of no row, or has no end.
pub(super) fn quote(text: &str, rows: &[Comparison]) -> Result<String> {
    let mut parts = text.split(OPEN);
    let mut quoted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (what, rest) = part.split_once(END).context("a figure's mark has no end")?;
        let (_, behind) =
            rest.split_once(CLOSE).with_context(|| format!("the figure `{what}` has no end"))?;
        let figure = figure(what, rows)?;
        quoted += &format!("{OPEN}{what}{END}{figure}{CLOSE}{behind}");
    }
    Ok(quoted)
}

fn figure(what: &str, rows: &[Comparison]) -> Result<String> {
    let with_target = |met| rows.iter().filter(|row| row.target_met == Some(met)).count();
    match what {
        "missed" => return Ok(with_target(false).to_string()),
        "met" => return Ok(with_target(true).to_string()),
        _ => {}
    }
    let (kind, of) = what.split_once(" of ").with_context(|| format!("what is `{what}`?"))?;
    let mut fields = of.split(" | ");
    let (name, peer, unit) = (fields.next(), fields.next(), fields.next());
    let is_it = |row: &&Comparison| {
        Some(&*row.name) == name
            && row.peer_name.as_deref() == peer
            && unit.is_none_or(|unit| row.unit.name() == unit)
    };
    let mut found = rows.iter().filter(is_it);
    let row = found.next().with_context(|| format!("the results have no `{of}`"))?;
    if found.next().is_some() {
        bail!("the results have several of `{of}`: name the unit");
    }
    let missing = || format!("`{of}` has no {kind}");
    Ok(match kind {
        "ratio" => format!("{}×", number(row.ratio.with_context(missing)?)),
        "ours" => number(row.ours),
        "peer" => number(row.peer.with_context(missing)?),
        _ => bail!("a figure is `ratio`, `ours` or `peer`, and not {kind:?}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::Unit;
    use crate::measure::Series;

    fn rows() -> Vec<Comparison> {
        let series = |value| Series { name: "peer".to_owned(), samples: vec![value] };
        let row = |unit, ours, peer| Comparison::new("a: row", unit, &series(ours), &series(peer));
        vec![
            row(Unit::Nanoseconds, 100.0, 250.0).target(2.0),
            row(Unit::Allocations, 3.0, 1.5).target(1.0),
        ]
    }

    #[test]
    fn each_figure_is_the_results() {
        let text = "so <!-- = ratio of a: row | peer | ns -->9×<!-- . --> and <!-- = missed -->7<!-- . -->.";
        let quoted = quote(text, &rows()).unwrap();
        assert_eq!(
            quoted,
            "so <!-- = ratio of a: row | peer | ns -->2.50×<!-- . --> and <!-- = missed -->1<!-- . -->."
        );
        assert_eq!(quote(&quoted, &rows()).unwrap(), quoted);
        let ours = "<!-- = ours of a: row | peer | allocations --><!-- . -->";
        assert_eq!(figure("ours of a: row | peer | allocations", &rows()).unwrap(), "3.00");
        assert!(quote(ours, &rows()).unwrap().contains(">3.00<"));
    }

    #[test]
    fn a_figure_of_no_row_is_an_error() {
        for what in [
            "ratio of a: row | peer",
            "ratio of b: row | peer",
            "size of a: row | peer | ns",
            "all",
        ] {
            let text = format!("<!-- = {what} -->1<!-- . -->");
            assert!(quote(&text, &rows()).is_err(), "{what}");
        }
        assert!(quote("<!-- = missed -->1", &rows()).is_err());
    }
}
