//! Names of entries: plain strings, or typed keys.

use std::fmt;
use std::marker::PhantomData;

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
    value: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// A key by this name.
    pub const fn new(name: &'static str) -> Key<T> {
        Key { name, value: PhantomData }
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
}

impl<T> SessionKey<T> for Key<T> {
    fn name(&self) -> &str {
        self.name
    }
}

impl<T> SessionKey<T> for &Key<T> {
    fn name(&self) -> &str {
        self.name
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
