//! What the drivers that speak HTTP have in common: one client, one way to read a failure, one kind of version.
//!
//! Deadlines and retries are those of every driver: [`Timeout`](cloakroom_storage::Timeout) and [`Retry`](cloakroom_storage::Retry) stand around
//! it. What is said here is what they need to know: whether a retry may help, and whether a request was refused before it
//! changed anything.

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "azure")]
pub(crate) mod azure;
mod client;
pub(crate) mod conditional;
#[cfg(any(feature = "aws", feature = "gcs"))]
pub(crate) mod credentials;
mod expiry;
mod secret;
#[cfg(any(feature = "aws", feature = "gcs"))]
pub(crate) mod sources;
mod status;
mod tagged;
mod url;

#[cfg(feature = "aws")]
pub(crate) use aws::{Aws, Keys, region};
pub(crate) use client::{Client, Request, Response};
pub(crate) use expiry::Expiry;
pub(crate) use secret::Secret;
pub(crate) use status::{refusal, unreadable};
pub(crate) use tagged::Tagged;
pub(crate) use url::{Address, encoded};
