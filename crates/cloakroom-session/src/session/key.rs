//! Names of entries: plain strings, or typed keys.

use std::borrow::Borrow;
use std::fmt;

/// A key that knows the type of its value: Astro's `App.SessionData`, in Rust.
///
/// ```
/// use cloakroom_session::Key;
///
/// const CART: Key<Vec<String>> = Key::new("cart");
/// assert_eq!(CART.name(), "cart");
/// ```
pub struct Key<T> {
    name: &'static str,
    default: Option<fn() -> T>,
}

impl<T> Key<T> {
    /// A key by this name.
    ///
    /// ```
    /// use cloakroom_session::Key;
    ///
    /// const CART: Key<Vec<String>> = Key::new("cart");
    /// ```
    pub const fn new(name: &'static str) -> Key<T> {
        Key { name, default: None }
    }

    /// Says what a missing entry is taken for, in place of `T::default()`.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Key, Sessions};
    /// const PAGE_SIZE: Key<u32> = Key::new("pageSize").with_default(|| 20);
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// assert_eq!(session.get_or_default(PAGE_SIZE).await?, 20);
    /// assert_eq!(session.update(PAGE_SIZE, |size| *size += 10).await?, 30);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn with_default(mut self, default: fn() -> T) -> Key<T> {
        self.default = Some(default);
        self
    }

    /// The name that is stored.
    ///
    /// ```
    /// # use cloakroom_session::Key;
    /// assert_eq!(Key::<u32>::new("pageSize").name(), "pageSize");
    /// ```
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

// Derives would ask the same of `T`.
impl<T> Clone for Key<T> {
    fn clone(&self) -> Key<T> {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Key").field(&self.name).finish()
    }
}

/// What names an entry, whatever its value: a [`Key`], or a string.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name an entry of a session",
    note = "an entry is named by a string or by a `Key`"
)]
pub trait EntryName {
    /// The name that is stored.
    ///
    /// ```
    /// use cloakroom_session::{EntryName, Key};
    ///
    /// const USER: Key<u64> = Key::new("user");
    /// assert_eq!((EntryName::name(&USER), EntryName::name("user")), ("user", "user"));
    /// ```
    fn name(&self) -> &str;
}

/// What names an entry whose value is a `T`: a [`Key<T>`], or a string, which names a value of any type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name an entry whose value is a `{T}`",
    note = "an entry is named by a string, or by a `Key` of the type of its value"
)]
pub trait SessionKey<T: ?Sized>: EntryName {
    /// What a missing entry is taken for where one is needed: the key's own default, or else that of the type.
    ///
    /// ```
    /// use cloakroom_session::{Key, SessionKey};
    ///
    /// const PAGE_SIZE: Key<u32> = Key::new("pageSize").with_default(|| 20);
    /// assert_eq!((PAGE_SIZE.default_value(), SessionKey::<u32>::default_value("visits")), (20, 0));
    /// ```
    fn default_value(&self) -> T
    where
        T: Default,
    {
        T::default()
    }
}

/// What names an entry to which a `V` can be written: a [`Key`] of `V`, or of what lends itself as a `V`, as a `String` does
/// as a `str`; or a string, which names a value of any type.
#[diagnostic::on_unimplemented(
    message = "a `{V}` cannot be written to the entry that `{Self}` names",
    note = "a `Key<T>` takes a `T`, or what a `T` lends itself as: a `Key<String>` takes a `str`"
)]
pub trait WriteKey<V: ?Sized>: EntryName {}

impl<T> EntryName for Key<T> {
    fn name(&self) -> &str {
        self.name
    }
}

impl EntryName for str {
    fn name(&self) -> &str {
        self
    }
}

impl EntryName for String {
    fn name(&self) -> &str {
        self
    }
}

impl<N: EntryName + ?Sized> EntryName for &N {
    fn name(&self) -> &str {
        (**self).name()
    }
}

impl<T> SessionKey<T> for Key<T> {
    fn default_value(&self) -> T
    where
        T: Default,
    {
        self.default.map_or_else(T::default, |default| default())
    }
}

impl<T: ?Sized> SessionKey<T> for str {}

impl<T: ?Sized> SessionKey<T> for String {}

impl<T: ?Sized, K: SessionKey<T> + ?Sized> SessionKey<T> for &K {
    fn default_value(&self) -> T
    where
        T: Default,
    {
        (**self).default_value()
    }
}

impl<T: Borrow<V>, V: ?Sized> WriteKey<V> for Key<T> {}

impl<V: ?Sized> WriteKey<V> for str {}

impl<V: ?Sized> WriteKey<V> for String {}

impl<V: ?Sized, K: WriteKey<V> + ?Sized> WriteKey<V> for &K {}
