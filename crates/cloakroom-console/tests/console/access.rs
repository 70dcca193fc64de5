//! Who is let in, where the console itself decides that.

use crate::support::*;

#[tokio::test]
async fn without_the_token_there_is_a_form_for_it_and_nothing_else() {
    let site = site();
    let id = signed_in(&site, "ann", |_| ()).await;
    let app = console(site.sessions()).token("a long random text").into_router();
    let calls = site.store().calls();
    for path in ["/", "/sessions", "/principal?name=ann", &page_of(id), "/nowhere"] {
        let answer = get(&app, path).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer"), "{path}");
        assert!(
            answer.text.contains("type=\"password\"") && !answer.text.contains("ann"),
            "{path}"
        );
    }
    let refused = post(&app, &format!("{}/revoke", page_of(id)), &[OWN], "").await;
    assert_eq!(refused.status, 401);
    for wrong in ["Bearer wrong", "Bearer ", "Basic a long random text"] {
        let answer = call(&app, request("GET", "/", &[("authorization", wrong)], "")).await;
        assert_eq!(answer.status, 401, "{wrong}");
    }
    assert_eq!(site.store().calls(), calls);
    let bearer = ("authorization", "Bearer a long random text");
    let answer = call(&app, request("GET", "/", &[bearer], "")).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn who_gives_the_token_gets_a_cookie_that_is_not_the_token_and_ends_with_the_sign_out() {
    let site = site();
    let app = console(site.sessions()).token("a long random text").into_router();
    let wrong = post(&app, "/sign-in", &[OWN], "token=a+long").await;
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, ""));
    wrong.has(&["This is not the token", "aria-invalid"]);
    let forged =
        post(&app, "/sign-in", &[("sec-fetch-site", "cross-site")], "token=a+long+random+text")
            .await;
    assert_eq!((forged.status, forged.header("set-cookie")), (403, ""));

    let right = post(&app, "/sign-in", &[OWN], "token=a+long+random+text").await;
    assert_eq!((right.status, right.header("location")), (303, "overview"));
    let cookie = right.header("set-cookie");
    assert!(cookie.contains("HttpOnly; SameSite=Strict") && !cookie.contains("Secure"), "{cookie}");
    assert!(!cookie.contains("random"), "{cookie}");
    let another = post(&app, "/sign-in", &[OWN], "token=a+long+random+text").await;
    assert_ne!(another.header("set-cookie"), cookie);
    let secure = [OWN, ("origin", "https://localhost:3998")];
    let secure = post(&app, "/sign-in", &secure, "token=a+long+random+text").await;
    assert!(secure.header("set-cookie").contains("; Secure"));

    let cookie = cookie.split(';').next().unwrap();
    let browser = [("cookie", cookie)];
    let page = call(&app, request("GET", "/sessions", &browser, "")).await;
    assert_eq!(page.status, 200);
    page.has(&["Sign out"]);
    let cut = [("cookie", &cookie[..cookie.len() - 1])];
    assert_eq!(call(&app, request("GET", "/sessions", &cut, "")).await.status, 401);
    let out = post(&app, "/sign-out", &[OWN, browser[0]], "").await;
    assert_eq!(out.status, 303);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(call(&app, request("GET", "/sessions", &browser, "")).await.status, 401);
}

#[tokio::test]
async fn a_browser_may_be_signed_in_to_two_consoles_of_a_host() {
    let site = site();
    let consoles =
        [(); 2].map(|()| console(site.sessions()).token("a long random text").into_router());
    let mut names = Vec::new();
    for app in &consoles {
        let answer = post(app, "/sign-in", &[OWN], "token=a+long+random+text").await;
        names.push(answer.header("set-cookie").split('=').next().unwrap().to_owned());
    }
    assert_ne!(names[0], names[1]);
}

#[tokio::test]
async fn on_the_loopback_it_answers_to_the_loopbacks_names_alone() {
    let site = site();
    let app = console(site.sessions()).local_hosts_only().into_router();
    for (host, expected) in [
        ("localhost:3998", 200),
        ("127.0.0.1:3998", 200),
        ("[::1]:3998", 200),
        ("rebound.example:3998", 421),
    ] {
        let answer = call(&app, request("GET", "/", &[("host", host)], "")).await;
        assert_eq!(answer.status, expected, "{host}");
    }
}
