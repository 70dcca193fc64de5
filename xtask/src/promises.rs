//! What `docs/drivers.md` promises: every cell of its tables names the test that shows it.

use std::collections::BTreeMap;

/// The document, relative to the root.
pub(crate) const DOCUMENT: &str = "docs/drivers.md";

/// Where a test is: what a Markdown definition such as `[label]: ../path "test"` says.
#[derive(Clone, Copy, Debug)]
struct Evidence<'a> {
    path: &'a str,
    test: &'a str,
}

/// Checks the document's tables of drivers, with `read` giving the text of a file, or of all in a
/// folder, relative to the root.
pub(crate) fn check(
    document: &str,
    drivers: &[String],
    read: impl Fn(&str) -> Result<String, String>,
) -> Result<(), String> {
    let definitions: BTreeMap<_, _> = document.lines().filter_map(definition).collect();
    let rows: Vec<&str> = document.lines().filter(|line| line.starts_with("| `")).collect();
    for driver in drivers {
        if !rows.iter().any(|row| row.starts_with(&format!("| `{driver}`"))) {
            return Err(format!("{DOCUMENT} has no row for the driver `{driver}`"));
        }
    }
    for row in rows {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let driver = cells.next().unwrap_or_default();
        for (column, cell) in cells.enumerate() {
            if cell == "–" {
                continue;
            }
            let labels: Vec<&str> = labels(cell).collect();
            if labels.is_empty() {
                return Err(format!(
                    "{DOCUMENT}: {driver}, column {}: {cell:?} names no test",
                    column + 1
                ));
            }
            for label in labels {
                let Some(Evidence { path, test }) = definitions.get(label) else {
                    return Err(format!("{DOCUMENT}: {driver}: nothing defines [{label}]"));
                };
                let path = path.trim_start_matches("../");
                let text = read(path)?;
                // A test that a macro makes in a module is written `module::test`.
                if let Some(word) = test.split("::").find(|word| !has_word(&text, word)) {
                    return Err(format!("{DOCUMENT}: {driver}: {path} has no `{word}`"));
                }
            }
        }
    }
    Ok(())
}

/// `[yes][label]`
fn labels(cell: &str) -> impl Iterator<Item = &str> {
    cell.split("][").skip(1).filter_map(|rest| rest.split(']').next())
}

/// `[label]: ../path "test"`
fn definition(line: &str) -> Option<(&str, Evidence<'_>)> {
    let (label, rest) = line.strip_prefix('[')?.split_once("]: ")?;
    let (path, test) = rest.split_once(" \"")?;
    Some((label, Evidence { path, test: test.strip_suffix('"')? }))
}

fn has_word(text: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(word).any(|(start, _)| {
        !text[..start].ends_with(is_part) && !text[start + word.len()..].starts_with(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(document: &str) -> Result<(), String> {
        let drivers = ["memory".to_owned()];
        check(document, &drivers, |path| match path {
            "tests/memory.rs" => Ok("stores!(memory); fn memory_forgets() {}".to_owned()),
            _ => Err(format!("there is no {path}")),
        })
    }

    const DEFINITION: &str = "[shown]: ../tests/memory.rs \"stores::memory_forgets\"\n";

    #[test]
    fn a_cell_names_a_test_that_is_there() {
        assert_eq!(checked(&format!("| `memory` | – | [no][shown] |\n\n{DEFINITION}")), Ok(()));
    }

    #[test]
    fn a_cell_without_a_test_is_refused() {
        let refused = |document: &str, part: &str| {
            let reason = checked(document).unwrap_err();
            assert!(reason.contains(part), "{reason}");
        };
        refused("| `memory` | yes |", "names no test");
        refused("| `memory` | [yes][shown] |", "nothing defines [shown]");
        let wrong =
            |from, to| format!("| `memory` | [yes][shown] |\n{}", DEFINITION.replace(from, to));
        refused(&wrong("forgets", "forget"), "no `memory_forget`");
        refused(&wrong("tests/memory", "tests/other"), "there is no tests/other.rs");
        refused("| `other` | – |", "no row for the driver `memory`");
    }
}
