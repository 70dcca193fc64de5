//! The cart: a list of slugs in the session, read as lines of a bill.

use cloakroom::Session;
use cloakroom::axum::Result;

use crate::catalogue::{self, Product};
use crate::session::{CART, SIZES};

/// The longest item that a cart takes, in characters.
pub const LONGEST_ITEM: usize = 200;

/// Whether this can be put into a cart. It need not be in the catalogue: the session may be shared.
pub fn is_item(item: &str) -> bool {
    !item.is_empty() && item.chars().count() <= LONGEST_ITEM
}

/// Puts one item into the cart, and remembers the size if one was chosen.
///
/// `update` runs again on the fresh cart when another request was faster, so no item is lost.
pub async fn add(session: &Session, item: &str, size: Option<f64>) -> Result<Vec<String>> {
    let sizes = catalogue::find(item).and_then(|product| product.sizes);
    if let (Some(sizes), Some(size)) = (sizes, size)
        && sizes.all.contains(&size)
    {
        session
            .update(SIZES, |chosen| {
                chosen.0.insert(sizes.name.to_owned(), size);
            })
            .await?;
    }
    session.update(CART, |cart| cart.push(item.to_owned())).await
}

/// Takes one of this item out of the cart: the one that was added last.
pub async fn remove(session: &Session, item: &str) -> Result<Vec<String>> {
    let remove = |cart: &mut Vec<String>| {
        if let Some(at) = cart.iter().rposition(|other| other == item) {
            cart.remove(at);
        }
    };
    session.update(CART, remove).await
}

/// Equal items of a cart.
#[derive(Debug, PartialEq)]
pub struct Line<'a> {
    /// As it stands in the cart.
    pub item: &'a str,
    /// How many.
    pub quantity: usize,
}

impl Line<'_> {
    /// What it is, if this shop sells it: another program that shares the session may have added anything.
    pub fn product(&self) -> Option<&'static Product> {
        catalogue::find(self.item)
    }

    /// What the line costs, in euro cents.
    pub fn price(&self) -> Option<u32> {
        let quantity = u32::try_from(self.quantity).unwrap_or(u32::MAX);
        self.product().map(|product| product.price.saturating_mul(quantity))
    }
}

/// The cart as a bill, in the order of first appearance.
pub fn lines(cart: &[String]) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for item in cart {
        match lines.iter_mut().find(|line| line.item == item) {
            Some(line) => line.quantity += 1,
            None => lines.push(Line { item, quantity: 1 }),
        }
    }
    lines
}

/// What the whole cart costs, in euro cents.
pub fn total(lines: &[Line<'_>]) -> u32 {
    lines.iter().filter_map(Line::price).fold(0, u32::saturating_add)
}
