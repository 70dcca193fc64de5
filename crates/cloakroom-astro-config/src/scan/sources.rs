//! What a value may be or hold, of what the names and the expressions of a file hold.

use oxc::ast::ast::{Argument, CallExpression, ChainElement, Expression, MemberExpression};
use oxc::span::GetSpan as _;

use super::{Scan, string_argument};
use crate::flow::{Holder, Source};
use crate::known::{self, Callee, Method};
use crate::module::Binding;

impl<'a> Scan<'_, 'a> {
    /// What a value may be or hold, as far as it is an object that a name or an expression of this file holds.
    pub(super) fn sources(&self, expression: &Expression<'a>) -> Vec<Source<'a>> {
        let whole = |holder| vec![Source { holder, part: false }];
        let expression = known::inner(expression);
        if let Some(member) = expression.as_member_expression() {
            return self.member_sources(member);
        }
        match expression {
            Expression::Identifier(name) => whole(Holder::Name(name.name.as_str())),
            Expression::ThisExpression(_) => {
                self.receivers.last().copied().flatten().map(whole).unwrap_or_default()
            }
            Expression::ImportMeta(_) => whole(Holder::ImportMeta),
            Expression::ObjectExpression(_)
            | Expression::ArrayExpression(_)
            | Expression::NewExpression(_) => whole(Holder::made(expression.span())),
            Expression::CallExpression(call) => self.call_sources(call),
            Expression::ChainExpression(chain) => match &chain.expression {
                ChainElement::CallExpression(call) => self.call_sources(call),
                ChainElement::TSNonNullExpression(inner) => self.sources(&inner.expression),
                member => member
                    .as_member_expression()
                    .map(|member| self.member_sources(member))
                    .unwrap_or_default(),
            },
            Expression::ConditionalExpression(conditional) => {
                let mut sources = self.sources(&conditional.consequent);
                sources.extend(self.sources(&conditional.alternate));
                sources
            }
            Expression::LogicalExpression(logical) => {
                let mut sources = self.sources(&logical.left);
                sources.extend(self.sources(&logical.right));
                sources
            }
            Expression::SequenceExpression(sequence) => {
                sequence.expressions.last().map(|last| self.sources(last)).unwrap_or_default()
            }
            Expression::AwaitExpression(inner) => self.sources(&inner.argument),
            Expression::ImportExpression(import) => match &import.source {
                Expression::StringLiteral(specifier) => {
                    whole(Holder::File(specifier.value.as_str()))
                }
                _ => Vec::new(),
            },
            Expression::AssignmentExpression(assignment) => self.sources(&assignment.right),
            _ => Vec::new(),
        }
    }

    pub(super) fn member_sources(&self, member: &MemberExpression<'a>) -> Vec<Source<'a>> {
        let name = member.static_property_name();
        if name.is_some_and(known::is_of_language) {
            return vec![Source::LANGUAGE];
        }
        if self.is_process(member.object()) {
            return match name {
                Some("env") | None => vec![Source { holder: Holder::Environment, part: false }],
                Some(_) => Vec::new(),
            };
        }
        let sources = self.sources(member.object()).into_iter();
        sources
            // What is in the environment is text.
            .filter(|source| source.holder != Holder::Environment)
            .map(|source| Source { part: true, ..source })
            .collect()
    }

    pub(super) fn is_process(&self, expression: &Expression<'a>) -> bool {
        match known::path(expression) {
            Some((root, path)) if path.is_empty() => match self.bindings.get(root) {
                None => root == "process",
                Some(Binding::Import(import)) => {
                    known::node_module(import.specifier) == Some("process")
                        && import.name.is_none_or(|name| name == "default")
                }
                Some(_) => false,
            },
            Some((root, path)) => matches!(root, "globalThis" | "global") && path == "process",
            None => false,
        }
    }

    pub(super) fn call_sources(&self, call: &CallExpression<'a>) -> Vec<Source<'a>> {
        let made = Source { holder: Holder::made(call.span), part: false };
        match known::callee(self.bindings, &call.callee) {
            Callee::Harmless => Vec::new(),
            Callee::Prototype => vec![Source::LANGUAGE],
            Callee::Passing | Callee::Mutating => {
                let mut sources = vec![made];
                for argument in &call.arguments {
                    sources.extend(self.argument_sources(argument));
                }
                sources
            }
            Callee::Require => match string_argument(call) {
                Some(specifier) => vec![Source { holder: Holder::File(specifier), part: false }],
                None => vec![made],
            },
            Callee::LoadEnv | Callee::Package(_) | Callee::Unknown => {
                let mut sources = vec![made];
                // Whatever loads a file may be called `require` by another name.
                if let Some(specifier) = string_argument(call).filter(|text| known::is_local(text))
                {
                    sources.push(Source { holder: Holder::File(specifier), part: false });
                }
                let member = known::inner(&call.callee).as_member_expression();
                let Some((member, method)) =
                    member.and_then(|member| Some((member, self.method(member)?)))
                else {
                    return sources;
                };
                let receiver = self.sources(member.object());
                let parts = receiver.iter().map(|source| Source { part: true, ..*source });
                match method {
                    // Its result may be an element, by `at`.
                    Method::Reads if member.static_property_name() == Some("at") => {
                        return parts.collect();
                    }
                    Method::Reads => return Vec::new(),
                    Method::Iterates => {
                        sources.extend(parts);
                        if member.static_property_name() == Some("concat") {
                            let added = call.arguments.iter();
                            sources.extend(added.flat_map(|added| self.argument_sources(added)));
                        }
                    }
                    // It may be an element, by `pop`, and the array itself, by `sort`.
                    Method::Mutates => {
                        sources.extend(parts);
                        sources.extend(&receiver);
                    }
                }
                sources
            }
        }
    }

    pub(super) fn argument_sources(&self, argument: &Argument<'a>) -> Vec<Source<'a>> {
        match argument {
            Argument::SpreadElement(spread) => self.part_sources(&spread.argument),
            argument => argument
                .as_expression()
                .map(|expression| self.sources(expression))
                .unwrap_or_default(),
        }
    }

    pub(super) fn part_sources(&self, expression: &Expression<'a>) -> Vec<Source<'a>> {
        let sources = self.sources(expression).into_iter();
        sources
            .filter(|source| source.holder != Holder::Environment)
            .map(|source| Source { part: true, ..source })
            .collect()
    }

    /// What a method of the language does, where this is one.
    pub(super) fn method(&self, member: &MemberExpression<'a>) -> Option<Method> {
        let name = member.static_property_name()?;
        if self.own_methods.0.contains(name) {
            return None;
        }
        if let Some((root, _)) = known::path(member.object())
            && (known::package_of(self.bindings, root).is_some() || self.is_global(root))
        {
            return None;
        }
        Method::of(name)
    }

    pub(super) fn is_global(&self, name: &str) -> bool {
        matches!(
            name,
            "globalThis" | "global" | "process" | "Reflect" | "Object" | "eval" | "Function"
        ) && !self.bindings.contains_key(name)
    }
}
