//! JavaScript's operators and conversions, for values that are known.

use oxc::syntax::operator::{BinaryOperator, UnaryOperator};

use super::value::Value;

/// None where only running the program shows.
pub(super) fn truth(value: &Value<'_>) -> Option<bool> {
    Some(match value {
        Value::Undefined(_) | Value::Null => false,
        Value::Boolean(value) => *value,
        Value::Number(number) => !(*number == 0.0 || number.is_nan()),
        Value::String(text) => !text.is_empty(),
        Value::Url(_) | Value::Array(_) | Value::Object(_) | Value::Made { .. } => true,
        Value::Outside(_) => return None,
    })
}

/// None where only running the program shows.
pub(super) fn text(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Undefined(_) => "undefined".to_owned(),
        Value::Null => "null".to_owned(),
        Value::Boolean(value) => value.to_string(),
        Value::Number(number) if number.is_infinite() => {
            if *number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
        }
        // Adding zero makes -0 the 0 that JavaScript prints.
        Value::Number(number) => (number + 0.0).to_string(),
        Value::String(text) => text.clone(),
        Value::Url(url) => url.to_string(),
        Value::Array(_) | Value::Object(_) | Value::Made { .. } | Value::Outside(_) => return None,
    })
}

/// `Number(value)`; None where only running the program shows.
pub(super) fn number(value: &Value<'_>) -> Option<f64> {
    Some(match value {
        Value::Undefined(_) => f64::NAN,
        Value::Null => 0.0,
        Value::Boolean(value) => f64::from(u8::from(*value)),
        Value::Number(number) => *number,
        Value::String(text) => number_of_text(text.trim()),
        Value::Url(_) => f64::NAN,
        Value::Array(_) | Value::Object(_) | Value::Made { .. } | Value::Outside(_) => return None,
    })
}

fn number_of_text(text: &str) -> f64 {
    if text.is_empty() {
        return 0.0;
    }
    for (prefixes, radix) in [(["0x", "0X"], 16), (["0o", "0O"], 8), (["0b", "0B"], 2)] {
        if let Some(digits) = prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)) {
            let signed = digits.starts_with(['+', '-']);
            let number = u64::from_str_radix(digits, radix).ok().filter(|_| !signed);
            return number.map_or(f64::NAN, |number| number as f64);
        }
    }
    // Rust reads `inf` and `nan` too, JavaScript does not.
    if text.chars().any(|letter| letter.is_ascii_alphabetic() && !matches!(letter, 'e' | 'E')) {
        return f64::NAN;
    }
    text.parse().unwrap_or(f64::NAN)
}

/// `parseInt(text)` of decimal digits, and `parseFloat(text)`: as much of the beginning as is a number.
pub(super) fn leading_number(text: &str, whole: bool) -> f64 {
    let text = text.trim_start();
    let digits = |letter: char| letter.is_ascii_digit();
    let sign = usize::from(text.starts_with(['+', '-']));
    let (signed, rest) = text.split_at(sign);
    let end = rest.find(|letter| !digits(letter)).unwrap_or(rest.len());
    let (whole_part, rest) = rest.split_at(end);
    let fraction = match rest.strip_prefix('.').filter(|_| !whole) {
        Some(rest) => &rest[..rest.find(|letter| !digits(letter)).unwrap_or(rest.len())],
        None => "",
    };
    if whole_part.is_empty() && fraction.is_empty() {
        return f64::NAN;
    }
    format!("{signed}0{whole_part}.{fraction}0").parse().unwrap_or(f64::NAN)
}

/// None where only running the program shows.
pub(super) fn unary<'a>(operator: UnaryOperator, value: &Value<'a>) -> Option<Value<'a>> {
    Some(match operator {
        UnaryOperator::UnaryNegation => Value::Number(-number(value)?),
        UnaryOperator::UnaryPlus => Value::Number(number(value)?),
        UnaryOperator::LogicalNot => Value::Boolean(!truth(value)?),
        UnaryOperator::Void => Value::UNDEFINED,
        _ => return None,
    })
}

/// None where only running the program shows.
pub(super) fn binary<'a>(
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
                BinaryOperator::Exponential => left.powf(right),
                _ => return None,
            })
        }
    })
}

/// `===`
fn is_same(left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    Some(match (left, right) {
        (Value::Outside(_), _) | (_, Value::Outside(_)) => return None,
        (Value::Undefined(_), Value::Undefined(_)) | (Value::Null, Value::Null) => true,
        (Value::Boolean(left), Value::Boolean(right)) => left == right,
        (Value::Number(left), Value::Number(right)) => left == right,
        (Value::String(left), Value::String(right)) => left == right,
        // Whether two objects are one is for the program that makes them to know.
        (Value::Url(_) | Value::Array(_) | Value::Object(_) | Value::Made { .. }, right)
            if !right.is_nullish() =>
        {
            return None;
        }
        _ => false,
    })
}

/// `==`
fn is_equal(left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    let is_number = |value: &Value<'_>| matches!(value, Value::Boolean(_) | Value::Number(_));
    match (left, right) {
        (Value::Outside(_), _) | (_, Value::Outside(_)) => None,
        _ if left.is_nullish() || right.is_nullish() => {
            Some(left.is_nullish() && right.is_nullish())
        }
        _ if is_number(left) || is_number(right) => Some(number(left)? == number(right)?),
        _ => is_same(left, right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_the_numbers_that_javascript_makes_of_them() {
        for (text, expected) in
            [("", 0.0), (" 42 ", 42.0), ("1e3", 1000.0), ("0x10", 16.0), ("-1.5", -1.5)]
        {
            assert_eq!(number(&text.into()), Some(expected), "{text}");
        }
        for text in ["soon", "inf", "NaN", "1h", "0x", "0x-1", "1 2"] {
            assert!(number(&text.into()).is_some_and(f64::is_nan), "{text}");
        }
    }

    #[test]
    fn a_leading_number_ends_where_the_digits_do() {
        assert_eq!(leading_number(" 3600s", true), 3600.0);
        assert_eq!(leading_number("-1.75", true), -1.0);
        assert_eq!(leading_number("1.75 hours", false), 1.75);
        assert!(leading_number("soon", true).is_nan() && leading_number("", false).is_nan());
    }

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        for (value, expected) in [(3600.0, "3600"), (0.5, "0.5"), (-0.0, "0"), (f64::NAN, "NaN")] {
            assert_eq!(text(&Value::Number(value)).as_deref(), Some(expected));
        }
    }
}
