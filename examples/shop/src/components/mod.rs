//! What several pages share: plain functions from data to markup.

mod add_to_cart;
mod cart_button;
mod layout;
mod moment;
mod order;
mod password_field;
mod product_card;
mod text_field;

pub use add_to_cart::add_to_cart;
pub use cart_button::cart_button;
pub use layout::layout;
pub use moment::moment;
pub use order::order;
pub use password_field::password_field;
pub use product_card::product_card;
pub use text_field::text_field;
