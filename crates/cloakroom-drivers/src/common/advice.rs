//! What several drivers advise.

use std::net::IpAddr;

use cloakroom_storage::Advice;

/// That others on the way to this host may read all sessions, where the way is not encrypted. A way within the machine needs no
/// TLS. A host with one word for a name is a container beside, or in a network of one's own: there it is a note.
pub(crate) fn without_tls(host: &str, remedy: &str) -> Option<Advice> {
    let host = host.trim_start_matches('[').trim_end_matches([']', '.']);
    let address: Option<IpAddr> = host.parse().ok();
    let is_here = match address {
        Some(address) => address.is_loopback() || address.is_unspecified(),
        None => host.is_empty() || host == "localhost" || host.ends_with(".localhost"),
    };
    if is_here {
        return None;
    }
    let problem = format!(
        "nothing has the connection to {host} encrypted, so that whoever is on the way can read all sessions and take them over"
    );
    Some(match address.is_none() && !host.contains('.') {
        true => Advice::note("no-tls", problem, format!("where that is another machine, {remedy}")),
        false => Advice::warning("no-tls", problem, remedy),
    })
}

/// That a file or a folder is open to all users of the machine: whoever reads a session, or its name, can take it over.
#[cfg(unix)]
pub(crate) fn open_to_others(
    path: &std::path::Path,
    metadata: &std::fs::Metadata,
) -> Option<Advice> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = metadata.permissions().mode();
    let (bits, what) = match metadata.is_dir() {
        true => (0o005, "whose names are the IDs of sessions, "),
        false => (0o004, ""),
    };
    let does = match (mode & 0o002 != 0, mode & bits != 0) {
        (true, _) => "write to",
        (false, true) => "read",
        (false, false) => return None,
    };
    let path = path.display();
    let problem =
        format!("all users of this machine may {does} {path}, {what}and take sessions over");
    let remedy = format!("`chmod o= {path}`");
    // Astro makes its folder so.
    Some(Advice::warning("open-to-others", problem, remedy).usual_in_development())
}

#[cfg(test)]
mod tests {
    use cloakroom_storage::Severity;

    use super::*;

    #[test]
    fn only_a_way_to_another_machine_needs_tls() {
        for host in ["", "localhost", "shop.localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"] {
            assert_eq!(without_tls(host, "use TLS"), None, "{host}");
        }
        for (host, severity) in [
            ("redis", Severity::Note),
            ("db.example", Severity::Warning),
            ("10.0.0.7", Severity::Warning),
            ("[fd00::1]", Severity::Warning),
        ] {
            let advice = without_tls(host, "use TLS").map(|advice| advice.severity());
            assert_eq!(advice, Some(severity), "{host}");
        }
    }
}
