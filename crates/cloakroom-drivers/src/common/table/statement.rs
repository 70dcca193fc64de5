//! SQL with named parameters, and what they are given.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::dialect::Dialect;

/// One statement in one database's words, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    dialect: Dialect,
    sql: Arc<str>,
    parameters: Vec<Parameter>,
    writes: bool,
}

impl Statement {
    /// Makes a statement of `template`, in which names are quoted as MySQL quotes them, and parameters are written
    /// `:name`.
    pub(crate) fn new(dialect: Dialect, template: &str) -> Statement {
        let mut sql = String::with_capacity(template.len());
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut pieces = template.split(':');
        sql.extend(pieces.next());
        for piece in pieces {
            let (parameter, rest) = Parameter::read(piece);
            let known = parameters.iter().position(|known| *known == parameter);
            let index = match known.filter(|_| dialect.numbers_placeholders()) {
                Some(index) => index,
                None => {
                    parameters.push(parameter);
                    parameters.len() - 1
                }
            };
            sql.push_str(&dialect.placeholder(index + 1));
            sql.push_str(rest);
        }
        let writes = !sql.trim_start().starts_with("SELECT");
        Statement { dialect, sql: dialect.quote(&sql).into(), parameters, writes }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(crate) fn sql(&self) -> &Arc<str> {
        &self.sql
    }

    /// What is sent for the placeholders, in their order.
    pub(crate) fn arguments<'a>(
        &self,
        arguments: &Arguments<'a>,
    ) -> impl Iterator<Item = Argument<'a>> {
        self.parameters.iter().map(|parameter| arguments.get(*parameter))
    }

    pub(crate) fn writes(&self) -> bool {
        self.writes
    }
}

/// A name after a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parameter {
    After,
    Blob,
    Key,
    Limit,
    Mark,
    Prefix,
    Seen,
    SeenVersion,
    Text,
    Ttl,
    Value,
    Version,
}

impl Parameter {
    /// The parameter whose name begins `text`, and what follows.
    fn read(text: &str) -> (Parameter, &str) {
        let is_name = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        let (name, rest) =
            text.split_at(text.find(|letter| !is_name(letter)).unwrap_or(text.len()));
        let parameter = match name {
            "after" => Parameter::After,
            "blob" => Parameter::Blob,
            "key" => Parameter::Key,
            "limit" => Parameter::Limit,
            "mark" => Parameter::Mark,
            "prefix" => Parameter::Prefix,
            "seen" => Parameter::Seen,
            "seen_version" => Parameter::SeenVersion,
            "text" => Parameter::Text,
            "ttl" => Parameter::Ttl,
            "value" => Parameter::Value,
            "version" => Parameter::Version,
            _ => unreachable!("the SQL of this crate has the parameter `{name}`"),
        };
        (parameter, rest)
    }
}

/// What the parameters of a call are.
#[derive(Clone, Copy, Default)]
pub(crate) struct Arguments<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: &'a [u8],
    /// The version that is written.
    pub(crate) version: i64,
    /// The version that was read.
    pub(crate) seen_version: i64,
    /// The bytes that were read.
    pub(crate) seen: &'a [u8],
    /// Milliseconds.
    pub(crate) ttl: Option<i64>,
    pub(crate) limit: i64,
    pub(crate) after: &'a str,
    pub(crate) prefix: &'a str,
}

/// What is sent for a parameter.
pub(crate) enum Argument<'a> {
    Text(Option<&'a str>),
    Bytes(Option<&'a [u8]>),
    OwnedBytes(Vec<u8>),
    Integer(Option<i64>),
}

impl<'a> Arguments<'a> {
    fn get(&self, parameter: Parameter) -> Argument<'a> {
        match parameter {
            Parameter::After => Argument::Text(Some(self.after)),
            Parameter::Blob => Argument::Bytes(self.text().is_none().then_some(self.value)),
            Parameter::Key => Argument::Text(Some(self.key)),
            Parameter::Limit => Argument::Integer(Some(self.limit)),
            Parameter::Mark => Argument::OwnedBytes(Sha256::digest(self.value).to_vec()),
            Parameter::Prefix => Argument::Text(Some(self.prefix)),
            Parameter::Seen => Argument::Bytes(Some(self.seen)),
            Parameter::SeenVersion => Argument::Integer(Some(self.seen_version)),
            Parameter::Text => Argument::Text(self.text()),
            Parameter::Ttl => Argument::Integer(self.ttl),
            Parameter::Value => Argument::Bytes(Some(self.value)),
            Parameter::Version => Argument::Integer(Some(self.version)),
        }
    }

    /// The value, where every database takes it for a text.
    fn text(&self) -> Option<&'a str> {
        std::str::from_utf8(self.value).ok().filter(|text| !text.contains('\0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "SELECT `a` FROM `t` WHERE `key` = :key AND :ttl > :limit OR :key = ''";

    #[test]
    fn each_database_gets_its_own_placeholders_and_quotes() {
        let sql = |dialect| Statement::new(dialect, TEMPLATE).sql().to_string();
        assert_eq!(
            sql(Dialect::Postgres),
            "SELECT \"a\" FROM \"t\" WHERE \"key\" = $1 AND $2 > $3 OR $1 = ''"
        );
        assert_eq!(
            sql(Dialect::Sqlite),
            "SELECT `a` FROM `t` WHERE `key` = ?1 AND ?2 > ?3 OR ?1 = ''"
        );
        assert_eq!(sql(Dialect::MySql), "SELECT `a` FROM `t` WHERE `key` = ? AND ? > ? OR ? = ''");
    }

    #[test]
    fn what_has_no_number_is_sent_as_often_as_it_stands_there() {
        use Parameter::{Key, Limit, Ttl};
        let sent = |dialect| Statement::new(dialect, TEMPLATE).parameters;
        assert_eq!(sent(Dialect::Postgres), [Key, Ttl, Limit]);
        assert_eq!(sent(Dialect::MySql), [Key, Ttl, Limit, Key]);
    }

    #[test]
    fn a_value_is_sent_as_a_text_where_it_is_one() {
        let of = |value| {
            let arguments = Arguments { value, ..Arguments::default() };
            match (arguments.get(Parameter::Text), arguments.get(Parameter::Blob)) {
                (Argument::Text(text), Argument::Bytes(bytes)) => (text, bytes),
                _ => unreachable!("a text and bytes"),
            }
        };
        assert_eq!(of("grüße".as_bytes()), (Some("grüße"), None));
        assert_eq!(of(b""), (Some(""), None));
        assert_eq!(of(b"\xff"), (None, Some(&b"\xff"[..])));
        assert_eq!(of(b"a\0"), (None, Some(&b"a\0"[..])));
    }
}
