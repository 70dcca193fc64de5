//! A statement with its arguments in it, where a database cannot be given them beside it.

use super::dialect::Dialect;
use super::statement::{Argument, Arguments, Statement};

/// The statement's SQL, each placeholder replaced by what is sent for it.
///
/// Texts and bytes are written as hexadecimal digits: there is nothing to escape then, whatever the server's settings,
/// and nothing in a key or a value can be taken for SQL.
pub(crate) fn written(statement: &Statement, arguments: &Arguments<'_>) -> String {
    let dialect = statement.dialect();
    let sent: Vec<Argument<'_>> = statement.arguments(arguments).collect();
    let mark = if dialect == Dialect::Postgres { '$' } else { '?' };
    let mut pieces = statement.sql().split(mark);
    let mut sql = pieces.next().unwrap_or_default().to_owned();
    for (position, piece) in pieces.enumerate() {
        let (number, rest) = piece.split_at(piece.bytes().take_while(u8::is_ascii_digit).count());
        let index = number.parse().map_or(position, |number: usize| number.saturating_sub(1));
        if let Some(argument) = sent.get(index) {
            push(&mut sql, dialect, argument);
        }
        sql.push_str(rest);
    }
    sql
}

fn push(sql: &mut String, dialect: Dialect, argument: &Argument<'_>) {
    match argument {
        Argument::Text(Some(text)) => {
            let around = match dialect {
                Dialect::Postgres => ("convert_from(decode('", "', 'hex'), 'UTF8')"),
                Dialect::MySql => ("_utf8mb4 x'", "'"),
                Dialect::Sqlite => ("CAST(x'", "' AS TEXT)"),
            };
            push_hexadecimal(sql, around, text.as_bytes());
        }
        Argument::Bytes(Some(bytes)) => push_bytes(sql, dialect, bytes),
        Argument::OwnedBytes(bytes) => push_bytes(sql, dialect, bytes),
        Argument::Integer(Some(integer)) if dialect == Dialect::Postgres => {
            sql.push_str(&format!("CAST('{integer}' AS BIGINT)"));
        }
        Argument::Integer(Some(integer)) => sql.push_str(&integer.to_string()),
        Argument::Text(None) | Argument::Bytes(None) | Argument::Integer(None) => {
            sql.push_str(match (dialect, argument) {
                (Dialect::Postgres, Argument::Text(_)) => "CAST(NULL AS TEXT)",
                (Dialect::Postgres, Argument::Bytes(_)) => "CAST(NULL AS BYTEA)",
                (Dialect::Postgres, _) => "CAST(NULL AS BIGINT)",
                _ => "NULL",
            });
        }
    }
}

fn push_bytes(sql: &mut String, dialect: Dialect, bytes: &[u8]) {
    let around = match dialect {
        Dialect::Postgres => ("decode('", "', 'hex')"),
        Dialect::MySql | Dialect::Sqlite => ("x'", "'"),
    };
    push_hexadecimal(sql, around, bytes);
}

fn push_hexadecimal(sql: &mut String, (before, after): (&str, &str), bytes: &[u8]) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    sql.reserve(before.len() + 2 * bytes.len() + after.len());
    sql.push_str(before);
    for byte in bytes {
        sql.push(DIGITS[usize::from(byte >> 4)]);
        sql.push(DIGITS[usize::from(byte & 0xf)]);
    }
    sql.push_str(after);
}

/// The bytes that PostgreSQL wrote as a text, in the form that its setting `bytea_output` says. `None` where it is none.
#[cfg_attr(not(feature = "postgres"), allow(dead_code))]
pub(crate) fn read_bytea(text: &[u8]) -> Option<Vec<u8>> {
    // In the other form a backslash is followed by another one, or by digits.
    match text.strip_prefix(b"\\x") {
        Some(digits) => read_hexadecimal(digits),
        None => read_escaped(text),
    }
}

fn read_hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let pairs = digits.chunks(2).map(|pair| match *pair {
        [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
        _ => None,
    });
    pairs.collect()
}

fn read_escaped(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(8);
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let (byte, after) = match (first, after) {
            (b'\\', [b'\\', after @ ..]) => (b'\\', after),
            (b'\\', [a, b, c, after @ ..]) => {
                let byte = digit(*a)? << 6 | digit(*b)? << 3 | digit(*c)?;
                (u8::try_from(byte).ok()?, after)
            }
            (b'\\', _) => return None,
            (byte, after) => (*byte, after),
        };
        bytes.push(byte);
        rest = after;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "SELECT `a` FROM `t` WHERE `id` = :key AND :value <> '' AND :ttl < 1 \
                            OR :key = '' LIMIT :limit";
    const ARGUMENTS: Arguments<'_> = Arguments {
        key: "'?$1\\\"ö",
        value: b"\x00'",
        version: 0,
        seen_version: 0,
        seen: b"",
        ttl: None,
        limit: -7,
        after: "",
        prefix: "",
    };

    #[test]
    fn nothing_in_an_argument_is_sql() {
        let sql = |dialect| written(&Statement::new(dialect, TEMPLATE), &ARGUMENTS);
        assert_eq!(
            sql(Dialect::MySql),
            "SELECT `a` FROM `t` WHERE `id` = _utf8mb4 x'273f24315c22c3b6' AND x'0027' <> '' AND NULL < 1 \
             OR _utf8mb4 x'273f24315c22c3b6' = '' LIMIT -7"
        );
        assert_eq!(
            sql(Dialect::Postgres),
            "SELECT \"a\" FROM \"t\" WHERE \"id\" = convert_from(decode('273f24315c22c3b6', 'hex'), 'UTF8') \
             AND decode('0027', 'hex') <> '' AND CAST(NULL AS BIGINT) < 1 \
             OR convert_from(decode('273f24315c22c3b6', 'hex'), 'UTF8') = '' LIMIT CAST('-7' AS BIGINT)"
        );
        assert_eq!(
            sql(Dialect::Sqlite),
            "SELECT `a` FROM `t` WHERE `id` = CAST(x'273f24315c22c3b6' AS TEXT) AND x'0027' <> '' AND NULL < 1 \
             OR CAST(x'273f24315c22c3b6' AS TEXT) = '' LIMIT -7"
        );
    }

    #[test]
    fn both_of_postgresqls_forms_of_bytes_are_read() {
        for (text, bytes) in [
            (&b"\\x"[..], &b""[..]),
            (b"\\x00ff5c", b"\x00\xff\\"),
            (b"", b""),
            (b"[\"a\"]", b"[\"a\"]"),
            (b"\\\\x41", b"\\x41"),
            (b"\\000a\\377\\\\", b"\x00a\xff\\"),
        ] {
            assert_eq!(read_bytea(text).as_deref(), Some(bytes));
        }
        for text in [&b"\\x0"[..], b"\\xzz", b"\\", b"\\9", b"\\777", b"\\08"] {
            assert_eq!(read_bytea(text), None);
        }
    }
}
