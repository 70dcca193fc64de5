//! Numbers in forms, read as JavaScript's `Number(text)` reads them.

/// A number in a form's field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Negative(i64),
    Whole(u64),
    Fraction(f64),
}

/// `None` where JavaScript says NaN.
pub(super) fn parse(text: &str) -> Option<Number> {
    let text = text.trim();
    if let Some(number) = radix(text) {
        return Some(Number::Whole(number));
    }
    if let Ok(number) = text.parse() {
        return Some(Number::Whole(number));
    }
    if let Ok(number) = text.parse() {
        return Some(Number::Negative(number));
    }
    // Rust also takes words for infinity and NaN, in any case.
    let numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-' | 'e' | 'E');
    let number: f64 = match text.trim_start_matches(['+', '-']) {
        "Infinity" => text.parse().ok()?,
        _ if text.chars().all(numeric) => text.parse().ok()?,
        _ => return None,
    };
    // `1e3` is as whole as `1000`.
    let whole = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
    Some(match whole {
        true if number < 0.0 => Number::Negative(number as i64),
        true => Number::Whole(number as u64),
        false => Number::Fraction(number),
    })
}

/// `0x1f`, `0o17`, `0b11`: without a sign, in JavaScript too.
fn radix(text: &str) -> Option<u64> {
    let digits =
        text.get(2..).filter(|digits| digits.starts_with(|c: char| c.is_alphanumeric()))?;
    let radix = match text.get(..2)?.to_ascii_lowercase().as_str() {
        "0x" => 16,
        "0o" => 8,
        "0b" => 2,
        _ => return None,
    };
    u64::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_javascript_reads_as_a_number_is_one() {
        for (text, number) in [
            ("42", Number::Whole(42)),
            (" 42\n", Number::Whole(42)),
            ("-7", Number::Negative(-7)),
            ("+7", Number::Whole(7)),
            ("1e3", Number::Whole(1000)),
            ("0x1F", Number::Whole(31)),
            ("0b11", Number::Whole(3)),
            ("8.5", Number::Fraction(8.5)),
            (".5", Number::Fraction(0.5)),
            ("18446744073709551615", Number::Whole(u64::MAX)),
            ("-Infinity", Number::Fraction(f64::NEG_INFINITY)),
        ] {
            assert_eq!(parse(text), Some(number), "{text}");
        }
    }

    #[test]
    fn everything_else_is_none() {
        for text in [
            "", " ", "abc", "1,5", "1_000", "inf", "nan", "NaN", "infinity", "0x", "0x-1", "1e",
            "--1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
