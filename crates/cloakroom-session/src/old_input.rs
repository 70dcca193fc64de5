//! A form that comes back filled in.

use serde::{Deserialize, Serialize};

use crate::secret_name::is_secret;

/// The longest field that is kept: name and value, in bytes.
const LONGEST_FIELD: usize = 4 * 1024;

/// What all fields may take together, in bytes.
const MOST_BYTES: usize = 16 * 1024;

/// What a field takes besides its name and value, about, so that many empty ones count too.
const FRAME: usize = 16;

/// What somebody typed into a form, for the page that asks them to correct it.
///
/// Left with a [`Flash`](crate::Flash), it is shown once. JavaScript reads an array of `[name, value]`, which
/// `new URLSearchParams(…)` takes.
///
/// It is stored, so it never keeps a field that looks like a secret by its name: one with `password`, `passwd`,
/// `passphrase`, `passcode`, `secret`, `token`, `csrf`, `api key`, `credential`, `card number`, `cvc` or `cvv` in it,
/// or the word `pin`, `pass`, `pwd`, `otp`, `totp`, `csc` or `ssn`; in any case, joined by anything. Others are left
/// out by [`OldInput::without`].
///
/// Its size is bounded. Left out, and never cut, are fields of more than 4,096 bytes, and such as do not fit into what
/// the ones before them leave of 16,384 bytes, of which each takes 16 besides its own.
///
/// ```
/// # use cloakroom_session::{Config, CookieHeaders, Flash, OldInput, Sessions};
/// const OLD_INPUT: Flash<OldInput> = Flash::new("oldInput");
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cloakroom_session::Result<()> {
/// # let sessions = Sessions::from_config(Config::new("memory")).await?;
/// # let session = sessions.session(CookieHeaders::default());
/// let submitted = [("name", "Ann"), ("interest", "hats"), ("interest", "coats"), ("password", "1234")];
/// session.flash(OLD_INPUT, &OldInput::new(submitted))?;
///
/// // On the page with the form, in the next request:
/// let old = session.flashed(OLD_INPUT).await?.unwrap_or_default();
/// assert_eq!(old.value("name"), "Ann");
/// assert!(old.contains("interest", "hats"));
/// assert_eq!(old.value("password"), "");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OldInput {
    fields: Vec<(String, String)>,
}

impl OldInput {
    /// Keeps the submitted fields, by name and value, in their order.
    pub fn new(fields: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>) -> OldInput {
        let mut left = MOST_BYTES;
        let mut kept = Vec::new();
        for (name, value) in fields {
            let (name, value) = (name.as_ref(), value.as_ref());
            let size = name.len() + value.len();
            if size <= LONGEST_FIELD && size + FRAME <= left && !is_secret(name) {
                left -= size + FRAME;
                kept.push((name.to_owned(), value.to_owned()));
            }
        }
        OldInput { fields: kept }
    }

    /// Leaves out every field of this name.
    ///
    /// ```
    /// # use cloakroom_session::OldInput;
    /// let old = OldInput::new([("name", "Ann"), ("iban", "DE02…")]).without("iban");
    /// assert_eq!(old.value("iban"), "");
    /// ```
    #[must_use]
    pub fn without(mut self, name: &str) -> OldInput {
        self.fields.retain(|(other, _)| other != name);
        self
    }

    /// The first value of this name, for an input's `value`; empty where there is none.
    pub fn value(&self, name: &str) -> &str {
        self.values(name).next().unwrap_or_default()
    }

    /// All values of this name, in their order.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The fields in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether this name has this value, for an option that was selected or a box that was checked.
    pub fn contains(&self, name: &str, value: &str) -> bool {
        self.values(name).any(|other| other == value)
    }

    /// Whether there is nothing to fill in, as on a form that nobody has submitted.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}
