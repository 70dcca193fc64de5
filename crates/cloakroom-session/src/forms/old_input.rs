//! A form that comes back filled in.

use serde::{Deserialize, Serialize};

use super::secret_name::{is_secret, is_secret_value};

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
/// It is stored, so it is best told which fields may be kept: [`OldInput::only`]. Otherwise it leaves out what looks like
/// a secret by its name: passwords in the larger languages, PINs and one-time codes, keys and tokens, numbers of payment
/// cards, of accounts and of authorities; in any case, joined by anything. And whatever the name, the number of a payment
/// card and a key in PEM. That is a guess, which is sometimes wrong: a field that is left out has to be filled in again, and
/// a secret under a name that nobody has thought of is stored. Others are left out by [`OldInput::without`].
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
    /// Keeps the submitted fields, by name and value, in their order, but for those that look like a secret.
    pub fn new(fields: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>) -> OldInput {
        OldInput::keep(fields, |name, value| !is_secret(name) && !is_secret_value(value))
    }

    /// Keeps the submitted fields of these names alone, whatever they look like; with `town` also `town.code`, `town[code]`
    /// and `town[]`.
    ///
    /// ```
    /// # use cloakroom_session::OldInput;
    /// let submitted = [("name", "Ann"), ("tags[]", "hats"), ("motto", "1234")];
    /// let old = OldInput::only(submitted, ["name", "tags"]);
    /// assert_eq!((old.value("name"), old.value("tags[]"), old.value("motto")), ("Ann", "hats", ""));
    /// ```
    pub fn only(
        fields: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
        names: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> OldInput {
        let names: Vec<_> = names.into_iter().collect();
        OldInput::keep(fields, |field, _| names.iter().any(|name| is_at(field, name.as_ref())))
    }

    fn keep(
        fields: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
        may_be_kept: impl Fn(&str, &str) -> bool,
    ) -> OldInput {
        let mut left = MOST_BYTES;
        let mut kept = Vec::new();
        for (name, value) in fields {
            let (name, value) = (name.as_ref(), value.as_ref());
            let size = name.len() + value.len();
            if size <= LONGEST_FIELD && size + FRAME <= left && may_be_kept(name, value) {
                left -= size + FRAME;
                kept.push((name.to_owned(), value.to_owned()));
            }
        }
        OldInput { fields: kept }
    }

    /// Leaves out every field of this name; with `town` also `town.code`, `town[code]` and `town[]`.
    ///
    /// ```
    /// # use cloakroom_session::OldInput;
    /// let old = OldInput::new([("name", "Ann"), ("motto", "1234")]).without("motto");
    /// assert_eq!(old.value("motto"), "");
    /// ```
    #[must_use]
    pub fn without(mut self, name: &str) -> OldInput {
        self.fields.retain(|(field, _)| !is_at(field, name));
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

/// Whether a field is of this name, or a part of one that is.
fn is_at(field: &str, name: &str) -> bool {
    field.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
