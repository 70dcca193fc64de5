//! The results as a table of Markdown.

use crate::comparison::Comparison;

/// A table of one group.
pub fn table(comparisons: &[Comparison]) -> String {
    let mut table = String::from(
        "| | unit | Cloakroom | peer | | ratio | spread | target |\n|---|---|--:|--:|---|--:|--:|---|\n",
    );
    for comparison in comparisons {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        let target = comparison.target.zip(comparison.target_met).map(|(target, met)| {
            format!("{}× {}", number(target), if met { "met" } else { "**missed**" })
        });
        table += &format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} |\n",
            comparison.name,
            comparison.unit.name(),
            number(comparison.ours),
            or_dash(comparison.peer.map(number)),
            comparison.peer_name.as_deref().unwrap_or_default(),
            or_dash(comparison.ratio.map(|ratio| format!("{}×", number(ratio)))),
            or_dash(comparison.spread.map(|spread| format!("{:.0}%", spread * 100.0))),
            or_dash(target),
        );
    }
    table
}

/// Puts a table between a group's marks; `None` where the text has none.
pub(super) fn replace(text: &str, group: &str, table: &str) -> Option<String> {
    let (open, close) = (format!("<!-- {group} -->\n"), format!("<!-- /{group} -->"));
    let (before, rest) = text.split_once(&open)?;
    let (_, after) = rest.split_once(&close)?;
    Some(format!("{before}{open}\n{table}\n{close}{after}"))
}

/// Three digits that count, and thousands apart.
pub(super) fn number(number: f64) -> String {
    let digits = match number.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{number:.digits$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut apart = String::new();
    for (place, digit) in whole.char_indices() {
        let left = whole.len() - place;
        if place > 0 && left.is_multiple_of(3) && digit.is_ascii_digit() && !apart.ends_with('-') {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_three_digits_that_count() {
        for (value, text) in [
            (0.1234, "0.12"),
            (12.34, "12.3"),
            (123.4, "123"),
            (1234.0, "1,234"),
            (149_289.0, "149,289"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn a_table_replaces_the_one_between_its_marks() {
        let text = "a\n<!-- codec -->\nold\n<!-- /codec -->\nb";
        let replaced = replace(text, "codec", "new\n");
        assert_eq!(replaced.as_deref(), Some("a\n<!-- codec -->\n\nnew\n\n<!-- /codec -->\nb"));
        assert_eq!(replace(text, "layer", "new"), None);
    }
}
