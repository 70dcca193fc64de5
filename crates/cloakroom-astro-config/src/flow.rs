//! Where objects are known by which names, and so which of them are changed.

use std::collections::BTreeMap;

use oxc::span::Span;

use crate::known;
use crate::module::{Binding, Export, Import};
use crate::modules::Modules;
use crate::value::Place;

/// What an object can be held by in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holder<'a> {
    /// A name; those of all scopes are one.
    Name(&'a str),
    /// The expression that begins and ends there, which makes the object.
    Made(u32, u32),
    /// All that the file of this specifier exports.
    File(&'a str),
    /// `process.env`
    Environment,
    /// `import.meta`
    ImportMeta,
    /// The language's own objects, which all others lean on.
    Language,
}

impl Holder<'_> {
    /// What `export default` exports.
    pub(crate) const DEFAULT: Holder<'static> = Holder::Name("*default*");

    pub(crate) fn made(span: Span) -> Holder<'static> {
        Holder::Made(span.start, span.end)
    }
}

/// What a value may be, or what it may be a part of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) holder: Holder<'a>,
    pub(crate) part: bool,
}

/// What happens to an object: whether its own properties change, and whether the objects in it may.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) itself: bool,
    pub(crate) contents: bool,
}

impl Change {
    pub(crate) const WRITE: Change = Change { itself: true, contents: false };
    /// A change to what is found inside.
    pub(crate) const INSIDE: Change = Change { itself: false, contents: true };
    /// It is left to code that is not known.
    pub(crate) const ANY: Change = Change { itself: true, contents: true };
}

impl Source<'_> {
    pub(crate) const LANGUAGE: Source<'static> = Source { holder: Holder::Language, part: false };
}

type Node<'a> = (usize, Holder<'a>);

/// What is changed anywhere in the site's files, and where.
#[derive(Debug, Default)]
pub(crate) struct Changed<'a> {
    nodes: BTreeMap<Node<'a>, (Change, Place)>,
    /// Where nothing is certain any more: the language's own objects are changed.
    pub(crate) language: Option<Place>,
}

impl<'a> Changed<'a> {
    pub(crate) fn made(&self, module: usize, span: Span) -> Option<Place> {
        self.holder(module, Holder::made(span))
    }

    /// As [`Changed::made`], for an object whose parts are one with it.
    pub(crate) fn made_or_inside(&self, module: usize, span: Span) -> Option<Place> {
        self.nodes.get(&(module, Holder::made(span))).map(|(_, place)| *place)
    }

    pub(crate) fn environment(&self) -> Option<Place> {
        self.nodes.iter().find_map(|((_, holder), (change, place))| {
            (*holder == Holder::Environment && change.itself).then_some(*place)
        })
    }

    pub(crate) fn import_meta(&self, module: usize) -> Option<Place> {
        // What is found in it, `import.meta.env`, is an object, too.
        self.nodes.get(&(module, Holder::ImportMeta)).map(|(_, place)| *place)
    }

    fn holder(&self, module: usize, holder: Holder<'a>) -> Option<Place> {
        let (change, place) = self.nodes.get(&(module, holder))?;
        change.itself.then_some(*place)
    }

    /// Follows the changes in all of the files to the objects that they may change.
    pub(crate) fn find(modules: &Modules<'a>) -> Changed<'a> {
        let mut changed = Changed::default();
        let mut flows: BTreeMap<Node<'a>, Vec<Source<'a>>> = BTreeMap::new();
        let mut waiting = Vec::new();
        for (module, file) in modules.all().enumerate() {
            for (holder, source) in &file.effects.flows {
                flows.entry((module, *holder)).or_default().push(*source);
            }
            for (source, change, span) in &file.effects.changes {
                let change = if source.part { Change::INSIDE } else { *change };
                waiting.push(((module, source.holder), change, Place { module, span: *span }));
            }
            for assumed in &file.effects.assumed {
                if modules.has_method(assumed.method) {
                    let changes = assumed.given.iter().map(|source| {
                        let change = if source.part { Change::INSIDE } else { Change::ANY };
                        ((module, source.holder), change, Place { module, span: assumed.span })
                    });
                    waiting.extend(changes);
                }
            }
            for span in &file.effects.language {
                changed.language.get_or_insert(Place { module, span: *span });
            }
        }
        while let Some((node, change, place)) = waiting.pop() {
            let known = changed.nodes.get(&node).map(|(known, _)| *known);
            let known = known.unwrap_or(Change { itself: false, contents: false });
            let both = Change {
                itself: known.itself || change.itself,
                contents: known.contents || change.contents,
            };
            if both == known {
                continue;
            }
            changed
                .nodes
                .entry(node)
                .and_modify(|(known, _)| *known = both)
                .or_insert((both, place));
            let (module, holder) = node;
            let is_name = matches!(holder, Holder::Name(_));
            for source in flows.get(&node).into_iter().flatten() {
                let passed = match (is_name, source.part) {
                    // A name is another one for the same object, or for what is found inside of one.
                    (true, false) => both,
                    (_, true) if is_name || both.contents => Change::INSIDE,
                    (false, false) if both.contents => Change::ANY,
                    _ => continue,
                };
                waiting.push(((module, source.holder), passed, place));
            }
            match holder {
                Holder::Name(name) => {
                    for node in modules.holders_of_name(module, name) {
                        // What is changed inside of the process is perhaps its environment.
                        let whole = node.1 == Holder::Environment;
                        waiting.push((node, if whole { Change::ANY } else { both }, place));
                    }
                    if both.contents {
                        for node in modules.holders_in_namespace(module, name) {
                            waiting.push((node, Change::ANY, place));
                        }
                    }
                    if both.itself && modules.is_everybodys(module, name) && change != Change::ANY {
                        changed.language.get_or_insert(place);
                    }
                }
                Holder::File(specifier) if known::node_module(specifier) == Some("process") => {
                    waiting.push(((module, Holder::Environment), Change::ANY, place));
                }
                Holder::File(specifier) => {
                    let file = modules.get(module).files.get(specifier);
                    for node in file.map(|file| modules.exported(*file)).unwrap_or_default() {
                        waiting.push((node, Change::ANY, place));
                    }
                }
                Holder::Language => _ = changed.language.get_or_insert(place),
                Holder::Made(..) | Holder::Environment | Holder::ImportMeta => {}
            }
        }
        changed
    }
}

impl<'a> Modules<'a> {
    /// What else a name stands for: the export of another file, or a part of the world outside.
    fn holders_of_name(&self, module: usize, name: &'a str) -> Vec<Node<'a>> {
        match self.get(module).bindings.get(name) {
            Some(Binding::Import(import)) => self.imported(module, *import),
            Some(_) => Vec::new(),
            None => match name {
                "process" => vec![(module, Holder::Environment)],
                "globalThis" | "global" | "self" | "window" => {
                    vec![(module, Holder::Environment), (module, Holder::Language)]
                }
                _ => Vec::new(),
            },
        }
    }

    /// Whether a name is that of an object of the language or of Node, whose functions others call.
    fn is_everybodys(&self, module: usize, name: &str) -> bool {
        let file = self.get(module);
        if let Some(Binding::Import(import)) = file.bindings.get(name) {
            return known::node_module(import.specifier).is_some();
        }
        !file.bindings.contains_key(name)
            && !file.effects.locals.contains(name)
            && !matches!(name, "process" | "module" | "exports" | "require" | "*default*")
    }

    fn imported(&self, module: usize, import: Import<'a>) -> Vec<Node<'a>> {
        if known::node_module(import.specifier) == Some("process") {
            return vec![(module, Holder::Environment)];
        }
        let file = self.get(module).files.get(import.specifier);
        match (file, import.name) {
            (Some(file), Some(name)) => self.export_holders(*file, name, 0),
            _ => Vec::new(),
        }
    }

    /// What is found in the module that a name stands for, as a whole.
    fn holders_in_namespace(&self, module: usize, name: &str) -> Vec<Node<'a>> {
        let mut found = (module, name);
        // The name may be that of an export, and so on.
        for _ in 0..64 {
            let file = self.get(found.0);
            let import = match (file.bindings.get(found.1), file.exports.get(found.1)) {
                (Some(Binding::Import(import)), _) => *import,
                (None, Some(Export::From(import))) => *import,
                (None, Some(Export::Local(local, _))) if *local != found.1 => {
                    found = (found.0, local);
                    continue;
                }
                _ => return Vec::new(),
            };
            let Some(from) = file.files.get(import.specifier) else { return Vec::new() };
            match import.name {
                None => return self.exported(*from),
                Some(name) => found = (*from, name),
            }
        }
        Vec::new()
    }

    /// Whether an object of the site has a method of this name.
    pub(crate) fn has_method(&self, name: &str) -> bool {
        self.all().any(|file| file.own_methods.0.contains(name))
    }

    fn export_holders(&self, module: usize, name: &str, depth: usize) -> Vec<Node<'a>> {
        let file = self.get(module);
        match file.exports.get(name).copied() {
            Some(Export::Expression(_)) => vec![(module, Holder::DEFAULT)],
            Some(Export::Local(name, _)) => vec![(module, Holder::Name(name))],
            Some(Export::From(import)) => match file.files.get(import.specifier) {
                Some(from) if depth < 64 => match import.name {
                    Some(name) => self.export_holders(*from, name, depth + 1),
                    None => self.exported(*from),
                },
                _ => Vec::new(),
            },
            Some(Export::Unknown(_)) => Vec::new(),
            None if depth < 64 => {
                let modules = file.exported_modules.iter();
                let files = modules.filter_map(|(specifier, _)| file.files.get(specifier));
                files.flat_map(|file| self.export_holders(*file, name, depth + 1)).collect()
            }
            None => Vec::new(),
        }
    }

    /// All that a file exports.
    fn exported(&self, module: usize) -> Vec<Node<'a>> {
        let (mut nodes, mut files, mut at) = (Vec::new(), vec![module], 0);
        while let Some(module) = files.get(at).copied() {
            at += 1;
            let file = self.get(module);
            nodes.push((module, Holder::DEFAULT));
            for export in file.exports.values() {
                match export {
                    Export::Local(name, _) => nodes.push((module, Holder::Name(name))),
                    Export::From(import) => files.extend(file.files.get(import.specifier)),
                    Export::Expression(_) | Export::Unknown(_) => {}
                }
            }
            let stars = file.exported_modules.iter();
            files.extend(stars.filter_map(|(specifier, _)| file.files.get(specifier)));
            let mut seen = std::collections::BTreeSet::new();
            files.retain(|file| seen.insert(*file));
        }
        nodes
    }
}
