//! What a form needs that is answered with a redirect: messages that are shown once, and what was typed, without its secrets.
//!
//! It stands on the session as any handler does, and nothing here stands on it.

mod flash;
mod old_input;
mod secret_name;

pub use flash::Flash;
pub use old_input::OldInput;
pub(crate) use secret_name::{is_secret, is_secret_value};
