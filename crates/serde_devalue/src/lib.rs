//! Placeholder.

mod error;
mod flat;
mod index;
mod reference;
mod slot;
mod splice;
mod text;
mod token;

pub use error::{Error, Result};
pub use flat::Flat;
pub use index::Index;
pub use reference::Reference;
pub use slot::{Fields, MapEntries};
pub use splice::{Piece, Source, Splice};
