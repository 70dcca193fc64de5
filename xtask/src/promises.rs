//! What `docs/drivers.md` promises: every cell of its tables names the test that shows it.

/// The document, relative to the root.
pub(crate) const DOCUMENT: &str = "docs/drivers.md";

/// A Markdown link with a title: `[yes](../path "test")`.
#[derive(Debug, PartialEq)]
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
            let evidence = evidence(cell);
            if evidence.is_empty() {
                return Err(format!(
                    "{DOCUMENT}: {driver}, column {}: {cell:?} names no test",
                    column + 1
                ));
            }
            for Evidence { path, test } in evidence {
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

fn evidence(cell: &str) -> Vec<Evidence<'_>> {
    let links = cell.split("](").skip(1).filter_map(|rest| rest.split_once(" \""));
    links
        .filter_map(|(path, rest)| rest.split_once("\")").map(|(test, _)| Evidence { path, test }))
        .collect()
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

    #[test]
    fn a_cell_names_a_test_that_is_there() {
        assert_eq!(
            checked("| `memory` | – | [no](../tests/memory.rs \"memory_forgets\") |"),
            Ok(())
        );
        assert_eq!(
            checked("| `memory` | [no](../tests/memory.rs \"memory::memory_forgets\") |"),
            Ok(())
        );
    }

    #[test]
    fn a_cell_without_a_test_is_refused() {
        let refused = |document: &str, part: &str| {
            let reason = checked(document).unwrap_err();
            assert!(reason.contains(part), "{reason}");
        };
        refused("| `memory` | yes |", "names no test");
        refused("| `memory` | [yes](../tests/memory.rs) |", "names no test");
        refused("| `memory` | [yes](../tests/memory.rs \"memory_forget\") |", "no `memory_forget`");
        refused("| `memory` | [yes](../tests/other.rs \"x\") |", "there is no tests/other.rs");
        refused("| `other` | – |", "no row for the driver `memory`");
    }
}
