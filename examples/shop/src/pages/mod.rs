//! The pages, one per file: the handlers first, then the markup as a function over plain data.

pub mod about;
pub mod address;
pub mod cart;
pub mod checkout;
pub mod confirm;
pub mod devices;
pub mod home;
pub mod login;
pub mod problem;
pub mod product;
pub mod settings;
