//! A server of the framework under test, and requests to it.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use bytes::Bytes;
use cloakroom_session::testing::TestStore;
use cloakroom_session::{Config, OutagePolicy, Sessions};
use cloakroom_storage::ItemKey;
use http::header::{self, HeaderName};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::Framework;
use crate::answer::Answer;
use crate::gate::Gate;
use crate::site::Site;

/// A server of the framework under test.
pub struct Server {
    /// Its sessions' store.
    pub store: TestStore,
    address: SocketAddr,
    gate: Gate,
}

impl Server {
    /// A server with the default configuration.
    pub async fn start<F: Framework>() -> Server {
        Server::with::<F>(&Config::new("memory"), None).await
    }

    /// A server with this policy for outages at its session middleware.
    pub async fn with_outage<F: Framework>(policy: OutagePolicy) -> Server {
        Server::with::<F>(&Config::new("memory"), Some(policy)).await
    }

    /// A server with this configuration.
    pub async fn with<F: Framework>(config: &Config, outage: Option<OutagePolicy>) -> Server {
        let store = TestStore::new();
        let sessions = Sessions::with_driver(Arc::new(store.clone()), config).unwrap();
        let gate = Gate::new();
        // Who connects before the server accepts waits in the listener's queue.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let others = sessions_of("others-session");
        let namesake = sessions_of(&config.cookie.name);
        let site = Site { sessions, others, namesake, outage, gate: gate.clone() };
        tokio::spawn(F::serve(listener, site));
        Server { store, address, gate }
    }

    /// Asks for a page, and waits for all of it.
    pub async fn get(&self, path: &str, cookie: Option<&str>) -> Answer {
        self.get_with(path, cookie.as_slice()).await
    }

    /// As [`get`](Server::get), with any number of `Cookie` headers.
    pub async fn get_with(&self, path: &str, cookies: &[&str]) -> Answer {
        let cookies: Vec<_> = cookies.iter().map(|cookie| (header::COOKIE, *cookie)).collect();
        self.send(Method::GET, path, &cookies).await
    }

    /// Asks for a page as a browser does that will show it.
    pub async fn look(&self, path: &str, cookie: Option<&str>) -> Answer {
        let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let mut headers = vec![(header::ACCEPT, accept)];
        headers.extend(cookie.map(|cookie| (header::COOKIE, cookie)));
        self.send(Method::GET, path, &headers).await
    }

    /// Sends a request without a body, and waits for all of the answer.
    pub async fn send(&self, method: Method, path: &str, headers: &[(HeaderName, &str)]) -> Answer {
        let (head, body) = self.open(method, path, headers).await.unwrap().into_parts();
        let text = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(text.to_vec()).unwrap();
        Answer { status: head.status, headers: head.headers, text }
    }

    /// Whether the answer broke off. How much of it was sent before is up to the framework's server.
    pub async fn breaks_off(&self, path: &str, cookie: &str) -> bool {
        match self.open(Method::GET, path, &[(header::COOKIE, cookie)]).await {
            Ok(response) => response.into_body().collect().await.is_err(),
            Err(_) => true,
        }
    }

    /// What a browser is given that stores this name.
    pub async fn visitor(&self, name: &str) -> String {
        self.get(&format!("/set/{name}"), None).await.cookie().unwrap()
    }

    /// The name in the session of this cookie.
    pub async fn name(&self, cookie: &str) -> String {
        self.get("/read", Some(cookie)).await.text
    }

    /// Waits until the session of this cookie has this name.
    pub async fn becomes(&self, cookie: &str, name: &str) {
        while self.name(cookie).await != name {
            tokio::task::yield_now().await;
        }
    }

    /// Asks for a page whose handler says when it was reached, and hands over the connection.
    pub async fn ask(&self, path: &str, cookie: &str) -> Client {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        self.gate.arrived().await;
        Client { stream, gate: self.gate.clone() }
    }

    async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
    ) -> hyper::Result<Response<Incoming>> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let connection = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = connection.unwrap();
        tokio::spawn(connection);
        let mut request =
            Request::builder().method(method).uri(path).header(header::HOST, "localhost");
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await
    }
}

/// Sessions with a store of their own, whose cookie has this name.
fn sessions_of(cookie: &str) -> Sessions {
    let mut config = Config::new("memory");
    config.cookie.name = cookie.to_owned();
    Sessions::with_driver(Arc::new(TestStore::new()), &config).unwrap()
}

/// A client that waits for its answer.
pub struct Client {
    stream: TcpStream,
    gate: Gate,
}

impl Client {
    /// Breaks the connection, and waits until the server has noticed.
    pub async fn goes_away(self) {
        // Without a linger the other side sees an error at once, and not a client that has nothing more to say.
        self.stream.set_zero_linger().unwrap();
        drop(self.stream);
        self.gate.gone().await;
    }
}

/// The ID in a cookie.
pub(crate) fn id_of(cookie: &str) -> &str {
    cookie.split_once('=').unwrap().1
}

/// The key of a cookie's record.
pub(crate) fn key_of(cookie: &str) -> ItemKey {
    ItemKey::new(id_of(cookie)).unwrap()
}
