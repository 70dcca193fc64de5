//! Where somebody goes after signing in: a path that the browser brought, and that others may have written.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Deserializer, Serialize};

/// The name of the field, in a query and in a form.
pub(super) const FIELD: &str = "return_to";

/// The longest path, in bytes.
const LONGEST: usize = 2048;

/// What stands in no address as it is. A percent sign does: what is encoded stays so.
const UNWRITTEN: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'\'')
    .add(b'<')
    .add(b'>')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Where to send a visitor who has signed in: the `return_to` of the sign-in page's query or form, if it is safe to go there,
/// and else `/`.
///
/// Anybody may write a link to the sign-in page, and whoever signs in there trusts what comes next. So it is a path of this
/// site, whatever was asked for, and dereferences to it:
///
/// ```
/// use cloakroom_session::adapter::ReturnTo;
///
/// assert_eq!(ReturnTo::new("/orders?page=2"), "/orders?page=2");
/// assert_eq!(ReturnTo::new("https://evil.example/"), "/");
/// assert_eq!(ReturnTo::new("//evil.example/"), "/");
/// assert_eq!(ReturnTo::from_query("lang=pt&return_to=%2Forders%3Fpage%3D2"), "/orders?page=2");
/// ```
///
/// A form has it as a field. It can be kept in the session as well, while the visitor is at another site to sign in:
///
/// ```
/// # use cloakroom_session::adapter::ReturnTo;
/// #[derive(serde::Deserialize)]
/// struct SignIn {
///     name: String,
///     #[serde(default)]
///     return_to: ReturnTo,
/// }
/// ```
///
/// It is safe as a header and as an address; in a page it is escaped as any other text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ReturnTo(Cow<'static, str>);

impl ReturnTo {
    /// This path, with its query, if it is safe.
    ///
    /// A path of this site begins with exactly one slash. There is neither a backslash in it, which browsers take for a slash,
    /// nor a control character, which they leave out; and no step `.` or `..`, which they follow: what is left might begin with
    /// two slashes. It is no longer than 2,048 bytes.
    pub fn new(path: &str) -> ReturnTo {
        ReturnTo::checked(path).unwrap_or_default()
    }

    /// What a query says. A form that is sent without files has the same format.
    pub fn from_query(query: &str) -> ReturnTo {
        let fields = query.split('&').map(|field| field.split_once('=').unwrap_or((field, "")));
        let mut values = fields.filter(|(name, _)| decoded(name).as_deref() == Some(FIELD));
        // A guard adds its own to what the page's address has already.
        let value = values.next_back().and_then(|(_, value)| decoded(value));
        value.map(|path| ReturnTo::new(&path)).unwrap_or_default()
    }

    /// The same, where there has to be one.
    pub(super) fn checked(path: &str) -> Option<ReturnTo> {
        let after = path.strip_prefix('/').filter(|_| path.len() <= LONGEST)?;
        let is_unsafe = after.starts_with('/')
            || path.contains(|letter: char| letter == '\\' || letter.is_control())
            || has_dots(path);
        // What is not ASCII is three times as long as an address has it.
        let written: String = utf8_percent_encode(path, UNWRITTEN).collect();
        (!is_unsafe && written.len() <= LONGEST).then_some(ReturnTo(written.into()))
    }

    /// The path, with its query.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path, with its query.
    pub fn into_string(self) -> String {
        self.0.into_owned()
    }
}

/// Whether a path has steps that browsers follow instead of sending them, encoded or not.
fn has_dots(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path.split('/').any(|step| {
        let step: Cow<[u8]> = percent_decode_str(step).into();
        matches!(&*step, b"." | b"..")
    })
}

/// A name or a value, unless it is no text.
fn decoded(field: &str) -> Option<String> {
    let spaced = field.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

/// The site's front page.
impl Default for ReturnTo {
    fn default() -> ReturnTo {
        ReturnTo(Cow::Borrowed("/"))
    }
}

impl Deref for ReturnTo {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<&str> for ReturnTo {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl From<ReturnTo> for String {
    fn from(return_to: ReturnTo) -> String {
        return_to.into_string()
    }
}

impl fmt::Display for ReturnTo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Whatever text there is: one that is not safe is no error, and neither is none.
impl<'de> Deserialize<'de> for ReturnTo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ReturnTo, D::Error> {
        let path = Option::<String>::deserialize(deserializer)?;
        Ok(path.map(|path| ReturnTo::new(&path)).unwrap_or_default())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_this_site_is_returned_to() {
        for path in [
            "/",
            "/orders",
            "/orders/",
            "/orders?page=2&sort=-date#last",
            "/a//b",
            // Names of people, as some sites have them, and no name of a user of another host.
            "/@ann",
            "/ann@evil.example",
            // Browsers decode none of these: they are a step's own text.
            "/%09/evil.example",
            "/%2F/evil.example",
            "/%2Fevil.example",
            "/%5Cevil.example",
            "/%00",
            // Whatever a query says is the page's own business.
            "/search?for=https://evil.example//../",
            "/...",
            "/.well-known/x",
            "/:80",
            "/https://evil.example",
        ] {
            assert_eq!(ReturnTo::new(path), path);
        }
    }

    #[test]
    fn whatever_might_lead_elsewhere_leads_to_the_front_page() {
        for path in [
            "",
            "orders",
            " /orders",
            "?page=2",
            // Another site, in full and without its scheme.
            "https://evil.example/",
            "HTTPS://evil.example",
            "https:/evil.example",
            "https:evil.example",
            "http://shop.example@evil.example/",
            "@evil.example",
            "evil.example",
            "//evil.example",
            "///evil.example",
            "////evil.example",
            "//ann@evil.example",
            "//",
            "/ /evil.example\n",
            // No page at all.
            "javascript:alert(1)",
            "data:text/html,x",
            // Browsers take a backslash for a slash.
            "/\\evil.example",
            "\\\\evil.example",
            "\\/evil.example",
            "/orders\\..\\..",
            // They leave out tabs and ends of lines, wherever they stand.
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r/evil.example",
            "/\r\nSet-Cookie: a=b",
            "\t//evil.example",
            "\u{0}//evil.example",
            "/orders\u{7f}",
            "/orders\u{85}",
            // They follow dots, and what is left begins with two slashes.
            "/.//evil.example",
            "/..//evil.example",
            "/a/..//evil.example",
            "/%2e//evil.example",
            "/a/%2E%2e//evil.example",
            "/a/.%2e//evil.example",
            "/orders/..",
        ] {
            assert_eq!(ReturnTo::new(path), "/", "{path:?}");
        }
    }

    #[test]
    fn what_is_returned_to_is_an_address_as_browsers_send_it() {
        assert_eq!(ReturnTo::new("/über uns"), "/%C3%BCber%20uns");
        assert_eq!(ReturnTo::new("/100%?a=\"<'>"), "/100%?a=%22%3C%27%3E");
        assert_eq!(ReturnTo::new("/／evil.example"), "/%EF%BC%8Fevil.example");
    }

    #[test]
    fn a_path_may_have_2048_bytes_once_it_is_written_as_an_address() {
        let path = |letter: &str, count: usize| format!("/{}", letter.repeat(count));
        assert_eq!(ReturnTo::new(&path("a", 2047)).len(), 2048);
        assert_eq!(ReturnTo::new(&path("a", 2048)), "/");
        assert_eq!(ReturnTo::new(&path("ü", 341)).len(), 2047);
        assert_eq!(ReturnTo::new(&path("ü", 342)), "/");
    }

    #[test]
    fn a_query_or_a_form_says_it() {
        for (query, expected) in [
            ("return_to=/orders", "/orders"),
            ("return_to=%2Forders%3Fpage%3D2%26all", "/orders?page=2&all"),
            ("lang=pt&return_to=/a+b%2Bc&x", "/a%20b+c"),
            ("return%5Fto=/orders", "/orders"),
            ("return_to=/home&return_to=/orders", "/orders"),
            // Decoded once, as it was encoded once.
            ("return_to=/%252F", "/%2F"),
            ("return_to=%2F%2Fevil.example", "/"),
            ("return_to=%2F%09%2Fevil.example", "/"),
            ("return_to=%2F%5Cevil.example", "/"),
            ("return_to=/%FF", "/"),
            ("return_to=/orders&return_to=//evil.example", "/"),
            ("return_to", "/"),
            ("return_to=", "/"),
            ("Return_To=/orders", "/"),
            ("=/orders&&", "/"),
            ("", "/"),
        ] {
            assert_eq!(ReturnTo::from_query(query), expected, "{query}");
        }
    }

    #[test]
    fn a_field_says_it_and_what_is_not_safe_is_no_error() {
        for (field, expected) in
            [("\"/orders\"", "/orders"), ("\"//evil.example\"", "/"), ("null", "/")]
        {
            assert_eq!(serde_json::from_str::<ReturnTo>(field).unwrap(), expected);
        }
        assert_eq!(serde_json::to_string(&ReturnTo::new("/orders")).unwrap(), "\"/orders\"");
    }
}
