//! What an expression of a configuration can be.

use std::rc::Rc;

use oxc::ast::ast::ObjectExpression;
use oxc::span::Span;
use url::Url;

use super::dotenv::Variables;

/// Where something is written: a file, by its number, and a part of its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) module: usize,
    pub(super) span: Span,
}

/// A value, known as far as anybody asked.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    /// `undefined`, and why where an environment variable is the reason.
    Undefined(Option<Unset>),
    Null,
    Boolean(bool),
    Number(f64),
    String(String),
    Url(Box<Url>),
    Array(Rc<[Value<'a>]>),
    Object(Object<'a>),
    /// What a package's function made of its first argument: an adapter or an integration.
    Made {
        package: Rc<str>,
        options: Rc<Value<'a>>,
    },
    /// A name that no file here declares.
    Outside(Outside),
}

/// An environment variable that was read and is not set.
#[derive(Clone, Debug)]
pub(super) struct Unset {
    pub(super) name: Rc<str>,
    pub(super) place: Place,
}

/// An object whose properties are evaluated when they are asked for.
#[derive(Clone, Debug)]
pub(super) enum Object<'a> {
    /// `{ … }` in the file of this number.
    Literal(usize, &'a ObjectExpression<'a>),
    /// `import * as …` of the file of this number.
    Namespace(usize),
    /// What one of Astro's functions returns.
    Entries(Rc<[Entry<'a>]>),
    /// What Vite's `loadEnv` returns.
    Variables(Rc<Loaded>),
}

/// The variables of files that Vite's `loadEnv` has read; those of the environment come before them.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) variables: Variables,
    /// Other names have no variable.
    pub(super) prefixes: Vec<String>,
    /// Where they are read.
    pub(super) place: Place,
}

/// A property, and where it is written.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    pub(super) key: String,
    pub(super) value: Value<'a>,
    pub(super) place: Place,
}

/// A global name, or what a package exports, and the members on the way from there: `process.env`.
#[derive(Clone, Debug)]
pub(super) struct Outside {
    pub(super) package: Option<Rc<str>>,
    pub(super) path: String,
}

impl Value<'_> {
    pub(super) const UNDEFINED: Value<'static> = Value::Undefined(None);

    pub(super) fn global(name: &str) -> Value<'static> {
        Value::Outside(Outside { package: None, path: name.to_owned() })
    }

    pub(super) fn is_nullish(&self) -> bool {
        matches!(self, Value::Undefined(_) | Value::Null)
    }

    /// Whether only running the file shows anything of it, its truth too.
    pub(super) fn is_unknown(&self) -> bool {
        matches!(self, Value::Made { .. } | Value::Outside(_))
    }

    /// What it is called in messages; values themselves may be secret.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Undefined(_) => "undefined",
            Value::Null => "null",
            Value::Boolean(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Url(_) => "a URL",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
            Value::Made { .. } | Value::Outside(_) => "something that only running the file shows",
        }
    }
}

impl<'a> From<&str> for Value<'a> {
    fn from(text: &str) -> Value<'a> {
        Value::String(text.to_owned())
    }
}
