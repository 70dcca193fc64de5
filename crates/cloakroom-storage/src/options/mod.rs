//! A driver's options, from JSON.

mod given;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use crate::{Error, ErrorKind, Operation, Result};

/// Reads a driver's options. A key that the type does not know, or a value that does not fit, is an error
/// that names it. A `null` counts as not given, since that is what JavaScript's `undefined` becomes. A text is also read as
/// the number, switch, list or table that it spells, where that is wanted. `siteID` goes by `siteId` too: that is all that a
/// variable of the environment, which has no small letters, can say.
///
/// # Errors
/// With [`ErrorKind::InvalidOptions`].
pub fn parse<T: DeserializeOwned>(driver: &'static str, options: &Map<String, Value>) -> Result<T> {
    let (mut current, mut unknown) = (None, None);
    let given = Options { options, current: &mut current, unknown: &mut unknown };
    T::deserialize(given).map_err(|error| match (current, unknown) {
        (Some(key), _) => invalid(driver, format!("option `{key}`: {error}")).with_option(key),
        (None, Some(key)) => invalid(driver, error.to_string()).with_option(key),
        (None, None) => invalid(driver, error.to_string()),
    })
}

/// An error about options.
pub fn invalid(driver: &'static str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOptions, message)
        .with_driver(driver)
        .with_operation(Operation::Open)
}

/// The candidate that `given` was probably meant to be.
pub fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&given, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

/// Hands the options to a struct, remembering which one is being read, or which there is not.
struct Options<'a, 'c> {
    options: &'a Map<String, Value>,
    current: &'c mut Option<&'a str>,
    unknown: &'c mut Option<&'a str>,
}

impl<'de> Deserializer<'de> for Options<'de, '_> {
    type Error = serde_json::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        if let Some(unknown) = self.options.keys().find(|key| field(key, fields).is_none()) {
            let hint = match nearest(unknown, fields.iter().copied()) {
                Some(field) => format!("did you mean `{field}`?"),
                None if fields.is_empty() => "there are none".to_owned(),
                None => format!("known are `{}`", fields.join("`, `")),
            };
            *self.unknown = Some(unknown);
            return Err(serde::de::Error::custom(format!("no such option `{unknown}`; {hint}")));
        }
        self.entries(fields, visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.entries(&[], visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de> Options<'de, '_> {
    fn entries<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, serde_json::Error> {
        let Options { options, current, .. } = self;
        let entries = options.iter();
        visitor.visit_map(Entries { fields, entries, value: &Value::Null, current })
    }
}

/// The field that a key means.
fn field(key: &str, fields: &'static [&'static str]) -> Option<&'static str> {
    let exact = fields.iter().find(|field| **field == key);
    exact.or_else(|| fields.iter().find(|field| is_spelled(key, field))).copied()
}

/// Whether a key is this name with its abbreviations written as words are: `apiUrl` for `apiURL`.
fn is_spelled(key: &str, name: &str) -> bool {
    let mut before = None;
    let mut letters = name.chars().peekable();
    let mut given = key.chars();
    while let Some(letter) = letters.next() {
        let is_large = |letter: Option<char>| letter.is_some_and(|letter| letter.is_uppercase());
        let is_within = is_large(before) && is_large(Some(letter));
        let begins_word = letters.peek().is_some_and(|after| after.is_lowercase());
        let is_same = |given: char| {
            given == letter || is_within && !begins_word && given == letter.to_ascii_lowercase()
        };
        if !given.next().is_some_and(is_same) {
            return false;
        }
        before = Some(letter);
    }
    given.next().is_none()
}

struct Entries<'a, 'c> {
    fields: &'static [&'static str],
    entries: serde_json::map::Iter<'a>,
    value: &'a Value,
    current: &'c mut Option<&'a str>,
}

impl<'a> MapAccess<'a> for Entries<'a, '_> {
    type Error = serde_json::Error;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Self::Error> {
        *self.current = None;
        let Some((key, value)) = self.entries.find(|(_, value)| !value.is_null()) else {
            return Ok(None);
        };
        self.value = value;
        *self.current = Some(key);
        let name = field(key, self.fields).unwrap_or(key);
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Self::Error> {
        seed.deserialize(given::Given(self.value))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Example {
        base: String,
        #[serde(default)]
        read_only: bool,
    }

    fn parse_example(options: Value) -> Result<Example, String> {
        parse("example", options.as_object().expect("an object")).map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_read_by_their_javascript_names() {
        let example = Example { base: "x".into(), read_only: true };
        assert_eq!(parse_example(json!({"base": "x", "readOnly": true})), Ok(example));
    }

    #[test]
    fn an_abbreviation_may_be_written_as_a_variable_of_the_environment_has_it() {
        for (key, name) in [
            ("siteId", "siteID"),
            ("noUpdateTtl", "noUpdateTTL"),
            ("uncachedEdgeUrl", "uncachedEdgeURL"),
            ("enableTlsForSentinelMode", "enableTLSForSentinelMode"),
        ] {
            assert!(is_spelled(key, name) && is_spelled(name, name), "{key}");
        }
        for (key, name) in [
            ("siteid", "siteID"),
            ("SiteID", "siteID"),
            ("siteI", "siteID"),
            ("siteIdx", "siteID"),
            ("readonly", "readOnly"),
            ("enableTlsforSentinelMode", "enableTLSForSentinelMode"),
        ] {
            assert!(!is_spelled(key, name), "{key}");
        }
        #[derive(Debug, Deserialize, PartialEq)]
        struct Site {
            #[serde(rename = "siteID")]
            id: String,
        }
        let options = json!({ "siteId": "a" });
        let site = parse::<Site>("example", options.as_object().expect("an object"));
        assert_eq!(site.map_err(|error| error.to_string()), Ok(Site { id: "a".into() }));
    }

    #[test]
    fn null_is_as_if_it_were_not_there() {
        let example = Example { base: "x".into(), read_only: false };
        assert_eq!(parse_example(json!({"base": "x", "readOnly": null})), Ok(example));
    }

    #[test]
    fn an_unknown_option_is_named_with_the_nearest_right_one() {
        let error =
            parse_example(json!({"base": "x", "readonly": true})).expect_err("a wrong name");
        assert!(
            error.contains("`readonly`") && error.contains("did you mean `readOnly`?"),
            "{error}"
        );
        let error = parse_example(json!({"base": "x", "zzz": true})).expect_err("a wrong name");
        assert!(error.contains("known are `base`, `readOnly`"), "{error}");
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_with_its_option() {
        let error =
            parse_example(json!({"base": "x", "readOnly": "yes"})).expect_err("a wrong type");
        assert!(
            error.contains("option `readOnly`: invalid type: a text, expected a boolean"),
            "{error}"
        );
    }

    #[test]
    fn the_option_that_is_wrong_can_be_told_from_the_others() {
        let wrong = |options: Value| {
            let options = options.as_object().expect("an object");
            let error = parse::<Example>("example", options).expect_err("a wrong option");
            error.option().map(str::to_owned)
        };
        assert_eq!(wrong(json!({"base": "x", "readonly": true})), Some("readonly".to_owned()));
        assert_eq!(wrong(json!({"base": "x", "readOnly": "yes"})), Some("readOnly".to_owned()));
        assert_eq!(wrong(json!({"readOnly": true})), None);
    }

    #[test]
    fn a_missing_option_is_named() {
        let error = parse_example(json!({})).expect_err("no base");
        assert!(error.contains("missing field `base`"), "{error}");
    }
}
