//! JavaScript's operators and conversions, for values that are known.

use oxc::syntax::operator::{BinaryOperator, UnaryOperator};

use serde_devalue::javascript;

use crate::value::Value;

/// None where only running the program shows.
pub(crate) fn truth(value: &Value<'_>) -> Option<bool> {
    Some(match value {
        Value::Undefined(_) | Value::Null => false,
        Value::Boolean(value) => *value,
        Value::Number(number) => !(*number == 0.0 || number.is_nan()),
        Value::String(text) => !text.is_empty(),
        Value::Url(_) | Value::Array(_) | Value::Object(_) => true,
        Value::Made { .. } | Value::Outside(_) => return None,
    })
}

/// None where only running the program shows.
pub(crate) fn text(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Undefined(_) => "undefined".to_owned(),
        Value::Null => "null".to_owned(),
        Value::Boolean(value) => value.to_string(),
        Value::Number(number) => javascript::text(*number),
        Value::String(text) => text.clone(),
        Value::Url(url) => url.to_string(),
        Value::Array(_) | Value::Object(_) | Value::Made { .. } | Value::Outside(_) => return None,
    })
}

/// `Number(value)`; None where only running the program shows.
pub(crate) fn number(value: &Value<'_>) -> Option<f64> {
    Some(match value {
        Value::Undefined(_) => f64::NAN,
        Value::Null => 0.0,
        Value::Boolean(value) => f64::from(u8::from(*value)),
        Value::Number(number) => *number,
        Value::String(text) => javascript::number(text),
        Value::Url(_) => f64::NAN,
        Value::Array(_) | Value::Object(_) | Value::Made { .. } | Value::Outside(_) => return None,
    })
}

/// None where only running the program shows.
pub(crate) fn unary<'a>(operator: UnaryOperator, value: &Value<'a>) -> Option<Value<'a>> {
    Some(match operator {
        UnaryOperator::UnaryNegation => Value::Number(-number(value)?),
        UnaryOperator::UnaryPlus => Value::Number(number(value)?),
        UnaryOperator::LogicalNot => Value::Boolean(!truth(value)?),
        UnaryOperator::Void => Value::UNDEFINED,
        _ => return None,
    })
}

/// None where only running the program shows.
pub(crate) fn binary<'a>(
    operator: BinaryOperator,
    left: &Value<'a>,
    right: &Value<'a>,
) -> Option<Value<'a>> {
    let is_text = |value: &Value<'_>| matches!(value, Value::String(_) | Value::Url(_));
    let numbers = || Some((number(left)?, number(right)?));
    Some(match operator {
        BinaryOperator::StrictEquality => Value::Boolean(is_same(left, right)?),
        BinaryOperator::StrictInequality => Value::Boolean(!is_same(left, right)?),
        BinaryOperator::Equality => Value::Boolean(is_equal(left, right)?),
        BinaryOperator::Inequality => Value::Boolean(!is_equal(left, right)?),
        BinaryOperator::Addition if is_text(left) || is_text(right) => {
            Value::String(text(left)? + &text(right)?)
        }
        BinaryOperator::LessThan
        | BinaryOperator::LessEqualThan
        | BinaryOperator::GreaterThan
        | BinaryOperator::GreaterEqualThan => {
            if is_text(left) && is_text(right) {
                return None;
            }
            let (left, right) = numbers()?;
            Value::Boolean(match operator {
                BinaryOperator::LessThan => left < right,
                BinaryOperator::LessEqualThan => left <= right,
                BinaryOperator::GreaterThan => left > right,
                _ => left >= right,
            })
        }
        _ => {
            let (left, right) = numbers()?;
            Value::Number(match operator {
                BinaryOperator::Addition => left + right,
                BinaryOperator::Subtraction => left - right,
                BinaryOperator::Multiplication => left * right,
                BinaryOperator::Division => left / right,
                BinaryOperator::Remainder => left % right,
                BinaryOperator::Exponential => power(left, right)?,
                _ => return None,
            })
        }
    })
}

/// `base ** exponent`, where the result is a whole number that is exact; others are up to the engine.
fn power(base: f64, exponent: f64) -> Option<f64> {
    const LARGEST_SAFE: f64 = 9_007_199_254_740_991.0;
    let is_whole =
        base.fract() == 0.0 && (0.0..64.0).contains(&exponent) && exponent.fract() == 0.0;
    let power = base.powi(exponent as i32);
    (is_whole && power.abs() <= LARGEST_SAFE).then_some(power)
}

/// `===`
fn is_same(left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    Some(match (left, right) {
        _ if left.is_unknown() || right.is_unknown() => return None,
        (Value::Undefined(_), Value::Undefined(_)) | (Value::Null, Value::Null) => true,
        (Value::Boolean(left), Value::Boolean(right)) => left == right,
        (Value::Number(left), Value::Number(right)) => left == right,
        (Value::String(left), Value::String(right)) => left == right,
        // Whether two objects are one is for the program that makes them to know.
        (
            Value::Url(_) | Value::Array(_) | Value::Object(_),
            Value::Url(_) | Value::Array(_) | Value::Object(_),
        ) => return None,
        _ => false,
    })
}

/// `==`
fn is_equal(left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    let is_number = |value: &Value<'_>| matches!(value, Value::Boolean(_) | Value::Number(_));
    match (left, right) {
        _ if left.is_unknown() || right.is_unknown() => None,
        _ if left.is_nullish() || right.is_nullish() => {
            Some(left.is_nullish() && right.is_nullish())
        }
        _ if is_number(left) || is_number(right) => Some(number(left)? == number(right)?),
        (Value::String(_), Value::Url(_)) | (Value::Url(_), Value::String(_)) => {
            Some(text(left)? == text(right)?)
        }
        (Value::String(_), Value::Array(_) | Value::Object(_))
        | (Value::Array(_) | Value::Object(_), Value::String(_)) => None,
        _ => is_same(left, right),
    }
}
