//! A shop in this process or in one of its own, and a client that keeps the session's cookie as a browser does.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use cloakroom::{Config, Sessions};
use http_body_util::BodyExt;
use shop::account::PASSWORD;
use shop::session::PRINCIPAL;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tower::ServiceExt;

/// Where requests go.
#[derive(Clone)]
pub(crate) enum Shop {
    /// Straight into the routes.
    Here(Router),
    /// To a server.
    Server(SocketAddr),
}

/// A shop on the memory driver.
pub(crate) async fn in_memory() -> Shop {
    from_config(Config::new("memory")).await
}

/// A shop on files in this folder.
pub(crate) async fn on_files(folder: &Path) -> Shop {
    from_config(Config::new("fs-lite").option("base", folder.to_str().unwrap())).await
}

/// Sessions on the memory driver, for a shop and for whoever shares them with it.
pub(crate) async fn sessions_in_memory() -> Sessions {
    Sessions::from_config(configured(Config::new("memory"))).await.unwrap()
}

/// A shop with this configuration, and what all shops have.
pub(crate) async fn from_config(config: Config) -> Shop {
    Shop::Here(shop::app(Sessions::from_config(configured(config)).await.unwrap()))
}

/// What every shop of these tests has.
pub(crate) fn configured(mut config: Config) -> Config {
    config.cookie.secure = false;
    config.principal = Some(PRINCIPAL.to_owned());
    config
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Vec<String> {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        serde_json::from_str(&self.text).unwrap()
    }
}

/// A visitor's browser, as far as the session is concerned.
#[derive(Clone)]
pub(crate) struct Client {
    shop: Shop,
    /// The value of the session's cookie.
    pub(crate) id: Option<String>,
    /// What the browser says that it is.
    agent: &'static str,
}

impl Client {
    pub(crate) fn new(shop: Shop) -> Self {
        Self { shop, id: None, agent: "" }
    }

    /// A browser that says this of itself.
    pub(crate) fn with_agent(shop: Shop, agent: &'static str) -> Self {
        Self { agent, ..Self::new(shop) }
    }

    /// The same cookie at another shop.
    pub(crate) fn at(&self, shop: &Shop) -> Self {
        Self { shop: shop.clone(), ..self.clone() }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).header(header::ACCEPT, "text/html"), "").await
    }

    /// Sends a form as a page of the shop does.
    pub(crate) async fn post_form(&mut self, path: &str, form: &str) -> Answer {
        self.post_form_from("/elsewhere", path, form).await
    }

    /// Sends a form as this page of the shop does.
    pub(crate) async fn post_form_from(&mut self, page: &str, path: &str, form: &str) -> Answer {
        let request = Request::post(path)
            .header(header::ACCEPT, "text/html")
            .header(header::ORIGIN, "http://localhost")
            .header(header::REFERER, format!("http://localhost{page}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, form).await
    }

    /// Logs in with this name, as the form does.
    pub(crate) async fn log_in(&mut self, name: &str) -> Answer {
        let form = format!("name={name}&password={PASSWORD}");
        self.post_form_from("/login", "/?_action=account.logIn", &form).await
    }

    pub(crate) async fn add_to_cart(&mut self, item: &str) -> Answer {
        let body = serde_json::json!({ "item": item }).to_string();
        let request =
            Request::post("/api/addToCart").header(header::CONTENT_TYPE, "application/json");
        self.send(request, &body).await
    }

    pub(crate) async fn cart(&mut self) -> Vec<String> {
        self.send(Request::get("/api/cart"), "").await.json()
    }

    pub(crate) async fn send(
        &mut self,
        mut request: axum::http::request::Builder,
        body: &str,
    ) -> Answer {
        request =
            request.header(header::HOST, "localhost").header(header::CONTENT_LENGTH, body.len());
        if !self.agent.is_empty() {
            request = request.header(header::USER_AGENT, self.agent);
        }
        if let Some(id) = &self.id {
            request = request.header(header::COOKIE, format!("astro-session={id}"));
        }
        let request = request.body(body.to_owned()).unwrap();
        let answer = match &self.shop {
            Shop::Here(router) => here(router.clone(), request).await,
            Shop::Server(address) => over_the_wire(*address, request).await,
        };
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let value = cookie.strip_prefix("astro-session=").unwrap().split(';').next().unwrap();
            self.id = (value != "deleted").then(|| value.to_owned());
        }
        answer
    }
}

async fn here(router: Router, request: Request<String>) -> Answer {
    let (parts, body) = router.oneshot(request.map(Body::from)).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

/// One request per connection is all the HTTP that these tests need.
async fn over_the_wire(address: SocketAddr, request: Request<String>) -> Answer {
    let mut text =
        format!("{} {} HTTP/1.1\r\nconnection: close\r\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        text += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    text += "\r\n";
    text += request.body();

    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();

    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers =
        headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    assert_ne!(request.method(), Method::HEAD, "a HEAD answer has no body to read");
    Answer { status, headers, text: body.to_owned() }
}

/// The shop's own program, running in this folder. It ends with the test.
pub(crate) struct Process {
    pub(crate) child: Child,
    /// What it has printed: where it listens, and where it stores.
    pub(crate) lines: [String; 2],
    pub(crate) out: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) async fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = command(folder).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut lines = [String::new(), String::new()];
        for line in &mut lines {
            out.read_line(line).await.unwrap();
        }
        Self { child, lines: lines.map(|line| line.trim_end().to_owned()), out }
    }

    pub(crate) fn shop(&self) -> Shop {
        let port = self.lines[0].strip_prefix("shop: listening on http://localhost:").unwrap();
        Shop::Server(SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap())))
    }
}

/// The shop's program on a free port, with nothing of this process's own settings.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
    command.current_dir(folder).env_clear().env("PORT", "0").kill_on_drop(true);
    command
}
