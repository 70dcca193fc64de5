//! One shop of two halves: Astro renders its pages and signs people in, axum has the cart and the checkout. Both hold the
//! same session, in one store, by one cookie.
//!
//! Where to look: [`mod@app`] says which half answers what, [`proxy`] hands the rest on to Astro, [`cart`] and [`checkout`]
//! are this half's pages. The other half is in the folder `site`.

pub mod app;
pub mod cart;
pub mod catalogue;
pub mod checkout;
pub mod page;
pub mod proxy;
pub mod site;

pub use app::app;
