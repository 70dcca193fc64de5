//! What JavaScript makes of a text where it wants a number, and of a number where it wants a text.
//!
//! ```
//! use serde_devalue::javascript;
//!
//! assert_eq!(javascript::number(" 0x10\u{feff}"), 16.0);
//! assert!(javascript::number("10 apples").is_nan());
//! assert_eq!(javascript::parse_float("10.5 apples"), 10.5);
//! assert_eq!(javascript::parse_int("1e3", 10), 1.0);
//! assert_eq!(javascript::text(1e21), "1e+21");
//! ```

/// Without JavaScript's white space at both ends, as `text.trim()` and `Number(text)` have it.
///
/// It differs from Rust's: U+FEFF is white space, and U+0085 is none.
#[must_use]
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

fn is_space(letter: char) -> bool {
    letter == '\u{feff}' || letter.is_whitespace() && letter != '\u{85}'
}

/// `Number(text)` (ECMA-262, 7.1.4.1.1); NaN where the text is none.
#[must_use]
pub fn number(text: &str) -> f64 {
    let text = trim(text);
    if text.is_empty() {
        return 0.0;
    }
    for (prefixes, bits) in [(["0x", "0X"], 4), (["0o", "0O"], 3), (["0b", "0B"], 1)] {
        if let Some(digits) = prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)) {
            let whole =
                !digits.is_empty() && digits.chars().all(|letter| letter.is_digit(1 << bits));
            return if whole { binary(digits, bits) } else { f64::NAN };
        }
    }
    let length = decimal_length(text);
    if length == text.len() { decimal(text) } else { f64::NAN }
}

/// `parseFloat(text)`: as much of the beginning as is a number; NaN where none of it is.
#[must_use]
pub fn parse_float(text: &str) -> f64 {
    let text = text.trim_start_matches(is_space);
    decimal(&text[..decimal_length(text)])
}

/// `parseInt(text, radix)`: as many digits as there are at the beginning; NaN where there are none. A radix of 0 is 10,
/// or 16 behind `0x`.
///
/// Beyond 2^53 it is exact in the radixes 2, 4, 8, 10, 16 and 32; in others JavaScript's result is up to its engine.
#[must_use]
pub fn parse_int(text: &str, radix: i32) -> f64 {
    let text = text.trim_start_matches(is_space);
    let (negative, text) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (radix, text) = match (radix, hexadecimal) {
        (0 | 16, Some(digits)) => (16, digits),
        (0, None) => (10, text),
        (2..=36, _) => (radix as u32, text),
        _ => return f64::NAN,
    };
    let digits = &text[..text.find(|letter: char| !letter.is_digit(radix)).unwrap_or(text.len())];
    let number = match radix {
        _ if digits.is_empty() => f64::NAN,
        10 => digits.parse().unwrap_or(f64::NAN),
        _ if radix.is_power_of_two() => binary(digits, radix.trailing_zeros()),
        _ => digits
            .chars()
            .filter_map(|letter| letter.to_digit(radix))
            .fold(0.0, |all, digit| all * f64::from(radix) + f64::from(digit)),
    };
    if negative { -number } else { number }
}

/// `String(number)`
#[must_use]
pub fn text(number: f64) -> String {
    crate::text::number::to_string(number)
}

/// How much of the beginning is a decimal number or `Infinity`, with a sign.
fn decimal_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let sign = usize::from(text.starts_with(['+', '-']));
    if text[sign..].starts_with("Infinity") {
        return sign + "Infinity".len();
    }
    let whole = digits(sign);
    let mut end = sign + whole;
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if whole + fraction == 0 {
            return 0;
        }
        end += 1 + fraction;
    } else if whole == 0 {
        return 0;
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        match digits(end + 1 + sign) {
            0 => {}
            exponent => end += 1 + sign + exponent,
        }
    }
    end
}

/// The value of what [`decimal_length`] has accepted; NaN where that is nothing.
fn decimal(text: &str) -> f64 {
    // Rust has the same grammar, and rounds to the nearest as JavaScript does.
    text.parse().unwrap_or(f64::NAN)
}

/// Digits of so many bits each, rounded once.
fn binary(digits: &str, bits: u32) -> f64 {
    let (mut mantissa, mut exponent, mut rest) = (0_u64, 0_i32, false);
    for digit in digits.chars().filter_map(|letter| letter.to_digit(1 << bits)) {
        if mantissa >> (63 - bits) == 0 {
            mantissa = mantissa << bits | u64::from(digit);
        } else {
            exponent = exponent.saturating_add(bits as i32);
            rest |= digit != 0;
        }
    }
    // What was cut off is far below the last bit that a number keeps, but decides a tie.
    (mantissa | u64::from(rest)) as f64 * 2_f64.powi(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_number_that_javascript_makes_of_it() {
        for (text, expected) in [
            ("", 0.0),
            (" 42\n", 42.0),
            ("\u{feff}2\u{a0}", 2.0),
            ("\u{feff}", 0.0),
            ("1e3", 1000.0),
            ("+.5", 0.5),
            ("5.", 5.0),
            ("-Infinity", f64::NEG_INFINITY),
            ("0x10", 16.0),
            ("0B11", 3.0),
            ("0o17", 15.0),
            ("0x20000000000001", 9_007_199_254_740_992.0),
            ("0x20000000000001000000000000000001", 4.253_529_586_511_732e37),
            ("1e999", f64::INFINITY),
        ] {
            assert_eq!(number(text), expected, "{text:?}");
        }
        for text in [
            "\u{85}2", "\u{85}", "soon", "inf", "infinity", "NaN", "nan", "1h", "0x", "0x-1",
            "-0x1", "0x1g", "1 2", "1_0", "1e", "e1", ".", "+", "--1", "1.2.3", "\u{661}",
        ] {
            assert!(number(text).is_nan(), "{text:?}");
        }
    }

    #[test]
    fn a_number_ends_where_the_text_goes_on() {
        for (text, expected) in [
            ("1e3", 1000.0),
            ("1e3s", 1000.0),
            ("1e", 1.0),
            ("1e+", 1.0),
            ("-1.75 hours", -1.75),
            (".5.5", 0.5),
            ("5.h", 5.0),
            ("Infinitys", f64::INFINITY),
            ("\u{feff}+2", 2.0),
            ("0x10", 0.0),
        ] {
            assert_eq!(parse_float(text), expected, "{text:?}");
        }
        for text in ["", "soon", ".", "-", "\u{85}1", "infinity"] {
            assert!(parse_float(text).is_nan(), "{text:?}");
        }
    }

    #[test]
    fn a_whole_number_is_read_in_its_radix() {
        for (text, radix, expected) in [
            ("3600s", 10, 3600.0),
            ("-1.75", 0, -1.0),
            ("0x99", 0, 153.0),
            ("-0X1f", 16, -31.0),
            ("0x10", 10, 0.0),
            ("1e3", 0, 1.0),
            ("101", 2, 5.0),
            ("zz", 36, 1295.0),
            ("\u{feff}+2", 0, 2.0),
            ("9007199254740993", 10, 9_007_199_254_740_992.0),
        ] {
            assert_eq!(parse_int(text, radix), expected, "{text:?}");
        }
        for (text, radix) in
            [("", 10), ("soon", 10), ("0x", 0), ("2", 2), ("1", 1), ("1", 37), ("1", -1)]
        {
            assert!(parse_int(text, radix).is_nan(), "{text:?}");
        }
    }

    #[test]
    fn a_number_is_the_text_that_javascript_makes_of_it() {
        for (number, expected) in [
            (3600.0, "3600"),
            (0.5, "0.5"),
            (-0.0, "0"),
            (1e21, "1e+21"),
            (1e-7, "1e-7"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(text(number), expected);
        }
    }
}
