//! A struct whose fields are entries of the session.

use crate::error::Result;

use super::Session;

/// A typed view of the session, whose fields are entries: Astro's `App.SessionData` as a struct.
///
/// Derive it, with the feature `derive`: each field gets its [`Key`](crate::Key) as a constant.
///
/// ```
/// # #[cfg(feature = "derive")]
/// # mod example {
/// # use cloakroom_session::{Config, CookieHeaders, Result, Session, SessionData, Sessions};
/// #[derive(SessionData)]
/// #[session(rename_all = "camelCase")]
/// # #[session(crate = "cloakroom_session")]
/// struct Shopper {
///     cart: Vec<String>,
///     last_city: Option<String>,
///     #[session(key = "settings:pageSize", default = standard_page_size)]
///     page_size: u32,
/// }
///
/// fn standard_page_size() -> u32 {
///     20
/// }
///
/// # pub async fn example(session: &Session) -> Result<()> {
/// session.update(Shopper::CART, |cart| cart.push("scarf".to_owned())).await?;
/// session.set(Shopper::LAST_CITY, "Porto")?;
///
/// let shopper = Shopper::load(session).await?;
/// assert_eq!(shopper.cart, ["scarf"]);
/// assert_eq!(shopper.last_city.as_deref(), Some("Porto"));
/// assert_eq!(shopper.page_size, 20);
/// # Ok(())
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # pub async fn main() -> Result<()> {
/// #     let sessions = Sessions::from_config(Config::new("memory")).await?;
/// #     example(&sessions.session(CookieHeaders::default())).await
/// # }
/// # }
/// # #[cfg(feature = "derive")]
/// # example::main().unwrap();
/// ```
///
/// There is no way to write the whole, on purpose: it would undo what other requests have changed. Writing goes
/// through the keys, one entry at a time.
pub trait SessionData: Sized {
    /// Reads all fields, of which one that is missing has its default. Writes nothing.
    ///
    /// # Errors
    /// As [`Session::get`].
    fn load(session: &Session) -> impl Future<Output = Result<Self>> + Send;
}
