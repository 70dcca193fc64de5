//! What the session's part of an Astro site's configuration means.

use std::collections::BTreeMap;
use std::path::PathBuf;

use oxc::span::Span;
use serde_json::{Map, Number, Value as Json};

use crate::error::Result;
use crate::evaluate::Evaluator;
use crate::outside::{default_base, kebab_case};
use crate::paths::normal;
use crate::place::resolve_place;
use crate::value::{Entry, Object, Place, Value};
use crate::{AstroConfig, Driver};

/// What a module's name begins with that is one of unstorage's drivers.
const UNSTORAGE: &str = "unstorage/drivers/";

/// The site's configuration, and where it is written.
struct Site<'a> {
    object: Object<'a>,
    place: Place,
}

/// Reads what the file of this number exports.
pub(crate) fn read(evaluator: &mut Evaluator<'_>, module: usize) -> Result<AstroConfig> {
    let start = Place { module, span: Span::new(0, 0) };
    if let Some(change) = evaluator.modules.changed().language {
        let snippet = evaluator.modules.snippet(change);
        let message = format!(
            "`{snippet}` may change anything, and what the configuration is then only running the file shows"
        );
        return Err(evaluator.modules.not_known(change, &message));
    }
    let Some((value, place)) = evaluator.export(module, "default")? else {
        return Err(evaluator.modules.error(start, "this file has no `export default`"));
    };
    match value {
        Value::Object(object) => {
            Reader { evaluator, site: Site { object, place }, places: BTreeMap::new() }.config()
        }
        Value::Made { .. } | Value::Outside(_) => Err(evaluator.unknown(place)),
        other => {
            let message = format!("the configuration is {}: it must be an object", other.kind());
            Err(evaluator.modules.error(place, &message))
        }
    }
}

struct Reader<'e, 'a> {
    evaluator: &'e mut Evaluator<'a>,
    site: Site<'a>,
    /// Where each key of the session is written.
    places: BTreeMap<String, Place>,
}

impl<'a> Reader<'_, 'a> {
    fn config(mut self) -> Result<AstroConfig> {
        let (entries, place) = self.session()?;
        let mut settings = Map::new();
        let (mut driver, mut options) = (None, None);
        for entry in entries {
            self.places.insert(entry.key.clone(), entry.place);
            match entry.key.as_str() {
                "driver" => driver = Some(entry),
                "options" => options = Some(entry),
                _ => {
                    let key = entry.key.clone();
                    if let Some(json) = self.json(&key, &entry.value, entry.place)? {
                        settings.insert(key, json);
                    }
                }
            }
        }
        // Before the driver, whose options may have names of settings.
        let places = std::mem::take(&mut self.places).into_iter();
        let positions =
            places.map(|(key, place)| (key, self.evaluator.modules.position(place))).collect();
        let session = self.evaluator.modules.position(place);
        let driver = self.driver(driver, options);
        Ok(AstroConfig { driver, settings, positions, session })
    }

    /// A property of the site's configuration.
    fn site_property(&mut self, key: &str) -> Result<Option<(Value<'a>, Place)>> {
        let found = self.evaluator.property(&self.site.object.clone(), key)?;
        Ok(found.filter(|(value, _)| !matches!(value, Value::Undefined(_))))
    }

    /// The properties of `session`; Astro 5.1 had them under `experimental`, or a flag there.
    fn session(&mut self) -> Result<(Vec<Entry<'a>>, Place)> {
        let mut found = self.site_property("session")?;
        if found.is_none()
            && let Some((Value::Object(experimental), _)) = self.site_property("experimental")?
        {
            let session = self.evaluator.property(&experimental, "session")?;
            found = session.filter(|(value, _)| matches!(value, Value::Object(_)));
        }
        match found {
            None => Ok((Vec::new(), self.site.place)),
            Some((Value::Object(session), place)) => {
                Ok((self.evaluator.entries(&session, place)?, place))
            }
            Some((Value::Boolean(false), place)) => Err(self.evaluator.modules.error(
                place,
                "`session` is false: the site's sessions are switched off, so there are none to share",
            )),
            Some((Value::Outside(_) | Value::Made { .. }, place)) => {
                Err(self.evaluator.unknown(place))
            }
            Some((other, place)) => {
                let message = format!("`session` is {}: it must be an object", other.kind());
                Err(self.evaluator.modules.error(place, &message))
            }
        }
    }

    /// What keeps the sessions.
    fn driver(&mut self, driver: Option<Entry<'a>>, options: Option<Entry<'a>>) -> Result<Driver> {
        let Some(Entry { value, place, .. }) = driver else { return self.adapters_driver() };
        let (name, entries) = match value {
            Value::Undefined(None) => return self.adapters_driver(),
            Value::Undefined(Some(unset)) => {
                return Err(self.evaluator.unset(&unset, "it is to name the session's driver"));
            }
            // DIFFERENCE: a site of Astro 7.3 forgets the `options` beside a driver's name, against its documentation.
            Value::String(name) => {
                let mut name = kebab_case(&driver_name(&name));
                let mut entries = self.options(options)?;
                if matches!(name.as_str(), "fs" | "fs-lite") {
                    name = "fs-lite".to_owned();
                    entries.insert(0, default_base(place));
                }
                (name, entries)
            }
            Value::Object(driver) => {
                let entrypoint = self.evaluator.property(&driver, "entrypoint")?;
                let config = self.evaluator.property(&driver, "config")?;
                let config = config.map(|(value, place)| Entry {
                    key: "driver.config".to_owned(),
                    value,
                    place,
                });
                (self.entrypoint(entrypoint, place)?, self.options(config)?)
            }
            Value::Outside(_) | Value::Made { .. } => return Err(self.evaluator.unknown(place)),
            other => {
                let message = format!(
                    "`driver` is {}: it must be a driver's name, or `sessionDrivers.NAME(…)`",
                    other.kind()
                );
                return Err(self.evaluator.modules.error(place, &message));
            }
        };
        let mut options = Map::new();
        for Entry { key, value, place } in entries {
            if let ("fs-lite", "base", Value::Undefined(Some(unset))) =
                (name.as_str(), key.as_str(), &value)
            {
                return Err(self
                    .evaluator
                    .unset(unset, "it is to name the folder of the sessions"));
            }
            match self.json(&key, &value, place)? {
                Some(json) => _ = options.insert(key, json),
                None => _ = options.remove(&key),
            }
        }
        resolve_place(&name, &mut options, |path| Ok(normal(&self.root()?.join(path))))?;
        Ok(Driver::Named { name, options })
    }

    fn entrypoint(
        &mut self,
        entrypoint: Option<(Value<'a>, Place)>,
        driver: Place,
    ) -> Result<String> {
        match entrypoint {
            Some((Value::String(name), _)) => {
                Ok(kebab_case(&driver_name(&name)))
            }
            Some((Value::Undefined(Some(unset)), _)) => {
                Err(self.evaluator.unset(&unset, "it is to name the session's driver"))
            }
            Some((Value::Url(_), place)) => Err(self.evaluator.modules.error(
                place,
                "this driver is the site's own, written in JavaScript: only unstorage's drivers have counterparts here",
            )),
            Some((Value::Outside(_) | Value::Made { .. }, place)) => Err(self.evaluator.unknown(place)),
            _ => Err(self.evaluator.modules.error(
                driver,
                "`driver` has no `entrypoint` that is a text, such as \"unstorage/drivers/redis\"",
            )),
        }
    }

    fn options(&mut self, options: Option<Entry<'a>>) -> Result<Vec<Entry<'a>>> {
        match options {
            None => Ok(Vec::new()),
            Some(Entry { value: Value::Undefined(_), .. }) => Ok(Vec::new()),
            Some(Entry { value: Value::Object(options), place, .. }) => {
                self.evaluator.entries(&options, place)
            }
            Some(Entry { value: Value::Outside(_) | Value::Made { .. }, place, .. }) => {
                Err(self.evaluator.unknown(place))
            }
            Some(Entry { key, value, place }) => {
                let message = format!("`{key}` is {}: it must be an object", value.kind());
                Err(self.evaluator.modules.error(place, &message))
            }
        }
    }

    /// What the site's adapter fills in, as it does in Astro: the driver alone, and none of `options`.
    fn adapters_driver(&mut self) -> Result<Driver> {
        let Some((adapter, place)) = self.site_property("adapter")? else {
            return Err(self.evaluator.modules.error(
                self.site.place,
                "the site has neither `session.driver` nor an `adapter` with a default: name the driver",
            ));
        };
        let Value::Made { package, options: given } = adapter else {
            return Err(self.evaluator.unknown(place));
        };
        let mut options = Map::new();
        match adapters_name(&package) {
            Some("node") => {
                let sessions =
                    self.site_folder("cacheDir", "node_modules/.astro")?.join("sessions");
                options.insert("base".to_owned(), sessions.to_string_lossy().into());
            }
            Some("cloudflare") => match &*given {
                Value::Object(given) => {
                    if let Some((binding, place)) =
                        self.evaluator.property(given, "sessionKVBindingName")?
                        && let Some(binding) = self.json("binding", &binding, place)?
                    {
                        options.insert("binding".to_owned(), binding);
                    }
                }
                Value::Undefined(None) => {}
                _ => return Err(self.evaluator.unknown(place)),
            },
            _ => {}
        }
        let position = self.evaluator.modules.position(place);
        Ok(Driver::OfAdapter { package: package.to_string(), options, position })
    }

    fn root(&mut self) -> Result<PathBuf> {
        let file = &self.evaluator.modules.get(0).path;
        let folder = file.parent().unwrap_or(file).to_owned();
        match self.site_property("root")? {
            None => Ok(folder),
            Some((Value::String(root), _)) => Ok(normal(&folder.join(root))),
            Some((Value::Url(url), place)) => {
                url.to_file_path().map_err(|()| self.evaluator.unknown(place))
            }
            Some((_, place)) => Err(self.evaluator.unknown(place)),
        }
    }

    /// A folder that the site's configuration names, relative to its root.
    fn site_folder(&mut self, key: &str, default: &str) -> Result<PathBuf> {
        let folder = match self.site_property(key)? {
            None => default.to_owned(),
            Some((Value::String(folder), _)) => folder,
            Some((_, place)) => return Err(self.evaluator.unknown(place)),
        };
        Ok(normal(&self.root()?.join(folder)))
    }

    /// As JSON has it; nothing where it is undefined, which Astro takes for absent too.
    fn json(&mut self, key: &str, value: &Value<'a>, place: Place) -> Result<Option<Json>> {
        Ok(Some(match value {
            Value::Undefined(unset) => {
                if let Some(unset) = unset {
                    let at = self.evaluator.modules.position(unset.place);
                    tracing::warn!(
                        "{at}: the environment variable {} is not set, so `{key}` is left out",
                        unset.name
                    );
                }
                return Ok(None);
            }
            Value::Null => Json::Null,
            Value::Boolean(value) => (*value).into(),
            Value::Number(number) => match json_number(*number) {
                Some(number) => number.into(),
                None => {
                    let message = format!("`{key}` is {number}: it must be a number");
                    return Err(self.evaluator.modules.error(place, &message));
                }
            },
            Value::String(text) => text.as_str().into(),
            Value::Url(url) => url.as_str().into(),
            Value::Array(values) => {
                let mut array = Vec::new();
                for value in values.iter() {
                    array.push(self.json(key, value, place)?.unwrap_or(Json::Null));
                }
                array.into()
            }
            Value::Object(object) => {
                let mut map = Map::new();
                for Entry { key: inner, value, place } in self.evaluator.entries(object, place)? {
                    let path = format!("{key}.{inner}");
                    self.places.insert(path.clone(), place);
                    if let Some(json) = self.json(&path, &value, place)? {
                        map.insert(inner, json);
                    }
                }
                map.into()
            }
            Value::Made { .. } | Value::Outside(_) => return Err(self.evaluator.unknown(place)),
        }))
    }
}

/// The name of one of unstorage's drivers alone; a module of anybody else's keeps its whole name, so that it is not taken
/// for one of these.
fn driver_name(entrypoint: &str) -> String {
    entrypoint.strip_prefix(UNSTORAGE).unwrap_or(entrypoint).to_owned()
}

/// The name of one of Astro's own adapters: of `@astrojs/netlify`, and of `@astrojs/netlify/functions` of old.
fn adapters_name(package: &str) -> Option<&str> {
    package.strip_prefix("@astrojs/")?.split('/').next()
}

/// A whole number is one in JSON too: JavaScript does not tell them apart.
fn json_number(number: f64) -> Option<Number> {
    const LARGEST_SAFE: f64 = 9_007_199_254_740_991.0;
    if number.fract() == 0.0 && number.abs() <= LARGEST_SAFE {
        return Some(Number::from(number as i64));
    }
    Number::from_f64(number)
}
