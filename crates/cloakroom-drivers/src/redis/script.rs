//! Compare and swap, as commands of the client.

use bytes::Bytes;
use redis::Cmd;

use crate::common::keyspace::{Replacement, arguments, hash, text};

/// The command for a server that knows the script.
pub(super) fn by_hash(key: &[u8], seen: &Bytes, replacement: Replacement) -> Cmd {
    invocation("EVALSHA", hash(), key, seen, replacement)
}

/// The command for a server that may not know the script, and will.
pub(super) fn by_text(key: &[u8], seen: &Bytes, replacement: Replacement) -> Cmd {
    invocation("EVAL", text(), key, seen, replacement)
}

fn invocation(name: &str, script: &str, key: &[u8], seen: &Bytes, replacement: Replacement) -> Cmd {
    let arguments = arguments(seen, replacement);
    let length: usize = arguments.iter().map(|argument| argument.len()).sum();
    let mut command = Cmd::with_capacity(
        4 + arguments.len(),
        name.len() + script.len() + "1".len() + key.len() + length,
    );
    command.arg(name).arg(script).arg(1).arg(key);
    for argument in &arguments {
        command.arg(&**argument);
    }
    command
}
