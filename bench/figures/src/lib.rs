//! How figures are measured, compared and written down, and the sessions that they are measured with. It knows none of
//! those that are compared, so that its tests build none of them.

pub mod allocations;
pub mod comparison;
pub mod measure;
pub mod report;
pub mod sessions;
pub mod walk;
