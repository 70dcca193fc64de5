//! A session with a list, over any driver.

use cloakroom_session::{Config, CookieHeaders, Result, Sessions};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
pub(crate) struct Push {
    options: Map<String, Value>,
    item: String,
}

/// Appends to the list, and gives it with the value of `Set-Cookie`.
pub(crate) async fn push(
    driver: &str,
    Push { options, item }: Push,
    cookies: Option<String>,
) -> Result<(Vec<String>, Option<String>)> {
    let mut config = Config::new(driver);
    config.options = options;
    let sessions = Sessions::from_config(config).await?;
    let cookies: CookieHeaders = cookies.iter().map(String::as_bytes).collect();
    let session = sessions.session(cookies);
    let list = session.update("list", |list: &mut Vec<String>| list.push(item.clone())).await?;
    Ok((list, session.finish().await?.set_cookie))
}
