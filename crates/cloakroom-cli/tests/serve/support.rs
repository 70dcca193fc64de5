//! The program, and requests to the byte.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

use cloakroom_drivers::open;
use cloakroom_storage::DynDriver;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Bytes};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A server that ends with this value.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) port: u16,
}

impl Server {
    /// Starts `cloakroom serve` with these arguments, on a free port of the loopback.
    pub(crate) fn start(arguments: &[&str]) -> Server {
        Server::spawn(command(arguments))
    }

    /// The same with these variables in its environment.
    pub(crate) fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Server {
        let mut command = command(arguments);
        command.envs(variables.iter().copied());
        Server::spawn(command)
    }

    pub(crate) fn spawn(mut command: Command) -> Server {
        let mut child =
            command.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address =
            line.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.split(' ').next());
        let port = address.and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("the first line is no address: {line}"));
        Server { child, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A request without a value.
    pub(crate) async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.put(method, path, headers, "").await
    }

    /// A request with one.
    pub(crate) async fn put(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        value: impl Into<Bytes>,
    ) -> Answer {
        call(self.port, method, path, headers, Full::new(value.into())).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// `cloakroom serve` with these arguments, and nothing of this environment that it would heed.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloakroom"));
    command.arg("serve").args(arguments).current_dir(env!("CARGO_TARGET_TMPDIR"));
    for name in ["CLOAKROOM_TOKEN", "CLOAKROOM_READ_TOKEN", "RUST_LOG"] {
        command.env_remove(name);
    }
    command
}

/// What becomes of `cloakroom serve` where it does not start.
pub(crate) fn refused(arguments: &[&str]) -> String {
    let Output { status, stderr, .. } = command(arguments).output().unwrap();
    assert!(!status.success());
    String::from_utf8(stderr).unwrap()
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    response: Response<Bytes>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn tag(&self) -> &str {
        self.header("etag").expect("an ETag")
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.response.body()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(self.bytes()).unwrap()
    }

    /// What the server says went wrong.
    pub(crate) fn error(&self) -> String {
        let json: Value = serde_json::from_slice(self.bytes()).unwrap();
        json["error"].as_str().unwrap().to_owned()
    }
}

/// Sends a request over a connection of its own; the path goes as it is.
pub(crate) async fn call<B>(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: B,
) -> Answer
where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let mut request = Request::builder().method(method).uri(path);
    if headers.iter().all(|(name, _)| !name.eq_ignore_ascii_case("host")) {
        request = request.header("host", format!("127.0.0.1:{port}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let response = sender.send_request(request.body(body).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status.as_u16(), response: Response::from_parts(parts, body) }
}

/// A driver of ours with these options.
pub(crate) async fn driver(name: &str, options: &Value) -> DynDriver {
    open(name, options.as_object().unwrap()).await.unwrap()
}
