//! What an expression of a configuration can be.

use std::rc::Rc;

use oxc::ast::ast::ObjectExpression;
use oxc::span::Span;
use url::Url;

use crate::dotenv::Variables;

/// Where something is written: a file, by its number, and a part of its text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) module: usize,
    pub(crate) span: Span,
}

/// A value, known as far as anybody asked.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
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
pub(crate) struct Unset {
    pub(crate) name: Rc<str>,
    pub(crate) place: Place,
}

/// An object whose properties are evaluated when they are asked for.
#[derive(Clone, Debug)]
pub(crate) enum Object<'a> {
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
pub(crate) struct Loaded {
    pub(crate) variables: Variables,
    /// Other names have no variable.
    pub(crate) prefixes: Vec<String>,
    /// Where they are read.
    pub(crate) place: Place,
}

/// A property, and where it is written.
#[derive(Clone, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) key: String,
    pub(crate) value: Value<'a>,
    pub(crate) place: Place,
}

/// A global name, or what a package exports, and the members on the way from there: `process.env`.
#[derive(Clone, Debug)]
pub(crate) struct Outside {
    pub(crate) package: Option<Rc<str>>,
    pub(crate) path: String,
}

impl Value<'_> {
    pub(crate) const UNDEFINED: Value<'static> = Value::Undefined(None);

    pub(crate) fn global(name: &str) -> Value<'static> {
        Value::Outside(Outside { package: None, path: name.to_owned() })
    }

    pub(crate) fn is_nullish(&self) -> bool {
        matches!(self, Value::Undefined(_) | Value::Null)
    }

    /// Whether only running the file shows anything of it, its truth too.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Value::Made { .. } | Value::Outside(_))
    }

    /// What it is called in messages; values themselves may be secret.
    pub(crate) fn kind(&self) -> &'static str {
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
