//! The statements and expressions of a file, each with what it does.

use oxc::ast::ast::{
    AccessorProperty, ArrayExpression, ArrayExpressionElement, ArrowFunctionExpression,
    AssignmentExpression, AssignmentPattern, AssignmentTargetPropertyIdentifier,
    AssignmentTargetWithDefault, AwaitExpression, BindingIdentifier, BindingPattern,
    CallExpression, Class, ConditionalExpression, Decorator, ExportDefaultDeclaration, Expression,
    ForOfStatement, ForStatementLeft, FormalParameter, Function, IdentifierReference, IfStatement,
    ImportExpression, LogicalExpression, MemberExpression, NewExpression, ObjectExpression,
    ObjectPropertyKind, PropertyDefinition, PropertyKind, ReturnStatement, SimpleAssignmentTarget,
    StaticBlock, SwitchStatement, TaggedTemplateExpression, ThrowStatement, TryStatement,
    UnaryExpression, VariableDeclaration, VariableDeclarationKind, VariableDeclarator,
    WithStatement, YieldExpression,
};
use oxc::ast_visit::{Visit, walk};
use oxc::span::GetSpan as _;
use oxc::syntax::operator::UnaryOperator;
use oxc::syntax::scope::ScopeFlags;

use super::{Scan, string_argument};
use crate::flow::{Change, Holder, Source};
use crate::known::{self, Callee};
use crate::module::Binding;

impl<'a> Visit<'a> for Scan<'_, 'a> {
    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'a>) {
        self.effects.locals.insert(name.name.as_str());
    }

    fn visit_identifier_reference(&mut self, name: &IdentifierReference<'a>) {
        self.effects.referenced.insert(name.name.as_str());
        match name.name.as_str() {
            "eval" => self.effects.language.push(name.span),
            "module" | "exports" => _ = self.effects.common_js.get_or_insert(name.span),
            _ => {}
        }
    }

    fn visit_await_expression(&mut self, expression: &AwaitExpression<'a>) {
        self.effects.awaits |= self.functions == 0;
        walk::walk_await_expression(self, expression);
    }

    fn visit_decorator(&mut self, decorator: &Decorator<'a>) {
        self.unknown_call(decorator.span);
        walk::walk_decorator(self, decorator);
    }

    fn visit_accessor_property(&mut self, property: &AccessorProperty<'a>) {
        if let Some(value) = &property.value {
            self.pass_on(value, property.span);
        }
        walk::walk_accessor_property(self, property);
    }

    fn visit_assignment_target_with_default(&mut self, target: &AssignmentTargetWithDefault<'a>) {
        self.pass_on(&target.init, target.span);
        walk::walk_assignment_target_with_default(self, target);
    }

    fn visit_variable_declaration(&mut self, variables: &VariableDeclaration<'a>) {
        // The statements of the file itself have bindings.
        if variables.kind == VariableDeclarationKind::Var && self.functions == 0 {
            for variable in &variables.declarations {
                for name in variable.id.get_binding_identifiers() {
                    let declared = match self.bindings.get(name.name.as_str()) {
                        Some(Binding::Value { declared, .. }) => *declared == name.span,
                        _ => false,
                    };
                    if !declared {
                        self.reassign(name.name.as_str(), name.span);
                    }
                }
            }
        }
        walk::walk_variable_declaration(self, variables);
    }

    fn visit_variable_declarator(&mut self, variable: &VariableDeclarator<'a>) {
        if let Some(init) = &variable.init {
            let sources = match (&variable.id, self.is_process(init)) {
                // Of the process's properties, `env` alone is looked at.
                (BindingPattern::ObjectPattern(_), true) => {
                    vec![Source { holder: Holder::Environment, part: false }]
                }
                _ => self.sources(init),
            };
            match (&variable.id, self.is_process(init)) {
                (BindingPattern::ObjectPattern(object), true) => {
                    for property in &object.properties {
                        if property.key.static_name().is_none_or(|name| name == "env") {
                            self.declare(&property.value, &sources, false);
                        }
                    }
                    if let Some(rest) = &object.rest {
                        self.declare(&rest.argument, &self.sources(init), true);
                    }
                }
                (pattern, _) => self.declare(pattern, &sources, false),
            }
        }
        walk::walk_variable_declarator(self, variable);
    }

    fn visit_for_of_statement(&mut self, statement: &ForOfStatement<'a>) {
        if let ForStatementLeft::VariableDeclaration(variables) = &statement.left {
            let sources = self.sources(&statement.right);
            for variable in &variables.declarations {
                self.declare(&variable.id, &sources, true);
            }
        } else {
            self.pass_on(&statement.right, statement.span);
        }
        self.branch(|scan| walk::walk_for_of_statement(scan, statement));
    }

    fn visit_formal_parameter(&mut self, parameter: &FormalParameter<'a>) {
        if let Some(default) = &parameter.initializer {
            let sources = self.sources(default);
            self.declare(&parameter.pattern, &sources, false);
        }
        walk::walk_formal_parameter(self, parameter);
    }

    fn visit_assignment_pattern(&mut self, pattern: &AssignmentPattern<'a>) {
        let sources = self.sources(&pattern.right);
        self.declare(&pattern.left, &sources, false);
        self.branch(|scan| walk::walk_assignment_pattern(scan, pattern));
    }

    fn visit_assignment_expression(&mut self, assignment: &AssignmentExpression<'a>) {
        let is_export = assignment.left.as_simple_assignment_target().is_some_and(|target| {
            target
                .as_member_expression()
                .is_some_and(|member| member.is_specific_member_access("module", "exports"))
        });
        if is_export {
            let sources = self.sources(&assignment.right);
            self.flow(Holder::DEFAULT, sources);
        } else {
            self.pass_on(&assignment.right, assignment.span);
        }
        if is_export && self.functions == 0 && self.branches == 0 {
            let in_site = std::mem::replace(&mut self.in_site, true);
            self.visit_expression(&assignment.right);
            self.in_site = in_site;
        } else {
            walk::walk_assignment_expression(self, assignment);
        }
    }

    fn visit_simple_assignment_target(&mut self, target: &SimpleAssignmentTarget<'a>) {
        match (target, target.as_member_expression()) {
            (SimpleAssignmentTarget::AssignmentTargetIdentifier(name), _) => {
                self.reassign(name.name.as_str(), name.span);
            }
            (_, Some(member)) => self.write(member, target.span()),
            (_, None) => match target.get_expression().map(known::inner) {
                Some(Expression::Identifier(name)) => {
                    self.reassign(name.name.as_str(), name.span);
                }
                Some(expression) => match expression.as_member_expression() {
                    Some(member) => self.write(member, target.span()),
                    None => self.effects.language.push(target.span()),
                },
                None => self.effects.language.push(target.span()),
            },
        }
        walk::walk_simple_assignment_target(self, target);
    }

    fn visit_assignment_target_property_identifier(
        &mut self,
        target: &AssignmentTargetPropertyIdentifier<'a>,
    ) {
        self.reassign(target.binding.name.as_str(), target.span);
        if let Some(default) = &target.init {
            self.pass_on(default, target.span);
        }
        walk::walk_assignment_target_property_identifier(self, target);
    }

    fn visit_unary_expression(&mut self, unary: &UnaryExpression<'a>) {
        if unary.operator == UnaryOperator::Delete {
            let argument = match known::inner(&unary.argument) {
                Expression::ChainExpression(chain) => chain.expression.as_member_expression(),
                other => other.as_member_expression(),
            };
            match argument {
                Some(member) => self.write(member, unary.span),
                None => self.effects.language.push(unary.span),
            }
        }
        walk::walk_unary_expression(self, unary);
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        let made = Holder::made(call.span);
        let is_understood = self.understood.contains(&call.span);
        match known::callee(self.bindings, &call.callee) {
            _ if is_understood => {}
            Callee::Harmless if !self.is_called_back(call) => {}
            Callee::Harmless => {
                self.pass_arguments(&call.arguments, call.span);
                self.unknown_call(call.span);
            }
            Callee::LoadEnv | Callee::Prototype => {}
            Callee::Passing => {
                for argument in &call.arguments {
                    let sources = self.argument_sources(argument);
                    self.flow(made, sources);
                }
                // `Array.from(list, callback)`
                if known::path(&call.callee).is_some_and(|(_, path)| path == "from")
                    && call.arguments.len() > 1
                {
                    self.pass_arguments(&call.arguments, call.span);
                    self.unknown_call(call.span);
                }
                let path = known::path(&call.callee).unwrap_or_default();
                let package = known::package_of(self.bindings, path.0);
                if package
                    .is_some_and(|(_, name)| name == "defineConfig" || path.1 == "defineConfig")
                {
                    let in_site = std::mem::replace(&mut self.in_site, true);
                    walk::walk_call_expression(self, call);
                    self.in_site = in_site;
                    return;
                }
            }
            Callee::Mutating => {
                let mut arguments = call.arguments.iter();
                if let Some(first) = arguments.next() {
                    let sources = self.argument_sources(first);
                    self.change(sources, Change::WRITE, call.span);
                }
                for argument in arguments {
                    let sources = self.argument_sources(argument);
                    self.change(sources, Change::ANY, call.span);
                }
            }
            Callee::Require => match string_argument(call) {
                Some(specifier) => self.effects.runs.push((specifier, call.span)),
                None => self.effects.language.push(call.span),
            },
            Callee::Package(package) if self.is_trusted(package) => {
                // Integrations and adapters keep what they are told, and leave it as it is.
                if !known::is_plugin(package) {
                    self.pass_arguments(&call.arguments, call.span);
                }
            }
            Callee::Package(_) | Callee::Unknown => {
                if self.unknown_callee(call) {
                    return;
                }
            }
        }
        walk::walk_call_expression(self, call);
    }

    fn visit_new_expression(&mut self, new: &NewExpression<'a>) {
        if !known::is_harmless_constructor(&new.callee) {
            self.pass_arguments(&new.arguments, new.span);
            self.unknown_call(new.span);
        } else {
            let made = Holder::made(new.span);
            for argument in &new.arguments {
                let sources = self.argument_sources(argument);
                self.flow(made, sources);
            }
        }
        walk::walk_new_expression(self, new);
    }

    fn visit_tagged_template_expression(&mut self, template: &TaggedTemplateExpression<'a>) {
        for expression in &template.quasi.expressions {
            self.pass_on(expression, template.span);
        }
        self.unknown_call(template.span);
        walk::walk_tagged_template_expression(self, template);
    }

    fn visit_import_expression(&mut self, import: &ImportExpression<'a>) {
        match &import.source {
            Expression::StringLiteral(specifier) => {
                self.effects.runs.push((specifier.value.as_str(), import.span));
            }
            _ => self.effects.language.push(import.span),
        }
        walk::walk_import_expression(self, import);
    }

    fn visit_object_expression(&mut self, object: &ObjectExpression<'a>) {
        let made = Holder::made(object.span);
        let in_site = self.in_site;
        for property in &object.properties {
            match property {
                ObjectPropertyKind::SpreadProperty(spread) => {
                    let sources = self.part_sources(&spread.argument);
                    self.flow(made, sources);
                }
                ObjectPropertyKind::ObjectProperty(property) => {
                    let sources = self.sources(&property.value);
                    self.flow(made, sources);
                }
            }
        }
        for property in &object.properties {
            if let ObjectPropertyKind::ObjectProperty(property) = property {
                let is_session = property.key.static_name().is_none_or(|name| name == "session");
                self.in_site = in_site && !is_session;
                let is_accessor = property.kind != PropertyKind::Init;
                match &property.value {
                    // Whoever reads the property calls it.
                    Expression::FunctionExpression(function) if is_accessor => {
                        self.visit_property_key(&property.key);
                        self.receivers.push(Some(made));
                        self.branch(|scan| {
                            walk::walk_function(scan, function, ScopeFlags::Function)
                        });
                        self.receivers.pop();
                    }
                    Expression::FunctionExpression(function) => {
                        self.visit_property_key(&property.key);
                        self.function(Some(Some(made)), |scan| {
                            walk::walk_function(scan, function, ScopeFlags::Function);
                        });
                    }
                    _ => walk::walk_object_property(self, property),
                }
                self.in_site = in_site;
            } else {
                walk::walk_object_property_kind(self, property);
            }
        }
    }

    fn visit_array_expression(&mut self, array: &ArrayExpression<'a>) {
        let made = Holder::made(array.span);
        for element in &array.elements {
            let sources = match element {
                ArrayExpressionElement::SpreadElement(spread) => {
                    self.part_sources(&spread.argument)
                }
                element => element
                    .as_expression()
                    .map(|expression| self.sources(expression))
                    .unwrap_or_default(),
            };
            self.flow(made, sources);
        }
        walk::walk_array_expression(self, array);
    }

    fn visit_export_default_declaration(&mut self, export: &ExportDefaultDeclaration<'a>) {
        if let Some(expression) = export.declaration.as_expression() {
            let sources = self.sources(expression);
            self.flow(Holder::DEFAULT, sources);
        }
        self.in_site = true;
        walk::walk_export_default_declaration(self, export);
        self.in_site = false;
    }

    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        // In a block of a script it is declared around that, too.
        if function.is_declaration()
            && let Some(name) = &function.id
            && matches!(self.bindings.get(name.name.as_str()), Some(Binding::Value { .. }))
        {
            self.reassign(name.name.as_str(), name.span);
        }
        self.function(Some(None), |scan| walk::walk_function(scan, function, flags));
    }

    fn visit_arrow_function_expression(&mut self, arrow: &ArrowFunctionExpression<'a>) {
        self.function(None, |scan| scan.arrow(arrow));
    }

    fn visit_class(&mut self, class: &Class<'a>) {
        self.receivers.push(None);
        self.branch(|scan| walk::walk_class(scan, class));
        self.receivers.pop();
    }

    fn visit_static_block(&mut self, block: &StaticBlock<'a>) {
        self.unknown_call(block.span);
        walk::walk_static_block(self, block);
    }

    fn visit_property_definition(&mut self, property: &PropertyDefinition<'a>) {
        if let Some(value) = &property.value {
            self.pass_on(value, property.span);
        }
        walk::walk_property_definition(self, property);
    }

    fn visit_return_statement(&mut self, statement: &ReturnStatement<'a>) {
        if let Some(value) = &statement.argument {
            self.pass_on(value, statement.span);
        }
        walk::walk_return_statement(self, statement);
    }

    fn visit_yield_expression(&mut self, expression: &YieldExpression<'a>) {
        if let Some(value) = &expression.argument {
            self.pass_on(value, expression.span);
        }
        walk::walk_yield_expression(self, expression);
    }

    fn visit_throw_statement(&mut self, statement: &ThrowStatement<'a>) {
        self.pass_on(&statement.argument, statement.span);
        walk::walk_throw_statement(self, statement);
    }

    fn visit_with_statement(&mut self, statement: &WithStatement<'a>) {
        self.effects.language.push(statement.span);
        walk::walk_with_statement(self, statement);
    }

    fn visit_member_expression(&mut self, member: &MemberExpression<'a>) {
        if self.meta_environment(member) {
            if let MemberExpression::ComputedMemberExpression(member) = member {
                self.visit_expression(&member.expression);
            }
            return;
        }
        walk::walk_member_expression(self, member);
    }

    fn visit_conditional_expression(&mut self, conditional: &ConditionalExpression<'a>) {
        self.visit_expression(&conditional.test);
        self.branch(|scan| {
            scan.visit_expression(&conditional.consequent);
            scan.visit_expression(&conditional.alternate);
        });
    }

    fn visit_logical_expression(&mut self, logical: &LogicalExpression<'a>) {
        self.visit_expression(&logical.left);
        self.branch(|scan| scan.visit_expression(&logical.right));
    }

    fn visit_if_statement(&mut self, statement: &IfStatement<'a>) {
        self.branch(|scan| walk::walk_if_statement(scan, statement));
    }

    fn visit_switch_statement(&mut self, statement: &SwitchStatement<'a>) {
        self.branch(|scan| walk::walk_switch_statement(scan, statement));
    }

    fn visit_try_statement(&mut self, statement: &TryStatement<'a>) {
        self.branch(|scan| walk::walk_try_statement(scan, statement));
    }
}
