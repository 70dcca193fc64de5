//! A configuration before it is understood: the tables of files and of the environment, and how one goes over another.

use std::path::Path;

use cloakroom_drivers::DriverInfo;
use serde_json::{Map, Number, Value};

use super::adapter::Adapter;
use super::fields::{self, Fields, Unusable, kind};
use crate::error::{Error, Result};

/// What a module's name begins with that is one of unstorage's drivers.
const UNSTORAGE: &str = "unstorage/drivers/";

/// Reads TOML. Its errors show no line and keep no cause, which has the whole text: there may be a password in it.
pub(super) fn toml(text: &str) -> Result<Map<String, Value>> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
        let message = error.message();
        Error::config(format!(
            "the configuration is not TOML: line {line}, column {column}: {message}"
        ))
    })?;
    Ok(map(String::new(), table)?)
}

fn map(path: String, table: toml::Table) -> fields::Result<Map<String, Value>> {
    let values = table.into_iter().map(|(key, value)| {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        Ok((key, value_of(path, value)?))
    });
    values.collect()
}

/// A value as JSON has it. JSON has no word for some, and making `null` of them would take them for not set.
fn value_of(path: String, value: toml::Value) -> fields::Result<Value> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => match Number::from_f64(number) {
            Some(number) => number.into(),
            None => {
                let message = format!("{path} is {number}: it must be a finite number");
                return Err(Unusable::new(path, message));
            }
        },
        toml::Value::Boolean(value) => value.into(),
        toml::Value::Datetime(time) => {
            let message = format!("{path} is {time}, a date: put it in quotes if it is a text");
            return Err(Unusable::new(path, message));
        }
        toml::Value::Array(values) => {
            let values = values.into_iter().map(|value| value_of(path.clone(), value));
            values.collect::<fields::Result<Vec<_>>>()?.into()
        }
        toml::Value::Table(table) => map(path, table)?.into(),
    })
}

/// Reads JSON.
pub(super) fn json(text: &str) -> Result<Map<String, Value>> {
    let value = serde_json::from_str(text).map_err(|error| {
        Error::config(format!("the configuration is not JSON: {error}")).with_source(error)
    })?;
    match value {
        Value::Object(map) => Ok(map),
        other => Err(Error::config(format!(
            "the configuration is {}: it must be a JSON object",
            kind(&other)
        ))),
    }
}

/// Reads a file by its extension.
pub(super) fn file(path: &Path) -> Result<Map<String, Value>> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::config(error.to_string()).with_source(error))?;
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => toml(&text),
        Some("json") => json(&text),
        _ => Err(Error::config(
            "the file's name must end with .toml or .json, or be an Astro site's configuration",
        )),
    }
}

/// Brings each setting into one form, so that tables can be merged: the driver is a name beside its `options`, and the
/// cookie a table. A file may hold Astro's `session` object alone, or be the object itself.
pub(super) fn in_one_form(mut map: Map<String, Value>) -> fields::Result<Map<String, Value>> {
    let is_alone = map.len() == 1;
    if let Some(Value::Object(session)) = map.get_mut("session")
        && is_alone
    {
        map = std::mem::take(session);
    }
    if let Some(Value::String(name)) = map.get_mut("cookie") {
        let name = Value::String(std::mem::take(name));
        map.insert("cookie".to_owned(), Map::from_iter([("name".to_owned(), name)]).into());
    }
    match map.get_mut("driver") {
        Some(Value::String(name)) => *name = driver_name(name),
        Some(Value::Object(driver)) => {
            let (name, options) = driver_table(std::mem::take(driver))?;
            map.insert("driver".to_owned(), name.into());
            // `options` are for a driver that is a name, as in Astro.
            map.insert("options".to_owned(), options.into());
        }
        _ => {}
    }
    Ok(map)
}

/// Astro 6's `{ entrypoint, config }`: the driver's name and its options.
fn driver_table(driver: Map<String, Value>) -> fields::Result<(String, Map<String, Value>)> {
    let mut fields = Fields::new("driver.", driver);
    let entrypoint = fields.string("entrypoint")?.ok_or_else(|| {
        Unusable::new(
            "driver",
            "driver is a table without `entrypoint`: name the driver, such as \"fs-lite\"",
        )
    })?;
    let options = fields.table("config")?.unwrap_or_default();
    fields.finish()?;
    Ok((driver_name(&entrypoint), options))
}

/// The name of one of unstorage's drivers alone; a module of anybody else's keeps its whole name, so that it is not taken
/// for one of these.
pub(super) fn driver_name(entrypoint: &str) -> String {
    entrypoint.strip_prefix(UNSTORAGE).unwrap_or(entrypoint).to_owned()
}

/// Puts what one table says over what another says, both in one form. Options go with the driver that they are for.
pub(super) fn put_over(
    base: &mut Map<String, Value>,
    over: Map<String, Value>,
    detected: Option<Adapter>,
) {
    let says = |key: &str| over.get(key).is_some_and(|value| !value.is_null());
    // A platform says which driver as well as a name does.
    if says("driver") || says("adapter") {
        let drivers = driver_of(&over, detected).zip(driver_of(base, detected));
        if !drivers.is_some_and(|(over, base)| is_same_driver(&over, &base)) {
            base.remove("options");
        }
        if !says("driver") {
            base.remove("driver");
        }
    }
    merge(base, over);
}

/// Whether two names are those of one driver: `fs-lite`, `fs` and `fsLite`.
fn is_same_driver(one: &str, other: &str) -> bool {
    let is_both = |info: &DriverInfo| info.is_called(one) && info.is_called(other);
    one == other || cloakroom_drivers::drivers().iter().any(is_both)
}

/// The driver that a table means, be it by an adapter or by saying nothing.
fn driver_of(map: &Map<String, Value>, detected: Option<Adapter>) -> Option<String> {
    if let Some(driver) = map.get("driver").filter(|driver| !driver.is_null()) {
        return driver.as_str().map(str::to_owned);
    }
    let named = map.get("adapter").and_then(|name| Adapter::from_value(name).ok());
    let adapter = named.or(detected).unwrap_or(Adapter::Node);
    Some(adapter.config().ok()?.driver)
}

fn merge(base: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(base)), Value::Object(over)) => merge(base, over),
            (_, value) => {
                // `siteId` of the environment is the `siteID` of a file.
                base.retain(|other, _| !other.eq_ignore_ascii_case(&key));
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Config;

    /// What a file and the environment over it come to.
    fn merged(file: Value, environment: Value) -> Config {
        let table = |value: Value| in_one_form(value.as_object().cloned().unwrap()).unwrap();
        let mut base = table(file);
        put_over(&mut base, table(environment), None);
        Config::from_map(base).unwrap()
    }

    #[test]
    fn a_platform_over_a_driver_brings_its_own_and_the_options_of_the_other_go() {
        let options = json!({ "siteID": "f" });
        let netlify = json!({ "adapter": "netlify", "options": options });
        let config = merged(netlify.clone(), json!({ "adapter": "node" }));
        assert_eq!((config.driver.as_str(), config.options.get("siteID")), ("fs-lite", None));
        let config = merged(netlify, json!({ "adapter": "netlify" }));
        assert_eq!(config.options["siteID"], "f");
        let config = merged(json!({ "driver": "memory" }), json!({ "adapter": "netlify" }));
        assert_eq!(config.driver, "netlify-blobs");
    }

    #[test]
    fn a_cookie_that_is_its_name_keeps_it_where_more_is_said_over_it() {
        let config = merged(json!({ "cookie": "sid" }), json!({ "cookie": { "secure": false } }));
        assert_eq!((config.cookie.name.as_str(), config.cookie.secure), ("sid", false));
    }

    #[test]
    fn a_cookies_name_over_a_table_leaves_the_table() {
        let table = json!({ "cookie": { "name": "sid", "sameSite": "strict", "maxAge": 60 } });
        let config = merged(table, json!({ "cookie": "sid2" }));
        assert_eq!((config.cookie.name.as_str(), config.cookie.max_age), ("sid2", Some(60)));
        assert_eq!(config.cookie.same_site, crate::SameSite::Strict);
    }

    #[test]
    fn the_same_driver_keeps_its_options_in_either_form() {
        let config = json!({ "url": "redis://a", "base": "x" });
        let table =
            json!({ "driver": { "entrypoint": "unstorage/drivers/redis", "config": config } });
        let name = json!({ "driver": "redis", "options": config });
        for file in [table, name] {
            let same = merged(file.clone(), json!({ "driver": "redis" }));
            assert_eq!(Value::Object(same.options), config);
            let more = json!({ "driver": "redis", "options": { "base": "y" } });
            assert_eq!(merged(file, more).options["base"], "y");
        }
        for (one, other) in [("fsLite", "fs-lite"), ("fs-lite", "fs"), ("vercel-kv", "vercelKV")] {
            let file = json!({ "driver": one, "options": { "base": "x" } });
            assert_eq!(merged(file, json!({ "driver": other })).options["base"], "x", "{other}");
        }
    }

    #[test]
    fn an_option_that_a_variable_cannot_spell_takes_the_place_of_the_files() {
        let file = json!({ "driver": "netlify-blobs", "options": { "siteID": "a", "name": "n" } });
        let config = merged(file, json!({ "options": { "siteId": "b" } }));
        assert_eq!(Value::Object(config.options), json!({ "siteId": "b", "name": "n" }));
    }

    #[test]
    fn another_driver_takes_the_place_of_the_options_too() {
        for file in [
            json!({ "driver": "fs-lite", "options": { "base": ".data" } }),
            json!({ "driver": { "entrypoint": "unstorage/drivers/fs-lite", "config": { "base": "a" } } }),
            // Files, without a word of it.
            json!({ "options": { "base": ".data" } }),
            json!({ "adapter": "netlify", "options": { "name": "shop" } }),
        ] {
            let config = merged(file.clone(), json!({ "driver": "memory" }));
            assert_eq!((config.driver.as_str(), config.options.len()), ("memory", 0), "{file}");
        }
        let file = json!({ "options": { "base": ".data" } });
        assert_eq!(merged(file, json!({ "driver": "fs-lite" })).options["base"], ".data");
    }

    #[test]
    fn a_module_of_others_is_none_of_our_drivers() {
        for name in ["@acme/sessions/redis", "./src/drivers/memory", "unstorage/redis"] {
            for driver in [json!(name), json!({ "entrypoint": name })] {
                assert_eq!(merged(json!({ "driver": driver }), json!({})).driver, name);
            }
        }
    }

    #[test]
    fn a_driver_that_is_a_table_has_its_own_options() {
        let entrypoint = "unstorage/drivers/fs-lite";
        let file = json!({
            "driver": { "entrypoint": entrypoint, "config": { "base": "a" } }, "options": { "base": "b" }
        });
        assert_eq!(merged(file, json!({})).options["base"], "a");
    }

    #[test]
    fn what_json_has_no_word_for_is_refused_as_it_was_written() {
        let error = |text: &str| toml(text).unwrap_err().to_string();
        assert_eq!(error("timeout = inf"), "timeout is inf: it must be a finite number");
        assert_eq!(error("ttl = nan"), "ttl is NaN: it must be a finite number");
        assert!(error("options = { a = [-inf] }").starts_with("options.a is -inf"));
        let date = error("ttl = 2024-01-01T00:00:00Z");
        assert_eq!(date, "ttl is 2024-01-01T00:00:00Z, a date: put it in quotes if it is a text");
        assert!(
            error("options = { a = 2024-01-01 }").starts_with("options.a is 2024-01-01, a date")
        );
    }

    #[test]
    fn a_slip_beside_a_password_does_not_show_it() {
        for text in [
            "driver = \"redis\"\noptions = { url = \"redis://user:hunter2@h\", base = }",
            "options = { password = \"hunter2",
            "password = hunter2",
            "\"hunter2\" = 1\n\"hunter2\" = 1 x",
        ] {
            let error = Config::from_toml(text).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("line ") && !shown.contains("hunter2"), "{shown}");
        }
        for text in ["\"redis://user:hunter2@h\"", "{ \"options\": { \"url\": \"hunter2\", } }"] {
            let error = Config::from_json(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
        let error = Config::from_toml("options = 'redis://user:hunter2@h'").unwrap_err();
        assert_eq!(error.to_string(), "options is a text: it must be a table");
    }
}
