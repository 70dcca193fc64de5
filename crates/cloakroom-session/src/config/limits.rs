//! What a configuration cannot mean.

use std::time::Duration;

use super::fields::{self, Unusable};
use super::{Config, LONGEST_MAX_AGE};

impl Config {
    /// Why no session can be remembered for so long.
    fn contradiction(&self, remember: Duration) -> Option<String> {
        match self.idle {
            None => Some(
                "remember is set without idle: set idle to how long other sessions live without use".to_owned(),
            ),
            Some(idle) if remember <= idle => Some(format!(
                "remember is {remember:?} and idle {idle:?}: a remembered session lives longer, so remember must be the larger"
            )),
            Some(_) if remember > Duration::from_secs(LONGEST_MAX_AGE) => Some(format!(
                "remember is {remember:?}: browsers keep a cookie for 400 days at most ({LONGEST_MAX_AGE} seconds)"
            )),
            Some(_) => None,
        }
    }

    pub(super) fn usable(&self) -> fields::Result<()> {
        let zero =
            |key: &str| Unusable::new(key, format!("{key} is 0: leave it out, or set it above 0"));
        if self.ttl == Some(Duration::ZERO) {
            return Err(zero("ttl"));
        }
        for (key, limit) in [("idle", self.idle), ("absolute", self.absolute)] {
            if limit == Some(Duration::ZERO) {
                return Err(zero(key));
            }
        }
        if let Some(message) = self.remember.and_then(|remember| self.contradiction(remember)) {
            return Err(Unusable::new("remember", message));
        }
        if let (Some(idle), Some(interval)) = (self.idle, self.touch_interval)
            && interval >= idle
        {
            let message = format!(
                "touchInterval is {interval:?} and idle {idle:?}: a session in use would end between two touches, \
                 so touchInterval must be the smaller"
            );
            return Err(Unusable::new("touchInterval", message));
        }
        if self.timeout == Duration::ZERO {
            return Err(zero("timeout"));
        }
        if self.max_size == 0 {
            return Err(zero("maxSize"));
        }
        if self.sweep_interval == Some(Duration::ZERO) {
            return Err(Unusable::new(
                "sweepInterval",
                "sweep_interval is zero seconds, which never rests: set it to None for never",
            ));
        }
        self.usable_principals()
    }
}
