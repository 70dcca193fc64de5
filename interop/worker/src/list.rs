//! A session with a list, in R2. All requests share one `Sessions`, as a program may have it.

use std::error::Error;
use std::sync::{Arc, OnceLock};

use cloakroom_drivers::cloudflare_r2_binding::CloudflareR2Binding;
use cloakroom_session::adapter::Commit;
use cloakroom_session::{Config, CookieHeaders, Sessions};
use serde::Deserialize;
use worker::Env;

#[derive(Deserialize)]
pub(crate) struct Push {
    item: String,
}

/// Appends to the list, and gives it with the value of `Set-Cookie`.
pub(crate) async fn push(
    env: &Env,
    Push { item }: Push,
    cookies: Option<String>,
) -> Result<(Vec<String>, Option<String>), Box<dyn Error>> {
    static SESSIONS: OnceLock<Sessions> = OnceLock::new();
    let sessions = match SESSIONS.get() {
        Some(sessions) => sessions,
        None => {
            let driver = CloudflareR2Binding::from_env(env, "BUCKET")?;
            let sessions = Sessions::with_driver(Arc::new(driver), &Config::default())?;
            SESSIONS.get_or_init(|| sessions)
        }
    };
    let cookies: CookieHeaders = cookies.iter().map(String::as_bytes).collect();
    let session = sessions.session(cookies);
    let list = session.update("list", |list: &mut Vec<String>| list.push(item.clone())).await?;
    Ok((list, session.finish().await?.set_cookie))
}
