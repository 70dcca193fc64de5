//! The proxy counts turns, hangs, and breaks connections.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use interop_peers::Proxy;

/// A server that sends back what it gets.
fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
        }
    });
    port
}

fn connect(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

fn turn(mut stream: &TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).unwrap();
    let mut answer = vec![0; bytes.len()];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, bytes);
}

#[test]
fn each_question_and_answer_is_one_round_trip_however_long() {
    let proxy = Proxy::start(echo());
    let (one, two) = (connect(&proxy), connect(&proxy));
    turn(&one, b"first");
    assert_eq!(proxy.round_trips(), 1);
    turn(&one, b"second");
    turn(&two, b"third");
    assert_eq!(proxy.round_trips(), 3);
    proxy.reset();
    assert_eq!(proxy.round_trips(), 0);
}

#[test]
fn a_long_question_is_one_round_trip_where_the_server_reads_it_before_it_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap().port());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut question = vec![0; 1_000_000];
        stream.read_exact(&mut question).unwrap();
        stream.write_all(b"!").unwrap();
    });
    let mut client = connect(&proxy);
    client.write_all(&vec![7; 1_000_000]).unwrap();
    client.read_exact(&mut [0]).unwrap();
    assert_eq!(proxy.round_trips(), 1);
    server.join().unwrap();
}

#[test]
fn a_hanging_proxy_accepts_and_says_nothing() {
    let proxy = Proxy::start(echo());
    let (old, quiet) = (connect(&proxy), connect(&proxy));
    turn(&old, b"before");
    turn(&quiet, b"before");
    proxy.hang();
    for mut stream in [&old, &connect(&proxy)] {
        stream.write_all(b"anybody there?").unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let error = stream.read(&mut [0]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    }
    proxy.heal();
    turn(&connect(&proxy), b"new");
    turn(&quiet, b"nothing was lost");
    assert_eq!((&old).read(&mut [0]).unwrap(), 0, "closed: bytes were lost");
}

#[test]
fn a_refusing_proxy_closes_everything_and_comes_back_on_its_port() {
    let proxy = Proxy::start(echo());
    let old = connect(&proxy);
    turn(&old, b"before");
    proxy.refuse();
    assert!(matches!((&old).read(&mut [0]), Ok(0) | Err(_)));
    let error = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    proxy.heal();
    turn(&connect(&proxy), b"after");
}

#[test]
fn a_server_that_is_away_closes_the_connection() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let proxy = Proxy::start(gone);
    assert!(matches!(connect(&proxy).read(&mut [0]), Ok(0) | Err(_)));
}
