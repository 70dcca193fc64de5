//! Calls and imports that read a file of variables into the environment: `dotenv`, and Node's `loadEnvFile`.

use oxc::ast::ast::{CallExpression, ChainElement, Expression, Statement};
use oxc::span::Span;

use crate::known;
use crate::module::Bindings;

/// One of them, where it is run in any case.
#[derive(Clone, Copy)]
pub(crate) struct Load<'a> {
    pub(crate) span: Span,
    pub(crate) by: Loader,
    /// Which file; where there is none, `.env` in the project's folder.
    pub(crate) argument: Option<&'a Expression<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Loader {
    /// The package: a file that is missing is none.
    Dotenv,
    /// `process.loadEnvFile`: a file that is missing is an error, where nothing catches it.
    Node { is_caught: bool },
}

impl<'a> Load<'a> {
    /// `import 'dotenv/config'`
    pub(crate) fn of_import(span: Span) -> Load<'a> {
        Load { span, by: Loader::Dotenv, argument: None }
    }

    /// Those of a statement of the file itself, and of a `try` with nothing else in it.
    pub(crate) fn of_statement(
        statement: &'a Statement<'a>,
        bindings: &Bindings<'a>,
    ) -> Vec<Load<'a>> {
        let (statement, is_caught) = match statement {
            Statement::TryStatement(attempt) => match &attempt.block.body[..] {
                [statement] if attempt.handler.is_some() => (statement, true),
                _ => return Vec::new(),
            },
            statement => (statement, false),
        };
        match statement {
            Statement::ExpressionStatement(statement) => {
                Load::of_expression(&statement.expression, bindings, is_caught)
                    .into_iter()
                    .collect()
            }
            Statement::VariableDeclaration(variables) => {
                let values =
                    variables.declarations.iter().filter_map(|variable| variable.init.as_ref());
                values.filter_map(|value| Load::of_expression(value, bindings, is_caught)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn of_expression(
        expression: &'a Expression<'a>,
        bindings: &Bindings<'a>,
        is_caught: bool,
    ) -> Option<Load<'a>> {
        let call = match expression {
            Expression::CallExpression(call) => call,
            Expression::ChainExpression(chain) => match &chain.expression {
                ChainElement::CallExpression(call) => call,
                _ => return None,
            },
            _ => return None,
        };
        let by = loader(call, bindings, is_caught)?;
        let argument = match &call.arguments[..] {
            [] => None,
            [argument] => Some(argument.as_expression()?),
            _ => return None,
        };
        Some(Load { span: call.span, by, argument })
    }
}

fn loader<'a>(
    call: &CallExpression<'a>,
    bindings: &Bindings<'a>,
    is_caught: bool,
) -> Option<Loader> {
    let (root, path) = known::path(&call.callee)?;
    let node = Some(Loader::Node { is_caught });
    match known::package_of(bindings, root) {
        None if !bindings.contains_key(root) => {
            (root == "process" && path == "loadEnvFile").then_some(node).flatten()
        }
        None => None,
        Some((package, name)) => {
            let name = if matches!(name.as_str(), "" | "default") { path } else { name };
            match (known::node_module(package).unwrap_or(package), name.as_str()) {
                ("dotenv", "config") => Some(Loader::Dotenv),
                ("process", "loadEnvFile") => node,
                _ => None,
            }
        }
    }
}
