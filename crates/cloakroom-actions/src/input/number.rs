//! Numbers in forms, read as JavaScript's `Number(text)` reads them.

/// A number in a form's field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Negative(i64),
    Whole(u64),
    Fraction(f64),
}

/// What is said of a text that is none.
pub(super) const NONE: &str = "This must be a number.";

/// `None` where JavaScript says NaN.
///
/// DIFFERENCE: of nothing but spaces JavaScript makes zero, which nobody has typed.
pub(super) fn parse(text: &str) -> Option<Number> {
    let text = text.trim_matches(is_space);
    if let Some((bits, digits)) = radix(text) {
        return power_of_two(bits, digits).map(whole_or_fraction);
    }
    // What is written without a point or an exponent is kept to the last digit.
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
    Some(whole_or_fraction(number))
}

/// JavaScript's white space and ends of lines: Unicode's, but for U+0085, and with the byte order mark.
fn is_space(letter: char) -> bool {
    letter == '\u{feff}' || (letter.is_whitespace() && letter != '\u{85}')
}

/// `1e3` is as whole as `1000`.
fn whole_or_fraction(number: f64) -> Number {
    /// The first powers of two that are out of reach.
    const ABOVE_U64: f64 = 18_446_744_073_709_551_616.0;
    const BELOW_I64: f64 = -9_223_372_036_854_775_808.0;
    match number.fract() == 0.0 {
        true if (0.0..ABOVE_U64).contains(&number) => Number::Whole(number as u64),
        true if (BELOW_I64..0.0).contains(&number) => Number::Negative(number as i64),
        _ => Number::Fraction(number),
    }
}

/// `0x1f`, `0o17`, `0b11`, without a sign, in JavaScript too: how many bits a digit has, and the digits.
fn radix(text: &str) -> Option<(u32, &str)> {
    let bits = match text.get(..2)? {
        "0x" | "0X" => 4,
        "0o" | "0O" => 3,
        "0b" | "0B" => 1,
        _ => return None,
    };
    Some((bits, &text[2..]))
}

/// The number that these digits are, of `bits` bits each: rounded once, at its end.
fn power_of_two(bits: u32, digits: &str) -> Option<f64> {
    let (mut leading, mut left_out): (u128, i32) = (0, 0);
    for digit in digits.chars() {
        let digit = u128::from(digit.to_digit(1 << bits)?);
        match leading >> 120 {
            0 => leading = leading << bits | digit,
            // Of what does not fit it counts how long it is, and that it is not nothing.
            _ => {
                leading |= u128::from(digit != 0);
                left_out = left_out.saturating_add(bits as i32);
            }
        }
    }
    (!digits.is_empty()).then(|| leading as f64 * 2_f64.powi(left_out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_javascript_reads_as_a_number_is_one() {
        for (text, number) in [
            ("42", Number::Whole(42)),
            (" 42\n", Number::Whole(42)),
            ("\u{feff}\u{3000}5\u{2028}", Number::Whole(5)),
            ("-7", Number::Negative(-7)),
            ("+7", Number::Whole(7)),
            ("1e3", Number::Whole(1000)),
            ("1e16", Number::Whole(10_000_000_000_000_000)),
            ("-1e16", Number::Negative(-10_000_000_000_000_000)),
            ("1e20", Number::Fraction(1e20)),
            ("0x1F", Number::Whole(31)),
            ("0b11", Number::Whole(3)),
            ("0O17", Number::Whole(15)),
            ("0xffffffffffffffffff", Number::Fraction(4_722_366_482_869_645_213_696.0)),
            ("0x0000000000000000000000000000000000000000001", Number::Whole(1)),
            ("8.5", Number::Fraction(8.5)),
            (".5", Number::Fraction(0.5)),
            ("18446744073709551615", Number::Whole(u64::MAX)),
            ("-Infinity", Number::Fraction(f64::NEG_INFINITY)),
        ] {
            assert_eq!(parse(text), Some(number), "{text}");
        }
    }

    #[test]
    fn digits_beyond_what_a_number_holds_are_rounded_to_the_nearest() {
        // One more than the middle between two neighbours, by the very last of many digits.
        let middle = format!("0b1{}1{}", "0".repeat(52), "0".repeat(200));
        let above = format!("0b1{}1{}1", "0".repeat(52), "0".repeat(199));
        assert_eq!(parse(&middle), Some(Number::Fraction(2_f64.powi(253))));
        assert_eq!(parse(&above), Some(Number::Fraction(2_f64.powi(253) + 2_f64.powi(201))));
        let endless = format!("0x1{}", "0".repeat(1_000));
        assert_eq!(parse(&endless), Some(Number::Fraction(f64::INFINITY)));
    }

    #[test]
    fn everything_else_is_none() {
        for text in [
            "",
            " ",
            "abc",
            "1,5",
            "1_000",
            "inf",
            "nan",
            "NaN",
            "infinity",
            "0x",
            "0x-1",
            "0x+1",
            "-0x1",
            "0xg",
            "0b2",
            "1e",
            "--1",
            "\u{85}5",
            "\u{200b}5",
            "0x1é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
