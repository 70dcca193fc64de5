//! A file of the configuration: its text, its imports and exports, and the names that it declares.

use std::collections::BTreeMap;
use std::path::PathBuf;

use oxc::ast::ast::{
    AssignmentTarget, BindingPattern, Declaration, ExportDefaultDeclarationKind, Expression,
    ImportDeclarationSpecifier, ModuleExportName, Program, Statement, VariableDeclaration,
};
use oxc::ast_visit::Visit as _;
use oxc::span::{GetSpan as _, Span};
use oxc::syntax::operator::AssignmentOperator;

use crate::effects::{Effects, OwnMethods};
use crate::load::Load;
use crate::scan::Scan;

/// The names that a file declares for all of its statements.
pub(crate) type Bindings<'a> = BTreeMap<&'a str, Binding<'a>>;

/// A parsed file.
pub(crate) struct Module<'a> {
    /// Absolute, without symbolic links.
    pub(crate) path: PathBuf,
    /// As messages name it.
    pub(crate) shown: String,
    pub(crate) source: &'a str,
    /// The files that are run before it.
    pub(crate) order: usize,
    pub(crate) bindings: Bindings<'a>,
    pub(crate) exports: BTreeMap<&'a str, Export<'a>>,
    /// The modules of `export * from '…'`.
    pub(crate) exported_modules: Vec<(&'a str, Span)>,
    /// What it imports, in the order of the text.
    pub(crate) requests: Vec<Request<'a>>,
    /// The files that its specifiers name, as far as they are followed.
    pub(crate) files: BTreeMap<&'a str, usize>,
    /// The calls that read a file of variables.
    pub(crate) loads: Vec<Load<'a>>,
    pub(crate) effects: Effects<'a>,
    pub(crate) own_methods: OwnMethods<'a>,
    /// Whether it has an import or an export.
    pub(crate) is_module: bool,
}

/// An import, or an export from another module.
#[derive(Clone)]
pub(crate) struct Request<'a> {
    pub(crate) specifier: &'a str,
    pub(crate) span: Span,
    /// Whether no name is imported.
    pub(crate) is_bare: bool,
    /// The names that it declares.
    pub(crate) names: Vec<&'a str>,
}

/// What a name of a file stands for.
#[derive(Clone)]
pub(crate) enum Binding<'a> {
    Import(Import<'a>),
    /// The value of an expression, or what is found in it by these steps.
    Value {
        expression: &'a Expression<'a>,
        steps: Vec<Step<'a>>,
        /// The name, where it is declared.
        declared: Span,
        /// How far the file has run when it has the value.
        available: u32,
    },
    /// A function, a class, or a variable that gets its value later.
    Unknown(Span),
}

#[derive(Clone, Copy)]
pub(crate) struct Import<'a> {
    pub(crate) specifier: &'a str,
    /// The name of the export; none for all of them.
    pub(crate) name: Option<&'a str>,
    pub(crate) span: Span,
}

/// One step of a destructuring pattern.
#[derive(Clone)]
pub(crate) enum Step<'a> {
    Member(String, Span),
    /// Of an array.
    Element(usize, Span),
    Default(&'a Expression<'a>),
}

#[derive(Clone, Copy)]
pub(crate) enum Export<'a> {
    Expression(&'a Expression<'a>),
    Local(&'a str, Span),
    From(Import<'a>),
    Unknown(Span),
}

impl<'a> Module<'a> {
    pub(crate) fn of_program(
        path: PathBuf,
        shown: String,
        source: &'a str,
        program: &'a Program<'a>,
    ) -> Module<'a> {
        let mut module = Module {
            path,
            shown,
            source,
            order: usize::MAX,
            bindings: BTreeMap::new(),
            exports: BTreeMap::new(),
            exported_modules: Vec::new(),
            requests: Vec::new(),
            files: BTreeMap::new(),
            loads: Vec::new(),
            effects: Effects::default(),
            own_methods: OwnMethods::default(),
            is_module: false,
        };
        for statement in &program.body {
            module.statement(statement);
        }
        for statement in &program.body {
            module.loads.extend(Load::of_statement(statement, &module.bindings));
        }
        let understood: Vec<_> = module.loads.iter().map(|load| load.span).collect();
        module.own_methods.visit_program(program);
        let mut scan = Scan::new(&module.bindings, &module.own_methods, &understood);
        scan.visit_program(program);
        let mut effects = scan.into_effects();
        for (name, span) in std::mem::take(&mut module.effects.reassigned) {
            effects.reassigned.entry(name).or_insert(span);
        }
        module.effects = effects;
        module
    }

    fn statement(&mut self, statement: &'a Statement<'a>) {
        match statement {
            Statement::ImportDeclaration(import) => {
                self.is_module = true;
                if import.import_kind.is_type() {
                    return;
                }
                let specifier = import.source.value.as_str();
                let is_bare = import.specifiers.as_ref().is_none_or(|names| names.is_empty());
                let names =
                    import.specifiers.iter().flatten().map(|name| name.local().name.as_str());
                let names = names.collect();
                self.requests.push(Request { specifier, span: import.span, is_bare, names });
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
                    self.bind(local.name.as_str(), local.span, Binding::Import(import));
                }
            }
            Statement::ExportDefaultDeclaration(export) => {
                self.is_module = true;
                let export = match &export.declaration {
                    ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                        if let Some(name) = &function.id {
                            self.bind(
                                name.name.as_str(),
                                name.span,
                                Binding::Unknown(function.span),
                            );
                        }
                        Export::Unknown(function.span)
                    }
                    ExportDefaultDeclarationKind::ClassDeclaration(class) => {
                        if let Some(name) = &class.id {
                            self.bind(name.name.as_str(), name.span, Binding::Unknown(class.span));
                        }
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
                self.is_module = true;
                for name in self.declaration(&export.declaration) {
                    self.exports.insert(name, Export::Local(name, export.span));
                }
            }
            Statement::ExportNamedDeclaration(export) => {
                self.is_module = true;
                if export.export_kind.is_type() {
                    return;
                }
                for name in &export.specifiers {
                    let local = Export::Local(export_name(&name.local), name.span);
                    self.exports.insert(export_name(&name.exported), local);
                }
            }
            Statement::ExportFromDeclaration(export) => {
                self.is_module = true;
                if export.export_kind.is_type() {
                    return;
                }
                let (specifier, span) = (export.source.value.as_str(), export.source.span);
                self.requests.push(Request {
                    specifier,
                    span,
                    is_bare: export.specifiers.is_empty(),
                    names: Vec::new(),
                });
                for name in &export.specifiers {
                    let import = Import { specifier, name: Some(export_name(&name.local)), span };
                    self.exports.insert(export_name(&name.exported), Export::From(import));
                }
            }
            Statement::ExportAllDeclaration(export) => {
                self.is_module = true;
                if export.export_kind.is_type() {
                    return;
                }
                let (specifier, span) = (export.source.value.as_str(), export.source.span);
                self.requests.push(Request { specifier, span, is_bare: false, names: Vec::new() });
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
            && assignment.operator == AssignmentOperator::Assign
            && member.object.is_specific_id("module")
            && member.property.name == "exports"
        {
            let export = match self.exports.contains_key("default") {
                true => Export::Unknown(assignment.span),
                false => Export::Expression(&assignment.right),
            };
            self.exports.insert("default", export);
        }
    }

    /// What a name stands for; a second declaration of it changes it.
    fn bind(&mut self, name: &'a str, span: Span, binding: Binding<'a>) {
        if self.bindings.insert(name, binding).is_some() {
            self.effects.reassigned.entry(name).or_insert(span);
        }
    }

    /// Returns the names that it declares.
    fn declaration(&mut self, declaration: &'a Declaration<'a>) -> Vec<&'a str> {
        match declaration {
            Declaration::VariableDeclaration(variables) if variables.declare => Vec::new(),
            Declaration::VariableDeclaration(variables) => self.variables(variables),
            Declaration::TSTypeAliasDeclaration(_) | Declaration::TSInterfaceDeclaration(_) => {
                Vec::new()
            }
            _ => {
                let name = declaration.id().map(|name| (name.name.as_str(), name.span));
                let unknown = Binding::Unknown(declaration.span());
                name.into_iter()
                    .map(|(name, span)| {
                        self.bind(name, span, unknown.clone());
                        name
                    })
                    .collect()
            }
        }
    }

    fn variables(&mut self, variables: &'a VariableDeclaration<'a>) -> Vec<&'a str> {
        let mut found = Vec::new();
        for variable in &variables.declarations {
            let value = variable.init.as_ref().map(|value| (value, variable.span.end));
            pattern(&variable.id, value, Vec::new(), &mut found);
        }
        found
            .into_iter()
            .map(|(name, span, binding)| {
                self.bind(name, span, binding);
                name
            })
            .collect()
    }
}

/// The names of a destructuring pattern, each with the steps to its value; and the expression that it takes apart, with
/// where its names have their values.
fn pattern<'a>(
    pattern_here: &'a BindingPattern<'a>,
    value: Option<(&'a Expression<'a>, u32)>,
    steps: Vec<Step<'a>>,
    found: &mut Vec<(&'a str, Span, Binding<'a>)>,
) {
    let Some((expression, available)) = value else {
        let unknown = Binding::Unknown(pattern_here.span());
        let names = pattern_here.get_binding_identifiers();
        found.extend(names.iter().map(|name| (name.name.as_str(), name.span, unknown.clone())));
        return;
    };
    let with = |step| steps.iter().cloned().chain([step]).collect();
    match pattern_here {
        BindingPattern::BindingIdentifier(name) => {
            let declared = name.span;
            let binding = Binding::Value { expression, steps, declared, available };
            found.push((name.name.as_str(), declared, binding));
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
                    pattern(element, value, with(Step::Element(index, element.span())), found);
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
