//! How values are written and read.

use serde::{Deserialize, Serialize};

use crate::{Result, de, ser};

/// How values are written and read, where there is a choice.
///
/// ```
/// use serde_devalue::{Options, Url};
///
/// let url = Url::parse("https://example.com/").unwrap();
/// assert_eq!(Options::new().to_string(&url)?, r#"[["URL","https://example.com/"]]"#);
/// assert_eq!(Options::astro().to_string(&url)?, r#"[["URL",1],"https://example.com/"]"#);
/// # Ok::<(), serde_devalue::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub(crate) urls_by_reference: bool,
    pub(crate) portable_types_only: bool,
    pub(crate) none_as_undefined: bool,
    pub(crate) lossy_integers: bool,
    pub(crate) custom_tags: &'static [&'static str],
    pub(crate) allowance: usize,
    /// Whether every unknown tag is a custom one: for texts that this crate wrote itself.
    pub(crate) any_tag: bool,
}

impl Options {
    /// How deep containers may be nested, in reading and in writing: JavaScript's own stack ends somewhere above 1,500.
    pub const MAX_DEPTH: usize = 500;

    /// The JavaScript library's own form.
    pub const fn new() -> Self {
        Options {
            urls_by_reference: false,
            portable_types_only: false,
            none_as_undefined: false,
            lossy_integers: false,
            custom_tags: &[],
            allowance: Self::ALLOWANCE,
            any_tag: false,
        }
    }

    /// How much a text may [repeat](Options::allowance) where nobody says otherwise: 16 MiB.
    pub const ALLOWANCE: usize = 16 << 20;

    /// What a session of Astro writes: [URLs by reference](Options::urls_by_reference) and
    /// [portable types only](Options::portable_types_only).
    pub const fn astro() -> Self {
        Options::new().urls_by_reference(true).portable_types_only(true)
    }

    /// Whether a URL is written as `["URL",N]`, where slot N is its text, as Astro's reducer does; or as
    /// `["URL","…"]`. Both are read.
    pub const fn urls_by_reference(mut self, yes: bool) -> Self {
        self.urls_by_reference = yes;
        self
    }

    /// Whether it is an error to write a type that Node.js 22 cannot read: `Temporal` and `Float16Array`.
    pub const fn portable_types_only(mut self, yes: bool) -> Self {
        self.portable_types_only = yes;
        self
    }

    /// Whether `None` is written as undefined; or as null. For one field there is [`undefined`](crate::undefined).
    pub const fn none_as_undefined(mut self, yes: bool) -> Self {
        self.none_as_undefined = yes;
        self
    }

    /// Whether an integer beyond 2^53 is written as the nearest number; or is an error. For one field there is
    /// [`bigint`](crate::bigint), which loses nothing.
    pub const fn lossy_integers(mut self, yes: bool) -> Self {
        self.lossy_integers = yes;
        self
    }

    /// The names of reducers whose values are read as [`Value::Custom`](crate::Value::Custom). Like a reviver in
    /// JavaScript, a name here comes before the built-in type of that name.
    pub const fn custom_tags(mut self, tags: &'static [&'static str]) -> Self {
        self.custom_tags = tags;
        self
    }

    /// How much a value may take beyond what its text alone accounts for, in bytes of memory and of text that is looked
    /// at: what references share is read as often as it is referred to.
    ///
    /// A value costs 32, a key of an object or a Map 32 more, an object or a Map 256, and a string, a name or anything that
    /// is not in its usual form the length of its text. Each byte of the text that the value itself takes, read once, pays
    /// for 32, so that whatever is not shared can be read. What is written counts too: to write what could not be read with
    /// the same allowance is an error.
    pub const fn allowance(mut self, bytes: usize) -> Self {
        self.allowance = bytes;
        self
    }

    pub(crate) const fn any_tag(mut self) -> Self {
        self.any_tag = true;
        self
    }

    /// [`to_string`](crate::to_string) with these options.
    ///
    /// # Errors
    /// As there.
    pub fn to_string<T: ?Sized + Serialize>(&self, value: &T) -> Result<String> {
        ser::to_string(value, *self)
    }

    /// [`to_vec`](crate::to_vec) with these options.
    ///
    /// # Errors
    /// As there.
    pub fn to_vec<T: ?Sized + Serialize>(&self, value: &T) -> Result<Vec<u8>> {
        ser::to_vec(value, *self)
    }

    /// [`to_writer`](crate::to_writer) with these options.
    ///
    /// # Errors
    /// As there.
    pub fn to_writer<W: std::io::Write, T: ?Sized + Serialize>(
        &self,
        mut writer: W,
        value: &T,
    ) -> Result<()> {
        Ok(writer.write_all(&self.to_vec(value)?)?)
    }

    /// [`from_str`](crate::from_str) with these options.
    ///
    /// # Errors
    /// As there.
    pub fn from_str<'de, T: Deserialize<'de>>(&self, text: &'de str) -> Result<T> {
        de::from_str(text, *self)
    }

    /// [`from_slice`](crate::from_slice) with these options.
    ///
    /// # Errors
    /// As there.
    pub fn from_slice<'de, T: Deserialize<'de>>(&self, text: &'de [u8]) -> Result<T> {
        de::from_slice(text, *self)
    }
}

/// The same as [`Options::new`].
impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}
