//! The programs of the pages compile.
#![cfg(all(feature = "testing", feature = "axum", feature = "memory"))]

#[cfg(feature = "fs-lite")]
#[doc = include_str!("../../../docs/configuration.md")]
struct Configuration;

#[doc = include_str!("../../../docs/events.md")]
struct Events;

#[doc = include_str!("../../../docs/observing.md")]
struct Observing;

#[doc = include_str!("../../../docs/principals.md")]
struct Principals;

#[doc = include_str!("../../../docs/recipes.md")]
struct Recipes;

#[doc = include_str!("../../../docs/testing.md")]
struct Testing;

#[cfg(feature = "actions")]
#[doc = include_str!("../../../docs/together.md")]
struct Together;

#[doc = include_str!("../../../docs/writing-a-driver.md")]
struct WritingADriver;
