//! For authors of framework adapters: what every adapter does once the handler has returned. It commits, it lets the body
//! stream, and it answers.
//!
//! Nothing else in this crate stands on it, and handlers never see it.

mod caching;
mod failure;
mod finished;
mod finishing;
mod headers;
mod late;

pub use failure::{Failure, FailureFormat};
pub use finished::Finished;
pub use finishing::Finishing;
pub use headers::ResponseHeaders;
pub use late::{LateCommit, NextPiece};
