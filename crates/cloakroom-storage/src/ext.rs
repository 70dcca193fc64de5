//! Conveniences on top of [`Driver`].

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Driver, ItemKey, Result, Retry, Timeout};

/// What every driver can do by means of [`Driver`]'s methods.
#[async_trait]
pub trait DriverExt: Driver {
    /// The bytes under `key`, for those who will not write them back.
    ///
    /// # Errors
    /// As [`Driver::get`].
    async fn get_bytes(&self, key: &ItemKey) -> Result<Option<Bytes>> {
        Ok(self.get(key).await?.map(|item| item.value))
    }

    /// Tries failed calls again, where that may help and cannot harm.
    fn with_retries(self, retries: u32) -> Retry<Self>
    where
        Self: Sized,
    {
        Retry::new(self, retries)
    }

    /// Gives every call a deadline.
    fn with_timeout(self, deadline: Duration) -> Timeout<Self>
    where
        Self: Sized,
    {
        Timeout::new(self, deadline)
    }
}

impl<D: Driver + ?Sized> DriverExt for D {}
