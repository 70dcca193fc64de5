//! What runs in Node.js: servers that npm brings, and unstorage's own drivers.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::port::Port;
use crate::program::missing;
use crate::server::{Server, folder};

/// A server in JavaScript: `javascript/NAME.mjs`, which gets its port as its first argument and then those of the test,
/// listens on 127.0.0.1, and keeps what it keeps in the folder that it runs in.
pub struct NodeServer {
    server: Server,
    port: Port,
}

impl NodeServer {
    /// Starts `javascript/NAME.mjs`; `package` is what it needs of npm.
    #[must_use]
    pub fn start(name: &'static str, package: &str, arguments: &[&str]) -> Option<Self> {
        let node = node_with(package)?;
        let port = Port::claim();
        let number = port.number();
        let mut words = vec![node.into_os_string(), script(name).into_os_string()];
        words.push(OsString::from(number.to_string()));
        words.extend(arguments.iter().map(OsString::from));
        let answers = move || TcpStream::connect((Ipv4Addr::LOCALHOST, number)).is_ok();
        let server = Server::start(name, folder(), words, "TERM", answers);
        Some(Self { server, port })
    }

    /// What it answers in JSON to a question in JSON. For servers that close the connection behind their answer.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    #[must_use]
    pub fn ask(&self, question: &Value) -> Value {
        let question = question.to_string();
        let mut stream =
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.port())).expect("the server listens");
        let length = question.len();
        write!(stream, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n")
            .expect("the server reads");
        stream.write_all(question.as_bytes()).expect("the server reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the server answers");
        let (_, body) = answer.split_once("\r\n\r\n").expect("the answer has a body");
        serde_json::from_str(body).expect("the server answers in JSON")
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }
}

impl Deref for NodeServer {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// One of unstorage's own drivers, in a process of JavaScript that ends with this value.
pub struct JavaScript {
    child: Child,
    calls: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl JavaScript {
    /// Opens unstorage's driver `name` with these options.
    ///
    /// # Panics
    ///
    /// If the process does not start.
    #[must_use]
    pub fn open(name: &str, options: &Value) -> Option<Self> {
        let mut child = Command::new(node_with("unstorage")?)
            .arg(script("unstorage"))
            .args([name, &options.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node.js starts");
        let calls = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("the standard output is a pipe"));
        Some(Self { child, calls, answers })
    }

    /// Calls a method of `javascript/unstorage.mjs` and gives its value, or JavaScript's error with its stack.
    ///
    /// # Errors
    ///
    /// If JavaScript threw one.
    ///
    /// # Panics
    ///
    /// If the process has ended.
    pub fn try_call(&mut self, method: &str, arguments: &[Value]) -> Result<Value, String> {
        let mut call = vec![json!(method)];
        call.extend_from_slice(arguments);
        let calls = self.calls.as_mut().expect("the standard input is a pipe");
        writeln!(calls, "{}", Value::Array(call)).expect("the driver takes calls");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the driver answers");
        let mut answer: Value = serde_json::from_str(&line).expect("the driver answers in JSON");
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer["value"].take()),
        }
    }

    /// As [`Self::try_call`].
    ///
    /// # Panics
    ///
    /// If JavaScript threw an error, too.
    pub fn call(&mut self, method: &str, arguments: &[Value]) -> Value {
        let result = self.try_call(method, arguments);
        result.unwrap_or_else(|error| panic!("unstorage's {method}: {error}"))
    }
}

impl Drop for JavaScript {
    fn drop(&mut self) {
        // The end of its input is the end of the process.
        drop(self.calls.take());
        _ = self.child.wait();
    }
}

/// Runs `javascript/NAME.mjs` to its end on this input, and gives what it answers in JSON; `package` is what it needs of npm.
///
/// # Panics
///
/// If it fails.
#[must_use]
pub fn run_script(name: &str, package: &str, input: &Value) -> Option<Value> {
    let mut child = Command::new(node_with(package)?)
        .arg(script(name))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Node.js starts");
    let mut stdin = child.stdin.take().expect("the standard input is a pipe");
    write!(stdin, "{input}").expect("the script reads its input");
    drop(stdin);
    let output = child.wait_with_output().expect("the script ends");
    assert!(output.status.success(), "{name}.mjs: {}", output.status);
    Some(serde_json::from_slice(&output.stdout).expect("the script answers in JSON"))
}

/// Node.js as npm brings it, where the package is there as well.
pub(crate) fn node_with(package: &str) -> Option<PathBuf> {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../node_modules");
    let node = modules.join(".bin/node");
    let is_there = node.is_file() && modules.join(package).is_dir();
    if is_there { Some(node) } else { missing(package, "npm ci, in interop/") }
}

pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("javascript").join(name).with_extension("mjs")
}
