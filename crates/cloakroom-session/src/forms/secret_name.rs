//! Form fields whose values are nobody's to keep, by the look of them.

/// Wherever they stand in a name, whatever stands between their letters.
const ANYWHERE: &[&str] = &[
    // What somebody knows.
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "credential",
    "securityanswer",
    "maidenname",
    "seedphrase",
    "mnemonic",
    // What a program knows.
    "token",
    "csrf",
    "xsrf",
    "captcha",
    "apikey",
    "accesskey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "licensekey",
    "licencekey",
    "sshkey",
    "pgpkey",
    "gpgkey",
    "sessionid",
    "authorization",
    // What was sent to somebody.
    "authcode",
    "logincode",
    "mfacode",
    "onetimecode",
    "recoverycode",
    "recoverykey",
    "recoveryphrase",
    "twofactor",
    "backupcode",
    "smscode",
    "verificationcode",
    "verifycode",
    "confirmationcode",
    // What pays.
    "creditcard",
    "debitcard",
    "bankcard",
    "cardnum",
    "cardcode",
    "ccnum",
    "securitycode",
    "cvc",
    "cvv",
    "accountnumber",
    "routingnumber",
    "sortcode",
    "kreditkarte",
    "kartennummer",
    "kontonummer",
    "cartebancaire",
    "cartedecredit",
    "numerocarte",
    "tarjeta",
    "cartadicredito",
    "cartaodecredito",
    "cart\u{e3}odecr\u{e9}dito",
    "номеркарты",
    "信用卡",
    "卡号",
    "カード番号",
    // Who somebody is, to an authority.
    "socialsecurity",
    "nationalid",
    "passportnumber",
    "passportno",
    "driverlicense",
    "driverslicense",
    "drivinglicence",
    "sozialversicherung",
    "steuernummer",
    "steuerid",
    // A password, in other languages.
    "passwort",
    "kennwort",
    "geheimzahl",
    "sicherheitscode",
    "wachtwoord",
    "paswoord",
    "contraseña",
    "contrasena",
    "contrasenya",
    "motdepasse",
    "motpasse",
    "senha",
    "palavrapasse",
    "parola",
    "parolă",
    "lösenord",
    "losenord",
    "passord",
    "adgangskode",
    "kodeord",
    "salasana",
    "lykilorð",
    "hasło",
    "haslo",
    "heslo",
    "jelszó",
    "jelszo",
    "lozinka",
    "geslo",
    "slaptažodis",
    "parool",
    "şifre",
    "sifre",
    "mậtkhẩu",
    "matkhau",
    "katasandi",
    "пароль",
    "парола",
    "лозинка",
    "κωδικός",
    "κωδικοσ",
    "סיסמה",
    "סיסמא",
    "كلمةالمرور",
    "كلمةالسر",
    "पासवर्ड",
    "รหัสผ่าน",
    "密码",
    "密碼",
    "口令",
    "验证码",
    "驗證碼",
    "パスワード",
    "暗証番号",
    "認証コード",
    "비밀번호",
    "인증번호",
];

/// Only as a word of its own, because longer words hold them by chance: `shipping`, `opinion`.
const WORDS: &[&str] = &[
    "pin", "mpin", "puk", "pass", "pw", "pwd", "pswd", "psw", "mdp", "clave", "otp", "totp", "mfa",
    "tan", "mtan", "smstan", "pushtan", "auth", "bearer", "jwt", "nonce", "csc", "cvn", "pan",
    "iban", "sid", "dsn", "cardno", "ccno", "ssn", "taxid", "tin",
];

/// Only as words one after the other.
const PHRASES: &[[&str; 2]] = &[["card", "no"], ["cc", "no"], ["tax", "id"], ["account", "no"]];

/// What a word ends in that is put together of two: `userpass`, `newpwd`.
const ENDINGS: &[&str] = &["pass", "pw", "pwd", "passw"];

/// Words that end so by chance.
const HARMLESS: &[&str] =
    &["compass", "encompass", "bypass", "surpass", "trespass", "overpass", "underpass"];

/// Whether a field of this name holds a secret, by the look of it.
///
/// Rather once too often: a field that is taken for a secret has to be filled in again, and a secret that is not taken
/// for one is stored.
pub(crate) fn is_secret(name: &str) -> bool {
    let words = words(name);
    let letters = words.concat();
    let is_put_together = |word: &String| {
        ENDINGS.iter().any(|ending| word.ends_with(ending)) && !HARMLESS.contains(&word.as_str())
    };
    ANYWHERE.iter().any(|part| letters.contains(part))
        || words.iter().any(|word| WORDS.contains(&word.as_str()) || is_put_together(word))
        || words.windows(2).any(|pair| PHRASES.iter().any(|phrase| pair == phrase))
        // The one whose name has a digit in it.
        || name.to_lowercase().contains("2fa")
}

/// Whether a value is a secret whatever the name of its field: a payment card's number, or a key in its envelope.
pub(crate) fn is_secret_value(value: &str) -> bool {
    value.contains("-----BEGIN ") || is_card_number(value)
}

/// 13 to 19 digits, parted by spaces or hyphens or not at all, of which the last one confirms the others (ISO/IEC 7812).
fn is_card_number(value: &str) -> bool {
    let value = value.trim();
    let mut digits = Vec::with_capacity(19);
    for letter in value.chars().filter(|letter| !matches!(letter, ' ' | '-' | '\u{a0}')) {
        match letter.to_digit(10) {
            Some(digit) if digits.len() < 19 => digits.push(digit),
            _ => return false,
        }
    }
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let weighed = digits.iter().rev().enumerate().map(|(place, digit)| match place % 2 {
        0 => *digit,
        _ => doubled(*digit),
    });
    digits.len() >= 13 && digits.iter().any(|digit| *digit != 0) && weighed.sum::<u32>() % 10 == 0
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
        if (is_hump || !is_letter(letter)) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if is_letter(letter) {
            // A mark for itself is left out: one of the Turkish `İ` in lower case, or of a name that was taken apart.
            word.extend(letter.to_lowercase().filter(|letter| !is_mark(*letter)));
        }
        before = Some(letter);
    }
    words.push(word);
    words
}

fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}')
}

/// Some scripts write vowels as marks, which are no letters of their own.
fn is_letter(letter: char) -> bool {
    letter.is_alphabetic()
        || is_mark(letter)
        || matches!(letter, '\u{900}'..='\u{97f}' | '\u{e00}'..='\u{e7f}')
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
            "credit_card",
            "creditCard",
            "card_no",
            "cardNo",
            "cc_num",
            "cardnum",
            "security_code",
            "securitycode",
            "cvn",
            "pan",
            "userpass",
            "newpass",
            "newPass2",
            "pw",
            "pw1",
            "private_key",
            "access_key",
            "recovery_code",
            "mfa_code",
            "2fa",
            "code2FA",
            "two_factor_code",
            "sms_tan",
            "smsTan",
            "recovery-phrase",
            "userpw",
            "auth_code",
            "verification_code",
            "bearer",
            "authorization",
            "social_security_number",
            "tax_id",
            "taxId",
            "iban",
            "bank[iban]",
            "account-number",
            "g-recaptcha-response",
            "Passwort",
            "neues_passwort",
            "kennwort",
            "contraseña",
            "CONTRASEÑA",
            "contrasena",
            "motdepasse",
            "mot_de_passe",
            "mdp",
            "senha",
            "wachtwoord",
            "lösenord",
            "hasło",
            "пароль",
            "密码",
            "新密码",
            "パスワード",
            "비밀번호",
            "पासवर्ड",
            "รหัสผ่าน",
            "mật khẩu",
            "ŞİFRE",
            "parolă",
            "lo\u{308}senord",
            "contrasen\u{303}a",
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
            "taxidermy",
            "pancake",
            "panel",
            "author",
            "authority",
            "cardNotes",
            "card_type",
            "postcard",
            "bypass",
            "cart",
            "discount_code",
            "country_code",
            "tint",
            "mfaq",
            "compass_2",
            "Straße",
            "名前",
            "pass\u{e9}",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn a_payment_cards_number_is_one_in_any_field() {
        for value in
            ["4111111111111111", " 4111 1111 1111 1111 ", "3782-822463-10005", "-----BEGIN RSA"]
        {
            assert!(is_secret_value(value), "{value}");
        }
        for value in [
            "",
            "4111111111111112",
            "0000000000000000",
            "12",
            "+49 30 1234567",
            "hats",
            "4111.1111",
        ] {
            assert!(!is_secret_value(value), "{value}");
        }
    }
}
