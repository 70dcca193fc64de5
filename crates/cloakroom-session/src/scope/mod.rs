//! What a request has below a session layer: its session, or a page that has none, and which layer said so.
//!
//! Framework adapters enter it and keep it with the request. Handlers touch nothing of it but `Session::current`.

mod current;
mod layers;
mod prerendered;
mod site_path;

pub use current::Scope;
pub use layers::{Entered, Scopes};
pub use prerendered::{Prerendered, PrerenderedRoutes};
pub use site_path::SitePath;
