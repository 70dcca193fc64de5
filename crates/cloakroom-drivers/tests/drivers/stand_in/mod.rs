//! A server that a test makes up.
#![allow(dead_code)] // Not every test file needs all of it.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// What somebody asks for.
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    /// By their names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// An answer's status, its headers and its body.
pub(crate) type Answer = (u16, Vec<(&'static str, String)>, Vec<u8>);

/// The address of a server that answers so, as long as the test lasts.
pub(crate) fn stand_in(answer: impl Fn(Asked) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    thread::spawn(move || {
        while let Ok((client, _)) = listener.accept() {
            let answer = answer.clone();
            thread::spawn(move || serve(client, &*answer));
        }
    });
    url
}

fn serve(mut client: TcpStream, answer: &dyn Fn(Asked) -> Answer) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    while let Some(asked) = read(&mut reader) {
        let is_head = asked.method == "HEAD";
        let (status, headers, body) = answer(asked);
        let mut head = format!("HTTP/1.1 {status} so\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let body = if is_head { &[][..] } else { &body };
        // Who has left hears nothing.
        if client.write_all(&[head.as_bytes(), body].concat()).is_err() {
            return;
        }
    }
}

fn read(reader: &mut impl std::io::BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { method, path, headers, body })
}

/// What a server answers to a `GET`, alone.
pub(crate) fn told(url: &str, path: &str) -> String {
    let mut server = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    write!(server, "GET {path} HTTP/1.1\r\n\r\n").unwrap();
    let mut reader = BufReader::new(server);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(text) = line.strip_prefix("content-length: ") {
            length = text.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}
