//! What a file does besides declaring: to objects, to variables, and to the environment.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use oxc::ast::ast::{
    Expression, MemberExpression, MethodDefinition, ObjectProperty, PropertyDefinition,
    SimpleAssignmentTarget,
};
use oxc::ast_visit::{Visit, walk};
use oxc::span::Span;

use crate::flow::{Change, Holder, Source};

/// What a file does besides declaring.
#[derive(Default)]
pub(crate) struct Effects<'a> {
    /// What each holder's object is, or has in it.
    pub(crate) flows: Vec<(Holder<'a>, Source<'a>)>,
    pub(crate) changes: Vec<(Source<'a>, Change, Span)>,
    /// The names that get other values after their declaration.
    pub(crate) reassigned: BTreeMap<&'a str, Span>,
    /// The variables of the environment that are set by their names.
    pub(crate) variables: BTreeMap<&'a str, Span>,
    /// The calls that may do anything to the environment.
    pub(crate) unknown_calls: Vec<Span>,
    /// Where the language's own objects may be changed, or any name.
    pub(crate) language: Vec<Span>,
    /// The files that are run in the midst of this one.
    pub(crate) runs: Vec<(&'a str, Span)>,
    /// Calls of what is taken for the language's own methods, as long as no object of the site has one of that name.
    pub(crate) assumed: Vec<Assumed<'a>>,
    /// Whether the file waits for something before it goes on.
    pub(crate) awaits: bool,
    pub(crate) referenced: BTreeSet<&'a str>,
    /// Names that are declared in any scope.
    pub(crate) locals: BTreeSet<&'a str>,
    /// The uses of `import.meta.env`.
    pub(crate) meta_environment: Vec<MetaEnvironment>,
    /// Whether `module` or `exports` is used other than to export once.
    pub(crate) common_js: Option<Span>,
}

/// A call of a method of the language, or of one of the same name.
pub(crate) struct Assumed<'a> {
    pub(crate) method: &'a str,
    /// The receiver and the arguments.
    pub(crate) given: Vec<Source<'a>>,
    pub(crate) span: Span,
    /// Whether it is called when the file is run.
    pub(crate) is_run: bool,
}

/// A use of `import.meta.env`.
#[derive(Clone, Copy)]
pub(crate) enum MetaEnvironment {
    /// `import.meta.env.NAME`, wherever the file is run.
    Always,
    /// `import.meta.env?.NAME`
    Optional,
    /// In a branch or a function, or passed on.
    Perhaps,
}

/// Names of methods that objects of the site have by themselves, so that theirs are not the language's.
#[derive(Default)]
pub(crate) struct OwnMethods<'a>(pub(crate) BTreeSet<Cow<'a, str>>);

impl<'a> Visit<'a> for OwnMethods<'a> {
    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        let is_function = !matches!(
            property.value,
            Expression::StringLiteral(_)
                | Expression::NumericLiteral(_)
                | Expression::BooleanLiteral(_)
                | Expression::ObjectExpression(_)
                | Expression::ArrayExpression(_)
        );
        if is_function && let Some(name) = property.key.static_name() {
            self.0.insert(name);
        }
        walk::walk_object_property(self, property);
    }

    fn visit_method_definition(&mut self, method: &MethodDefinition<'a>) {
        self.0.extend(method.key.static_name());
        walk::walk_method_definition(self, method);
    }

    fn visit_property_definition(&mut self, property: &PropertyDefinition<'a>) {
        self.0.extend(property.key.static_name());
        walk::walk_property_definition(self, property);
    }

    fn visit_simple_assignment_target(&mut self, target: &SimpleAssignmentTarget<'a>) {
        let name = target.as_member_expression().and_then(MemberExpression::static_property_name);
        self.0.extend(name.map(Cow::Borrowed));
        walk::walk_simple_assignment_target(self, target);
    }
}
