//! The names of tables.

use super::dialect::Dialect;
use cloakroom_storage::{Error, Result, options};

/// The longest name, with room for an index's: PostgreSQL takes 63 letters.
const LONGEST: usize = 48;

/// Refuses what is no plain name, since it goes into the SQL as it is. A schema may stand before it, and a dot.
///
/// # Errors
/// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions).
pub(crate) fn check(driver: &'static str, option: &str, name: &str) -> Result<()> {
    let is_plain = |part: &str| is_plain(part) && part.len() <= LONGEST;
    if name.split('.').count() <= 2 && name.split('.').all(is_plain) {
        return Ok(());
    }
    Err(invalid(driver, option))
}

/// Whether it can stand in SQL, and in a template of it, as it is.
pub(crate) fn is_plain(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// The name of a table without its schema.
pub(crate) fn without_schema(table: &str) -> &str {
    table.rsplit('.').next().unwrap_or(table)
}

/// The name of the index of a table's deadlines. It lives in the table's schema, and SQLite alone wants to be told so.
pub(crate) fn of_index(dialect: Dialect, table: &str) -> String {
    let index = format!("{}_expires_at", without_schema(table));
    match table.split_once('.') {
        Some((schema, _)) if dialect == Dialect::Sqlite => format!("{schema}.{index}"),
        _ => index,
    }
}

fn invalid(driver: &'static str, option: &str) -> Error {
    let message = format!(
        "option `{option}` has to be a name of at most {LONGEST} letters, digits and `_`, \
         or a schema, a dot and such a name"
    );
    options::invalid(driver, message)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn plain_names_are_taken_and_nothing_else() {
        for name in ["cloakroom_sessions", "_a1", "app.sessions"] {
            assert!(check("sql", "table", name).is_ok(), "{name}");
        }
        let long = "x".repeat(49);
        for name in ["", "a.", ".a", "a.b.c", "1a", "a b", "a;--", "a\"", "a`", "tä", &long] {
            assert!(check("sql", "table", name).is_err(), "{name}");
        }
    }
}
