//! What is known of the world around a configuration: the environment, Node's modules, Astro's helpers.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use oxc::ast::ast::{Argument, CallExpression};
use oxc::span::GetSpan as _;
use serde_devalue::javascript;
use url::Url;

use crate::error::Result;
use crate::evaluate::Evaluator;
use crate::import_meta::Importer;
use crate::known;
use crate::members::Link;
use crate::operators;
use crate::paths::normal;
use crate::value::{Entry, Object, Outside, Place, Value};

/// What a package exports; Node's own modules are their default exports, and go by one name.
pub(crate) fn package<'a>(specifier: &str, export: Option<&str>) -> Value<'a> {
    let name = specifier.strip_prefix("node:").unwrap_or(specifier);
    let is_nodes = matches!(name, "path" | "path/posix" | "process" | "url");
    let export = export.filter(|export| !(is_nodes && *export == "default")).unwrap_or_default();
    match (name, export) {
        ("process", "") => Value::global("process"),
        ("process", export) => Value::global(&format!("process.{export}")),
        ("path/posix", export) => outside("path", export),
        _ => outside(name, export),
    }
}

fn outside<'a>(package: &str, path: &str) -> Value<'a> {
    Value::Outside(Outside { package: Some(package.into()), path: path.to_owned() })
}

/// None for what is not known of a URL.
pub(crate) fn url_member<'a>(url: &Url, key: &str) -> Option<Value<'a>> {
    let port = || url.port().map(|port| port.to_string()).unwrap_or_default();
    Some(match key {
        "href" => url.as_str().into(),
        "pathname" => url.path().into(),
        "protocol" => Value::String(format!("{}:", url.scheme())),
        "username" => url.username().into(),
        "password" => url.password().unwrap_or_default().into(),
        "hostname" => url.host_str().unwrap_or_default().into(),
        "port" => Value::String(port()),
        "host" => {
            let host = url.host_str().unwrap_or_default();
            let port = Some(port()).filter(|port| !port.is_empty());
            Value::String(port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
        }
        _ => return None,
    })
}

/// unstorage's name of a driver that `sessionDrivers` has in camel case: `cloudflareKVBinding` is
/// `cloudflare-kv-binding`.
pub(crate) fn kebab_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut kebab = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| letters.get(index));
        let after = letters.get(index + 1);
        let begins_word = before.is_some_and(|before| !before.is_uppercase() && *before != '-')
            || before.is_some_and(|before| before.is_uppercase())
                && after.is_some_and(|after| after.is_lowercase());
        if letter.is_uppercase() && begins_word {
            kebab.push('-');
        }
        kebab.extend(letter.to_lowercase());
    }
    kebab
}

impl<'a> Evaluator<'a> {
    /// A name that the file does not declare.
    pub(crate) fn global(&self, name: &str, place: Place) -> Result<Value<'a>> {
        let file = self.modules.get(place.module);
        Ok(match name {
            "undefined" => Value::UNDEFINED,
            "NaN" => Value::Number(f64::NAN),
            "Infinity" => Value::Number(f64::INFINITY),
            // Modules have none of them.
            "__dirname" | "__filename" | "require" | "module" | "exports" if file.is_module => {
                return Err(self.unknown(place));
            }
            "__dirname" => self.path_value(&self.folder(place)),
            "__filename" => self.path_value(&file.path),
            _ => Value::global(name),
        })
    }

    /// The folder of the file where this is written.
    fn folder(&self, place: Place) -> PathBuf {
        self.modules.get(place.module).path.parent().unwrap_or(Path::new("/")).to_owned()
    }

    fn path_value(&self, path: &Path) -> Value<'a> {
        Value::String(path.to_string_lossy().into_owned())
    }

    pub(crate) fn outside_member(
        &mut self,
        object: &Outside,
        key: &str,
        place: Place,
    ) -> Result<Value<'a>> {
        let Outside { package, path } = object;
        if package.is_none() {
            match (path.as_str(), key) {
                ("process.env", name) => return self.variable(name, place),
                ("import.meta.env", name) => return self.meta_variable(name, place),
                ("import.meta", _) => return self.import_meta(key, place),
                _ => {}
            }
        }
        let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        Ok(Value::Outside(Outside { package: package.clone(), path }))
    }

    fn import_meta(&self, key: &str, place: Place) -> Result<Value<'a>> {
        if let Some(change) = self.modules.changed().import_meta(place.module) {
            return Err(self.changed("import.meta", place, change));
        }
        let path = &self.modules.get(place.module).path;
        match key {
            "dirname" => Ok(self.path_value(&self.folder(place))),
            "filename" => Ok(self.path_value(path)),
            "url" => {
                let url = Url::from_file_path(path).map_err(|()| self.unknown(place))?;
                // Astro has Node import the configuration as `…?t=` and the time.
                if place.module == 0 && self.modules.importer() != Importer::Vite {
                    return Ok(Value::Outside(Outside {
                        package: Some(IMPORTED_BY_NODE.into()),
                        path: url.into(),
                    }));
                }
                Ok(url.as_str().into())
            }
            "env" => match self.modules.importer() {
                Importer::Node => Ok(Value::UNDEFINED),
                Importer::Vite => Ok(Value::global("import.meta.env")),
                Importer::Perhaps => Err(self.modules.error(
                    place,
                    "`import.meta.env` is undefined where Node loads this file, and an object where only Vite can: \
                     write process.env.NAME here",
                )),
            },
            _ => Err(self.unknown(place)),
        }
    }

    pub(crate) fn call(&mut self, module: usize, call: &'a CallExpression<'a>) -> Result<Link<'a>> {
        let place = Place { module, span: call.span };
        self.refuse_changed(place)?;
        let callee = match call.callee.as_member_expression() {
            None => self.evaluate(module, &call.callee)?,
            Some(member) => {
                let object = match self.nested_link(module, member.object())? {
                    ControlFlow::Continue(object) => object,
                    ended => return Ok(ended),
                };
                if member.optional() && object.is_nullish() {
                    return Ok(ControlFlow::Break(object));
                }
                let (key, member_place) = self.key(module, member)?;
                match (&object, key.as_str(), operators::text(&object)) {
                    (Value::String(_), "trim", Some(text)) if call.arguments.is_empty() => {
                        return Ok(ControlFlow::Continue(javascript::trim(&text).into()));
                    }
                    (
                        Value::String(_) | Value::Number(_) | Value::Boolean(_) | Value::Url(_),
                        "toString",
                        Some(text),
                    ) if call.arguments.is_empty() => {
                        return Ok(ControlFlow::Continue(Value::String(text)));
                    }
                    (Value::Undefined(_) | Value::Null | Value::Outside(_), ..) => {
                        self.member(&object, &key, member_place)?
                    }
                    _ => return Err(self.unknown(place)),
                }
            }
        };
        if call.optional && callee.is_nullish() {
            return Ok(ControlFlow::Break(callee));
        }
        let Value::Outside(callee) = callee else { return Err(self.unknown(place)) };
        self.function(&callee, module, &call.arguments, place).map(ControlFlow::Continue)
    }

    /// Calls one of the functions that are known.
    fn function(
        &mut self,
        callee: &Outside,
        module: usize,
        arguments: &'a [Argument<'a>],
        place: Place,
    ) -> Result<Value<'a>> {
        let first = self.argument(module, arguments, 0);
        let unknown = |evaluator: &Evaluator<'a>| evaluator.unknown(place);
        match (callee.package.as_deref(), callee.path.as_str()) {
            // Without an argument they are not what they are of `undefined`.
            (None, "String") if arguments.is_empty() => Ok("".into()),
            (None, "Number") if arguments.is_empty() => Ok(Value::Number(0.0)),
            (None, "Boolean") => {
                let truth = operators::truth(&first?).ok_or_else(|| unknown(self))?;
                Ok(Value::Boolean(truth))
            }
            (None, "String") => {
                let first = first?;
                self.refuse_unset(&[&first])?;
                let text = operators::text(&first).ok_or_else(|| unknown(self))?;
                Ok(Value::String(text))
            }
            (None, "Number") => {
                let number = operators::number(&first?).ok_or_else(|| unknown(self))?;
                Ok(Value::Number(number))
            }
            (
                None,
                name @ ("parseInt" | "parseFloat" | "Number.parseInt" | "Number.parseFloat"),
            ) => {
                let radix = match self.argument(module, arguments, 1)? {
                    radix if radix.is_nullish() => Some(0),
                    radix => operators::number(&radix)
                        .filter(|radix| [0.0, 2.0, 8.0, 10.0, 16.0].contains(radix))
                        .map(|radix| radix as i32),
                };
                let text = operators::text(&first?).ok_or_else(|| unknown(self))?;
                if !name.ends_with("parseInt") {
                    return Ok(Value::Number(javascript::parse_float(&text)));
                }
                let radix = radix.ok_or_else(|| unknown(self))?;
                Ok(Value::Number(javascript::parse_int(&text, radix)))
            }
            // Astro is run in the project's folder, where its configuration is.
            (None, "process.cwd") => {
                self.known_environment("process.cwd()", place)?;
                Ok(self.path_value(&self.folder(Place { module: 0, ..place })))
            }
            (None, "require") => self.require(&first?, module, place),
            (Some("path"), name) => {
                let name = name.strip_prefix("posix.").unwrap_or(name);
                self.path_function(name, module, arguments, place)
            }
            (Some("url"), "fileURLToPath") => {
                let url = match first? {
                    Value::Url(url) => Some(*url),
                    Value::String(text) => Url::parse(&text).ok(),
                    other => imported_by_node(&other),
                };
                let path = url.and_then(|url| url.to_file_path().ok());
                path.map(|path| self.path_value(&path)).ok_or_else(|| unknown(self))
            }
            (Some("url"), "pathToFileURL") => {
                let path = operators::text(&first?);
                // Node keeps a slash at the end, and encodes more than the standard has it.
                let path = path.filter(|path| {
                    !path.ends_with('/')
                        && !path.contains(|letter: char| {
                            letter.is_ascii_punctuation() && !"/.-_%#?@:+".contains(letter)
                        })
                });
                let path = path.map(|path| self.in_project(&path));
                let url = path.and_then(|path| Url::from_file_path(path).ok());
                url.map(|url| Value::Url(Box::new(url))).ok_or_else(|| unknown(self))
            }
            (Some("astro/config"), "defineConfig") => first,
            (Some("astro/config"), name) => match name.strip_prefix("sessionDrivers.") {
                Some(driver) => self.session_driver(driver, first?, place),
                None => Err(unknown(self)),
            },
            (Some("vite"), "loadEnv") => self.load_env(module, arguments, place),
            (Some(package), "" | "default") => {
                // Most of them keep their arguments to themselves.
                let options = first.unwrap_or_else(|_| Value::global("arguments"));
                Ok(Value::Made { package: package.into(), options: Rc::new(options) })
            }
            _ => Err(unknown(self)),
        }
    }

    /// `sessionDrivers.redis(config)`
    fn session_driver(
        &mut self,
        name: &str,
        mut config: Value<'a>,
        place: Place,
    ) -> Result<Value<'a>> {
        let mut driver = kebab_case(name);
        if driver == "fs" {
            driver = "fs-lite".to_owned();
            let mut entries = vec![default_base(place)];
            if let Value::Object(object) = &config {
                entries.extend(self.entries(object, place)?);
            }
            config = Value::Object(Object::Entries(entries.into()));
        }
        let entrypoint = Value::String(format!("unstorage/drivers/{driver}"));
        let entries = [("entrypoint", entrypoint), ("config", config)];
        let entries = entries.map(|(key, value)| Entry { key: key.to_owned(), value, place });
        Ok(Value::Object(Object::Entries(entries.into())))
    }

    fn require(&mut self, specifier: &Value<'a>, module: usize, place: Place) -> Result<Value<'a>> {
        let Value::String(specifier) = specifier else { return Err(self.unknown(place)) };
        if !known::is_local(specifier) {
            return Ok(package(specifier, None));
        }
        let imported = self.file(module, specifier, place)?;
        Ok(match self.export(imported, "default")? {
            Some((value, _)) => value,
            None => Value::Object(Object::Namespace(imported)),
        })
    }

    /// As Node resolves it where Astro runs.
    pub(crate) fn in_project(&self, path: &str) -> PathBuf {
        let here = self.modules.get(0).path.parent().unwrap_or(Path::new("/"));
        normal(&here.join(path))
    }

    fn path_function(
        &mut self,
        name: &str,
        module: usize,
        arguments: &'a [Argument<'a>],
        place: Place,
    ) -> Result<Value<'a>> {
        let mut parts = Vec::new();
        for (index, argument) in arguments.iter().enumerate() {
            let part = self.argument(module, arguments, index)?;
            match part {
                Value::String(part) => parts.push(part),
                Value::Undefined(Some(unset)) => {
                    return Err(self.unset(&unset, "it is a part of a path"));
                }
                _ => return Err(self.unknown(Place { module, span: argument.span() })),
            }
        }
        let path = match (name, &parts[..]) {
            ("resolve", parts) => {
                self.in_project(&parts.iter().collect::<PathBuf>().to_string_lossy())
            }
            ("join", parts) => {
                let filled: Vec<_> =
                    parts.iter().filter(|part| !part.is_empty()).cloned().collect();
                return Ok(Value::String(joined(&filled.join("/"))));
            }
            ("dirname", [path])
                if path.starts_with('/')
                    && !path.contains("//")
                    && !path.split('/').any(|part| part == ".") =>
            {
                Path::new(path).parent().unwrap_or(Path::new("/")).to_owned()
            }
            _ => return Err(self.unknown(place)),
        };
        Ok(self.path_value(&path))
    }

    /// `new URL('./x', import.meta.url)`
    pub(crate) fn construct(
        &mut self,
        callee: &Value<'a>,
        module: usize,
        arguments: &'a [Argument<'a>],
        place: Place,
    ) -> Result<Value<'a>> {
        if !matches!(callee, Value::Outside(Outside { package: None, path }) if path == "URL") {
            return Err(self.unknown(place));
        }
        let first = self.argument(module, arguments, 0)?;
        if let Value::Undefined(Some(unset)) = &first {
            return Err(self.unset(unset, "it is to be a URL"));
        }
        let second = self.argument(module, arguments, 1)?;
        if let (Some(url), Value::Undefined(_)) = (imported_by_node(&first), &second) {
            return Ok(Value::Url(Box::new(url)));
        }
        let first = operators::text(&first).ok_or_else(|| self.unknown(place))?;
        let url = match (&second, imported_by_node(&second)) {
            (Value::Undefined(_), _) => Url::parse(&first).ok(),
            // The time stays in it.
            (_, Some(_)) if first.is_empty() || first.starts_with('#') => {
                return Err(self.unknown(place));
            }
            (_, Some(base)) => base.join(&first).ok(),
            (base, None) => {
                let base = operators::text(base).and_then(|base| Url::parse(&base).ok());
                base.and_then(|base| base.join(&first).ok())
            }
        };
        url.map(|url| Value::Url(Box::new(url)))
            .ok_or_else(|| self.modules.error(place, "this is not a URL"))
    }
}

/// What the address of a file that Node imports is told by. As a whole only running the file shows it; where it leads does
/// not depend on what is added to it.
const IMPORTED_BY_NODE: &str = "import.meta.url";

fn imported_by_node(value: &Value<'_>) -> Option<Url> {
    match value {
        Value::Outside(Outside { package: Some(package), path })
            if **package == *IMPORTED_BY_NODE =>
        {
            Url::parse(path).ok()
        }
        _ => None,
    }
}

/// As Node's `path.join` puts it: what is nothing is the folder itself, and a slash at the end stays.
fn joined(path: &str) -> String {
    let normal = normal(Path::new(path)).to_string_lossy().into_owned();
    match normal.as_str() {
        "" if path.ends_with('/') => "./".to_owned(),
        "" => ".".to_owned(),
        "/" => normal,
        _ if path.ends_with('/') => normal + "/",
        _ => normal,
    }
}

/// Where Astro's file driver keeps its files unless it is told.
pub(crate) fn default_base<'a>(place: Place) -> Entry<'a> {
    Entry { key: "base".to_owned(), value: ".astro/session".into(), place }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_go_by_unstorages_names() {
        for (camel, kebab) in [
            ("fsLite", "fs-lite"),
            ("redis", "redis"),
            ("db0", "db0"),
            ("lruCache", "lru-cache"),
            ("netlifyBlobs", "netlify-blobs"),
            ("cloudflareKVBinding", "cloudflare-kv-binding"),
            ("cloudflareKVHttp", "cloudflare-kv-http"),
            ("cloudflareR2Binding", "cloudflare-r2-binding"),
            ("denoKVNode", "deno-kv-node"),
            ("vercelKV", "vercel-kv"),
            ("azureStorageBlob", "azure-storage-blob"),
            ("fs-lite", "fs-lite"),
        ] {
            assert_eq!(kebab_case(camel), kebab);
        }
    }
}
