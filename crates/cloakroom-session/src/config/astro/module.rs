//! A file of the configuration: its text, its imports and exports, and the names that it declares.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use oxc::allocator::Allocator;
use oxc::ast::ast::{
    AssignmentTarget, BindingPattern, Declaration, ExportDefaultDeclarationKind, Expression,
    ImportDeclarationSpecifier, ModuleExportName, Program, Statement, VariableDeclaration,
};
use oxc::ast_visit::Visit as _;
use oxc::parser::Parser;
use oxc::span::{GetSpan as _, SourceType, Span};

use super::changes::Changes;
use super::value::Place;
use crate::error::{Error, Result};

/// In bytes; larger files are not configurations.
const LARGEST: usize = 256 * 1024;

/// In brackets, for which the parser needs the most of its stack.
const DEEPEST: usize = 128;

/// A parsed file.
pub(super) struct Module<'a> {
    /// Absolute.
    pub(super) path: PathBuf,
    /// As messages name it.
    shown: String,
    source: &'a str,
    pub(super) bindings: BTreeMap<&'a str, Binding<'a>>,
    pub(super) exports: BTreeMap<&'a str, Export<'a>>,
    /// The modules of `export * from '…'`.
    pub(super) exported_modules: Vec<(&'a str, Span)>,
    /// The names whose values are changed after their declaration, and where.
    pub(super) changes: BTreeMap<Cow<'a, str>, Span>,
}

/// What a name of a file stands for.
#[derive(Clone)]
pub(super) enum Binding<'a> {
    Import(Import<'a>),
    /// The value of an expression, or what is found in it by these steps.
    Value(&'a Expression<'a>, Vec<Step<'a>>),
    /// A function, a class, or a variable that gets its value later.
    Unknown(Span),
}

#[derive(Clone, Copy)]
pub(super) struct Import<'a> {
    pub(super) specifier: &'a str,
    /// The name of the export; none for all of them.
    pub(super) name: Option<&'a str>,
    pub(super) span: Span,
}

/// One step of a destructuring pattern.
#[derive(Clone)]
pub(super) enum Step<'a> {
    Member(String, Span),
    Default(&'a Expression<'a>),
}

#[derive(Clone, Copy)]
pub(super) enum Export<'a> {
    Expression(&'a Expression<'a>),
    Local(&'a str, Span),
    From(Import<'a>),
    Unknown(Span),
}

/// The files that were read, each once.
pub(super) struct Modules<'a> {
    allocator: &'a Allocator,
    modules: Vec<Module<'a>>,
}

impl<'a> Modules<'a> {
    pub(super) fn new(allocator: &'a Allocator) -> Modules<'a> {
        Modules { allocator, modules: Vec::new() }
    }

    pub(super) fn get(&self, module: usize) -> &Module<'a> {
        &self.modules[module]
    }

    /// Reads a file, or finds it where it was read before.
    ///
    /// # Errors
    /// Where it cannot be read or is not JavaScript or TypeScript; the message names the file.
    pub(super) fn load(&mut self, path: &Path, shown: String) -> Result<usize> {
        if let Some(known) = self.modules.iter().position(|module| module.path == path) {
            return Ok(known);
        }
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::config(format!("the configuration file {shown}: {error}")).with_source(error)
        })?;
        if text.len() > LARGEST || depth(&text) > DEEPEST {
            return Err(Error::config(format!(
                "the configuration file {shown} is too large or too deeply nested to be a configuration"
            )));
        }
        let source = self.allocator.alloc_str(&text);
        // Without types, what is said of a file of another kind is that it is not JavaScript.
        let kind = SourceType::from_path(path).unwrap_or_else(|_| SourceType::mjs());
        let parsed = Parser::new(self.allocator, source, kind).parse();
        if let Some(problem) = parsed.diagnostics.iter().next()
            && (parsed.panicked || parsed.diagnostics.has_errors())
        {
            let offset = problem.labels.first().map_or(0, |label| label.offset() as usize);
            let at = position(&shown, source, offset);
            return Err(Error::config(format!("{at}: this cannot be read: {problem}")));
        }
        let program: &'a Program<'a> = self.allocator.alloc(parsed.program);
        let mut changes = Changes::default();
        changes.visit_program(program);
        let mut module = Module {
            path: path.to_owned(),
            shown,
            source,
            bindings: BTreeMap::new(),
            exports: BTreeMap::new(),
            exported_modules: Vec::new(),
            changes: changes.into_names(),
        };
        for statement in &program.body {
            module.statement(statement);
        }
        self.modules.push(module);
        Ok(self.modules.len() - 1)
    }

    /// Where one of the files sets this variable of the environment.
    pub(super) fn change_of_variable(&self, name: &str) -> Option<Place> {
        let name = format!("process.env.{name}");
        self.modules.iter().enumerate().find_map(|(module, file)| {
            file.changes.get(name.as_str()).map(|span| Place { module, span: *span })
        })
    }

    /// `astro.config.mjs:3:14: …`
    pub(super) fn error(&self, place: Place, message: &str) -> Error {
        let module = self.get(place.module);
        let at = position(&module.shown, module.source, place.span.start as usize);
        Error::config(format!("{at}: {message}"))
    }

    /// `3:14`
    pub(super) fn line_and_column(&self, place: Place) -> String {
        line_and_column(self.get(place.module).source, place.span.start as usize)
    }

    /// What is written there, on one line and cut where it is long.
    pub(super) fn snippet(&self, place: Place) -> String {
        let (start, end) = (place.span.start as usize, place.span.end as usize);
        let text = self.get(place.module).source.get(start..end).unwrap_or_default();
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(60) {
            Some((cut, _)) => format!("{}…", &line[..cut]),
            None => line,
        }
    }

    /// The file that a relative import of this module names, and what messages call it.
    pub(super) fn find(&self, module: usize, specifier: &str) -> Option<(PathBuf, String)> {
        let importer = self.get(module);
        let folder = importer.path.parent()?;
        let shown = Path::new(&importer.shown).parent().unwrap_or(Path::new(""));
        let specifier = specifier.split(['?', '#']).next().unwrap_or_default();
        let typescript = match specifier.rsplit_once('.') {
            Some((stem, "js")) => format!("{stem}.ts"),
            Some((stem, "mjs")) => format!("{stem}.mts"),
            _ => format!("{specifier}.ts"),
        };
        let endings = ["mts", "js", "mjs", "cjs"].map(|ending| format!("{specifier}.{ending}"));
        let indexes = ["ts", "mts", "js", "mjs", "cjs"];
        let indexes = indexes.map(|ending| format!("{specifier}/index.{ending}"));
        let names = [specifier.to_owned(), typescript];
        let name = names
            .into_iter()
            .chain(endings)
            .chain(indexes)
            .find(|name| folder.join(name).is_file())?;
        let path = super::paths::normal(&folder.join(&name));
        Some((path, super::paths::normal(&shown.join(&name)).display().to_string()))
    }
}

impl<'a> Module<'a> {
    fn statement(&mut self, statement: &'a Statement<'a>) {
        match statement {
            Statement::ImportDeclaration(import) => {
                let specifier = import.source.value.as_str();
                for name in import.specifiers.iter().flatten() {
                    let (local, name) = match name {
                        ImportDeclarationSpecifier::ImportSpecifier(name) => {
                            (&name.local, Some(export_name(&name.imported)))
                        }
                        ImportDeclarationSpecifier::ImportDefaultSpecifier(name) => {
                            (&name.local, Some("default"))
                        }
                        ImportDeclarationSpecifier::ImportNamespaceSpecifier(name) => {
                            (&name.local, None)
                        }
                    };
                    let import = Import { specifier, name, span: import.source.span };
                    self.bindings.insert(local.name.as_str(), Binding::Import(import));
                }
            }
            Statement::ExportDefaultDeclaration(export) => {
                let export = match &export.declaration {
                    ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                        Export::Unknown(function.span)
                    }
                    ExportDefaultDeclarationKind::ClassDeclaration(class) => {
                        Export::Unknown(class.span)
                    }
                    other => match other.as_expression() {
                        Some(expression) => Export::Expression(expression),
                        None => return,
                    },
                };
                self.exports.insert("default", export);
            }
            Statement::ExportDeclaration(export) => {
                for name in self.declaration(&export.declaration) {
                    self.exports.insert(name, Export::Local(name, export.span));
                }
            }
            Statement::ExportNamedDeclaration(export) => {
                for name in &export.specifiers {
                    let local = Export::Local(export_name(&name.local), name.span);
                    self.exports.insert(export_name(&name.exported), local);
                }
            }
            Statement::ExportFromDeclaration(export) => {
                let (specifier, span) = (export.source.value.as_str(), export.source.span);
                for name in &export.specifiers {
                    let import = Import { specifier, name: Some(export_name(&name.local)), span };
                    self.exports.insert(export_name(&name.exported), Export::From(import));
                }
            }
            Statement::ExportAllDeclaration(export) => {
                let (specifier, span) = (export.source.value.as_str(), export.source.span);
                match &export.exported {
                    Some(name) => {
                        let import = Import { specifier, name: None, span };
                        self.exports.insert(export_name(name), Export::From(import));
                    }
                    None => self.exported_modules.push((specifier, span)),
                }
            }
            Statement::ExpressionStatement(statement) => self.common_js(&statement.expression),
            other => {
                if let Some(declaration) = other.as_declaration() {
                    self.declaration(declaration);
                }
            }
        }
    }

    /// `module.exports = …`, which imports see as the default.
    fn common_js(&mut self, expression: &'a Expression<'a>) {
        if let Expression::AssignmentExpression(assignment) = expression
            && let AssignmentTarget::StaticMemberExpression(member) = &assignment.left
            && member.object.is_specific_id("module")
            && member.property.name == "exports"
        {
            self.exports.insert("default", Export::Expression(&assignment.right));
        }
    }

    /// Returns the names that it declares.
    fn declaration(&mut self, declaration: &'a Declaration<'a>) -> Vec<&'a str> {
        match declaration {
            Declaration::VariableDeclaration(variables) => self.variables(variables),
            Declaration::FunctionDeclaration(_)
            | Declaration::ClassDeclaration(_)
            | Declaration::TSEnumDeclaration(_) => {
                let name = declaration.id().map(|name| name.name.as_str());
                let unknown = Binding::Unknown(declaration.span());
                name.into_iter()
                    .inspect(|name| _ = self.bindings.insert(name, unknown.clone()))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    fn variables(&mut self, variables: &'a VariableDeclaration<'a>) -> Vec<&'a str> {
        let mut found = Vec::new();
        for variable in &variables.declarations {
            pattern(&variable.id, variable.init.as_ref(), Vec::new(), &mut found);
        }
        found
            .into_iter()
            .map(|(name, binding)| {
                self.bindings.insert(name, binding);
                name
            })
            .collect()
    }
}

/// The names of a destructuring pattern, each with the steps to its value.
fn pattern<'a>(
    pattern_here: &'a BindingPattern<'a>,
    value: Option<&'a Expression<'a>>,
    steps: Vec<Step<'a>>,
    found: &mut Vec<(&'a str, Binding<'a>)>,
) {
    let Some(expression) = value else {
        let unknown = Binding::Unknown(pattern_here.span());
        let names = pattern_here.get_binding_identifiers();
        found.extend(names.iter().map(|name| (name.name.as_str(), unknown.clone())));
        return;
    };
    let with = |step| steps.iter().cloned().chain([step]).collect();
    match pattern_here {
        BindingPattern::BindingIdentifier(name) => {
            found.push((name.name.as_str(), Binding::Value(expression, steps)));
        }
        BindingPattern::ObjectPattern(object) => {
            for property in &object.properties {
                let name = property.key.static_name();
                let step = name.map(|name| Step::Member(name.into_owned(), property.key.span()));
                match step {
                    Some(step) => pattern(&property.value, value, with(step), found),
                    None => pattern(&property.value, None, Vec::new(), found),
                }
            }
            if let Some(rest) = &object.rest {
                pattern(&rest.argument, None, Vec::new(), found);
            }
        }
        BindingPattern::ArrayPattern(array) => {
            for (index, element) in array.elements.iter().enumerate() {
                if let Some(element) = element {
                    let step = Step::Member(index.to_string(), element.span());
                    pattern(element, value, with(step), found);
                }
            }
            if let Some(rest) = &array.rest {
                pattern(&rest.argument, None, Vec::new(), found);
            }
        }
        BindingPattern::AssignmentPattern(assignment) => {
            pattern(&assignment.left, value, with(Step::Default(&assignment.right)), found);
        }
    }
}

fn export_name<'a>(name: &ModuleExportName<'a>) -> &'a str {
    match name {
        ModuleExportName::IdentifierName(name) => name.name.as_str(),
        ModuleExportName::IdentifierReference(name) => name.name.as_str(),
        ModuleExportName::StringLiteral(name) => name.value.as_str(),
    }
}

fn position(shown: &str, source: &str, offset: usize) -> String {
    format!("{shown}:{}", line_and_column(source, offset))
}

/// Both begin at one, and columns are characters.
fn line_and_column(source: &str, offset: usize) -> String {
    let before = source.get(..offset).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{line}:{column}")
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
