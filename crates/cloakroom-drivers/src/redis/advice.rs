//! What is unsafe at the server, and on the way there.

use redis::{ConnectionAddr, Value, cmd};

use super::Redis;
use super::server::{Failure, Part};
use super::target::Target;
use crate::common::advice::without_tls;
use cloakroom_storage::Advice;

impl Target {
    /// What is unsafe on the way there.
    pub(super) fn advice(&self) -> Vec<Advice> {
        self.addresses().into_iter().filter_map(on_the_way).collect()
    }
}

fn on_the_way(address: &ConnectionAddr) -> Option<Advice> {
    match address {
        ConnectionAddr::Tcp(host, _) => {
            without_tls(host, "say `rediss://` in its URL, or `tls = true`")
        }
        ConnectionAddr::TcpTls { host, insecure: true, .. } => {
            let problem = format!(
                "the certificate of {host} is not checked, so that whoever is on the way can be taken for it"
            );
            let remedy = "leave `rejectUnauthorized` out, and give the option `ca` where the certificate is one's own";
            Some(Advice::warning("certificate-not-checked", problem, remedy))
        }
        _ => None,
    }
}

impl Redis {
    /// What is unsafe in how the servers are set.
    pub(super) async fn settings_advice(&self) -> Vec<Advice> {
        match self.settings().await {
            Ok(settings) => advice_on(&settings),
            // Where it is away, others say so.
            Err(failure) if failure.error.is_connection_dropped() || failure.error.is_timeout() => {
                Vec::new()
            }
            Err(_) => {
                let problem = "this user may not ask Redis how it is set, so nobody knows whether it throws sessions out";
                vec![Advice::note(
                    "settings-unknown",
                    problem,
                    "let the user `+info`, or look at `maxmemory-policy` yourself",
                )]
            }
        }
    }

    /// What each server says of its memory and its disk.
    async fn settings(&self) -> Result<Vec<String>, Failure> {
        let mut said = Vec::new();
        for part in self.server.parts().await? {
            for section in ["memory", "persistence"] {
                let answer = self.server.command_to(&part, cmd("INFO").arg(section)).await?;
                said.push(text(answer)?);
            }
        }
        Ok(said)
    }

    /// What time it is there, in whole seconds and microseconds.
    pub(super) async fn clock(&self) -> Result<(u64, u32), Failure> {
        let first = self.server.parts().await?.into_iter().next().unwrap_or(Part::Whole);
        let answer = self.server.command_to(&first, &cmd("TIME")).await?;
        redis::from_redis_value(answer).map_err(|error| Failure::misread(error.into()))
    }
}

fn text(answer: Value) -> Result<String, Failure> {
    redis::from_redis_value(answer).map_err(|error| Failure::misread(error.into()))
}

fn advice_on(settings: &[String]) -> Vec<Advice> {
    let has = |name: &str| {
        settings
            .iter()
            .flat_map(|section| section.lines())
            .filter_map(move |line| {
                let (said, value) = line.trim_end().split_once(':')?;
                (said == name).then(|| value.to_owned())
            })
            .collect::<Vec<_>>()
    };
    let mut advice = Vec::new();
    let is_limited = has("maxmemory").iter().any(|limit| limit != "0");
    let policy = has("maxmemory_policy").into_iter().find(|policy| policy != "noeviction");
    if let Some(policy) = policy.filter(|_| is_limited) {
        advice.push(Advice::warning(
            "eviction",
            format!("Redis throws sessions out when its memory is full (`maxmemory-policy {policy}`), which logs visitors out"),
            "set `maxmemory-policy noeviction`, and keep what may be thrown out in another Redis",
        ));
    }
    if has("aof_enabled").iter().any(|enabled| enabled == "0") {
        advice.push(Advice::note(
            "no-append-only-file",
            "a crash of Redis takes what was changed since its last snapshot, of which one may be a logout",
            "set `appendonly yes`",
        ));
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_throws_out_is_told_from_one_that_has_room_for_ever() {
        let codes = |memory: &str, persistence: &str| {
            let settings = [memory, persistence].map(str::to_owned);
            advice_on(&settings).iter().map(Advice::code).collect::<Vec<_>>()
        };
        let (limited, endless) =
            ("maxmemory:100\r\nmaxmemory_policy:", "maxmemory:0\r\nmaxmemory_policy:");
        assert_eq!(codes(&format!("{limited}noeviction\r\n"), "aof_enabled:1\r\n"), [""; 0]);
        assert_eq!(codes(&format!("{limited}allkeys-lru\r\n"), "aof_enabled:1\r\n"), ["eviction"]);
        assert_eq!(codes(&format!("{limited}volatile-ttl\r\n"), ""), ["eviction"]);
        assert_eq!(
            codes(&format!("{endless}allkeys-lru\r\n"), "aof_enabled:0\r\n"),
            ["no-append-only-file"]
        );
    }
}
