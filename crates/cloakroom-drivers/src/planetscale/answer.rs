//! What the service answers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;

use crate::common::table::Row;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    result: Option<QueryResult>,
    pub(super) error: Option<Refusal>,
}

/// Numbers are written as texts, and left out where they are zero.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct QueryResult {
    rows_affected: Option<String>,
    rows: Vec<EncodedRow>,
}

/// The cells one after the other, in Base64, and how long each is: -1 for one that is null.
#[derive(Default, Deserialize)]
#[serde(default)]
struct EncodedRow {
    lengths: Vec<String>,
    values: String,
}

/// Why the database, or the service before it, did not do it.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    /// Of gRPC, such as `ALREADY_EXISTS`.
    #[serde(default)]
    pub(super) code: String,
    /// Has the statement, and with it the key.
    #[serde(default)]
    message: String,
}

impl Answer {
    /// How many rows were changed; `None` where the answer is none.
    pub(super) fn rows_affected(&self) -> Option<u64> {
        match &self.result.as_ref()?.rows_affected {
            Some(count) => count.parse().ok(),
            None => Some(0),
        }
    }

    /// The rows; `None` where the answer is none.
    pub(super) fn rows(&self) -> Option<Vec<Row>> {
        self.result.as_ref()?.rows.iter().map(EncodedRow::decode).collect()
    }
}

impl EncodedRow {
    fn decode(&self) -> Option<Row> {
        let mut rest = Bytes::from(STANDARD.decode(&self.values).ok()?);
        let mut cells = self.lengths.iter().map(|length| match length.parse::<i64>().ok()? {
            ..0 => Some(None),
            length => {
                let length = usize::try_from(length).ok().filter(|length| *length <= rest.len())?;
                Some(Some(rest.split_to(length)))
            }
        });
        let bytes = cells.next()??;
        let mut numbers = [None; 2];
        for (number, cell) in numbers.iter_mut().zip(cells) {
            *number = match cell? {
                Some(digits) => Some(std::str::from_utf8(&digits).ok()?.parse().ok()?),
                None => None,
            };
        }
        Some(Row { bytes, numbers })
    }
}

impl Refusal {
    /// MySQL's number of the error, which Vitess puts into its words.
    pub(super) fn number(&self) -> Option<u32> {
        let (_, rest) = self.message.split_once("(errno ")?;
        rest.split_once(')')?.0.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(json: &str) -> Answer {
        serde_json::from_str(json).expect("JSON")
    }

    #[test]
    fn rows_are_cut_out_of_their_text() {
        let answer = answer(
            r#"{ "result": { "fields": [], "rows": [
                { "lengths": ["2", "-1", "3"], "values": "aGktMTI=" },
                { "lengths": ["0"] }, { "lengths": ["-1"] } ] } }"#,
        );
        let rows = answer.rows().expect("rows");
        assert_eq!(
            (rows[0].bytes.as_deref(), rows[0].numbers),
            (Some(&b"hi"[..]), [None, Some(-12)])
        );
        assert_eq!(rows[1].bytes.as_deref(), Some(&b""[..]));
        assert_eq!(rows[2].bytes, None);
        assert_eq!(answer.rows_affected(), Some(0));
    }

    #[test]
    fn rows_that_are_none_are_no_panic() {
        for row in [
            r#"{ "lengths": ["9223372036854775807"], "values": "aGk=" }"#,
            r#"{ "lengths": ["x"], "values": "aGk=" }"#,
            r#"{ "lengths": ["1"], "values": "???" }"#,
            r#"{ "lengths": ["1", "1"], "values": "aGk=" }"#,
            r#"{ "lengths": [] }"#,
        ] {
            assert!(
                answer(&format!(r#"{{ "result": {{ "rows": [{row}] }} }}"#)).rows().is_none(),
                "{row}"
            );
        }
        assert!(answer("{}").rows().is_none());
        assert!(answer(r#"{ "result": { "rowsAffected": "x" } }"#).rows_affected().is_none());
    }

    #[test]
    fn a_refusal_has_mysqls_number_in_its_words() {
        let refused = answer(
            r#"{ "error": { "code": "ALREADY_EXISTS", "message":
                "target: shop.-.primary: vttablet: Duplicate entry 'x' (errno 1062) (sqlstate 23000)" } }"#,
        );
        assert_eq!(refused.error.and_then(|refusal| refusal.number()), Some(1062));
    }
}
