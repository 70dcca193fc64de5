//! What an account can do: log in, keep an address, and log out elsewhere.
//!
//! There are no accounts behind it. A name is whoever gives it, and everybody has one password, so that the demonstration can
//! show what asks for it and when.

use std::time::Duration;

use axum::http::{HeaderMap, header};
use cloakroom::actions::{ActionError, ErrorCode, Issue, Result};
use cloakroom::axum::{Input, Session};
use cloakroom::devalue::Date;
use cloakroom::{ErrorKind, PrincipalSessions, SessionHandle};
use serde::Deserialize;

use crate::browser::browser;
use crate::session::{ADDRESS, Address, DEVICE, DRAFT, Device, NOTICE, ORDER, USER, User};

/// Everybody's password. A shop with accounts has a hash of each one's own, compares by that, and lets nobody guess: it counts
/// what failed by name and by address, and slows down.
pub const PASSWORD: &str = "overcoat";

/// How long a password counts for what asks for more than a cookie.
pub const RECENT: Duration = Duration::from_secs(5 * 60);

/// The longest name that is kept, in characters.
pub const LONGEST_NAME: usize = 60;

/// The longest line of an address, in characters.
const LONGEST_LINE: usize = 100;

/// What the form sends that logs in.
#[derive(Debug, Deserialize)]
pub struct LogIn {
    name: String,
    password: String,
}

/// Logs in.
pub async fn log_in(session: Session, headers: HeaderMap, Input(form): Input<LogIn>) -> Result<()> {
    let name = form.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        let message = format!("Please give a name of at most {LONGEST_NAME} letters.");
        return Err(ActionError::input([Issue::new(["name"], message)]));
    }
    check(&form.password)?;
    let is_another = session.principal().await?.as_deref() != Some(name);
    let before = session.get(USER).await?;
    // Before `sign_in`, since this entry says whose the session is: see `session::PRINCIPAL`.
    session.set(USER, &User { name: name.to_owned() })?;
    // With a new ID, as on every change of privilege: an ID that somebody planted before is worth nothing now.
    if let Err(error) = session.sign_in(name).await {
        // Nobody is logged in by half, nor out: there may be as many devices as there may be.
        match before {
            Some(user) => session.set(USER, &user)?,
            None => session.delete(USER.name()),
        }
        return Err(error.into());
    }
    // What was somebody else's has ended with his session. Of a visitor who was nobody the cart comes along; an address that was
    // typed when nobody was logged in any more does not, nor an order whose name nobody has seen yet.
    if is_another {
        session.delete(ADDRESS.name());
        session.delete(DRAFT.entry());
        session.delete(ORDER.entry());
    }
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let device = Device { browser: browser(agent.unwrap_or_default()), since: Date::now() };
    session.set(DEVICE, &device)?;
    Ok(session.flash(NOTICE, &format!("Hello, {name}. Your cart came along."))?)
}

/// What the form sends that asks for the password again.
#[derive(Debug, Deserialize)]
pub struct Confirm {
    password: String,
}

/// Takes the password once more.
pub async fn confirm(session: Session, Input(form): Input<Confirm>) -> Result<()> {
    check(&form.password)?;
    Ok(session.reauthenticated().await?)
}

fn check(password: &str) -> Result<()> {
    match password == PASSWORD {
        true => Ok(()),
        false => {
            let message = format!("That is not the password, which is “{PASSWORD}” for everybody.");
            Err(ActionError::input([Issue::new(["password"], message)]))
        }
    }
}

/// Whether the password has to be asked for before the address is shown or changed.
pub async fn needs_confirmation(session: &Session) -> cloakroom::Result<bool> {
    match session.require_recent(RECENT).await {
        Ok(()) => Ok(false),
        Err(error) if error.kind() == ErrorKind::NotRecent => Ok(true),
        Err(error) => Err(error),
    }
}

/// Changes the delivery address.
pub async fn save_address(session: Session, Input(form): Input<Address>) -> Result<()> {
    let address =
        Address { street: line("street", &form.street)?, town: line("town", &form.town)? };
    if let Err(error) = session.require_recent(RECENT).await {
        if error.kind() == ErrorKind::NotRecent {
            // The form has it again once the password was given.
            session.flash(DRAFT, &address)?;
        }
        return Err(error.into());
    }
    session.set(ADDRESS, &address)?;
    Ok(session.flash(NOTICE, "Your delivery address is saved.")?)
}

fn line(field: &str, text: &str) -> Result<String> {
    match text.trim() {
        text if text.chars().count() <= LONGEST_LINE => Ok(text.to_owned()),
        _ => {
            let message = format!("Please keep it to {LONGEST_LINE} letters.");
            Err(ActionError::input([Issue::new([field], message)]))
        }
    }
}

/// The sessions of whoever is logged in.
pub async fn devices(session: &Session) -> cloakroom::Result<Option<PrincipalSessions>> {
    let principal = session.principal().await?;
    Ok(principal.map(|principal| session.sessions().of(principal)))
}

/// What the button of a device sends.
#[derive(Debug, Deserialize)]
pub struct EndDevice {
    device: String,
}

/// Logs out one device.
pub async fn end_device(session: Session, Input(form): Input<EndDevice>) -> Result<()> {
    let devices = devices(&session).await?.ok_or_else(logged_out)?;
    // What is no handle names no device, as one that is no more.
    let was_there = match form.device.parse::<SessionHandle>() {
        Ok(handle) => devices.revoke(handle).await?,
        Err(_) => false,
    };
    let notice = match was_there {
        true => "That device is logged out.",
        false => "That device was logged out already.",
    };
    Ok(session.flash(NOTICE, notice)?)
}

/// Logs out all devices but this one.
pub async fn end_other_devices(session: Session) -> Result<()> {
    let devices = devices(&session).await?.ok_or_else(logged_out)?;
    let notice = match devices.revoke_others(&session).await? {
        0 => "There was no other device to log out.".to_owned(),
        1 => "One other device is logged out.".to_owned(),
        ended => format!("{ended} other devices are logged out."),
    };
    Ok(session.flash(NOTICE, &notice)?)
}

fn logged_out() -> ActionError {
    ActionError::new(ErrorCode::Unauthorized, "Please log in first.")
}
