//! The same actions as the Astro site's, so that one client can call both. Each framework's module has this file as its
//! own, with its own extractors.

use cloakroom::actions::{ActionError, ErrorCode, File, Issue, Result, Submitted};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_devalue::Value;

use super::{Actions, Input, Session, Valid};

pub(crate) fn actions() -> Actions {
    Actions::new()
        .json("nothing", async || Ok::<_, ActionError>(()))
        .json("value", value)
        .json("fail", fail)
        .json("crash", crash)
        .json("keep", keep)
        .json("cart.add", add)
        .group("account", Actions::new().form("signUp", sign_up).form("upload", upload))
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

/// Whatever value a devalue text is of.
async fn value(Input(input): Input<Text>) -> Result<Value> {
    Ok(serde_devalue::from_str(&input.text)?)
}

#[derive(Deserialize)]
struct Fail {
    code: ErrorCode,
    message: Option<String>,
}

async fn fail(Input(fail): Input<Fail>) -> Result<()> {
    Err(ActionError::new(fail.code, fail.message.unwrap_or_default()))
}

async fn crash() -> Result<()> {
    Err(std::io::Error::other("the password is 1234"))?
}

#[derive(Deserialize)]
struct Keep {
    key: String,
    size: usize,
}

/// Astro has none of this: it fails only when the session is saved, after the action.
async fn keep(session: Session, Input(keep): Input<Keep>) -> Result<()> {
    Ok(session.set(&keep.key, keep.key.repeat(keep.size).as_str())?)
}

#[derive(Deserialize, Validate)]
struct Add {
    #[garde(length(min = 1))]
    item: String,
}

async fn add(session: Session, Valid(add): Valid<Add>) -> Result<Vec<String>> {
    Ok(session.update::<Vec<String>>("cart", |cart| cart.push(add.item.clone())).await?)
}

#[derive(Serialize, Deserialize)]
struct SignUp {
    name: String,
    age: f64,
    newsletter: bool,
    interests: Vec<String>,
    sizes: Vec<f64>,
    #[serde(default, with = "serde_devalue::undefined")]
    note: Option<String>,
    address: Address,
    #[serde(default = "hello")]
    greeting: String,
}

#[derive(Serialize, Deserialize)]
struct Address {
    town: String,
    #[serde(default, with = "serde_devalue::undefined")]
    code: Option<f64>,
}

fn hello() -> String {
    "Hello".to_owned()
}

async fn sign_up(Input(sign_up): Input<SignUp>) -> Result<SignUp> {
    match sign_up.name.as_str() {
        "taken" => Err(ActionError::input([Issue::new(["name"], "Somebody has this name.")])),
        _ => Ok(sign_up),
    }
}

#[derive(Deserialize)]
struct Upload {
    title: String,
    file: File,
}

#[derive(Serialize)]
struct Uploaded {
    title: String,
    name: String,
    r#type: Option<String>,
    text: String,
}

async fn upload(Input(Upload { title, file }): Input<Upload>) -> Result<Uploaded> {
    let text = String::from_utf8_lossy(&file.bytes).into_owned();
    Ok(Uploaded { title, name: file.name, r#type: file.content_type, text })
}

/// How the sign-up form ended, for the tests that send it to Astro.
pub(crate) async fn signup_page(session: &cloakroom::Session) -> cloakroom::Result<String> {
    let form = Submitted::<SignUp>::take(session, "account.signUp").await?;
    let outcome = match &form.result {
        None => "nothing yet".to_owned(),
        Some(Ok(sign_up)) => format!("signed up: {}", sign_up.name),
        Some(Err(error)) => {
            let fields: Vec<String> = error.fields().into_keys().collect();
            format!("{}: {}", error.code(), fields.join(", "))
        }
    };
    Ok(format!(r#"<p id="outcome">{outcome}</p><p id="old">{}</p>"#, form.input.value("age")))
}
