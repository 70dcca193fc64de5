//! What a configuration says.

use std::env;
use std::fmt;

use serde::Deserialize;

use super::NAME;
use crate::common::base::beginning_of_names;
use cloakroom_storage::Result;

/// The options, all of which are ours: unstorage has no such driver.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Options {
    /// One server of the cluster, or several with commas in between; by default the environment's `ETCDCTL_ENDPOINTS`,
    /// or `http://localhost:2379`. When a server cannot be reached, the next call goes to the next one.
    pub url: Option<String>,
    /// What all keys begin with, before a `:`. Nothing by default.
    pub base: String,
    /// Who we are to etcd, with [`password`](Options::password); by default the environment's `ETCDCTL_USER`, which may
    /// have the password after a `:`, or nobody.
    pub username: Option<String>,
    /// The user's password; by default the environment's `ETCDCTL_PASSWORD`, where the user is the environment's.
    pub password: Option<String>,
}

impl Options {
    /// The default options for the cluster with this server, or with these, with commas in between.
    pub fn new(url: impl Into<String>) -> Options {
        Options { url: Some(url.into()), ..Options::default() }
    }

    /// These, and what the environment says where they say nothing.
    pub(super) fn or_environment(mut self) -> Options {
        self.url = self.url.or_else(|| variable("ETCDCTL_ENDPOINTS"));
        if self.username.is_none()
            && let Some(user) = variable("ETCDCTL_USER")
        {
            let (name, password) = match user.split_once(':') {
                Some((name, password)) => (name, Some(password.to_owned())),
                None => (user.as_str(), variable("ETCDCTL_PASSWORD")),
            };
            self.username = Some(name.to_owned());
            self.password = self.password.or(password);
        }
        self
    }

    /// Who we are; nobody where that is not asked for.
    pub(super) fn user(&self) -> &str {
        self.username.as_deref().unwrap_or_default()
    }

    /// What all keys begin with.
    pub(super) fn base(&self) -> Result<String> {
        beginning_of_names(NAME, &self.base)
    }
}

impl fmt::Debug for Options {
    /// Neither the password nor the URL, which may have one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("base", &self.base)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
