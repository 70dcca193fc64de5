//! Names of form fields whose values are nobody's to keep.

/// Wherever they stand in a name, whatever stands between their letters.
const ANYWHERE: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "csrf",
    "xsrf",
    "apikey",
    "credential",
    "cardnumber",
    "ccnumber",
    "cvc",
    "cvv",
];

/// Only as a word of its own, because longer words hold them by chance: `shipping`, `opinion`.
const WORDS: [&str; 7] = ["pin", "pass", "pwd", "otp", "totp", "csc", "ssn"];

/// Whether a field of this name holds a secret, by the look of it.
///
/// Rather once too often: a field that is taken for a secret has to be filled in again, and a secret that is not taken
/// for one is stored.
pub(crate) fn is_secret(name: &str) -> bool {
    let words = words(name);
    let letters = words.concat();
    ANYWHERE.iter().any(|part| letters.contains(part))
        || words.iter().any(|word| WORDS.contains(&word.as_str()))
}

/// The words of `card_pin`, `card-pin`, `card[pin]`, `cardPin`, `cardPIN` and `card pin 2`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before = None;
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        let after = letters.peek();
        let is_hump = letter.is_uppercase()
            && (before.is_some_and(char::is_lowercase)
                || after.is_some_and(|after| after.is_lowercase()));
        if is_hump || !letter.is_alphabetic() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphabetic() {
            word.extend(letter.to_lowercase());
        }
        before = Some(letter);
    }
    words.push(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_however_their_names_are_written() {
        for name in [
            "password",
            "Password",
            "NEW_PASSWORD",
            "password_confirmation",
            "passwordRepeat",
            "user[password]",
            "pass-word",
            "old.passwd",
            "passphrase",
            "clientSecret",
            "access_token",
            "csrfmiddlewaretoken",
            "_csrf",
            "api-key",
            "apiKey",
            "credentials",
            "card-number",
            "cardNumber",
            "cc-number",
            "cvc",
            "card_cvv2",
            "cc-csc",
            "pin",
            "PIN",
            "pin2",
            "card_pin",
            "card-pin",
            "card[pin]",
            "cardPin",
            "newPIN",
            "PINRepeat",
            "pwd",
            "user_pass",
            "otp",
        ] {
            assert!(is_secret(name), "{name}");
        }
    }

    #[test]
    fn words_that_hold_a_secrets_name_by_chance_are_none() {
        for name in [
            "",
            "name",
            "email",
            "shipping",
            "shippingAddress",
            "opinion",
            "pincode",
            "spinner",
            "passenger",
            "passport",
            "compass",
            "postcode",
            "interest",
            "Straße",
            "名前",
            "pass\u{e9}",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
