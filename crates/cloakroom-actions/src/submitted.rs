//! What a form left for the page after it.

use cloakroom_session::{Flash, OldInput, Session};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::ActionError;
use crate::outcome::Outcome;

/// The latest form's action and how it ended: what Astro's guide keeps in a session, under the same names, and what
/// was typed into the form.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Submission {
    action_name: String,
    action_result: Outcome,
    #[serde(default, skip_serializing_if = "OldInput::is_empty")]
    input: OldInput,
}

/// Read by JavaScript as `flash:action`.
const SUBMISSION: Flash<Submission> = Flash::new("action");

/// How a form's action ended, as the page after it shows it: once.
///
/// A form that is posted to `?_action=NAME` runs its action, and the browser is sent on to a page. There this tells
/// how it ended, and what was typed into it where it failed.
///
/// ```
/// # use cloakroom_session::{Config, CookieHeaders, Session, Sessions};
/// use cloakroom_actions::Submitted;
///
/// async fn login_form(session: &Session) -> cloakroom_session::Result<String> {
///     let form: Submitted = Submitted::take(session, "account.logIn").await?;
///     Ok(format!(
///         r#"<form method="post" action="?_action=account.logIn">
///             <input name="name" value="{}"> {}
///         </form>"#,
///         form.input.value("name"), // to be escaped: a template engine does
///         form.field_errors("name").next().unwrap_or_default(),
///     ))
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cloakroom_session::Result<()> {
/// # let sessions = Sessions::from_config(Config::new("memory")).await?;
/// # let session = sessions.session(CookieHeaders::default());
/// # assert!(login_form(&session).await?.contains(r#"value="""#));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Submitted<T = ()> {
    /// How the action ended; `None` where it was not this page's form that was sent last, or none was.
    pub result: Option<Result<T, ActionError>>,
    /// What was typed, where the action failed; without files, and without what its action keeps to itself or what looks
    /// like a secret.
    pub input: OldInput,
}

impl<T> Submitted<T> {
    /// Why the action failed, if it did.
    pub fn error(&self) -> Option<&ActionError> {
        self.result.as_ref()?.as_ref().err()
    }

    /// What the action returned, if it did.
    pub fn data(&self) -> Option<&T> {
        self.result.as_ref()?.as_ref().ok()
    }

    /// What is wrong with this field.
    pub fn field_errors(&self, name: &str) -> impl Iterator<Item = &str> {
        let issues = self.error().map(ActionError::issues).unwrap_or_default();
        let about = move |issue: &&crate::Issue| issue.field().is_some_and(|field| field == name);
        issues.iter().filter(about).map(|issue| issue.message.as_str())
    }
}

impl<T: DeserializeOwned> Submitted<T> {
    /// Takes what a form of this action left in the session, if it was sent last.
    ///
    /// # Errors
    /// As [`Session::get`].
    pub async fn take(session: &Session, action: &str) -> cloakroom_session::Result<Submitted<T>> {
        let latest = session.get::<Submission>(SUBMISSION.entry()).await;
        let is_of_another_form =
            latest.is_ok_and(|latest| latest.is_some_and(|latest| latest.action_name != action));
        let submission = match is_of_another_form {
            true => None,
            false => session.flashed(SUBMISSION).await?,
        };
        Ok(match submission {
            Some(Submission { action_result, input, .. }) => {
                Submitted { result: Some(action_result.decode()), input }
            }
            None => Submitted { result: None, input: OldInput::default() },
        })
    }
}

/// Leaves the outcome for the next page, and where it is an error what was typed too.
///
/// That there is nothing to tell is not worth a session: a log-out ends with none.
pub(crate) async fn keep(
    session: &Session,
    action: &str,
    outcome: Outcome,
    typed: OldInput,
) -> cloakroom_session::Result<()> {
    if outcome.is_empty() {
        let resolved = session.has(&SUBMISSION.entry()).await;
        if session.id().is_none() {
            return resolved.map(drop);
        }
    }
    let input = if outcome.is_error() { typed } else { OldInput::default() };
    let submission = Submission { action_name: action.to_owned(), action_result: outcome, input };
    session.flash(SUBMISSION, &submission)
}

#[cfg(test)]
mod tests {
    use cloakroom_session::{Config, CookieHeaders, Sessions};

    use super::*;
    use crate::issue::Issue;

    async fn session() -> Session {
        let sessions = Sessions::from_config(Config::new("memory")).await.unwrap();
        sessions.session(CookieHeaders::default())
    }

    fn form(fields: &[(&str, &str)]) -> OldInput {
        OldInput::new(fields.iter().copied())
    }

    #[tokio::test]
    async fn an_outcome_waits_for_the_page_with_its_form() {
        let session = session().await;
        let outcome = Outcome::new("cart.add", Ok(3));
        keep(&session, "cart.add", outcome, form(&[("item", "hat")])).await.unwrap();

        let other = Submitted::<u8>::take(&session, "account.logIn").await.unwrap();
        assert!(other.result.is_none());
        let own = Submitted::<u8>::take(&session, "cart.add").await.unwrap();
        assert_eq!(own.data(), Some(&3));
        assert!(own.input.is_empty(), "a form that succeeded is not filled in again");
        let again = Submitted::<u8>::take(&session, "cart.add").await.unwrap();
        assert!(again.result.is_none());
    }

    #[tokio::test]
    async fn a_form_that_failed_comes_back_filled_in_without_its_password() {
        let session = session().await;
        let error = ActionError::input([Issue::new(["name"], "Who?"), Issue::new(["name"], "No.")]);
        let input = form(&[("name", "?"), ("password", "1234"), ("name", "!")]);
        keep(&session, "logIn", Outcome::error("logIn", &error), input).await.unwrap();

        let form = Submitted::<()>::take(&session, "logIn").await.unwrap();
        assert_eq!(form.field_errors("name").collect::<Vec<_>>(), ["Who?", "No."]);
        assert_eq!(form.field_errors("password").count(), 0);
        assert_eq!(form.input.values("name").collect::<Vec<_>>(), ["?", "!"]);
        assert_eq!(form.input.value("password"), "");
    }

    #[tokio::test]
    async fn it_is_stored_as_astros_guide_stores_it() {
        let session = session().await;
        session.set("theme", "dark").unwrap();
        keep(&session, "a.b", Outcome::new("a.b", Ok(())), OldInput::default()).await.unwrap();
        let stored: serde_json::Value = session.get("flash:action").await.unwrap().unwrap();
        let expected = r#"{"actionName":"a.b","actionResult":{"type":"empty","status":204}}"#;
        assert_eq!(stored, serde_json::from_str::<serde_json::Value>(expected).unwrap());
    }

    #[tokio::test]
    async fn that_there_is_nothing_to_tell_begins_no_session() {
        let session = session().await;
        session.set("user", "Ann").unwrap();
        session.destroy();
        keep(&session, "logOut", Outcome::new("logOut", Ok(())), OldInput::default())
            .await
            .unwrap();
        assert_eq!(session.id(), None);
    }

    #[tokio::test]
    async fn what_another_program_left_there_fails_once() {
        let session = session().await;
        session.set("flash:action", "nonsense").unwrap();
        assert!(Submitted::<()>::take(&session, "a").await.is_err());
        assert!(Submitted::<()>::take(&session, "a").await.unwrap().result.is_none());
    }
}
