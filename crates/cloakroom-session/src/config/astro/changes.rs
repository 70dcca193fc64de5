//! Which names of a file are changed after they were declared: only running the file shows their values.

use std::borrow::Cow;
use std::collections::BTreeMap;

use oxc::ast::ast::{
    AssignmentTargetPropertyIdentifier, CallExpression, Expression, MemberExpression,
    SimpleAssignmentTarget, UnaryExpression,
};
use oxc::ast_visit::{Visit, walk};
use oxc::span::{GetSpan as _, Span};
use oxc::syntax::operator::UnaryOperator;

/// The methods by which an array is changed in its place.
const MUTATORS: [&str; 9] =
    ["push", "pop", "shift", "unshift", "splice", "sort", "reverse", "fill", "copyWithin"];

/// The functions of `Object` that change their first argument.
const OBJECT_MUTATORS: [&str; 4] =
    ["assign", "defineProperty", "defineProperties", "setPrototypeOf"];

/// Collects the names that assignments, `delete`, `Object.assign` and the like begin with, in functions too.
#[derive(Default)]
pub(super) struct Changes<'a> {
    names: BTreeMap<Cow<'a, str>, Span>,
}

impl<'a> Changes<'a> {
    /// The names, and `process.env.NAME` for each variable of the environment.
    pub(super) fn into_names(self) -> BTreeMap<Cow<'a, str>, Span> {
        self.names
    }

    fn note(&mut self, name: Option<&'a str>, span: Span) {
        if let Some(name) = name {
            self.names.entry(name.into()).or_insert(span);
        }
    }

    fn note_member(&mut self, member: &MemberExpression<'a>, span: Span) {
        match member.static_property_name() {
            Some(variable) if member.object().is_specific_member_access("process", "env") => {
                self.names.entry(format!("process.env.{variable}").into()).or_insert(span);
            }
            _ => self.note(first_name(member.object()), span),
        }
    }
}

impl<'a> Visit<'a> for Changes<'a> {
    fn visit_simple_assignment_target(&mut self, target: &SimpleAssignmentTarget<'a>) {
        match (target, target.as_member_expression()) {
            (SimpleAssignmentTarget::AssignmentTargetIdentifier(name), _) => {
                self.note(Some(name.name.as_str()), name.span);
            }
            (_, Some(member)) => self.note_member(member, target.span()),
            (_, None) => self.note(target.get_expression().and_then(first_name), target.span()),
        }
        walk::walk_simple_assignment_target(self, target);
    }

    fn visit_assignment_target_property_identifier(
        &mut self,
        target: &AssignmentTargetPropertyIdentifier<'a>,
    ) {
        self.note(Some(target.binding.name.as_str()), target.span);
        walk::walk_assignment_target_property_identifier(self, target);
    }

    fn visit_unary_expression(&mut self, unary: &UnaryExpression<'a>) {
        if unary.operator == UnaryOperator::Delete {
            match unary.argument.as_member_expression() {
                Some(member) => self.note_member(member, unary.span),
                None => self.note(first_name(&unary.argument), unary.span),
            }
        }
        walk::walk_unary_expression(self, unary);
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        if let Some(member) = call.callee.as_member_expression()
            && let Some(method) = member.static_property_name()
        {
            if MUTATORS.contains(&method) {
                self.note(first_name(member.object()), call.span);
            } else if member.object().is_specific_id("Object") && OBJECT_MUTATORS.contains(&method)
            {
                let first = call.arguments.first().and_then(|argument| argument.as_expression());
                self.note(first.and_then(first_name), call.span);
            }
        }
        walk::walk_call_expression(self, call);
    }
}

/// `a` of `a.b['c'].d`
fn first_name<'a>(expression: &Expression<'a>) -> Option<&'a str> {
    let mut expression = expression.get_inner_expression();
    while let Some(member) = expression.as_member_expression() {
        expression = member.object().get_inner_expression();
    }
    match expression {
        Expression::Identifier(name) => Some(name.name.as_str()),
        _ => None,
    }
}
