//! A visitor who keeps a connection and a cookie, and remembers what the shop has acknowledged.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// No answer may take longer.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
    /// The session's ID.
    pub(crate) id: Option<String>,
    name: String,
    /// How many items were sent.
    sent: usize,
    /// The items that are in the cart by the shop's word, and since when.
    pub(crate) acknowledged: Vec<(String, Instant)>,
}

pub(crate) struct Answer {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: String,
}

/// What became of an addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Addition {
    Acknowledged,
    /// The shop said that it cannot at the moment.
    Unavailable,
    /// The connection broke: nobody knows.
    Unknown,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

impl Client {
    pub(crate) fn new(name: String, address: SocketAddr) -> Self {
        Self { address, connection: None, id: None, name, sent: 0, acknowledged: Vec::new() }
    }

    /// Adds an item that nobody has added before.
    pub(crate) async fn add(&mut self) -> Addition {
        let item = format!("{}-{}", self.name, self.sent);
        self.sent += 1;
        let head = "POST /api/addToCart HTTP/1.1\r\nContent-Type: application/json\r\n";
        let Ok(answer) = self.request(head, &format!("{{\"item\":\"{item}\"}}")).await else {
            return Addition::Unknown;
        };
        let cookie = answer.header("set-cookie");
        match answer.status {
            StatusCode::OK => {
                if let Some(cookie) = cookie {
                    let value = cookie.strip_prefix("astro-session=").unwrap();
                    self.id = Some(value.split(';').next().unwrap().to_owned());
                }
                self.acknowledged.push((item, Instant::now()));
                Addition::Acknowledged
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                assert_eq!(cookie, None, "no cookie without its session");
                assert!(answer.header("retry-after").is_some(), "{:?}", answer.headers);
                Addition::Unavailable
            }
            status => panic!("{status}: {}", answer.body),
        }
    }

    /// The items in the cart.
    pub(crate) async fn cart(&mut self) -> Vec<String> {
        let answer = self.request("GET /api/cart HTTP/1.1\r\n", "").await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Logs in as Ada, as the form does.
    pub(crate) async fn log_in(&mut self) {
        let answer = self.form("/?_action=account.logIn", "name=Ada&password=overcoat").await;
        let cookie = answer.header("set-cookie").unwrap().strip_prefix("astro-session=").unwrap();
        self.id = Some(cookie.split(';').next().unwrap().to_owned());
    }

    /// Whether the shop knows this visitor as Ada.
    pub(crate) async fn is_logged_in(&mut self) -> bool {
        self.page("/login").await.contains("Hello, Ada")
    }

    /// What the buttons of `/devices` send, one for each other device.
    pub(crate) async fn other_devices(&mut self) -> Vec<String> {
        let page = self.page("/devices").await;
        let fields = page.split(r#"name="device" value=""#).skip(1);
        fields.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    }

    /// Logs out a device.
    pub(crate) async fn end(&mut self, device: &str) {
        self.form("/devices?_action=account.endDevice", &format!("device={device}")).await;
    }

    /// Logs out all other devices.
    pub(crate) async fn end_others(&mut self) {
        self.form("/devices?_action=account.endOtherDevices", "").await;
    }

    async fn page(&mut self, path: &str) -> String {
        let answer = self.request(&format!("GET {path} HTTP/1.1\r\n"), "").await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.body
    }

    async fn form(&mut self, path: &str, form: &str) -> Answer {
        let head = format!(
            "POST {path} HTTP/1.1\r\nOrigin: http://localhost\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n"
        );
        let answer = self.request(&head, form).await.unwrap();
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        answer
    }

    /// Whether this item was ever sent.
    pub(crate) fn has_sent(&self, item: &str) -> bool {
        let number = item.strip_prefix(&self.name).and_then(|rest| rest.strip_prefix('-'));
        number.is_some_and(|number| number.parse::<usize>().unwrap() < self.sent)
    }

    async fn request(&mut self, head: &str, body: &str) -> io::Result<Answer> {
        let cookie = match &self.id {
            Some(id) => format!("Cookie: astro-session={id}\r\n"),
            None => String::new(),
        };
        let length = body.len();
        let text =
            format!("{head}Host: localhost\r\n{cookie}Content-Length: {length}\r\n\r\n{body}");
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => BufReader::new(TcpStream::connect(self.address).await?),
        };
        connection.write_all(text.as_bytes()).await?;
        let answer = timeout(PATIENCE, read(&mut connection)).await.expect("the shop hangs")?;
        self.connection = Some(connection);
        Ok(answer)
    }
}

async fn read(connection: &mut BufReader<TcpStream>) -> io::Result<Answer> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).await?;
        match line.strip_suffix("\r\n") {
            Some("") => break,
            Some(line) => head.push(line.to_owned()),
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
    let status = head[0].split(' ').nth(1).unwrap().parse().unwrap();
    let headers = head[1..].iter().map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut answer = Answer { status, headers, body: String::new() };
    let length = answer.header("content-length").expect("the shop tells the length");
    let mut body = vec![0; length.parse().unwrap()];
    connection.read_exact(&mut body).await?;
    answer.body = String::from_utf8(body).unwrap();
    Ok(answer)
}
