//! What is unsafe in a configuration, by what it says and what the store can do.

use cloakroom_storage::{Advice, Capabilities};

use super::{Config, SameSite};

impl Config {
    /// What whoever runs it should know, where the store can do this.
    pub(crate) fn advice(&self, capabilities: Capabilities) -> Vec<Advice> {
        let advice = [self.on_cookie(), self.on_ends(capabilities), self.on_plain_records()];
        let on_sites = [self.on_subdomains(), self.on_other_sites()];
        advice.into_iter().chain(on_sites).flatten().collect()
    }

    fn on_cookie(&self) -> Option<Advice> {
        let advice = Advice::warning(
            "cookie-not-secure",
            "the cookie is sent without TLS too, where whoever is on the way can take the session over",
            "leave `cookie.secure` out, or set it; only plain http on localhost needs it off",
        );
        (!self.cookie.secure).then(|| advice.usual_in_development())
    }

    /// A store that keeps what it has, and nothing that ever ends: it grows with each visitor, and with each crawler.
    fn on_ends(&self, capabilities: Capabilities) -> Option<Advice> {
        let ends = self.ttl.is_some() || self.idle.is_some() || self.absolute.is_some();
        // Many drivers have one of their own.
        let ends_by_itself = self.options.get("ttl").is_some_and(|ttl| !ttl.is_null() && *ttl != 0);
        let grows = capabilities.durable && !ends && !ends_by_itself;
        grows.then(|| {
            Advice::warning(
                "sessions-never-end",
                "no session will ever end by itself, so that the store grows for ever",
                "set `idle`, `absolute` or `ttl`",
            )
        })
    }

    fn on_plain_records(&self) -> Option<Advice> {
        #[cfg(feature = "encryption")]
        if self.encryption.as_ref().is_some_and(|encryption| encryption.accept_plain) {
            return Some(Advice::warning(
                "plain-records-accepted",
                "records that are not sealed are taken as they are, so that whoever can write to the store can make sessions",
                "run `cloakroom encrypt`, and then take `acceptPlain` out",
            ));
        }
        None
    }

    fn on_subdomains(&self) -> Option<Advice> {
        let domain = self.cookie.domain.as_ref()?;
        Some(Advice::note(
            "cookie-for-subdomains",
            format!("each subdomain of {domain} is sent the cookie, and can set another one"),
            "leave `cookie.domain` out where one host is enough",
        ))
    }

    fn on_other_sites(&self) -> Option<Advice> {
        let advice = || {
            Advice::note(
                "cookie-from-other-sites",
                "requests that other sites have visitors send bring the cookie along",
                "leave `cookie.sameSite` out unless pages of other sites embed this one, and check the origin of what changes something",
            )
        };
        (self.cookie.same_site == SameSite::None).then(advice)
    }
}

#[cfg(test)]
mod tests {
    use cloakroom_storage::Severity;

    use super::*;

    const DURABLE: Capabilities = Capabilities { durable: true, ..Capabilities::none() };

    fn codes(text: &str) -> Vec<&'static str> {
        let config = Config::from_toml(text).expect("a configuration");
        config.advice(DURABLE).iter().map(Advice::code).collect()
    }

    #[test]
    fn what_is_unsafe_is_named_and_what_is_not_is_not() {
        assert_eq!(codes("idle = 60"), [""; 0]);
        assert_eq!(codes("driver = 'redis'\n[options]\nttl = 60"), [""; 0]);
        assert_eq!(codes(""), ["sessions-never-end"]);
        assert_eq!(codes("driver = 'redis'\n[options]\nttl = 0"), ["sessions-never-end"]);
        assert_eq!(codes("idle = 60\n[cookie]\nsecure = false"), ["cookie-not-secure"]);
        assert_eq!(
            codes("idle = 60\n[cookie]\ndomain = 'shop.example'"),
            ["cookie-for-subdomains"]
        );
        assert_eq!(codes("idle = 60\n[cookie]\nsameSite = 'none'"), ["cookie-from-other-sites"]);
        let memory = Config::new("memory").advice(Capabilities::none());
        assert_eq!(memory, []);
    }

    #[test]
    fn a_cookie_for_localhost_is_usual_for_whoever_writes_the_site() {
        let mut config = Config::new("memory");
        config.cookie.secure = false;
        let advice = config.advice(Capabilities::none());
        assert!(advice[0].is_usual_in_development());
        assert_eq!(advice[0].severity(), Severity::Warning);
    }
}
