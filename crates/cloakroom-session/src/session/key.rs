//! Names of entries: plain strings, or typed keys.

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

/// What names an entry whose value is a `T`: a [`Key<T>`], or a string, which names a value of any type.
pub trait SessionKey<T: ?Sized> {
    /// The name that is stored.
    fn name(&self) -> &str;

    /// What a missing entry is taken for where one is needed: the key's own default, or else that of the type.
    fn default_value(&self) -> T
    where
        T: Default,
    {
        T::default()
    }
}

impl<T> SessionKey<T> for Key<T> {
    fn name(&self) -> &str {
        self.name
    }

    fn default_value(&self) -> T
    where
        T: Default,
    {
        self.default.map_or_else(T::default, |default| default())
    }
}

impl<T> SessionKey<T> for &Key<T> {
    fn name(&self) -> &str {
        self.name
    }

    fn default_value(&self) -> T
    where
        T: Default,
    {
        (*self).default_value()
    }
}

impl<T: ?Sized> SessionKey<T> for &str {
    fn name(&self) -> &str {
        self
    }
}

impl<T: ?Sized> SessionKey<T> for &String {
    fn name(&self) -> &str {
        self
    }
}

impl<T: ?Sized> SessionKey<T> for String {
    fn name(&self) -> &str {
        self
    }
}
