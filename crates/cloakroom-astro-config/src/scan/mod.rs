//! Finds what the statements of a file do besides declaring.

mod sources;
mod visit;

use oxc::ast::ast::{
    Argument, ArrowFunctionExpression, BindingPattern, CallExpression, Expression, MemberExpression,
};
use oxc::ast_visit::{Visit as _, walk};
use oxc::span::{GetSpan as _, Span};
use oxc::syntax::scope::ScopeFlags;

use crate::effects::{Assumed, Effects, MetaEnvironment, OwnMethods};
use crate::flow::{Change, Holder, Source};
use crate::known::{self, Method};
use crate::module::Bindings;

pub(crate) struct Scan<'m, 'a> {
    bindings: &'m Bindings<'a>,
    own_methods: &'m OwnMethods<'a>,
    /// The calls that are understood otherwise.
    understood: &'m [Span],
    effects: Effects<'a>,
    /// How many functions are around that only other code calls.
    functions: usize,
    /// How many branches are around.
    branches: usize,
    /// Whether this is a part of the configuration that is none of the session.
    in_site: bool,
    /// The objects whose functions are around.
    receivers: Vec<Option<Holder<'a>>>,
}

impl<'m, 'a> Scan<'m, 'a> {
    pub(crate) fn new(
        bindings: &'m Bindings<'a>,
        own_methods: &'m OwnMethods<'a>,
        understood: &'m [Span],
    ) -> Scan<'m, 'a> {
        Scan {
            bindings,
            own_methods,
            understood,
            effects: Effects::default(),
            functions: 0,
            branches: 0,
            in_site: false,
            receivers: Vec::new(),
        }
    }

    pub(crate) fn into_effects(self) -> Effects<'a> {
        self.effects
    }

    fn flow(&mut self, holder: Holder<'a>, sources: Vec<Source<'a>>) {
        self.effects.flows.extend(sources.into_iter().map(|source| (holder, source)));
    }

    fn change(&mut self, sources: Vec<Source<'a>>, change: Change, span: Span) {
        self.effects.changes.extend(sources.into_iter().map(|source| (source, change, span)));
    }

    /// Leaves a value to code that is not known.
    fn pass_on(&mut self, expression: &Expression<'a>, span: Span) {
        let sources = self.sources(expression);
        self.change(sources, Change::ANY, span);
    }

    fn pass_arguments(&mut self, arguments: &[Argument<'a>], span: Span) {
        for argument in arguments {
            let sources = self.argument_sources(argument);
            self.change(sources, Change::ANY, span);
        }
    }

    fn unknown_call(&mut self, span: Span) {
        if self.functions == 0 {
            self.effects.unknown_calls.push(span);
        }
    }

    fn reassign(&mut self, name: &'a str, span: Span) {
        self.effects.reassigned.entry(name).or_insert(span);
        if self.is_global(name) {
            self.effects.language.push(span);
        }
    }

    /// `object.key = …` or `delete object.key`
    fn write(&mut self, member: &MemberExpression<'a>, span: Span) {
        let name = member.static_property_name();
        let object = known::inner(member.object());
        if let Some(variable) = name
            && let Some(inner) = object.as_member_expression()
            && inner.static_property_name() == Some("env")
            && self.is_process(inner.object())
        {
            self.effects.variables.entry(variable).or_insert(span);
            return;
        }
        if self.is_process(object)
            && name.is_some_and(|name| !matches!(name, "env" | "cwd" | "loadEnvFile"))
        {
            return;
        }
        if name == Some("exports") && object.is_specific_id("module") {
            return;
        }
        let sources = self.sources(object);
        self.change(sources, Change::WRITE, span);
    }

    /// The names of a pattern, for the value that it takes apart.
    fn declare(&mut self, pattern: &BindingPattern<'a>, sources: &[Source<'a>], part: bool) {
        match pattern {
            BindingPattern::BindingIdentifier(name) => {
                let sources =
                    sources.iter().map(|source| Source { part: source.part || part, ..*source });
                let sources = sources
                    .filter(|source| source.holder != Holder::Environment || !source.part)
                    .collect();
                self.flow(Holder::Name(name.name.as_str()), sources);
            }
            BindingPattern::ObjectPattern(object) => {
                for property in &object.properties {
                    let name = property.key.static_name();
                    match name.is_some_and(|name| known::is_of_language(&name)) {
                        true => self.declare(&property.value, &[Source::LANGUAGE], false),
                        false => self.declare(&property.value, sources, true),
                    }
                }
                if let Some(rest) = &object.rest {
                    self.declare(&rest.argument, sources, true);
                }
            }
            BindingPattern::ArrayPattern(array) => {
                for element in array.elements.iter().flatten() {
                    self.declare(element, sources, true);
                }
                if let Some(rest) = &array.rest {
                    self.declare(&rest.argument, sources, true);
                }
            }
            BindingPattern::AssignmentPattern(assignment) => {
                self.declare(&assignment.left, sources, part);
            }
        }
    }

    /// Code that runs perhaps.
    fn branch(&mut self, visit: impl FnOnce(&mut Self)) {
        self.branches += 1;
        visit(self);
        self.branches -= 1;
    }

    /// A function that only other code calls.
    fn function(&mut self, receiver: Option<Option<Holder<'a>>>, visit: impl FnOnce(&mut Self)) {
        self.functions += 1;
        if let Some(receiver) = receiver {
            self.receivers.push(receiver);
        }
        visit(self);
        if receiver.is_some() {
            self.receivers.pop();
        }
        self.functions -= 1;
    }

    /// The arguments of a function that calls those among them that are functions, here and now.
    fn callbacks(&mut self, arguments: &[Argument<'a>]) -> bool {
        arguments.iter().filter_map(Argument::as_expression).all(|argument| {
            match known::inner(argument) {
                Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_) => true,
                Expression::Identifier(name) => {
                    matches!(name.name.as_str(), "Boolean" | "Number" | "String")
                        && !self.bindings.contains_key(name.name.as_str())
                }
                other => is_plain(other),
            }
        })
    }

    fn visit_callbacks(&mut self, arguments: &[Argument<'a>]) {
        for argument in arguments {
            match argument.as_expression().map(known::inner) {
                Some(Expression::ArrowFunctionExpression(arrow)) => {
                    self.branch(|scan| scan.arrow(arrow));
                }
                Some(Expression::FunctionExpression(function)) => {
                    self.branch(|scan| {
                        scan.receivers.push(None);
                        walk::walk_function(scan, function, ScopeFlags::Function);
                        scan.receivers.pop();
                    });
                }
                _ => self.visit_argument(argument),
            }
        }
    }

    fn arrow(&mut self, arrow: &ArrowFunctionExpression<'a>) {
        if let Some(expression) = arrow.body.as_expression() {
            self.pass_on(expression, expression.span());
        }
        walk::walk_arrow_function_expression(self, arrow);
    }

    fn meta_environment(&mut self, member: &MemberExpression<'a>) -> bool {
        let object = known::inner(member.object());
        let is_environment = object.as_member_expression().is_some_and(is_import_meta_env);
        if is_environment {
            self.effects.meta_environment.push(match member.optional() {
                true => MetaEnvironment::Optional,
                false if self.functions == 0 && self.branches == 0 => MetaEnvironment::Always,
                false => MetaEnvironment::Perhaps,
            });
        } else if is_import_meta_env(member) {
            self.effects.meta_environment.push(MetaEnvironment::Perhaps);
        }
        is_environment
    }

    /// A call of a function that is not known; whether the call has been visited.
    fn unknown_callee(&mut self, call: &CallExpression<'a>) -> bool {
        let member = known::inner(&call.callee).as_member_expression();
        if let Some(member) = member
            && self.method(member).is_some()
            && let Some(method) = member.static_property_name()
        {
            let mut given = self.sources(member.object());
            given
                .extend(call.arguments.iter().flat_map(|argument| self.argument_sources(argument)));
            let is_run = self.functions == 0;
            self.effects.assumed.push(Assumed { method, given, span: call.span, is_run });
        }
        match member.and_then(|member| self.method(member).map(|method| (member, method))) {
            Some((_, Method::Reads)) => {}
            Some((member, Method::Mutates)) => {
                let sources = self.sources(member.object());
                self.change(sources, Change::WRITE, call.span);
                self.pass_arguments(&call.arguments, call.span);
                if !self.callbacks(&call.arguments) && member.static_property_name() == Some("sort")
                {
                    self.unknown_call(call.span);
                }
            }
            Some((member, Method::Iterates)) => {
                let calls_back = call
                    .arguments
                    .iter()
                    .filter_map(Argument::as_expression)
                    .any(|argument| !is_plain(known::inner(argument)));
                if calls_back {
                    let sources = self.part_sources(member.object());
                    self.change(sources, Change::ANY, call.span);
                    self.pass_arguments(&call.arguments, call.span);
                }
                if !self.callbacks(&call.arguments) {
                    self.unknown_call(call.span);
                }
                self.visit_expression(&call.callee);
                self.visit_callbacks(&call.arguments);
                return true;
            }
            None => {
                if let Some(member) = member {
                    self.pass_on(member.object(), call.span);
                }
                self.pass_arguments(&call.arguments, call.span);
                self.unknown_call(call.span);
                if let Some(specifier) = string_argument(call)
                    && known::is_local(specifier)
                {
                    self.effects.runs.push((specifier, call.span));
                }
            }
        }
        false
    }

    /// Whether `JSON` is given a function that it calls with what it goes through.
    fn is_called_back(&self, call: &CallExpression<'a>) -> bool {
        let is_json = known::path(&call.callee).is_some_and(|(root, _)| root == "JSON");
        let second = call.arguments.get(1).map(Argument::as_expression);
        is_json
            && second
                .is_some_and(|second| !second.is_some_and(|second| is_plain(known::inner(second))))
    }

    /// Whether a package's function may be called here without a look at what it does to the environment.
    fn is_trusted(&self, package: &str) -> bool {
        known::is_plugin(package) || self.in_site && !known::is_about_environment(package)
    }
}

fn is_import_meta_env(member: &MemberExpression<'_>) -> bool {
    member.static_property_name() == Some("env")
        && matches!(known::inner(member.object()), Expression::ImportMeta(_))
}

/// Whether a value is none that could be called.
fn is_plain(expression: &Expression<'_>) -> bool {
    matches!(
        expression,
        Expression::StringLiteral(_)
            | Expression::NumericLiteral(_)
            | Expression::BooleanLiteral(_)
            | Expression::NullLiteral(_)
            | Expression::TemplateLiteral(_)
            | Expression::RegExpLiteral(_)
            | Expression::UnaryExpression(_)
            | Expression::BinaryExpression(_)
            | Expression::ArrayExpression(_)
            | Expression::ObjectExpression(_)
    )
}

fn string_argument<'a>(call: &CallExpression<'a>) -> Option<&'a str> {
    match call.arguments.first()?.as_expression()? {
        Expression::StringLiteral(text) => Some(text.value.as_str()),
        _ => None,
    }
}
