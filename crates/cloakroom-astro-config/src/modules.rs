//! The files of a configuration: which there are, in which order they are run, and what that sets.

use std::path::{Path, PathBuf};

use oxc::allocator::Allocator;
use oxc::ast::ast::Program;
use oxc::parser::Parser;
use oxc::span::SourceType;

use crate::error::{Error, ErrorKind, Position, Result};
use crate::flow::Changed;
use crate::known;
use crate::load::Load;
use crate::module::{Module, Request};
use crate::resolve::Found;
use crate::value::Place;

/// In bytes; larger files are not configurations.
const LARGEST: usize = 256 * 1024;

/// In brackets, for which the parser needs the most of its stack.
const DEEPEST: usize = 128;

/// In files.
const MOST: usize = 500;

/// The files that were read, each once, in the order in which their imports are met.
pub(crate) struct Modules<'a> {
    allocator: &'a Allocator,
    modules: Vec<Module<'a>>,
    /// What was done so far, in the order in which the files are run.
    clock: usize,
    /// What may have set variables of the environment, or does.
    pub(crate) events: Vec<Event<'a>>,
    /// An import of the site's own that is not followed.
    pub(crate) unread: Option<Place>,
    changed: Changed<'a>,
}

/// When something happens: the order of its file among those that are run, and how far in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(usize, u32);

/// Something that sets variables of the environment.
#[derive(Clone, Copy)]
pub(crate) struct Event<'a> {
    pub(crate) time: Time,
    pub(crate) place: Place,
    pub(crate) kind: EventKind<'a>,
}

#[derive(Clone, Copy)]
pub(crate) enum EventKind<'a> {
    /// What it does is not known.
    Unknown,
    Load(Load<'a>),
}

impl<'a> Modules<'a> {
    pub(crate) fn new(allocator: &'a Allocator) -> Modules<'a> {
        Modules {
            allocator,
            modules: Vec::new(),
            clock: 0,
            events: Vec::new(),
            unread: None,
            changed: Changed::default(),
        }
    }

    pub(crate) fn get(&self, module: usize) -> &Module<'a> {
        &self.modules[module]
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Module<'a>> {
        self.modules.iter()
    }

    /// What is changed after it was made.
    pub(crate) fn changed(&self) -> &Changed<'a> {
        &self.changed
    }

    pub(crate) fn time(&self, place: Place) -> Time {
        Time(self.get(place.module).order, place.span.start)
    }

    /// Whether a file is run to its end before another one begins.
    pub(crate) fn is_before(&self, module: usize, other: usize) -> bool {
        self.get(module).order < self.get(other).order
    }

    /// Reads the file that the configuration begins with, and all that it imports.
    ///
    /// # Errors
    /// Where one cannot be read or is not JavaScript or TypeScript; the message names the file.
    pub(crate) fn open(&mut self, path: &Path, shown: String) -> Result<usize> {
        let module = self.load(path, shown, false)?;
        self.settle();
        self.changed = Changed::find(self);
        Ok(module)
    }

    /// What only all of the files together tell of what happens.
    fn settle(&mut self) {
        let mut events = Vec::new();
        for (module, file) in self.modules.iter().enumerate() {
            let assumed = file.effects.assumed.iter();
            let unknown = assumed.filter(|call| call.is_run && self.has_method(call.method));
            events.extend(unknown.map(|call| Event {
                time: Time(file.order, call.span.end),
                place: Place { module, span: call.span },
                kind: EventKind::Unknown,
            }));
        }
        self.events.extend(events);
        // While one file waits, those are run that do not need it.
        if self.modules.iter().skip(1).any(|file| file.effects.awaits) {
            for event in &mut self.events {
                (event.time, event.kind) = (Time(0, 0), EventKind::Unknown);
            }
        }
    }

    /// Reads a file, or finds it where it was read before. What another one runs in its midst is `dynamic`.
    fn load(&mut self, path: &Path, shown: String, dynamic: bool) -> Result<usize> {
        // Files are the same under every name, as they are for Node.
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if let Some(known) = self.modules.iter().position(|module| module.path == real) {
            return Ok(known);
        }
        let module = self.parse(real, shown)?;
        let (requests, runs) = (module.requests.clone(), module.effects.runs.clone());
        let number = self.modules.len();
        self.modules.push(module);
        if number == MOST {
            return Err(Error::unreadable(format!(
                "the configuration imports more than {MOST} files: that is not a configuration"
            )));
        }
        let requests = requests.into_iter().map(|request| (request, false));
        let runs = runs.into_iter().map(|(specifier, span)| {
            (Request { specifier, span, is_bare: false, names: Vec::new() }, true)
        });
        for (request, runs) in requests.chain(runs) {
            let is_needed = self.is_needed(number, &request);
            self.request(number, request, dynamic || runs || !is_needed, runs)?;
        }
        self.clock += 1;
        let order = self.clock;
        let file = &mut self.modules[number];
        file.order = order;
        let calls = file.effects.unknown_calls.iter();
        let unknown: Vec<_> = calls.map(|span| (*span, EventKind::Unknown)).collect();
        let loads = file.loads.iter().map(|load| {
            // When such a file is run is not known, and so not what it comes after.
            (load.span, if dynamic { EventKind::Unknown } else { EventKind::Load(*load) })
        });
        let events: Vec<_> = unknown.into_iter().chain(loads).collect();
        self.events.extend(events.into_iter().map(|(span, kind)| Event {
            // A call comes after its arguments.
            time: if dynamic { Time(0, 0) } else { Time(order, span.end) },
            place: Place { module: number, span },
            kind,
        }));
        Ok(number)
    }

    /// Whether an import is one for sure: TypeScript leaves out those whose names are not used.
    fn is_needed(&self, module: usize, request: &Request<'a>) -> bool {
        let file = self.get(module);
        let ending = file.path.extension().and_then(|ending| ending.to_str());
        let is_typed = matches!(ending, Some("ts" | "mts" | "cts" | "tsx"));
        !is_typed
            || request.names.is_empty()
            || request.names.iter().any(|name| file.effects.referenced.contains(name))
    }

    fn request(
        &mut self,
        module: usize,
        request: Request<'a>,
        dynamic: bool,
        runs: bool,
    ) -> Result<()> {
        let Request { specifier, span, is_bare, .. } = request;
        let place = Place { module, span };
        match self.find(module, specifier, runs) {
            Found::File { path, shown, .. } => {
                let file = self.load(&path, shown, dynamic)?;
                self.modules[module].files.insert(specifier, file);
            }
            Found::Data => {}
            Found::Unread => {
                self.unread.get_or_insert(place);
                self.happens(place, EventKind::Unknown);
            }
            Found::Nothing => self.happens(place, EventKind::Unknown),
            Found::Package if matches!(specifier, "dotenv/config" | "dotenv/config.js") => {
                match dynamic {
                    true => self.happens(place, EventKind::Unknown),
                    false => self.happens(place, EventKind::Load(Load::of_import(span))),
                }
            }
            Found::Package => {
                if known::is_about_environment(specifier) && !matches!(specifier, "dotenv")
                    || is_bare && !is_harmless_import(specifier)
                {
                    self.happens(place, EventKind::Unknown);
                }
            }
        }
        Ok(())
    }

    /// Something that an import does, before the file that imports it is run.
    fn happens(&mut self, place: Place, kind: EventKind<'a>) {
        self.clock += 1;
        self.events.push(Event { time: Time(self.clock, 0), place, kind });
    }

    fn parse(&self, path: PathBuf, shown: String) -> Result<Module<'a>> {
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Error::unreadable(format!("the configuration file {shown}: {error}")).with_source(error)
        })?;
        if text.len() > LARGEST || depth(&text) > DEEPEST {
            return Err(Error::unreadable(format!(
                "the configuration file {shown} is too large or too deeply nested to be a configuration"
            )));
        }
        let source = self.allocator.alloc_str(&text);
        // Without types, what is said of a file of another kind is that it is not JavaScript.
        let kind = SourceType::from_path(&path).unwrap_or_else(|_| SourceType::mjs());
        let parsed = Parser::new(self.allocator, source, kind).parse();
        if let Some(problem) = parsed.diagnostics.iter().next()
            && (parsed.panicked || parsed.diagnostics.has_errors())
        {
            let offset = problem.labels.first().map_or(0, |label| label.offset() as usize);
            let at = position(&shown, source, offset);
            let message = format!("this cannot be read: {problem}");
            return Err(Error::at(ErrorKind::Unreadable, at, message));
        }
        let program: &'a Program<'a> = self.allocator.alloc(parsed.program);
        Ok(Module::of_program(path, shown, source, program))
    }

    /// Where one of the files sets this variable of the environment.
    pub(crate) fn change_of_variable(&self, name: &str) -> Option<Place> {
        self.modules.iter().enumerate().find_map(|(module, file)| {
            file.effects.variables.get(name).map(|span| Place { module, span: *span })
        })
    }

    /// What makes no sense there, or names something that there is not.
    pub(crate) fn error(&self, place: Place, message: &str) -> Error {
        Error::at(ErrorKind::Unusable, self.position(place), message)
    }

    /// What only running the file would show.
    pub(crate) fn not_known(&self, place: Place, message: &str) -> Error {
        Error::at(ErrorKind::NotKnown, self.position(place), message)
    }

    /// What is in a variable that is not set.
    pub(crate) fn unset(&self, place: Place, message: &str) -> Error {
        Error::at(ErrorKind::Unset, self.position(place), message)
    }

    /// Where this is.
    pub(crate) fn position(&self, place: Place) -> Position {
        let module = self.get(place.module);
        position(&module.shown, module.source, place.span.start as usize)
    }

    /// `3:14`, with the file where it is another one than that of `from`.
    pub(crate) fn line_and_column(&self, place: Place, from: Place) -> String {
        let position = self.position(place);
        match place.module == from.module {
            true => format!("{}:{}", position.line, position.column),
            false => position.to_string(),
        }
    }

    /// What is written there, on one line and cut where it is long.
    pub(crate) fn snippet(&self, place: Place) -> String {
        let (start, end) = (place.span.start as usize, place.span.end as usize);
        let text = self.get(place.module).source.get(start..end).unwrap_or_default();
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(60) {
            Some((cut, _)) => format!("{}…", &line[..cut]),
            None => line,
        }
    }
}

/// Styles, and what Astro and Node bring, set no variables.
fn is_harmless_import(specifier: &str) -> bool {
    specifier.starts_with("astro/")
        || specifier.starts_with("@astrojs/")
        || known::node_module(specifier).is_some()
        || [".css", ".less", ".sass", ".scss"].iter().any(|ending| specifier.ends_with(ending))
}

fn position(shown: &str, source: &str, offset: usize) -> Position {
    let before = source.get(..offset).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Position { file: shown.to_owned(), line, column }
}

/// How deep brackets of any kind nest, with those in texts and comments counted too.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for letter in text.bytes() {
        match letter {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
