//! Commands as they go over REST: words in JSON, and so text alone.

use std::borrow::Cow;

use bytes::Bytes;

use crate::common::keyspace::{Replacement, arguments, hash, text};

/// The name of a command and its arguments.
pub(super) type Command<'a> = Vec<Cow<'a, str>>;

/// Put before a script, turns its third argument into the bytes that it stands for.
const BYTES: &str = include_str!("bytes.lua");

/// `SET` of the third argument, with the arguments that follow it.
const SET: &str = "return redis.call('SET', KEYS[1], ARGV[3], unpack(ARGV, 4))";

/// A command of these words.
pub(super) fn command<'a, const COUNT: usize>(words: [&'a str; COUNT]) -> Command<'a> {
    words.map(Cow::from).into()
}

/// `SET`, with the words that follow the value.
pub(super) fn set<'a>(key: &'a str, value: &'a Bytes, options: Command<'a>) -> Command<'a> {
    let mut words = match std::str::from_utf8(value) {
        Ok(value) => command(["SET", key, value]),
        Err(_) => {
            let script = [BYTES, SET].concat();
            let head = ["EVAL".into(), script.into(), "1".into(), key.into()];
            let arguments = ["".into(), "".into(), one_letter_a_byte(value).into()];
            head.into_iter().chain(arguments).collect()
        }
    };
    words.extend(options);
    words
}

/// The compare and swap for a server that knows the script; `None` for a value that it would not understand.
pub(super) fn swap_by_hash<'a>(
    key: &'a str,
    seen: &'a Bytes,
    replacement: Replacement<'a>,
) -> Option<Command<'a>> {
    let mut words = command(["EVALSHA", hash(), "1", key]);
    for argument in arguments(seen, replacement) {
        words.push(as_text(argument)?);
    }
    Some(words)
}

/// The compare and swap for a server that may not know the script, and will.
pub(super) fn swap_by_text<'a>(
    key: &'a str,
    seen: &'a Bytes,
    replacement: Replacement<'a>,
) -> Command<'a> {
    let mut words = command(["EVAL", text(), "1", key]);
    for argument in arguments(seen, replacement) {
        // The value alone can be anything else than text.
        match std::str::from_utf8(&argument) {
            Ok(_) => words.extend(as_text(argument)),
            Err(_) => {
                words[1] = [BYTES, text()].concat().into();
                words.push(one_letter_a_byte(&argument).into());
            }
        }
    }
    words
}

fn as_text(argument: Cow<'_, [u8]>) -> Option<Cow<'_, str>> {
    match argument {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::from),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::from),
    }
}

fn one_letter_a_byte(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
