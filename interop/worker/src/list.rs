//! A session with a list. All requests share one `Sessions`, as a program may have it.

use std::sync::OnceLock;

use cloakroom_session::{Config, CookieHeaders, Result, Sessions};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Push {
    item: String,
}

/// Appends to the list, and gives it with the value of `Set-Cookie`.
pub(crate) async fn push(
    driver: &str,
    Push { item }: Push,
    cookies: Option<String>,
) -> Result<(Vec<String>, Option<String>)> {
    static SESSIONS: OnceLock<Sessions> = OnceLock::new();
    let opened = Sessions::from_config(Config::new(driver)).await?;
    let sessions = SESSIONS.get_or_init(|| opened);
    let cookies: CookieHeaders = cookies.iter().map(String::as_bytes).collect();
    let session = sessions.session(cookies);
    let list = session.update("list", |list: &mut Vec<String>| list.push(item.clone())).await?;
    Ok((list, session.finish().await?.set_cookie))
}
