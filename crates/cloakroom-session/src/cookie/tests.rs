use super::*;

const ID: &str = "0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11";

fn id() -> SessionId {
    SessionId::parse(ID).unwrap()
}

fn cookie(change: impl FnOnce(&mut CookieConfig)) -> Result<SessionCookie> {
    let mut config = CookieConfig::default();
    change(&mut config);
    SessionCookie::new(&config)
}

fn read(header: &'static str) -> Ticket {
    let headers = CookieHeaders::from(HeaderValue::from_static(header));
    cookie(|_| {}).unwrap().read(&headers)
}

#[test]
fn the_default_cookie_is_astros() {
    let cookie = cookie(|_| {}).unwrap();
    assert_eq!(
        cookie.hand_out(&id(), None, None),
        format!("astro-session={ID}; Path=/; HttpOnly; Secure; SameSite=Lax")
    );
    assert_eq!(
        cookie.delete(),
        "astro-session=deleted; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax"
    );
}

#[test]
fn every_attribute_stands_in_astros_order_and_a_deletion_drops_only_max_age() {
    let cookie = cookie(|config| {
        config.name = "sid".into();
        config.domain = Some("example.com".into());
        config.path = "/shop".into();
        config.max_age = Some(60);
        config.partitioned = true;
        config.same_site = SameSite::None;
    })
    .unwrap();
    assert_eq!(
        cookie.hand_out(&id(), None, None),
        format!(
            "sid={ID}; Max-Age=60; Domain=example.com; Path=/shop; HttpOnly; Secure; Partitioned; SameSite=None"
        )
    );
    assert_eq!(
        cookie.delete(),
        "sid=deleted; Domain=example.com; Path=/shop; Expires=Thu, 01 Jan 1970 00:00:00 GMT; \
         HttpOnly; Secure; Partitioned; SameSite=None"
    );
}

#[test]
fn empty_attributes_and_same_site_false_are_omitted() {
    let cookie = cookie(|config| {
        config.domain = Some(String::new());
        config.path = String::new();
        config.same_site = SameSite::Omit;
        config.secure = false;
    })
    .unwrap();
    assert_eq!(cookie.hand_out(&id(), None, None), format!("astro-session={ID}; HttpOnly"));
}

#[test]
fn the_host_prefix_is_written_and_read_under_one_name_and_deleted_with_secure() {
    let cookie = cookie(|config| config.host_prefix = true).unwrap();
    assert!(cookie.hand_out(&id(), None, None).starts_with("__Host-astro-session="));
    assert!(cookie.delete().contains("; Secure"));
    let header = HeaderValue::try_from(format!("__Host-astro-session={ID}")).unwrap();
    assert_eq!(cookie.read(&header.into()), Ticket::Id(id()));
}

#[test]
fn the_first_of_duplicate_names_wins() {
    assert_eq!(
        read("a=b; astro-session=0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11; astro-session=x"),
        Ticket::Id(id())
    );
    assert_eq!(
        read("astro-session=x; astro-session=0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11"),
        Ticket::Malformed
    );
}

#[test]
fn a_header_split_in_two_is_read_whole() {
    let mut headers = HeaderMap::new();
    headers.append(header::COOKIE, HeaderValue::from_static("theme=dark"));
    headers.append(header::COOKIE, HeaderValue::try_from(format!("astro-session={ID}")).unwrap());
    assert_eq!(cookie(|_| {}).unwrap().read(&CookieHeaders::from(&headers)), Ticket::Id(id()));
}

#[test]
fn hostile_cookies_are_malformed_and_others_names_are_not_ours() {
    assert_eq!(read("astro-session=../../etc/passwd"), Ticket::Malformed);
    assert_eq!(read("astro-session=\"0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11\""), Ticket::Malformed);
    assert_eq!(read("astro-session=%zz"), Ticket::Malformed);
    assert_eq!(read("astro-session="), Ticket::Malformed);
    assert_eq!(read("astro-session=deleted"), Ticket::Malformed);
    assert_eq!(
        read("my-astro-session=0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11; astro-session"),
        Ticket::Missing
    );
    assert_eq!(read(""), Ticket::Missing);
}

#[test]
fn a_name_that_only_begins_or_ends_like_ours_is_another() {
    for name in
        ["astro-sessions", "astro-sessio", "xastro-session", "ASTRO-SESSION", "astro session"]
    {
        let header = HeaderValue::try_from(format!("{name}={ID}")).unwrap();
        assert_eq!(cookie(|_| {}).unwrap().read(&header.into()), Ticket::Missing, "{name}");
    }
    assert_eq!(
        read("\t astro-session \t= 0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11\t"),
        Ticket::Id(id())
    );
}

#[test]
fn a_name_behind_a_unicode_space_does_not_get_round_the_host_prefix() {
    let cookie = cookie(|config| config.host_prefix = true).unwrap();
    for space in ["\u{85}", "\u{a0}", "\u{2000}", "\u{3000}", "\u{feff}"] {
        let header = format!("{space}__Host-astro-session={ID}");
        let header = HeaderValue::from_bytes(header.as_bytes()).unwrap();
        assert_eq!(cookie.read(&header.into()), Ticket::Missing, "{space:?}");
    }
}

#[test]
fn bytes_that_are_not_utf_8_hide_no_cookie_and_are_no_id() {
    let read = |bytes: &[u8]| {
        cookie(|_| {}).unwrap().read(&HeaderValue::from_bytes(bytes).unwrap().into())
    };
    let beside = [b"a=\xff\xfe; astro-session=".as_slice(), ID.as_bytes()].concat();
    assert_eq!(read(&beside), Ticket::Id(id()));
    assert_eq!(read(b"astro-session=\xff\xfe"), Ticket::Malformed);
    assert_eq!(read(b"astro-session=%ff%fe"), Ticket::Malformed);
}

#[test]
fn a_value_longer_than_an_encoded_id_is_malformed() {
    let encoded: String = ID.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let read = |value: &str| {
        let header = HeaderValue::try_from(format!("astro-session={value}")).unwrap();
        cookie(|_| {}).unwrap().read(&header.into())
    };
    assert_eq!(read(&encoded), Ticket::Id(id()));
    assert_eq!(read(&format!("{encoded}0")), Ticket::Malformed);
    assert_eq!(read(&"0".repeat(1 << 20)), Ticket::Malformed);
}

#[test]
fn a_percent_encoded_id_is_read_as_astro_reads_it() {
    assert_eq!(read("astro-session=%30e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11"), Ticket::Id(id()));
}

#[test]
fn a_cookie_that_browsers_would_refuse_is_an_error_at_start_up() {
    let refused = |change: fn(&mut CookieConfig)| cookie(change).unwrap_err().to_string();
    assert!(refused(|c| c.name = "a b".into()).contains("cookie.name"));
    assert!(refused(|c| c.name = "a".repeat(4096)).contains("4096"));
    assert!(refused(|c| c.max_age = Some(401 * 86_400)).contains("cookie.maxAge"));
    assert!(refused(|c| c.max_age = Some(0)).contains("cookie.maxAge"));
    assert!(refused(|c| c.path = "shop".into()).contains("cookie.path"));
    assert!(refused(|c| c.domain = Some("a;b".into())).contains("cookie.domain"));
    assert!(
        refused(|c| {
            c.same_site = SameSite::None;
            c.secure = false
        })
        .contains("cookie.secure")
    );
    assert!(
        refused(|c| {
            c.host_prefix = true;
            c.secure = false
        })
        .contains("cookie.secure")
    );
    assert!(
        refused(|c| {
            c.host_prefix = true;
            c.path = "/shop".into()
        })
        .contains("cookie.path")
    );
    assert!(
        refused(|c| {
            c.name = "__host-x".into();
            c.domain = Some("a.b".into())
        })
        .contains("cookie.domain")
    );
    assert!(
        refused(|c| {
            c.partitioned = true;
            c.secure = false
        })
        .contains("partitioned")
    );
}
