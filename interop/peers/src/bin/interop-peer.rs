//! `interop-peer redis|valkey|postgres|mariadb|upstash|netlify-blobs [ARGUMENT…]`, for tests that are not in Rust: starts the
//! server, prints its URL, and ends it when the standard input ends, as it does with the one who started it. The arguments are
//! Redis's, and Netlify's token.

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use interop_peers::{MariaDb, NodeServer, Postgres, Redis, Upstash};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["redis", arguments @ ..] => serve(Redis::start_with(arguments), Redis::url),
        ["valkey"] => serve(Redis::valkey(), Redis::url),
        ["postgres"] => serve(Postgres::start(), Postgres::url),
        ["mariadb"] => serve(MariaDb::start(), MariaDb::url),
        ["upstash"] => serve(Upstash::start(), |upstash| upstash.url()),
        ["netlify-blobs", token] => {
            serve(NodeServer::start("netlify-blobs", "@netlify/blobs", &[token]), NodeServer::url)
        }
        _ => {
            let kinds = "redis|valkey|postgres|mariadb|upstash|netlify-blobs";
            eprintln!("usage: interop-peer {kinds} [ARGUMENT...]");
            ExitCode::FAILURE
        }
    }
}

/// A server that is not installed has said so.
fn serve<P>(peer: Option<P>, url: fn(&P) -> String) -> ExitCode {
    let Some(peer) = peer else { return ExitCode::FAILURE };
    // Where nobody reads or writes any more there is nobody left to serve.
    _ = writeln!(io::stdout(), "{}", url(&peer));
    _ = io::stdin().read_to_end(&mut Vec::new());
    ExitCode::SUCCESS
}
