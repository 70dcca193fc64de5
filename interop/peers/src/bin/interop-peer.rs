//! `interop-peer redis|valkey|postgres|mariadb|upstash|netlify-blobs [ARGUMENT…]`, for tests that are not in Rust: starts the
//! server, prints its URL, and ends it when the standard input ends, as it does with the one who started it. The arguments are
//! Redis's, and those of `javascript/netlify-blobs.mjs`.
//!
//! A line `kill` on the standard input ends the server as a crash does, `restart` starts it again with its port and its data;
//! each is answered by a line once that is done.

use std::io::{self, Write as _};
use std::process::ExitCode;

use interop_peers::{MariaDb, NodeServer, Postgres, Redis, Server, Upstash};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["redis", arguments @ ..] => serve(Redis::start_with(arguments), Redis::url, |redis| redis),
        ["valkey"] => serve(Redis::valkey(), Redis::url, |valkey| valkey),
        ["postgres"] => serve(Postgres::start(), Postgres::url, |postgres| postgres),
        ["mariadb"] => serve(MariaDb::start(), MariaDb::url, |mariadb| mariadb),
        ["upstash"] => serve(Upstash::start(), |upstash| upstash.url(), |upstash| upstash),
        ["netlify-blobs", arguments @ ..] => {
            let blobs = NodeServer::start("netlify-blobs", "@netlify/blobs", arguments);
            serve(blobs, NodeServer::url, |blobs| blobs)
        }
        _ => {
            let kinds = "redis|valkey|postgres|mariadb|upstash|netlify-blobs";
            eprintln!("usage: interop-peer {kinds} [ARGUMENT...]");
            ExitCode::FAILURE
        }
    }
}

/// A server that is not installed has said so.
fn serve<P>(peer: Option<P>, url: fn(&P) -> String, server: fn(&P) -> &Server) -> ExitCode {
    let Some(peer) = peer else { return ExitCode::FAILURE };
    // Where nobody reads or writes any more there is nobody left to serve.
    _ = writeln!(io::stdout(), "{}", url(&peer));
    for line in io::stdin().lines().map_while(Result::ok) {
        match line.as_str() {
            "kill" => server(&peer).kill(),
            "restart" => server(&peer).restart(),
            _ => {
                eprintln!("interop-peer: `{line}` is not known: it can be `kill` or `restart`");
                return ExitCode::FAILURE;
            }
        }
        _ = writeln!(io::stdout(), "{line}");
    }
    ExitCode::SUCCESS
}
