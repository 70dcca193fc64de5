//! Variables of the environment, and of files that are read into it or beside it.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use oxc::ast::ast::Argument;

use crate::dotenv::{Problem, Variables};
use crate::error::{Error, Result};
use crate::evaluate::Evaluator;
use crate::load::{Load, Loader};
use crate::modules::EventKind;
use crate::value::{Loaded, Object, Place, Unset, Value};

/// What Vite's `loadEnv` sets in the environment besides.
const SET_BY_VITE: [&str; 3] = ["VITE_USER_NODE_ENV", "BROWSER", "BROWSER_ARGS"];

impl<'a> Evaluator<'a> {
    /// `process.env.NAME`, as the process that reads the configuration has it.
    pub(crate) fn variable(&mut self, name: &str, place: Place) -> Result<Value<'a>> {
        Ok(match self.variable_text(name, place)? {
            Some(text) => Value::String(text),
            None => unset(name, place),
        })
    }

    /// The text of a variable, as it is when the program comes to this place.
    fn variable_text(&mut self, name: &str, place: Place) -> Result<Option<String>> {
        let shown = format!("process.env.{name}");
        if crate::members::is_of_every_object(name) || SET_BY_VITE.contains(&name) {
            return Err(self.unknown(place));
        }
        if let Some(change) = self.modules.change_of_variable(name) {
            return Err(self.changed(&shown, place, change));
        }
        self.known_environment(&shown, place)?;
        let set = match (self.environment)(name) {
            // Astro's build sets it before it reads the configuration.
            None if name == "NODE_ENV" => Some("production".to_owned()),
            set => set,
        };
        for (load, at) in self.loads_before(place) {
            if set.is_some() {
                // It may be told to override what is set.
                self.deeper(at, |evaluator| evaluator.loaded_paths(load, at))?;
            } else if let Some(text) = self.loaded_text(load, name, at)? {
                return Ok(Some(text));
            }
        }
        Ok(set)
    }

    /// Refuses what depends on the environment where something before this place may have changed it.
    pub(crate) fn known_environment(&self, shown: &str, place: Place) -> Result<()> {
        if let Some(change) = self.modules.changed().environment() {
            return Err(self.changed(shown, place, change));
        }
        let time = self.modules.time(place);
        let events = self.modules.events.iter();
        let mut unknown =
            events.filter(|event| matches!(event.kind, EventKind::Unknown) && event.time <= time);
        match unknown.next() {
            None => Ok(()),
            Some(event) => {
                let at = self.modules.line_and_column(event.place, place);
                let snippet = self.modules.snippet(event.place);
                Err(self.modules.not_known(
                    place,
                    &format!(
                        "`{shown}` may be set by `{snippet}` at {at}, which only running the file shows: \
                         write the value here"
                    ),
                ))
            }
        }
    }

    /// What reads files into the environment before this place, in its order.
    fn loads_before(&self, place: Place) -> Vec<(Load<'a>, Place)> {
        let time = self.modules.time(place);
        let events = self.modules.events.iter();
        let mut loads: Vec<_> = events
            .filter(|event| event.time <= time)
            .filter_map(|event| match event.kind {
                EventKind::Load(load) => Some((event.time, load, event.place)),
                EventKind::Unknown => None,
            })
            .collect();
        loads.sort_by_key(|(time, ..)| *time);
        loads.into_iter().map(|(_, load, place)| (load, place)).collect()
    }

    /// What a file says that is read into the environment.
    fn loaded_text(&mut self, load: Load<'a>, name: &str, place: Place) -> Result<Option<String>> {
        let paths = self.deeper(place, |evaluator| evaluator.loaded_paths(load, place))?;
        for path in paths {
            let variables = match self.variables_file(&path, place)? {
                Some(variables) => variables,
                None if matches!(load.by, Loader::Node { is_caught: false }) => {
                    let message = format!("there is no file {}", path.display());
                    return Err(self.modules.error(place, &message));
                }
                None => continue,
            };
            let text = variables.text(name).map_err(|problem| self.problem(place, &problem))?;
            if let Some(text) = text {
                return Ok(Some(text.to_owned()));
            }
        }
        Ok(None)
    }

    /// The files, the first of which with a variable has it.
    fn loaded_paths(&mut self, load: Load<'a>, place: Place) -> Result<Vec<PathBuf>> {
        let argument = match load.argument {
            None => Value::UNDEFINED,
            Some(argument) => self.evaluate(place.module, argument)?,
        };
        let default = vec![self.in_project(".env")];
        if load.by != Loader::Dotenv {
            return match argument {
                Value::Undefined(None) => Ok(default),
                argument => Ok(vec![self.path_of(&argument, place)?]),
            };
        }
        for name in
            ["KEY", "CONFIG_PATH", "CONFIG_OVERRIDE", "CONFIG_ENCODING", "CONFIG_DOTENV_KEY"]
        {
            if (self.environment)(&format!("DOTENV_{name}")).is_some() {
                return Err(self.unknown(place));
            }
        }
        let Value::Object(options) = argument else {
            let is_none = matches!(argument, Value::Undefined(None));
            return if is_none { Ok(default) } else { Err(self.unknown(place)) };
        };
        let mut paths = default;
        for entry in self.entries(&options, place)? {
            match (entry.key.as_str(), entry.value) {
                ("quiet", _) | (_, Value::Undefined(None)) => {}
                ("path", Value::Array(values)) => {
                    let values = values.iter().map(|value| self.path_of(value, entry.place));
                    paths = values.collect::<Result<_>>()?;
                }
                ("path", value) => paths = vec![self.path_of(&value, entry.place)?],
                _ => return Err(self.unknown(entry.place)),
            }
        }
        Ok(paths)
    }

    fn path_of(&self, value: &Value<'a>, place: Place) -> Result<PathBuf> {
        match value {
            // The package takes `~` for the home.
            Value::String(path) if !path.starts_with('~') => Ok(self.in_project(path)),
            Value::Url(url) => url.to_file_path().map_err(|()| self.unknown(place)),
            Value::Undefined(Some(unset)) => Err(self.unset(unset, "it is a part of a path")),
            _ => Err(self.unknown(place)),
        }
    }

    /// None where there is no such file.
    fn variables_file(&self, path: &Path, place: Place) -> Result<Option<Variables>> {
        if !path.is_file() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("{}: {error}", path.display());
            self.modules.error(place, &message).with_source(error)
        })?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let variables = Variables::parse(&name, &text);
        variables.map(Some).map_err(|problem| self.problem(place, &problem))
    }

    fn problem(&self, place: Place, problem: &Problem) -> Error {
        self.modules.error(place, &problem.0)
    }

    /// Vite's `loadEnv(mode, folder, prefixes)`
    pub(crate) fn load_env(
        &mut self,
        module: usize,
        arguments: &'a [Argument<'a>],
        place: Place,
    ) -> Result<Value<'a>> {
        let unknown = |evaluator: &Self| Err(evaluator.unknown(place));
        let mode = match self.argument(module, arguments, 0)? {
            Value::String(mode) => mode,
            Value::Undefined(Some(unset)) => {
                return Err(self.unset(&unset, "it is the mode of `loadEnv`"));
            }
            _ => return unknown(self),
        };
        let folder = match self.argument(module, arguments, 1)? {
            Value::String(folder) => Some(self.in_project(&folder)),
            Value::Boolean(false) => None,
            Value::Undefined(Some(unset)) => {
                return Err(self.unset(&unset, "it is the folder of `loadEnv`"));
            }
            _ => return unknown(self),
        };
        let prefixes = match self.argument(module, arguments, 2)? {
            Value::Undefined(None) => vec!["VITE_".to_owned()],
            Value::String(prefix) => vec![prefix],
            Value::Array(prefixes) => {
                let prefixes = prefixes.iter().map(|prefix| match prefix {
                    Value::String(prefix) => Some(prefix.clone()),
                    _ => None,
                });
                match prefixes.collect::<Option<_>>() {
                    Some(prefixes) => prefixes,
                    None => return unknown(self),
                }
            }
            _ => return unknown(self),
        };
        if mode == "local" {
            return Err(self.modules.error(place, "\"local\" cannot be a mode, says Vite"));
        }
        let loaded = self.loaded(&mode, folder.as_deref(), prefixes, place)?;
        Ok(Value::Object(Object::Variables(Rc::new(loaded))))
    }

    fn loaded(
        &self,
        mode: &str,
        folder: Option<&Path>,
        prefixes: Vec<String>,
        place: Place,
    ) -> Result<Loaded> {
        let mut variables = Variables::default();
        let names = [
            ".env".to_owned(),
            ".env.local".to_owned(),
            format!(".env.{mode}"),
            format!(".env.{mode}.local"),
        ];
        for path in names.iter().filter_map(|name| Some(folder?.join(name))) {
            if let Some(more) = self.variables_file(&path, place)? {
                variables.extend(more);
            }
        }
        Ok(Loaded { variables, prefixes, place })
    }

    /// A variable of what `loadEnv` returned; the environment comes before the files.
    pub(crate) fn loaded_variable(
        &mut self,
        loaded: &Loaded,
        name: &str,
        place: Place,
    ) -> Result<Option<Value<'a>>> {
        if !loaded.prefixes.iter().any(|prefix| name.starts_with(prefix.as_str())) {
            return Ok(None);
        }
        // The environment counts as it is when the files are read.
        if let Some(text) = self.variable_text(name, loaded.place)? {
            return Ok(Some(Value::String(text)));
        }
        let mut refused = None;
        let text = loaded.variables.expanded(name, &mut |other| {
            self.variable_text(other, loaded.place).map_err(|error| {
                let problem = Problem(error.to_string());
                refused = Some(error);
                problem
            })
        });
        match (text, refused) {
            (_, Some(error)) => Err(error),
            (Ok(text), None) => Ok(Some(text.map_or_else(|| unset(name, place), Value::String))),
            (Err(problem), None) => Err(self.problem(loaded.place, &problem)),
        }
    }

    /// `import.meta.env.NAME`, where Vite loads the configuration: by a development server of its own.
    pub(crate) fn meta_variable(&mut self, name: &str, place: Place) -> Result<Value<'a>> {
        let is_production = |evaluator: &mut Self| -> Result<bool> {
            Ok(evaluator.variable_text("NODE_ENV", place)?.as_deref() == Some("production"))
        };
        Ok(match name {
            "MODE" => "development".into(),
            "SSR" => Value::Boolean(true),
            "PROD" => Value::Boolean(is_production(self)?),
            "DEV" => Value::Boolean(!is_production(self)?),
            "BASE_URL" => "/".into(),
            _ if crate::members::is_of_every_object(name) => return Err(self.unknown(place)),
            _ if name.starts_with("VITE_") => {
                let folder = self.in_project("");
                let start = Place { module: 0, span: oxc::span::Span::new(0, 0) };
                let prefixes = vec!["VITE_".to_owned()];
                let mut loaded = self.loaded("development", Some(&folder), prefixes, place)?;
                loaded.place = start;
                self.loaded_variable(&loaded, name, place)?.unwrap_or(Value::UNDEFINED)
            }
            _ => Value::UNDEFINED,
        })
    }
}

fn unset<'a>(name: &str, place: Place) -> Value<'a> {
    Value::Undefined(Some(Unset { name: name.into(), place }))
}
