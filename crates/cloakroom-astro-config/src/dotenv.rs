//! Files of variables (`.env`), as far as all that read them read the same.
//!
//! Vite reads them by Node's parser since its version 8 and by the package `dotenv` before, and the crates for Rust read a
//! third language: they differ in quotes, escapes and in what stands behind a value. What is written so that they could
//! differ is not read at all.

use std::collections::BTreeMap;

/// The variables of one file, or of several.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables(BTreeMap<String, Written>);

/// A variable as it is written.
#[derive(Clone, Debug)]
struct Written {
    text: String,
    /// `.env:3`
    place: String,
    /// Whether there is a backslash, of which every reader makes something else.
    has_escapes: bool,
}

/// What is wrong, and in which line.
#[derive(Debug, PartialEq)]
pub(crate) struct Problem(pub(crate) String);

impl Problem {
    fn new(place: &str, what: &str) -> Problem {
        Problem(format!("{place} {what}"))
    }
}

impl Variables {
    /// Reads a file that messages call by this name.
    ///
    /// # Errors
    /// Where a line is not surely one variable, blank, or a comment.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Variables, Problem> {
        let mut variables = BTreeMap::new();
        for (index, line) in text.split('\n').enumerate() {
            let place = format!("{file}:{}", index + 1);
            let line = line.strip_suffix('\r').unwrap_or(line).trim_matches([' ', '\t']);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, text) = variable(line)
                .ok_or_else(|| Problem::new(&place, "is not written as every reader of such files reads it: write NAME=value, or NAME=\"value\" on one line"))?;
            let has_escapes = text.contains('\\');
            variables
                .insert(name.to_owned(), Written { text: text.to_owned(), place, has_escapes });
        }
        Ok(Variables(variables))
    }

    /// Takes the other ones, before those of the same names that are here.
    pub(crate) fn extend(&mut self, others: Variables) {
        self.0.extend(others.0);
    }

    /// What the variable says, letter by letter.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        let Some(written) = self.0.get(name) else { return Ok(None) };
        if written.has_escapes {
            return Err(Problem::new(
                &written.place,
                "has a backslash, of which not every reader of such files makes the same: write it without",
            ));
        }
        Ok(Some(&written.text))
    }

    /// What the variable says where `$OTHER` and `${OTHER}` stand for other variables, those of the environment first.
    pub(crate) fn expanded(
        &self,
        name: &str,
        environment: &mut dyn FnMut(&str) -> Result<Option<String>, Problem>,
    ) -> Result<Option<String>, Problem> {
        let Some(mut rest) = self.text(name)? else { return Ok(None) };
        let place = self.0.get(name).map(|written| written.place.as_str()).unwrap_or_default();
        let unclear = || {
            Problem::new(
                place,
                "has a `$` of which not every version of Vite makes the same: write the value out",
            )
        };
        let mut text = String::new();
        while let Some((before, after)) = rest.split_once('$') {
            text.push_str(before);
            let other = match after.strip_prefix('{') {
                Some(after) => {
                    let (other, after) = after.split_once('}').ok_or_else(unclear)?;
                    rest = after;
                    if name_length(other) != other.len() || other.is_empty() {
                        return Err(unclear());
                    }
                    other
                }
                None => {
                    let (other, after) = after.split_at(name_length(after));
                    rest = after;
                    if other.is_empty() {
                        text.push('$');
                        continue;
                    }
                    other
                }
            };
            let value = match environment(other)? {
                Some(value) => value,
                None => self.text(other)?.unwrap_or_default().to_owned(),
            };
            if value.contains(['$', '\\']) {
                return Err(unclear());
            }
            text.push_str(&value);
        }
        text.push_str(rest);
        // Vite looks once more at what it has put in, where that makes a name of a `$` before it: `$$OTHER`.
        let makes_a_name = |(dollar, _): (usize, &str)| {
            let after = text.get(dollar + 1..).unwrap_or_default();
            after.starts_with('{') || name_length(after) > 0
        };
        match text.match_indices('$').any(makes_a_name) {
            true => Err(unclear()),
            false => Ok(Some(text)),
        }
    }
}

/// How many letters of the beginning are a name.
fn name_length(text: &str) -> usize {
    if text.starts_with(|letter: char| letter.is_ascii_digit()) {
        return 0;
    }
    let is_other = |letter: char| !(letter.is_ascii_alphanumeric() || letter == '_');
    text.find(is_other).unwrap_or(text.len())
}

fn variable(line: &str) -> Option<(&str, &str)> {
    let line = match line.strip_prefix("export ") {
        Some(line) => line.trim_start_matches([' ', '\t']),
        None => line,
    };
    let (name, rest) = line.split_at(name_length(line));
    let value = rest.trim_start_matches([' ', '\t']).strip_prefix('=')?;
    let value = value.trim_start_matches([' ', '\t']);
    let is_odd = |letter: char| {
        letter != '\t'
            && (letter.is_control()
                || letter != ' ' && letter.is_whitespace()
                || letter == '\u{feff}')
    };
    if name.is_empty() || line.contains(is_odd) {
        return None;
    }
    for quote in ['"', '\''] {
        if let Some(quoted) = value.strip_prefix(quote) {
            let (text, rest) = quoted.split_once(quote)?;
            let rest = rest.trim_start_matches([' ', '\t']);
            let is_end =
                rest.is_empty() || rest.starts_with('#') && !rest.contains(['"', '\'', '`']);
            // A quote that is escaped is none for some.
            return (is_end && !text.ends_with('\\')).then_some((name, text));
        }
    }
    if value.contains(['"', '\'', '`']) {
        return None;
    }
    let text = value.split('#').next().unwrap_or_default();
    Some((name, text.trim_end_matches([' ', '\t'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(file: &str) -> Option<String> {
        let variables = Variables::parse(".env", file).ok()?;
        variables.text("A").ok()?.map(str::to_owned)
    }

    fn expanded(file: &str) -> Result<Option<String>, Problem> {
        let variables = Variables::parse(".env", file)?;
        variables.expanded("A", &mut |name| Ok((name == "HOME").then(|| "/root".to_owned())))
    }

    #[test]
    fn a_line_is_a_variable() {
        for (file, expected) in [
            ("A=b", "b"),
            ("export A = b c \r\n", "b c"),
            ("# A=a\n\n\tA=b # c", "b"),
            ("A=b#c", "b"),
            ("A='b # $c' # d", "b # $c"),
            ("A=\"b 'c'\"", "b 'c'"),
            ("A=", ""),
            ("A=1\nA=2", "2"),
            ("A=redis://me:pw@cache:6379/1?a=b", "redis://me:pw@cache:6379/1?a=b"),
        ] {
            assert_eq!(text(file).as_deref(), Some(expected), "{file}");
        }
    }

    #[test]
    fn what_some_read_otherwise_is_not_read() {
        for file in [
            "A",
            "A: b",
            "A=\"b\nc\"",
            "A=`b`",
            "A=b'c",
            "A='b'c",
            "A=\"b\\\"c\"",
            "A=\"b\\nc\"",
            "A=b\\c",
            "1A=b",
            "A=b\nB",
            "\u{feff}A=b",
            "A=b\u{a0}",
            "A='b' # it's",
        ] {
            assert_eq!(text(file), None, "{file}");
        }
        // Another variable with a backslash is nothing to this one.
        assert_eq!(text("A=b\nKEY=\"-----BEGIN\\nabc\"").as_deref(), Some("b"));
    }

    #[test]
    fn a_dollar_stands_for_another_variable() {
        assert_eq!(expanded("A=$HOME/${B}-$C.$\nB=b"), Ok(Some("/root/b-.$".to_owned())));
        for file in
            ["A=${B:-c}", "A=$B\nB=$C", "A=${B", "A=$B\nB='\\$'", "A=$$B\nB=b", "A=$${B}\nB={c}"]
        {
            assert!(expanded(file).is_err(), "{file}");
        }
    }
}
