//! One connection, and what goes over it: requests and answers of the meta protocol.
//!
//! The protocol is described in memcached's own `doc/protocol.txt`.

use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

use bytes::Bytes;
use socket2::SockRef;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use cloakroom_storage::{Error, ErrorKind, Result};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The longest line of an answer; a key and a dozen of flags fit.
const LONGEST_LINE: u64 = 2048;

/// More settings than a server has.
const MOST_SETTINGS: usize = 1000;

/// The longest value that is read: more than the largest session.
const LONGEST_VALUE: u64 = 64 * 1024 * 1024;

pub(super) struct Connection {
    stream: BufReader<TcpStream>,
    run: Run,
}

/// One run of a server, whose numbers count from one. When it began, in seconds since 1970, and its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) begin: u64,
    pub(super) process: u64,
}

pub(super) struct Request<'a> {
    /// The run that a number in the line is of, where there is one.
    pub(super) run: Option<Run>,
    /// With its `\r\n`.
    pub(super) line: Vec<u8>,
    /// What follows the line, without its `\r\n`.
    pub(super) value: Option<&'a Bytes>,
}

/// What the server answered, other than a failure.
pub(super) struct Answer {
    pub(super) code: Code,
    pub(super) value: Option<Bytes>,
    /// The run that answers.
    pub(super) run: Run,
    /// The flag `c`.
    pub(super) version: u64,
    /// The flag `t`; `None` where the item stays.
    pub(super) remaining: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// `VA`
    Value,
    /// `HD`
    Done,
    /// `EN`, and `NF`, which is the same to a write.
    Missing,
    /// `EX` and `NS`: the condition does not hold.
    Refused,
    /// The request was not sent: it has a number of another run.
    OfAnotherRun,
}

impl Connection {
    pub(super) async fn open(address: &str, credentials: Option<&str>) -> Result<Connection> {
        let connected = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
        let stream = connected
            .map_err(io::Error::from)
            .and_then(|stream| stream)
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
            .map_err(|error| {
                let message = "memcached cannot be reached; is its address right, and is it up?";
                Error::new(ErrorKind::Unavailable, message).with_source(error)
            })?;
        let run = Run { begin: 0, process: 0 };
        let mut connection = Connection { stream: BufReader::new(stream), run };
        if let Some(credentials) = credentials {
            connection.log_in(credentials).await?;
        }
        let [time, uptime, process] = connection.told("stats", ["time", "uptime", "pid"]).await?;
        let number = |told: Option<u64>| told.ok_or_else(|| unreadable("a number"));
        let begin = number(time)?.saturating_sub(number(uptime)?);
        connection.run = Run { begin, process: number(process)? };
        Ok(connection)
    }

    /// Names a user as a server wants it that has a file of them: by a `set` of the old protocol to any key.
    async fn log_in(&mut self, credentials: &str) -> Result<()> {
        let login = format!("set login 0 0 {}\r\n{credentials}\r\n", credentials.len());
        self.stream.write_all(login.as_bytes()).await.map_err(lost)?;
        match self.line().await?.as_str() {
            "STORED" => Ok(()),
            answer => Err(refusal(answer)),
        }
    }

    /// Whether the server has not closed the connection since the last call, nor said anything that nobody asked for.
    pub(super) fn is_open(&self) -> bool {
        // The system is asked: what it knows already the runtime may not have heard yet.
        let read = SockRef::from(self.stream.get_ref()).peek(&mut [MaybeUninit::uninit()]);
        self.stream.buffer().is_empty()
            && matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    pub(super) async fn call(&mut self, request: Request<'_>) -> Result<Answer> {
        let run = self.run;
        if request.run.is_some_and(|wanted| wanted != run) {
            let code = Code::OfAnotherRun;
            return Ok(Answer { code, value: None, run, version: 0, remaining: None });
        }
        let mut bytes = request.line;
        if let Some(value) = request.value {
            bytes.reserve(value.len() + 2);
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        self.stream.write_all(&bytes).await.map_err(lost)?;

        let line = self.line().await?;
        let mut words = line.split(' ');
        let code = match words.next().unwrap_or_default() {
            "VA" => Code::Value,
            "HD" => Code::Done,
            "EN" | "NF" => Code::Missing,
            "EX" | "NS" => Code::Refused,
            _ => return Err(refusal(&line)),
        };
        let mut answer = Answer { code, value: None, run, version: 0, remaining: None };
        if code == Code::Value {
            let size = words.next().and_then(|size| size.parse().ok());
            answer.value = Some(self.value(size.ok_or_else(|| unreadable("a size"))?).await?);
        }
        for word in words {
            if let Some(version) = word.strip_prefix('c') {
                answer.version = version.parse().map_err(|_| unreadable("a number"))?;
            } else if let Some(seconds) = word.strip_prefix('t') {
                // `-1` where there is no deadline.
                answer.remaining = seconds.parse().ok().map(Duration::from_secs);
            }
        }
        Ok(answer)
    }

    /// The server's setting `item_size_max`; one that does not tell is taken to have no limit.
    pub(super) async fn largest_item(&mut self) -> Result<usize> {
        let [largest] = self.told("stats settings", ["item_size_max"]).await?;
        Ok(largest.and_then(|largest| largest.try_into().ok()).unwrap_or(usize::MAX))
    }

    /// Numbers that the server tells under these names, where it does.
    async fn told<const COUNT: usize>(
        &mut self,
        command: &str,
        names: [&str; COUNT],
    ) -> Result<[Option<u64>; COUNT]> {
        self.stream.write_all(format!("{command}\r\n").as_bytes()).await.map_err(lost)?;
        let mut told = [None; COUNT];
        for _ in 0..MOST_SETTINGS {
            let line = self.line().await?;
            let Some((name, value)) =
                line.strip_prefix("STAT ").and_then(|line| line.split_once(' '))
            else {
                return if line == "END" { Ok(told) } else { Err(refusal(&line)) };
            };
            for (told, wanted) in told.iter_mut().zip(names) {
                if name == wanted {
                    *told = Some(value.parse().map_err(|_| unreadable("a number"))?);
                }
            }
        }
        Err(unreadable("the end of what it tells"))
    }

    /// The next line, without its end.
    async fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        let mut limited = (&mut self.stream).take(LONGEST_LINE);
        limited.read_until(b'\n', &mut line).await.map_err(lost)?;
        match line.strip_suffix(b"\r\n") {
            Some(line) => String::from_utf8(line.to_vec()).map_err(|_| unreadable("text")),
            None if (line.len() as u64) < LONGEST_LINE => {
                Err(lost(io::ErrorKind::UnexpectedEof.into()))
            }
            None => Err(unreadable("a line")),
        }
    }

    /// A value of this size, for which memory is taken only as it arrives.
    async fn value(&mut self, size: u64) -> Result<Bytes> {
        if size > LONGEST_VALUE {
            let message = format!("the item is longer than {LONGEST_VALUE} bytes");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        let mut value = Vec::new();
        (&mut self.stream).take(size + 2).read_to_end(&mut value).await.map_err(lost)?;
        if value.len() as u64 != size + 2 {
            return Err(lost(io::ErrorKind::UnexpectedEof.into()));
        }
        match value.strip_suffix(b"\r\n") {
            Some(bytes) => {
                let length = bytes.len();
                value.truncate(length);
                Ok(value.into())
            }
            None => Err(unreadable("a value")),
        }
    }
}

/// The server said that it failed, or that we did.
fn refusal(line: &str) -> Error {
    let (kind, message) = match line {
        "SERVER_ERROR object too large for cache" => {
            (ErrorKind::TooLarge, "the value is larger than memcached takes; see its option `-I`")
        }
        line if line.starts_with("SERVER_ERROR out of memory") => {
            (ErrorKind::StorageFull, "memcached has no room left")
        }
        line if line.starts_with("SERVER_ERROR") => {
            (ErrorKind::Unavailable, "memcached has trouble of its own")
        }
        "CLIENT_ERROR unauthenticated" | "CLIENT_ERROR authentication failure" => (
            ErrorKind::PermissionDenied,
            "memcached wants other credentials; are `username` and `password` right?",
        ),
        "ERROR" => (
            ErrorKind::Unsupported,
            "memcached does not know the command; is it version 1.6 or later?",
        ),
        _ => (ErrorKind::Other, "memcached does not understand us; is this memcached?"),
    };
    Error::new(kind, message)
}

fn lost(error: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "the connection to memcached was lost").with_source(error)
}

fn unreadable(what: &str) -> Error {
    let message = format!("where {what} has to be there is something else; is this memcached?");
    Error::new(ErrorKind::Unavailable, message).with_retryable(false)
}
