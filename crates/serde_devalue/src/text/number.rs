//! Numbers: JSON's grammar for reading, JavaScript's for writing.

use crate::error::{Error, Result};

/// Writes a finite number as JavaScript's `Number::toString` does (ECMA-262, 6.1.6.1.20).
///
/// NaN, the infinities and -0 have no slot in devalue: the caller writes their sentinels.
pub(crate) fn write(out: &mut Vec<u8>, number: f64) {
    debug_assert!(number.is_finite());
    // Most numbers in real records are integers; above 2^53 their shortest form may end in zeros.
    let integer = number as i64;
    if integer as f64 == number && integer.unsigned_abs() <= 1 << 53 {
        write_integer(out, integer);
    } else if !write_decimal(out, number) {
        out.extend_from_slice(ryu_js::Buffer::new().format_finite(number).as_bytes());
    }
}

/// Writes a number that has one to three decimal places and 15 digits, as amounts and durations have; whether it does.
///
/// Different decimals of up to 15 digits are different numbers. So a decimal that is this number is the only one, and
/// without zeros at its end the shortest, which is what JavaScript writes.
fn write_decimal(out: &mut Vec<u8>, number: f64) -> bool {
    let thousandths = (number.abs() * 1000.0 + 0.5) as u64;
    let places = thousandths % 1000;
    if thousandths >= 1_000_000_000_000_000
        || places == 0
        || thousandths as f64 / 1000.0 != number.abs()
    {
        return false;
    }
    if number < 0.0 {
        out.push(b'-');
    }
    write_unsigned(out, thousandths / 1000);
    // A dot in place of the first digit, which is 0.
    let digits = (four_digits(places as u32) ^ u32::from(b'0' ^ b'.')).to_le_bytes();
    let zeros = usize::from(places.is_multiple_of(10)) + usize::from(places.is_multiple_of(100));
    out.extend_from_slice(&digits);
    out.truncate(out.len() - zeros);
    true
}

/// `String(number)`, of any number.
pub(crate) fn to_string(number: f64) -> String {
    ryu_js::Buffer::new().format(number).to_owned()
}

/// Writes an integer in decimal.
pub(crate) fn write_integer(out: &mut Vec<u8>, integer: i64) {
    if integer < 0 {
        out.push(b'-');
    }
    write_unsigned(out, integer.unsigned_abs());
}

fn write_unsigned(out: &mut Vec<u8>, integer: u64) {
    match u32::try_from(integer) {
        Ok(integer @ 0..10_000) => write_few_digits(out, integer, []),
        _ => write_many_digits(out, integer),
    }
}

/// Writes an integer below 10,000, as most are, and what is behind it; without a call.
#[inline(always)]
pub(crate) fn write_few_digits<const N: usize>(out: &mut Vec<u8>, integer: u32, end: [u8; N]) {
    let mut end_word = [0; 8];
    end_word[..N].copy_from_slice(&end);
    let end = u64::from_le_bytes(end_word);
    let (thousands, rest) = (integer / 1000, integer % 1000);
    let three = u64::from(THREE_DIGITS[rest as usize]);
    let (word, count) = if thousands == 0 {
        let count = 1 + usize::from(integer >= 10) + usize::from(integer >= 100);
        ((three | (end << 24)) >> (8 * (3 - count)), count)
    } else {
        (u64::from(u32::from(b'0') + thousands) | (three << 8) | (end << 32), 4)
    };
    let length = out.len() + count + N;
    out.extend_from_slice(&word.to_le_bytes());
    out.truncate(length);
}

/// Writes an integer below 10,000 in place of one that is as long.
#[inline(always)]
pub(crate) fn overwrite_few_digits(place: &mut [u8], integer: u32) {
    let digits = four_digits(integer).to_le_bytes();
    match place {
        [a] => *a = digits[3],
        [a, b] => [*a, *b] = [digits[2], digits[3]],
        [a, b, c] => [*a, *b, *c] = [digits[1], digits[2], digits[3]],
        [a, b, c, d] => [*a, *b, *c, *d] = digits,
        _ => {}
    }
}

/// The digits of each integer below 1000, with zeros before it, the first one in the lowest byte.
static THREE_DIGITS: [u32; 1000] = {
    let mut table = [0; 1000];
    let mut integer = 0;
    while integer < 1000 {
        let digits = (integer / 100) | ((integer / 10 % 10) << 8) | ((integer % 10) << 16);
        table[integer as usize] = digits | 0x0030_3030;
        integer += 1;
    }
    table
};

/// The digits of an integer below 10,000, the first one in the lowest byte.
#[inline(always)]
fn four_digits(integer: u32) -> u32 {
    // Two numbers of two digits in the halves of a word, and then four of one digit.
    let hundreds = integer / 100;
    let pairs = hundreds | (integer - 100 * hundreds) << 16;
    let tens = (pairs * 103) >> 10 & 0x000f_000f;
    let digits = tens | (pairs - 10 * tens) << 8;
    digits | u32::from_ne_bytes([b'0'; 4])
}

#[inline(never)]
fn write_many_digits(out: &mut Vec<u8>, integer: u64) {
    write_unsigned(out, integer / 10_000);
    out.extend_from_slice(&four_digits((integer % 10_000) as u32).to_le_bytes());
}

/// The end of the number that begins at `start`.
///
/// # Errors
/// If no number of JSON's grammar (RFC 8259, section 6) begins there.
pub(crate) fn scan(text: &[u8], start: usize) -> Result<usize> {
    let mut at = start + usize::from(text.get(start) == Some(&b'-'));
    match text.get(at) {
        Some(b'0') => {
            at += 1;
            if text.get(at).is_some_and(u8::is_ascii_digit) {
                return Err(Error::syntax("a number must not begin with a zero", at));
            }
        }
        _ => at = digits(text, at)?,
    }
    if text.get(at) == Some(&b'.') {
        at = digits(text, at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = text.get(at) {
            at += 1;
        }
        at = digits(text, at)?;
    }
    Ok(at)
}

/// Skips one digit or more.
fn digits(text: &[u8], start: usize) -> Result<usize> {
    let rest = text.get(start..).unwrap_or_default();
    match rest.iter().take_while(|byte| byte.is_ascii_digit()).count() {
        0 if rest.is_empty() => Err(Error::eof(start)),
        0 => Err(Error::syntax("expected a digit", start)),
        count => Ok(start + count),
    }
}

/// The value of a number that [`scan`] has accepted: too large is infinite, too small is zero, as in JavaScript.
pub(crate) fn parse(number: &[u8]) -> f64 {
    match parse_integer(number) {
        Some(integer) if integer != 0 || number[0] != b'-' => integer as f64,
        _ => std::str::from_utf8(number)
            .ok()
            .and_then(|number| number.parse().ok())
            .unwrap_or(f64::NAN),
    }
}

/// The value of a number that is written as an integer of up to 15 digits, which `f64` holds exactly.
pub(crate) fn parse_integer(number: &[u8]) -> Option<i64> {
    let (negative, digits) = match number {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 15 {
        return None;
    }
    let mut integer = 0;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        integer = integer * 10 + i64::from(digit - b'0');
    }
    Some(if negative { -integer } else { integer })
}

/// The digits at the beginning, up to seven, and how many they are; `None` if there are more.
#[inline(always)]
pub(crate) fn parse_digits(text: &[u8]) -> Option<(u32, usize)> {
    const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);
    let Some(word) = text.first_chunk() else {
        let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let digits = text[..count].iter();
        return Some((digits.fold(0, |all, digit| all * 10 + u32::from(digit - b'0')), count));
    };
    // Digits become their value, and all else has a bit of the upper half set, or has it set when 6 is added.
    let word = u64::from_le_bytes(*word) ^ ZEROS;
    let others =
        (word | word.wrapping_add(u64::from_ne_bytes([6; 8]))) & u64::from_ne_bytes([0xf0; 8]);
    let count = others.trailing_zeros() as usize / 8;
    if count == 8 {
        return None;
    }
    // The digits at the end of eight, with zeros before them; then pairs, fours and all are put together.
    let digits = (word << 8) << (56 - 8 * count);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    Some((fours.wrapping_mul(10_000).wrapping_add(fours >> 32) as u32, count))
}

/// The same, one digit after the other: for references, of which few have more than three.
#[inline(always)]
pub(crate) fn parse_few_digits(text: &[u8]) -> Option<(u32, usize)> {
    let Some(bytes) = text.first_chunk::<8>() else { return parse_digits(text) };
    let mut number = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Some((number, at));
        }
        number = 10 * number + u32::from(digit);
    }
    None
}

/// The value of a number that is written with up to 15 digits, without an exponent and not as -0; `None` for any other
/// text.
pub(crate) fn parse_canonical(number: &[u8]) -> Option<f64> {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    let mut mantissa = 0_u64;
    let mut point = None;
    for (at, &byte) in digits.iter().enumerate().take(17) {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() && at > 0 => point = Some(at),
            _ => return None,
        }
    }
    let places = point.map_or(0, |point| digits.len() - point - 1);
    let count = digits.len() - usize::from(point.is_some());
    // A zero in front must be alone, and a point needs a digit behind it.
    let grammar = match digits {
        [b'0', rest @ ..] => rest.is_empty() || point == Some(1),
        _ => true,
    };
    if count == 0
        || count > 15
        || !grammar
        || point.is_some() && places == 0
        || mantissa == 0 && digits.len() != number.len()
    {
        return None;
    }
    // Both are exact, so the quotient is the number that is nearest to the decimal.
    let value = mantissa as f64 / POWERS_OF_TEN.get(places)?;
    Some(if digits.len() == number.len() { value } else { -value })
}

/// The same of a number at the beginning of a text, as long as `length`; faster where more text is behind it.
#[inline(always)]
pub(crate) fn parse_canonical_at(text: &[u8], length: usize) -> Option<f64> {
    match parse_short(text, length) {
        None => parse_canonical(text.get(..length)?),
        short => short,
    }
}

/// The same of a number without a sign and with up to seven digits before and behind the point.
#[inline(always)]
fn parse_short(text: &[u8], length: usize) -> Option<f64> {
    let (whole, count) = parse_digits(text)?;
    if count == 0 || count > 1 && text[0] == b'0' {
        return None;
    }
    if count == length {
        return Some(whole.into());
    }
    let [b'.', fraction @ ..] = text.get(count..)? else { return None };
    let (fraction, places) = parse_digits(fraction)?;
    if places == 0 || count + 1 + places != length {
        return None;
    }
    // All 14 digits are exact in a float.
    let scale = POWERS_OF_TEN.get(places)?;
    Some((f64::from(whole) * scale + f64::from(fraction)) / scale)
}

/// As far as 15 digits reach.
const POWERS_OF_TEN: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Whether a number that [`scan`] has accepted is surely written as JavaScript writes it.
///
/// Decimals of up to 15 digits survive the way to `f64` and back, so for those the text alone tells.
pub(crate) fn is_canonical(number: &[u8]) -> bool {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    if digits.len() > 15 {
        return false;
    }
    match digits.iter().position(|&byte| byte == b'.') {
        None => number != b"-0" && digits.iter().all(u8::is_ascii_digit),
        Some(point) => {
            let fraction = &digits[point + 1..];
            // From 1e-7 down there is an exponent.
            fraction.iter().all(u8::is_ascii_digit)
                && !fraction.ends_with(b"0")
                && !(digits.starts_with(b"0") && fraction.starts_with(b"000000"))
        }
    }
}

/// Whether this is a number, surely written as JavaScript writes it.
#[inline]
pub(crate) fn is_canonical_token(token: &[u8]) -> bool {
    // Nearly all are integers, and most others have few digits.
    match parse_digits(token) {
        Some((integer, length)) if length == token.len() => has_no_zeros_before(integer, length),
        Some((integer, length)) => {
            has_no_zeros_before(integer, length) && is_fraction(&token[length..])
                || is_long_canonical_token(token)
        }
        None => is_long_canonical_token(token),
    }
}

/// Whether an integer is below 10,000 and has so many digits: then [`overwrite_few_digits`] can write it in their place.
#[inline(always)]
pub(crate) fn is_as_long(integer: u32, length: usize) -> bool {
    integer < 10_000
        && has_no_zeros_before(integer, length)
        && !has_no_zeros_before(integer, length + 1)
}

/// Whether an integer of so many digits has none too many, and one at least. There may be up to seven.
#[inline(always)]
pub(crate) fn has_no_zeros_before(integer: u32, length: usize) -> bool {
    const SMALLEST: [u32; 8] = [u32::MAX, 0, 10, 100, 1_000, 10_000, 100_000, 1_000_000];
    SMALLEST.get(length).is_some_and(|smallest| integer >= *smallest)
}

/// Whether this is a point and up to six digits, the last one not a zero.
#[inline(always)]
fn is_fraction(text: &[u8]) -> bool {
    let [b'.', digits @ ..] = text else { return false };
    // From 1e-7 down there is an exponent.
    digits.len() <= 6
        && matches!(digits.last(), Some(b'1'..=b'9'))
        && digits.iter().fold(true, |all, digit| all & digit.is_ascii_digit())
}

#[inline(never)]
fn is_long_canonical_token(token: &[u8]) -> bool {
    parse_canonical(token).is_some() && is_canonical(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(number: f64) -> String {
        let mut out = Vec::new();
        write(&mut out, number);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        for (number, text) in [
            (0.0, "0"),
            (-1.0, "-1"),
            (2_147_483_648.0, "2147483648"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (5e-324, "5e-324"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(written(number), text);
        }
    }

    #[test]
    fn the_grammar_is_jsons() {
        for good in ["0", "-0", "10", "-1.5", "1e5", "1E+5", "1.0e-7"] {
            assert_eq!(scan(good.as_bytes(), 0).unwrap(), good.len(), "{good}");
        }
        for bad in ["", "-", "01", "-01", ".5", "1.", "1.e5", "1e", "1e+", "+1", "NaN", "x"] {
            assert!(scan(bad.as_bytes(), 0).is_err(), "{bad}");
        }
        assert_eq!(scan(b"12,3", 0).unwrap(), 2);
    }

    #[test]
    fn numbers_are_parsed_as_javascript_parses_them() {
        assert_eq!(parse(b"42"), 42.0);
        assert!(parse(b"-0").is_sign_negative());
        assert_eq!(parse(b"1e400"), f64::INFINITY);
        assert_eq!(parse(b"9007199254740993"), 9_007_199_254_740_992.0);
        assert_eq!(parse(b"0.1"), 0.1);
    }

    #[test]
    fn a_few_digits_are_parsed_at_once() {
        for (text, expected) in [
            (&b""[..], Some((0, 0))),
            (b",1234567", Some((0, 0))),
            (b"7", Some((7, 1))),
            (b"42]", Some((42, 2))),
            (b"42],[1,2,3]", Some((42, 2))),
            (b"1234567,", Some((1_234_567, 7))),
            (b"12345678", None),
            (b"0123456:", Some((123_456, 7))),
            (b"1/:;<=>?", Some((1, 1))),
            (b"9\xff\xff\xff\xff\xff\xff\xff", Some((9, 1))),
        ] {
            assert_eq!(parse_digits(text), expected, "{text:?}");
        }
        for number in 0..20_000_u32 {
            let text = format!("{number},\"abcdefg\"");
            assert_eq!(parse_digits(text.as_bytes()), Some((number, text.len() - 10)));
        }
    }

    #[test]
    fn the_canonical_form_is_parsed_as_any_other() {
        for text in ["0", "7", "-7", "28.73", "0.1", "-0.25", "426.697", "123456789012345", "0.000"]
        {
            assert_eq!(parse_canonical(text.as_bytes()), text.parse().ok(), "{text}");
            for behind in ["", ",", "],12345678", ".5", "5,\"abcdefg\""] {
                let longer = format!("{text}{behind}");
                let found = parse_canonical_at(longer.as_bytes(), text.len());
                assert_eq!(found, text.parse().ok(), "{longer}");
            }
        }
        for text in
            ["-0", "-0.0", "01", "1.", ".5", "-", "", "1e3", "1.2.3", "1234567890123456", "+1"]
        {
            assert_eq!(parse_canonical(text.as_bytes()), None, "{text}");
            for behind in ["", ",", "0],1234567"] {
                let longer = format!("{text}{behind}");
                assert_eq!(parse_canonical_at(longer.as_bytes(), text.len()), None, "{longer}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn decimals_are_parsed_and_written_as_by_others(
            digits in 0..1_000_000_000_000_000_u64,
            places in 0..15_usize,
        ) {
            let text = format!("{}.{:0places$}", digits / 10_u64.pow(places as u32), digits % 10_u64.pow(places as u32));
            let number: f64 = text.parse().unwrap();
            if text.len() < 17 && places > 0 {
                proptest::prop_assert_eq!(parse_canonical(text.as_bytes()), Some(number));
                let longer = format!("{text},\"abcdefg\"");
                let found = parse_canonical_at(longer.as_bytes(), text.len());
                proptest::prop_assert_eq!(found, Some(number));
            }
            for number in [number, -number, number / 3.0] {
                if number != 0.0 {
                    proptest::prop_assert_eq!(written(number), to_string(number));
                }
            }
        }
    }

    #[test]
    fn what_is_called_canonical_is_what_would_be_written() {
        for canonical in
            ["0", "-7", "42", "28.73", "-0.5", "0.000001", "123456789012345", "0.0000015"]
        {
            assert!(is_canonical(canonical.as_bytes()), "{canonical}");
            assert_eq!(written(parse(canonical.as_bytes())), canonical);
        }
        for other in ["-0", "1.0", "-0.0", "1e2", "1.5e3", "0.0000001", "1.50", "1234567890123456"]
        {
            assert!(!is_canonical(other.as_bytes()), "{other}");
        }
    }
}
