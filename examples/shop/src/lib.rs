//! A small shop on Cloakroom's sessions.
//!
//! Where to look: [`session`] holds the keys and their types, [`mod@app`] the routes, [`pages`] one page per file,
//! [`components`] what pages share, [`api`] the endpoints that scripts call, [`middleware`] what runs around a
//! page, [`account`] what is done once somebody has logged in. Everything a page shows beyond its session is in [`catalogue`].

pub mod account;
pub mod actions;
pub mod api;
pub mod app;
pub mod assets;
pub mod browser;
pub mod cart;
pub mod catalogue;
pub mod components;
pub mod middleware;
pub mod pages;
pub mod session;
pub mod visitor;

pub use app::app;
