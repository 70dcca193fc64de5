//! A statement with its arguments in it, since PlanetScale takes no others.

use crate::table::{Argument, Arguments, Statement};

/// The statement's SQL, each placeholder replaced by what is sent for it.
///
/// Texts and bytes are written as hexadecimal digits: there is nothing to escape then, whatever the server's mode, and
/// nothing in a key or a value can be taken for SQL.
pub(super) fn written(statement: &Statement, arguments: &Arguments<'_>) -> String {
    let mut pieces = statement.sql().split('?');
    let mut sql = pieces.next().unwrap_or_default().to_owned();
    for (piece, argument) in pieces.zip(statement.arguments(arguments)) {
        push(&mut sql, &argument);
        sql.push_str(piece);
    }
    sql
}

fn push(sql: &mut String, argument: &Argument<'_>) {
    match argument {
        Argument::Text(Some(text)) => push_hexadecimal(sql, "_utf8mb4 x", text.as_bytes()),
        Argument::OwnedText(text) => push_hexadecimal(sql, "_utf8mb4 x", text.as_bytes()),
        Argument::Bytes(Some(bytes)) => push_hexadecimal(sql, "x", bytes),
        Argument::OwnedBytes(bytes) => push_hexadecimal(sql, "x", bytes),
        Argument::Integer(Some(integer)) => sql.push_str(&integer.to_string()),
        Argument::Text(None) | Argument::Bytes(None) | Argument::Integer(None) => {
            sql.push_str("NULL")
        }
    }
}

fn push_hexadecimal(sql: &mut String, prefix: &str, bytes: &[u8]) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    sql.reserve(prefix.len() + 2 * bytes.len() + 2);
    sql.push_str(prefix);
    sql.push('\'');
    for byte in bytes {
        sql.push(DIGITS[usize::from(byte >> 4)]);
        sql.push(DIGITS[usize::from(byte & 0xf)]);
    }
    sql.push('\'');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Dialect;

    #[test]
    fn nothing_in_an_argument_is_sql() {
        let statement = Statement::new(
            Dialect::MySql,
            "SELECT `a` FROM `t` WHERE `id` = :key AND :value <> '' AND :ttl < 1 LIMIT :limit",
        );
        let arguments =
            Arguments { key: "'?\\\"ö", value: b"\x00'", limit: -7, ..Arguments::default() };
        assert_eq!(
            written(&statement, &arguments),
            "SELECT `a` FROM `t` WHERE `id` = _utf8mb4 x'273f5c22c3b6' AND x'0027' <> '' AND NULL < 1 LIMIT -7"
        );
    }
}
