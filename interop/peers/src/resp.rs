//! Redis's protocol, as far as a test asks for something.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a server of Redis's family answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// `+OK`.
    Status(String),
    /// `-ERR …`.
    Error(String),
    /// A number.
    Integer(i64),
    /// A string, of any bytes.
    Bytes(Vec<u8>),
    /// Nothing is there.
    Null,
    /// Several answers.
    List(Vec<Reply>),
}

impl Reply {
    /// The text of a status or a string.
    ///
    /// # Panics
    ///
    /// If the answer is none.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Status(text) => text,
            Self::Bytes(bytes) => String::from_utf8(bytes).expect("the answer is text"),
            other => panic!("no text: {other:?}"),
        }
    }

    /// The bytes of a string.
    ///
    /// # Panics
    ///
    /// If the answer is none.
    #[must_use]
    pub fn bytes(self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes,
            other => panic!("no string: {other:?}"),
        }
    }

    /// The number.
    ///
    /// # Panics
    ///
    /// If the answer is none.
    #[must_use]
    pub fn integer(self) -> i64 {
        match self {
            Self::Integer(number) => number,
            other => panic!("no number: {other:?}"),
        }
    }

    /// The answers of a list.
    ///
    /// # Panics
    ///
    /// If the answer is none.
    #[must_use]
    pub fn list(self) -> Vec<Reply> {
        match self {
            Self::List(replies) => replies,
            other => panic!("no list: {other:?}"),
        }
    }

    /// Whether nothing is there.
    #[must_use]
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }
}

/// Sends one command over a connection of its own.
pub(crate) fn command<A: AsRef<[u8]>>(port: u16, arguments: &[A]) -> io::Result<Reply> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut bytes = format!("*{}\r\n", arguments.len()).into_bytes();
    for argument in arguments.iter().map(AsRef::as_ref) {
        bytes.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
        bytes.extend_from_slice(argument);
        bytes.extend_from_slice(b"\r\n");
    }
    stream.write_all(&bytes)?;
    read(&mut BufReader::new(stream))
}

fn read(input: &mut impl BufRead) -> io::Result<Reply> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    let line = line.strip_suffix("\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let (kind, rest) = line.split_at_checked(1).ok_or(io::ErrorKind::InvalidData)?;
    let number = || rest.parse::<i64>().map_err(|_| io::Error::from(io::ErrorKind::InvalidData));
    Ok(match kind {
        "+" => Reply::Status(rest.to_owned()),
        "-" => Reply::Error(rest.to_owned()),
        ":" => Reply::Integer(number()?),
        "$" => match usize::try_from(number()?) {
            Ok(length) => {
                let mut bytes = vec![0; length + 2];
                input.read_exact(&mut bytes)?;
                bytes.truncate(length);
                Reply::Bytes(bytes)
            }
            Err(_) => Reply::Null,
        },
        "*" => match usize::try_from(number()?) {
            Ok(count) => Reply::List((0..count).map(|_| read(input)).collect::<io::Result<_>>()?),
            Err(_) => Reply::Null,
        },
        _ => return Err(io::ErrorKind::InvalidData.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_answer_is_read() {
        let mut input: &[u8] =
            b"*6\r\n+OK\r\n-ERR no\r\n:-7\r\n$4\r\na\r\nb\r\n$-1\r\n*1\r\n$0\r\n\r\n";
        let replies = read(&mut input).unwrap().list();
        let expected = [
            Reply::Status("OK".to_owned()),
            Reply::Error("ERR no".to_owned()),
            Reply::Integer(-7),
            Reply::Bytes(b"a\r\nb".to_vec()),
            Reply::Null,
            Reply::List(vec![Reply::Bytes(Vec::new())]),
        ];
        assert_eq!(replies, expected);
        assert!(input.is_empty());
    }

    #[test]
    fn an_answer_that_is_cut_off_is_an_error() {
        for cut in ["", "+", "+OK", "$4\r\nab", "*2\r\n:1\r\n"] {
            assert!(read(&mut cut.as_bytes()).is_err(), "{cut:?}");
        }
    }
}
