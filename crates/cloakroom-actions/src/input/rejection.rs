//! What a type refuses of a form, and how a person is told.

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::issue::PathSegment;

/// The way to a field, step by step.
pub(super) type Path = Vec<PathSegment>;

/// What is said of a value that is not there.
pub(super) const REQUIRED: &str = "This is required.";

/// Why a reading of a form has failed.
#[derive(Clone, Debug)]
pub(super) struct FieldError {
    /// The field, or the object that lacks one; `None` until it is known, which is soon.
    pub(super) place: Option<Path>,
    pub(super) problem: Problem,
}

#[derive(Clone, Debug)]
pub(super) enum Problem {
    /// The field is not there, and its type cannot say so.
    Missing { otherwise: Otherwise },
    /// The object has no such field, and its type has no default for it.
    NoDefault { field: &'static str },
    /// The object has a field that its type does not know.
    Unknown { field: String },
    /// The type takes no such value.
    Rejected(Rejection),
    /// The value is wrong in words of the type's own.
    Invalid { message: String },
    /// No form can be such a type.
    Unsupported { message: String },
}

/// What a missing field is where its type has no default for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Otherwise {
    /// `false`, or a list without values.
    Empty,
    /// Missing.
    Wrong,
    /// Missing, with all of its fields.
    WrongObject,
}

/// A value that a type has refused.
#[derive(Clone, Debug)]
pub(super) struct Rejection {
    pub(super) value: Refused,
    /// Whether it is of another type, and not only out of range.
    pub(super) is_of_another_type: bool,
    /// The type has fields, so that nothing but an object is good enough.
    pub(super) wants_fields: bool,
    pub(super) message: String,
}

/// The value, as far as it tells which one it was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Refused {
    /// By where its text lies, which is the form's own.
    Text {
        address: usize,
        length: usize,
    },
    Boolean,
    Whole(u64),
    Negative(i64),
    Fraction(f64),
    List,
    Object,
    Other,
}

impl Refused {
    pub(super) fn text(text: &str) -> Refused {
        Refused::Text { address: text.as_ptr().addr(), length: text.len() }
    }

    fn new(unexpected: Unexpected<'_>) -> Refused {
        match unexpected {
            Unexpected::Str(text) => Refused::text(text),
            Unexpected::Bool(_) => Refused::Boolean,
            Unexpected::Unsigned(number) => Refused::Whole(number),
            Unexpected::Signed(number) => Refused::Negative(number),
            Unexpected::Float(number) => Refused::Fraction(number),
            Unexpected::Seq => Refused::List,
            Unexpected::Map => Refused::Object,
            _ => Refused::Other,
        }
    }
}

thread_local! {
    /// What was refused since a value was last buffered. A type that tries one variant after the other keeps what it
    /// hears to itself.
    static HEARD: RefCell<Vec<Problem>> = const { RefCell::new(Vec::new()) };
}

/// Begins to listen.
pub(super) fn listen() {
    HEARD.with_borrow_mut(Vec::clear);
}

/// What was refused since.
pub(super) fn heard() -> Vec<Problem> {
    HEARD.with_borrow(Vec::clone)
}

impl FieldError {
    fn new(problem: Problem) -> FieldError {
        HEARD.with_borrow_mut(|heard| heard.push(problem.clone()));
        FieldError { place: None, problem }
    }

    /// Of this field.
    pub(super) fn of(path: &[PathSegment], problem: Problem) -> FieldError {
        FieldError { place: Some(path.to_vec()), problem }
    }

    /// Says where, if that is not known yet.
    pub(super) fn at(self, place: &[PathSegment]) -> FieldError {
        FieldError { place: self.place.or_else(|| Some(place.to_vec())), ..self }
    }

    fn rejected(
        unexpected: Unexpected<'_>,
        expected: &str,
        is_of_another_type: bool,
    ) -> FieldError {
        if let Unexpected::UnitVariant
        | Unexpected::NewtypeVariant
        | Unexpected::TupleVariant
        | Unexpected::StructVariant = unexpected
        {
            let message = format!("a field of a form holds no {expected}");
            return FieldError::new(Problem::Unsupported { message });
        }
        FieldError::new(Problem::Rejected(Rejection {
            value: Refused::new(unexpected),
            is_of_another_type,
            wants_fields: has_fields(expected),
            message: sentence(expected),
        }))
    }
}

impl de::Error for FieldError {
    fn custom<T: fmt::Display>(message: T) -> FieldError {
        FieldError::new(Problem::Invalid { message: message.to_string() })
    }

    fn missing_field(field: &'static str) -> FieldError {
        FieldError::new(Problem::NoDefault { field })
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> FieldError {
        FieldError::new(Problem::Unknown { field: field.to_owned() })
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> FieldError {
        FieldError::rejected(unexpected, &expected.to_string(), true)
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> FieldError {
        FieldError::rejected(unexpected, &expected.to_string(), false)
    }

    fn unknown_variant(variant: &str, variants: &'static [&'static str]) -> FieldError {
        FieldError::new(Problem::Rejected(Rejection {
            value: Refused::text(variant),
            is_of_another_type: false,
            wants_fields: false,
            message: format!("This must be one of {}.", variants.join(", ")),
        }))
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::Missing { .. } => formatter.write_str(REQUIRED),
            Problem::NoDefault { field } => write!(formatter, "{field} is missing"),
            Problem::Unknown { field } => write!(formatter, "{field} is not known"),
            Problem::Rejected(Rejection { message, .. })
            | Problem::Invalid { message }
            | Problem::Unsupported { message } => formatter.write_str(message),
        }
    }
}

impl std::error::Error for FieldError {}

/// What a person is told of a value, by what serde says that its type expects.
pub(super) fn sentence(expected: &str) -> String {
    let of_integers = |name: &str| {
        Some(match name {
            "u8" => ("0", "255"),
            "u16" => ("0", "65535"),
            "u32" => ("0", "4294967295"),
            "u64" | "usize" => ("0", "18446744073709551615"),
            "u128" => ("0", ""),
            "i8" => ("-128", "127"),
            "i16" => ("-32768", "32767"),
            "i32" => ("-2147483648", "2147483647"),
            "i64" | "isize" => ("-9223372036854775808", "9223372036854775807"),
            "i128" => ("", ""),
            _ => return None,
        })
    };
    let (name, is_nonzero) = match expected.strip_prefix("a nonzero ") {
        Some(name) => (name, true),
        None => (expected, false),
    };
    match (of_integers(name), name) {
        (Some(("0", most)), _) if is_nonzero => range("1", most, ""),
        (Some((least, most)), _) if is_nonzero => range(least, most, ", and not 0"),
        (Some((least, most)), _) => range(least, most, ""),
        (None, "f32" | "f64") => "This must be a number.".to_owned(),
        (None, "a boolean") => "This must be true or false.".to_owned(),
        (None, "a string" | "a borrowed string") => "This must be a text.".to_owned(),
        (None, "a character") => "This must be a single character.".to_owned(),
        (None, "a sequence") => "This must be a list.".to_owned(),
        (None, "a map") => "This must be an object.".to_owned(),
        // What follows is the name of a type, or is said of one.
        _ if has_fields(expected) || expected.contains("variant") || expected == "unit" => {
            "This is not valid.".to_owned()
        }
        _ => format!("This is not valid: it must be {expected}."),
    }
}

fn range(least: &str, most: &str, but: &str) -> String {
    match (least, most) {
        ("", _) => format!("This must be a whole number{but}."),
        (_, "") => format!("This must be a whole number from {least}{but}."),
        _ => format!("This must be a whole number from {least} to {most}{but}."),
    }
}

fn has_fields(expected: &str) -> bool {
    ["struct ", "tuple struct ", "unit struct ", "enum ", "internally tagged", "adjacently tagged"]
        .iter()
        .any(|kind| expected.starts_with(kind))
}
