//! `If-Match` and `If-None-Match`.

use axum::http::StatusCode;
use axum::http::header::{AsHeaderName, HeaderMap, IF_MATCH, IF_NONE_MATCH};

use crate::refusal::Refusal;

/// On which condition a request is to be carried out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// On none.
    Always,
    /// `If-None-Match: *`
    Absent,
    /// `If-Match: *`
    Present,
    /// `If-Match` with tags, here without their quotes. Weak ones are left out: they match nothing that is written to.
    AnyOf(Vec<String>),
}

impl Condition {
    /// Reads the headers.
    ///
    /// # Errors
    /// When they say something that no store could keep.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Condition, Refusal> {
        let condition = match (list(headers, IF_MATCH), list(headers, IF_NONE_MATCH)) {
            (None, None) => Condition::Always,
            (None, Some(tags)) if tags == ["*"] => Condition::Absent,
            (Some(tags), None) if tags == ["*"] => Condition::Present,
            (Some(tags), None) => {
                let tags = tags.into_iter().filter_map(opaque).map(str::to_owned);
                Condition::AnyOf(tags.collect())
            }
            (_, Some(_)) => {
                return Err(unsupported(
                    "`If-None-Match` is for creating, as in `If-None-Match: *`",
                ));
            }
        };
        Ok(condition)
    }

    /// # Errors
    /// When there is a condition, for what has none.
    pub(crate) fn refuse(headers: &HeaderMap) -> Result<(), Refusal> {
        match Condition::of(headers)? {
            Condition::Always => Ok(()),
            _ => Err(unsupported("only one item's `PUT` and `DELETE` take a condition")),
        }
    }
}

pub(crate) fn unsupported(message: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_IMPLEMENTED, message)
}

/// The members of a list; `None` without the header. A tag with a comma comes apart, but none of ours has one.
fn list(headers: &HeaderMap, name: impl AsHeaderName) -> Option<Vec<&str>> {
    let values: Vec<_> = headers.get_all(name).iter().collect();
    let texts = values.iter().filter_map(|value| value.to_str().ok());
    (!values.is_empty()).then(|| texts.flat_map(|text| text.split(',')).map(str::trim).collect())
}

fn opaque(tag: &str) -> Option<&str> {
    tag.strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn condition(headers: &[(HeaderName, &'static str)]) -> Option<Condition> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), axum::http::HeaderValue::from_static(value)));
        Condition::of(&headers.collect()).ok()
    }

    #[test]
    fn conditions_are_those_of_http() {
        let any_of =
            |tags: &[&str]| Condition::AnyOf(tags.iter().map(|tag| (*tag).to_owned()).collect());
        for (headers, expected) in [
            (vec![], Some(Condition::Always)),
            (vec![(IF_NONE_MATCH, "*")], Some(Condition::Absent)),
            (vec![(IF_MATCH, "*")], Some(Condition::Present)),
            (vec![(IF_MATCH, "\"a\"")], Some(any_of(&["a"]))),
            (vec![(IF_MATCH, "\"a\" , \"b\"")], Some(any_of(&["a", "b"]))),
            (vec![(IF_MATCH, "W/\"a\"")], Some(any_of(&[]))),
            (vec![(IF_MATCH, "a")], Some(any_of(&[]))),
            (vec![(IF_MATCH, "")], Some(any_of(&[]))),
            (vec![(IF_NONE_MATCH, "\"a\"")], None),
            (vec![(IF_MATCH, "*"), (IF_NONE_MATCH, "*")], None),
        ] {
            assert_eq!(condition(&headers), expected, "{headers:?}");
        }
    }
}
