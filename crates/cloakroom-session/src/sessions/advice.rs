//! What is unsafe, for those who run it.

use cloakroom_storage::{Advice, Driver as _};

use super::Sessions;

impl Sessions {
    /// What is unsafe in the configuration and in how the store is reached and kept, and what to do. Where sessions are opened,
    /// the log warns once in a process of what everybody should hear.
    ///
    /// ```
    /// use cloakroom_session::{Config, Sessions};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// let mut config = Config::new("memory");
    /// config.cookie.secure = false;
    /// let sessions = Sessions::from_config(config).await?;
    /// let advice = sessions.advice().await;
    /// assert_eq!(advice[0].code(), "cookie-not-secure");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn advice(&self) -> Vec<Advice> {
        let driver = self.driver();
        let mut advice = self.shared.advice.clone();
        advice.extend(Advice::on(driver.capabilities()));
        advice.extend(driver.advice().await);
        advice
    }
}
