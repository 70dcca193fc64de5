//! Forms as the real Node.js reads them, whose `Request.formData()` Astro calls.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::convert::Infallible;

use bytes::Bytes;
use cloakroom_actions::{FormValue, read};
use futures_util::stream;
use interop_peers::NodeServer;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// A content type and a body.
type Sent = (String, Vec<u8>);

/// What Node.js reads of each of these bodies.
fn theirs(node: &NodeServer, bodies: &[Sent]) -> Vec<Value> {
    serde_json::from_value(node.ask(&json!(bodies))).unwrap()
}

/// What we read of it, written as the other writes it.
async fn ours((content_type, body): &Sent) -> Value {
    let body = stream::iter([Ok::<_, Infallible>(Bytes::copy_from_slice(body))]);
    let Ok(input) = read(Some(content_type), None, 1 << 20, body).await else { return Value::Null };
    let fields = input.form().unwrap().iter().map(|(name, value)| match value {
        FormValue::Text(text) => json!([name, text]),
        FormValue::File(file) => {
            let bytes = file.bytes.to_vec();
            let content_type = file.content_type.as_deref().unwrap_or_default();
            json!([name, { "name": file.name, "type": content_type, "bytes": bytes }])
        }
    });
    fields.collect()
}

async fn same(bodies: &[Sent]) {
    let Some(node) = NodeServer::start("form-data", "astro", &[]) else { return };
    for (body, theirs) in bodies.iter().zip(theirs(&node, bodies)) {
        let (content_type, text) = (&body.0, String::from_utf8_lossy(&body.1));
        assert_eq!(ours(body).await, theirs, "{content_type}\n{text}");
    }
}

fn multipart(body: impl Into<Vec<u8>>) -> Sent {
    ("multipart/form-data; boundary=BOUNDARY".to_owned(), body.into())
}

/// A part with these headers and content.
fn part(headers: &str, content: &str) -> String {
    format!("--BOUNDARY\r\n{headers}\r\n\r\n{content}\r\n")
}

fn disposition(parameters: &str) -> String {
    let headers = format!("Content-Disposition: form-data; {parameters}");
    part(&headers, "content") + "--BOUNDARY--\r\n"
}

#[tokio::test]
async fn names_are_read_as_browsers_write_them() {
    let names = [
        r#"name="a""#,
        r#"name="f"; filename="my %22photo%22.png""#,
        r#"name="a%22b""#,
        r#"name="a%0D%0Ab%0d%0ac""#,
        r#"name="100%2522%41%""#,
        r#"name="f"; filename="a\""#,
        r#"name="f"; filename="C:\dir\a.png""#,
        r#"name="a\"b""#,
        r#"name="a; filename=b""#,
        r#"filename="x; name=evil"; name="f""#,
        r#"name="a"; filename="""#,
        r#"name="""#,
        r#"name="tags[]""#,
        r#"name="größe"; filename="ä 🧥.png""#,
        r#"name=a"#,
        r#"name='a'"#,
        r#"name="a"#,
        r#"name="a"; filename"#,
        r#"name="a"; filename=b"#,
        r#"name="a"; filename*="b%41""#,
        r#"name="a"; filename*=UTF-8''b"#,
        r#"name="a"; x="y""#,
        r#"name="a";filename="b""#,
        r#"name="a"; filename="b"; x="y""#,
        r#" name="a""#,
        r#"Name="a""#,
        "name=\"\u{feff}a\u{feff}\"",
        "name=\"a\tb\"",
        "name=\"a\nb\"",
    ];
    let mut bodies: Vec<_> = names.iter().map(|name| multipart(disposition(name))).collect();
    let broken = b"--BOUNDARY\r\nContent-Disposition: form-data; name=\"\xff\xc3\"\r\n\r\n\xff\r\n--BOUNDARY--";
    bodies.push(multipart(broken.as_slice()));
    same(&bodies).await;
}

#[tokio::test]
async fn parts_are_read_as_node_reads_them() {
    let end = "--BOUNDARY--\r\n";
    let text = r#"Content-Disposition: form-data; name="a""#;
    let file = r#"Content-Disposition: form-data; name="f"; filename="f""#;
    let kinds = [
        "text/plain",
        "Text/HTML; Charset=X",
        "image/png \t",
        "",
        " ",
        "größe",
        "a\tb",
        "no type at all",
    ];
    let typed = |kind| part(&format!("{file}\r\ncontent-type: {kind}"), "x") + end;
    let mut bodies: Vec<String> = kinds.into_iter().map(typed).collect();
    bodies.extend([
        part(file, "") + end,
        part(text, "\u{feff}a") + end,
        part(text, "\u{feff}\u{feff}a") + end,
        part(file, "\u{feff}a") + end,
        part(text, "a\r\nb\r\n") + end,
        part(text, "--BOUNDAR") + end,
        part(text, "BOUNDARY") + end,
        part(text, "x\r\n--BOUNDARY\r\n") + end,
        part(text, "1") + &part(text, "2") + &part(file, "3") + end,
        part("X-Other: y", "1") + end,
        part(&format!("X-Other: y\r\n{text}\r\nX-More:"), "1") + end,
        part(&format!("{file}\r\n{text}"), "1") + end,
        part(&format!("CONTENT-DISPOSITION :\t{}", &text[21..]), "1") + end,
        part(&format!("X Other: y\r\n{text}"), "1") + end,
        part(&format!(": y\r\n{text}"), "1") + end,
        part("Content-Disposition: attachment; name=\"a\"", "1") + end,
        part("Content-Disposition: form-data", "1") + end,
        part(text, "1") + "--BOUNDARY--",
        part(text, "1") + "--BOUNDARY--\r\n\r\n\r\n",
        part(text, "1") + "--BOUNDARY--\r\nmore",
        part(text, "1") + "--BOUNDARY-- ",
        part(text, "1") + "--BOUNDARY",
        part(text, "1"),
        "\r\n\r\n".to_owned() + &part(text, "1") + end,
        "preamble\r\n".to_owned() + &part(text, "1") + end,
        end.to_owned(),
        String::new(),
        "\r\n".to_owned(),
        part(text, "1").replace("\r\n", "\n") + end,
        format!("--BOUNDARY \r\n{text}\r\n\r\n1\r\n{end}"),
        format!("--BOUNDARY\r\n{text}\r\n1\r\n{end}"),
        format!("--BOUNDARY\r\n{text}\r\n\r\n{end}"),
        format!("--BOUNDARY\r\n{text}\r\n\r\n\r\n{end}"),
    ]);
    for encoding in ["base64", "BASE64", "base64 ", "quoted-printable"] {
        for content in ["YQ==", "YQ==YQ==", "YW\r\nJj", "YW-_", "Y", "Y!W#J$j", "=YQ", "YQ"] {
            let headers = format!("{file}\r\nContent-Transfer-Encoding: {encoding}");
            bodies.push(part(&headers, content) + end);
        }
    }
    same(&bodies.into_iter().map(multipart).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn a_boundary_is_found_wherever_a_content_type_has_it() {
    let body = disposition(r#"name="a""#).into_bytes();
    let types = [
        "multipart/form-data; boundary=BOUNDARY",
        "Multipart/Form-Data;BOUNDARY=BOUNDARY",
        r#"multipart/form-data; boundary="BOUNDARY""#,
        r#"multipart/form-data; boundary="BOUND\ARY""#,
        r#"multipart/form-data; boundary="BOUNDARY"; charset=x"#,
        "multipart/form-data; charset=utf-8; boundary=BOUNDARY ; x=y",
        r#"multipart/form-data; x="y; boundary=no"; boundary=BOUNDARY"#,
        "multipart/form-data; x; boundary=BOUNDARY",
        "multipart/form-data; boundary=; boundary=BOUNDARY",
        "multipart/form-data; boundary=BOUNDARY; boundary=no",
        "multipart/form-data; boundary =BOUNDARY",
        "multipart/form-data; boundary=boundary",
        "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary",
        "multipart/form-data; boundary=BOUNDARY,x",
        "multipart/form-data",
        "multipart/form-data;",
    ];
    let bodies: Vec<_> = types.iter().map(|kind| ((*kind).to_owned(), body.clone())).collect();
    same(&bodies).await;
}

#[tokio::test]
async fn urlencoded_forms_are_read_alike() {
    let bodies = [
        &b"a=1&b=2+3&a=%C3%A4"[..],
        b"?a=1&?b=2",
        b"??a=1",
        b"&&=&a&=b&a==",
        b"a%5B%5D=1&a[]=2&a.b=3",
        b"a=%ff%C3%zz%",
        b"\xc3%A4=\xff",
        b"\xef\xbb\xbfa=%EF%BB%BFb",
        b"",
    ];
    let kind = || "application/x-www-form-urlencoded".to_owned();
    same(&bodies.map(|body| (kind(), body.to_vec()))).await;
}

#[tokio::test]
async fn whatever_is_put_together_of_a_forms_pieces_is_read_alike() {
    let pieces = proptest::sample::select(vec![
        "--BOUNDARY",
        "--BOUNDARY\r\n",
        "--BOUNDARY--",
        "BOUNDARY",
        "\r\n",
        "\r\n\r\n",
        "\r",
        "\n",
        ":",
        " ",
        "\"",
        "%22",
        "; ",
        "Content-Disposition: form-data; name=\"a\"",
        "; filename=\"f\"",
        "Content-Type: text/plain",
        "--",
        "x",
        "\u{feff}",
    ]);
    let whole = proptest::collection::vec(pieces, 0..9);
    let mut runner = TestRunner::deterministic();
    let bodies: Vec<_> = (0..1500)
        .map(|_| {
            let middle = whole.new_tree(&mut runner).unwrap().current().concat();
            let text = r#"Content-Disposition: form-data; name="b""#;
            multipart(match middle.len() % 3 {
                0 => middle,
                1 => format!("--BOUNDARY\r\n{text}{middle}\r\n--BOUNDARY--\r\n"),
                _ => format!("--BOUNDARY\r\n{text}\r\n\r\n{middle}\r\n--BOUNDARY--\r\n"),
            })
        })
        .collect();
    same(&bodies).await;
}
