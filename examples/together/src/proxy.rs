//! A reverse proxy, as nginx or Caddy is one in production (`docs/together.md`).

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::uri::{Authority, InvalidUriParts, Scheme, Uri};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Of one connection alone, so not handed on (RFC 9110, 7.6.1).
const OF_THE_CONNECTION: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What is handed on, and where to.
#[derive(Clone, Debug)]
struct Proxy {
    client: Client<HttpConnector, Body>,
    to: Authority,
}

/// Hands every request on to the server that listens there.
pub fn proxy(to: Authority) -> Router {
    let client = Client::builder(TokioExecutor::new()).build_http();
    Router::new().fallback(hand_on).with_state(Proxy { client, to })
}

async fn hand_on(State(proxy): State<Proxy>, mut request: Request) -> Response {
    if let Err(error) = readdress(&mut request, proxy.to.clone()) {
        return (StatusCode::BAD_REQUEST, error.to_string()).into_response();
    }
    match proxy.client.request(request).await {
        Ok(mut response) => {
            remove_those_of_the_connection(response.headers_mut());
            response.map(Body::new)
        }
        Err(error) => {
            let message = format!("Astro does not answer at {}: {error}\n", proxy.to);
            (StatusCode::BAD_GATEWAY, message).into_response()
        }
    }
}

fn readdress(request: &mut Request, to: Authority) -> Result<(), InvalidUriParts> {
    let mut uri = std::mem::take(request.uri_mut()).into_parts();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(to);
    *request.uri_mut() = Uri::from_parts(uri)?;

    let client = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|client| client.0.ip());
    let headers = request.headers_mut();
    remove_those_of_the_connection(headers);
    // `Host` stays what the browser asked for: Astro compares a form's origin with it. What a client says of itself is
    // replaced by what is known of it.
    headers.remove("x-forwarded-host");
    if let Some(host) = headers.get(header::HOST).cloned() {
        headers.insert("x-forwarded-host", host);
    }
    headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
    headers.remove("x-forwarded-for");
    if let Some(Ok(client)) = client.map(|client| HeaderValue::from_str(&client.to_string())) {
        headers.insert("x-forwarded-for", client);
    }
    Ok(())
}

fn remove_those_of_the_connection(headers: &mut HeaderMap) {
    // Those that it names itself, too.
    let named = headers.get_all(header::CONNECTION).iter().filter_map(|names| names.to_str().ok());
    let named: Vec<HeaderName> = named
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.into_iter().chain(OF_THE_CONNECTION) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::routing::any;
    use tokio::net::TcpListener;
    use tower::ServiceExt as _;

    use super::*;

    /// A server that answers with the headers that it was sent, a line each.
    async fn mirror() -> Authority {
        let show = async |request: Request| {
            let lines =
                request.headers().iter().map(|(name, value)| format!("{name}: {value:?}\n"));
            let lines = format!("{}\n{}", request.uri(), lines.collect::<String>());
            ([("connection", "close"), ("x-of-the-site", "kept")], lines)
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(any(show))).await });
        address.parse().unwrap()
    }

    async fn ask(to: Authority, request: Request) -> (StatusCode, HeaderMap, String) {
        let response = proxy(to).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_request_arrives_with_its_host_and_its_sender_and_without_what_concerns_one_connection()
     {
        let request = Request::get("/products/hat?size=57")
            .header("host", "shop.example")
            .header("connection", "keep-alive, X-Of-The-Connection")
            .header("x-of-the-connection", "1")
            .header("x-forwarded-for", "6.6.6.6")
            .header("cookie", "astro-session=1")
            .extension(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4000))))
            .body(Body::empty())
            .unwrap();
        let (status, headers, told) = ask(mirror().await, request).await;
        assert_eq!((status, told.lines().next()), (StatusCode::OK, Some("/products/hat?size=57")));
        for line in [
            "host: \"shop.example\"",
            "x-forwarded-host: \"shop.example\"",
            "x-forwarded-for: \"192.0.2.1\"",
            "cookie: \"astro-session=1\"",
        ] {
            assert!(told.lines().any(|it| it == line), "no {line} in {told}");
        }
        assert!(!told.contains("connection") && !told.contains("6.6.6.6"), "{told}");
        assert_eq!(headers.get("x-of-the-site").unwrap(), "kept");
        assert_eq!(headers.get("connection"), None);
    }

    #[tokio::test]
    async fn a_site_that_does_not_answer_is_a_502_which_says_so() {
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let to: Authority = nobody.to_string().parse().unwrap();
        let (status, _, told) = ask(to, Request::get("/").body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::BAD_GATEWAY);
        assert!(told.contains(&nobody.to_string()), "{told}");
    }
}
