//! A web page for those who run a site: its sessions, seen, searched and ended.
//!
//! [`Console`] is a service for any router, without an authorisation of its own unless it is given a token. It shows no
//! session's ID, has no script, and changes nothing but by a form of its own pages.
//!
//! ```
//! use axum::Router;
//! use cloakroom_console::Console;
//! use cloakroom_session::{Config, Sessions};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> cloakroom_session::Result<()> {
//! let sessions = Sessions::from_config(Config::new("memory")).await?;
//! // Behind a layer of the application's that lets nobody in but its operators.
//! let app: Router = Router::new().nest("/admin/sessions", Console::new(sessions).into_router());
//! # Ok(())
//! # }
//! ```
//!
//! No page reads all sessions. While somebody looks, a task lists the store's keys now and then, so seldom that it is at work a
//! few percent of the time at most, and keeps what it found: a page says of which moment that is, and reads nothing but the
//! sessions that it shows.

mod access;
mod console;
mod handler;
mod operator;
mod pages;
mod place;
mod text;
mod watch;

pub use console::Console;
pub use operator::Operator;

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
