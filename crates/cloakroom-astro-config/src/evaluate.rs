//! Evaluates expressions without running anything: only what is asked for, and only what is the same in every run.

use oxc::allocator::Allocator;
use oxc::ast::ast::{Argument, ArrayExpressionElement, ChainElement, Expression};
use oxc::span::{GetSpan as _, Span};
use oxc::syntax::operator::{BinaryOperator, LogicalOperator};

use crate::error::{Error, Result};
use crate::known;
use crate::members::ended;
use crate::module::{Binding, Export, Import, Step};
use crate::modules::Modules;
use crate::operators;
use crate::resolve::Found;
use crate::value::{Object, Place, Unset, Value};

/// How deep expressions may lead to each other: a cycle goes deeper.
const DEEPEST: usize = 256;

/// How many expressions may be evaluated: only a text made to explode needs more.
const LONGEST: usize = 50_000;

/// What reads an environment variable.
pub type Environment<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

pub(crate) struct Evaluator<'a> {
    pub(crate) modules: Modules<'a>,
    pub(crate) environment: Environment<'a>,
    depth: usize,
    steps: usize,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(allocator: &'a Allocator, environment: Environment<'a>) -> Evaluator<'a> {
        Evaluator { modules: Modules::new(allocator), environment, depth: 0, steps: 0 }
    }

    /// What only running the file would show.
    pub(crate) fn unknown(&self, place: Place) -> Error {
        let snippet = self.modules.snippet(place);
        self.modules.not_known(
            place,
            &format!(
                "`{snippet}` is not known without running the file, which is never done: \
                 write a literal value here, or process.env.NAME"
            ),
        )
    }

    /// What only running the file up to some line would show.
    pub(crate) fn changed(&self, name: &str, place: Place, change: Place) -> Error {
        let change = self.modules.line_and_column(change, place);
        self.modules.not_known(
            place,
            &format!(
                "`{name}` is changed at {change}, and what it is then only running the file shows: \
                 write the final value here"
            ),
        )
    }

    /// What an unset variable stands in the way of.
    pub(crate) fn unset(&self, unset: &Unset, needed: &str) -> Error {
        let Unset { name, place } = unset;
        self.modules.unset(
            *place,
            &format!(
                "the environment variable {name} is not set, and {needed}: set it, or give it a default with `??`"
            ),
        )
    }

    pub(crate) fn evaluate(
        &mut self,
        module: usize,
        expression: &'a Expression<'a>,
    ) -> Result<Value<'a>> {
        let place = Place { module, span: expression.span() };
        self.deeper(place, |evaluator| evaluator.value(module, expression))
    }

    /// Takes one more step, where there are not too many behind and above.
    pub(crate) fn deeper<T>(
        &mut self,
        place: Place,
        step: impl FnOnce(&mut Evaluator<'a>) -> Result<T>,
    ) -> Result<T> {
        self.steps += 1;
        if self.depth == DEEPEST || self.steps > LONGEST {
            return Err(self.modules.error(
                place,
                "this leads back to itself, or too far for a configuration: write the value here",
            ));
        }
        self.depth += 1;
        let done = step(self);
        self.depth -= 1;
        done
    }

    fn value(&mut self, module: usize, expression: &'a Expression<'a>) -> Result<Value<'a>> {
        let place = Place { module, span: expression.span() };
        let value = match expression {
            Expression::NullLiteral(_) => Value::Null,
            Expression::BooleanLiteral(literal) => Value::Boolean(literal.value),
            Expression::NumericLiteral(literal) => Value::Number(literal.value),
            // Texts here are Unicode, where JavaScript's may have halves of letters.
            Expression::StringLiteral(literal) if literal.lone_surrogates => {
                return Err(self.unknown(place));
            }
            Expression::StringLiteral(literal) => literal.value.as_str().into(),
            Expression::TemplateLiteral(template) => {
                let mut text = String::new();
                for (index, part) in template.quasis.iter().enumerate() {
                    if part.lone_surrogates {
                        return Err(self.unknown(place));
                    }
                    let Some(letters) = part.value.cooked else { return Err(self.unknown(place)) };
                    text.push_str(letters.as_str());
                    if let Some(expression) = template.expressions.get(index) {
                        text.push_str(&self.text(module, expression)?);
                    }
                }
                Value::String(text)
            }
            Expression::Identifier(name) => {
                return self.name(module, name.name.as_str(), name.span);
            }
            Expression::ImportMeta(_) => Value::global("import.meta"),
            Expression::ObjectExpression(object) => {
                self.refuse_changed(place)?;
                Value::Object(Object::Literal(module, object))
            }
            Expression::ArrayExpression(array) => {
                self.refuse_changed(place)?;
                let mut values = Vec::new();
                for element in &array.elements {
                    match element {
                        ArrayExpressionElement::SpreadElement(spread) => {
                            match self.evaluate(module, &spread.argument)? {
                                Value::Array(more) => values.extend(more.iter().cloned()),
                                _ => return Err(self.unknown(Place { module, span: spread.span })),
                            }
                        }
                        element => values.push(match element.as_expression() {
                            Some(expression) => self.evaluate(module, expression)?,
                            None => Value::UNDEFINED,
                        }),
                    }
                }
                Value::Array(values.into())
            }
            Expression::ConditionalExpression(condition) => {
                let branch = match self.truth(module, &condition.test)? {
                    true => &condition.consequent,
                    false => &condition.alternate,
                };
                return self.evaluate(module, branch);
            }
            Expression::LogicalExpression(logical) => {
                let left = self.evaluate(module, &logical.left)?;
                let left_place = Place { module, span: logical.left.span() };
                let truth = operators::truth(&left).ok_or_else(|| self.unknown(left_place))?;
                let is_answer = match logical.operator {
                    LogicalOperator::Or => truth,
                    LogicalOperator::And => !truth,
                    LogicalOperator::Coalesce => !left.is_nullish(),
                };
                if is_answer { left } else { return self.evaluate(module, &logical.right) }
            }
            Expression::UnaryExpression(unary) => {
                let value = self.evaluate(module, &unary.argument)?;
                return operators::unary(unary.operator, &value).ok_or_else(|| self.unknown(place));
            }
            Expression::BinaryExpression(binary) => {
                let left = self.evaluate(module, &binary.left)?;
                let right = self.evaluate(module, &binary.right)?;
                if binary.operator == BinaryOperator::Addition {
                    self.refuse_unset(&[&left, &right])?;
                }
                let value = operators::binary(binary.operator, &left, &right);
                return value.ok_or_else(|| self.unknown(place));
            }
            Expression::NewExpression(new) => {
                if let Some(change) = self.modules.changed().made_or_inside(module, place.span) {
                    return Err(self.changed(&self.modules.snippet(place), place, change));
                }
                let callee = self.evaluate(module, &new.callee)?;
                return self.construct(&callee, module, &new.arguments, place);
            }
            Expression::ChainExpression(chain) => {
                let link = match &chain.expression {
                    ChainElement::CallExpression(call) => self.call(module, call),
                    ChainElement::TSNonNullExpression(inner) => {
                        self.link(module, &inner.expression)
                    }
                    member => match member.as_member_expression() {
                        Some(member) => self.member_link(module, member),
                        None => Err(self.unknown(place)),
                    },
                };
                return link.map(ended);
            }
            Expression::StaticMemberExpression(_)
            | Expression::ComputedMemberExpression(_)
            | Expression::CallExpression(_) => return self.link(module, expression).map(ended),
            Expression::ParenthesizedExpression(inner) => {
                return self.evaluate(module, &inner.expression);
            }
            Expression::TSAsExpression(inner) => return self.evaluate(module, &inner.expression),
            Expression::TSSatisfiesExpression(inner) => {
                return self.evaluate(module, &inner.expression);
            }
            Expression::TSNonNullExpression(inner) => {
                return self.evaluate(module, &inner.expression);
            }
            Expression::TSTypeAssertion(inner) => return self.evaluate(module, &inner.expression),
            Expression::TSInstantiationExpression(inner) => {
                return self.evaluate(module, &inner.expression);
            }
            _ => return Err(self.unknown(place)),
        };
        Ok(value)
    }

    /// Refuses an object that something changes after it was made, by whichever name.
    pub(crate) fn refuse_changed(&self, place: Place) -> Result<()> {
        match self.modules.changed().made(place.module, place.span) {
            Some(change) => Err(self.changed(&self.modules.snippet(place), place, change)),
            None => Ok(()),
        }
    }

    /// A part of a text.
    pub(crate) fn text(&mut self, module: usize, expression: &'a Expression<'a>) -> Result<String> {
        let value = self.evaluate(module, expression)?;
        self.refuse_unset(&[&value])?;
        let place = Place { module, span: expression.span() };
        operators::text(&value).ok_or_else(|| self.unknown(place))
    }

    // DIFFERENCE: JavaScript would write "undefined" into an address, which nobody wants.
    pub(crate) fn refuse_unset(&self, values: &[&Value<'a>]) -> Result<()> {
        values.iter().try_for_each(|value| match value {
            Value::Undefined(Some(unset)) => Err(self.unset(unset, "it is a part of a value")),
            _ => Ok(()),
        })
    }

    fn truth(&mut self, module: usize, expression: &'a Expression<'a>) -> Result<bool> {
        let value = self.evaluate(module, expression)?;
        let place = Place { module, span: expression.span() };
        operators::truth(&value).ok_or_else(|| self.unknown(place))
    }

    /// A name that the file declares, or a global one.
    fn name(&mut self, module: usize, name: &'a str, span: Span) -> Result<Value<'a>> {
        self.name_at(module, name, span, span)
    }

    /// As [`Evaluator::name`], when the program has come to another place than where the name is written.
    fn name_at(
        &mut self,
        module: usize,
        name: &'a str,
        span: Span,
        when: Span,
    ) -> Result<Value<'a>> {
        let place = Place { module, span };
        let file = self.modules.get(module);
        if let Some(span) = file.effects.reassigned.get(name) {
            return Err(self.changed(name, place, Place { module, span: *span }));
        }
        match file.bindings.get(name).cloned() {
            None => self.global(name, place),
            Some(Binding::Unknown(span)) => Err(self.unknown(Place { module, span })),
            Some(Binding::Import(import)) => self.import(module, import),
            Some(Binding::Value { expression, steps, available, .. }) => {
                if when.start < available {
                    let message =
                        format!("`{name}` has no value yet here: it leads back to itself");
                    return Err(self.modules.error(place, &message));
                }
                if let Some(change) = self.modules.changed().made(module, expression.span()) {
                    return Err(self.changed(name, place, change));
                }
                let mut value = self.evaluate(module, expression)?;
                for step in steps {
                    value = match step {
                        Step::Member(key, span) => {
                            self.member(&value, &key, Place { module, span })?
                        }
                        Step::Element(index, span) => match &value {
                            Value::Array(values) => {
                                values.get(index).cloned().unwrap_or(Value::UNDEFINED)
                            }
                            _ => return Err(self.unknown(Place { module, span })),
                        },
                        Step::Default(default) if matches!(value, Value::Undefined(_)) => {
                            self.evaluate(module, default)?
                        }
                        Step::Default(_) => value,
                    };
                }
                Ok(value)
            }
        }
    }

    /// What another module exports: evaluated where it is a file of the site, and else only known by its name.
    pub(crate) fn import(&mut self, module: usize, import: Import<'a>) -> Result<Value<'a>> {
        let Import { specifier, name, span } = import;
        let place = Place { module, span };
        if !known::is_local(specifier) {
            return Ok(crate::outside::package(specifier, name));
        }
        let imported = self.file(module, specifier, place)?;
        match name {
            None => Ok(Value::Object(Object::Namespace(imported))),
            Some(name) => {
                let found = self.deeper(place, |evaluator| evaluator.export(imported, name))?;
                found.map(|(value, _)| value).ok_or_else(|| {
                    self.modules.error(place, &format!("{specifier} has no export `{name}`"))
                })
            }
        }
    }

    /// The file that this module imports by this name.
    pub(crate) fn file(&self, module: usize, specifier: &str, place: Place) -> Result<usize> {
        if let Some(unread) = self.modules.unread {
            // It may change what the files that are read export.
            return Err(self.unknown(unread));
        }
        let Some(imported) = self.modules.get(module).files.get(specifier).copied() else {
            let message = match self.modules.find(module, specifier, false) {
                Found::Nothing => format!("there is no file {specifier}"),
                _ => {
                    "only JavaScript and TypeScript are followed: write the value into one of them"
                        .to_owned()
                }
            };
            return Err(self.modules.error(place, &message));
        };
        if !self.modules.is_before(imported, module) {
            let message = "this leads back to itself: what it is then only running the file shows";
            return Err(self.modules.error(place, message));
        }
        Ok(imported)
    }

    pub(crate) fn export(
        &mut self,
        module: usize,
        name: &str,
    ) -> Result<Option<(Value<'a>, Place)>> {
        let file = self.modules.get(module);
        let is_default = name == "default";
        if is_default
            && !file.is_module
            && let Some(span) = file.effects.common_js
        {
            return Err(self.unknown(Place { module, span }));
        }
        if !is_default && !file.is_module {
            // Which names Node finds in a script is a guess of its own.
            return Err(self.unknown(Place { module, span: Span::new(0, 0) }));
        }
        let (value, span) = match file.exports.get(name).copied() {
            Some(Export::Expression(expression)) => {
                (self.evaluate(module, expression)?, expression.span())
            }
            // What it is in the end, wherever the names are written.
            Some(Export::Local(name, span)) => {
                let end = Span::new(u32::MAX, u32::MAX);
                let value = match file.bindings.contains_key(name) {
                    true => self.name_at(module, name, span, end)?,
                    false => self.name(module, name, span)?,
                };
                (value, span)
            }
            Some(Export::From(import)) => (self.import(module, import)?, import.span),
            Some(Export::Unknown(span)) => return Err(self.unknown(Place { module, span })),
            None if is_default => return Ok(None),
            None => return self.export_of_others(module, name),
        };
        Ok(Some((value, Place { module, span })))
    }

    /// What `export * from '…'` exports.
    fn export_of_others(
        &mut self,
        module: usize,
        name: &str,
    ) -> Result<Option<(Value<'a>, Place)>> {
        let mut found = None;
        for (specifier, span) in self.modules.get(module).exported_modules.clone() {
            let place = Place { module, span };
            if !known::is_local(specifier) {
                return Err(self.unknown(place));
            }
            let exporter = self.file(module, specifier, place)?;
            let another = self.deeper(place, |evaluator| evaluator.export(exporter, name))?;
            if another.is_some() && found.is_some() {
                // A name that two of them export is none, unless both have it of a third.
                return Err(self.unknown(place));
            }
            found = found.or(another);
        }
        Ok(found)
    }

    /// The argument of this number; undefined where there are fewer.
    pub(crate) fn argument(
        &mut self,
        module: usize,
        arguments: &'a [Argument<'a>],
        index: usize,
    ) -> Result<Value<'a>> {
        let spread = arguments.iter().take(index + 1).find(|argument| argument.is_spread());
        if let Some(spread) = spread {
            return Err(self.unknown(Place { module, span: spread.span() }));
        }
        match arguments.get(index).and_then(|argument| argument.as_expression()) {
            Some(expression) => self.evaluate(module, expression),
            None => Ok(Value::UNDEFINED),
        }
    }
}
