//! Where one is logged in, and how that is ended from elsewhere.

use axum::http::{HeaderValue, StatusCode};
use cloakroom::adapter::Commit;
use cloakroom::{Config, CookieHeaders};
use shop::session::{USER, User};

use crate::support::{Client, Process, Shop, from_config, in_memory, on_files, sessions_in_memory};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0";
const PHONE: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile \
                     Safari/537.36";

const END: &str = "/devices?_action=account.endDevice";
const END_OTHERS: &str = "/devices?_action=account.endOtherDevices";

/// A browser in which somebody has logged in.
async fn logged_in(shop: &Shop, agent: &'static str, name: &str) -> Client {
    let mut client = Client::with_agent(shop.clone(), agent);
    assert_eq!(client.log_in(name).await.header("location"), Some("/"));
    client
}

/// What the buttons of this page send, one for each other device.
fn handles(page: &str) -> Vec<String> {
    let fields = page.split(r#"name="device" value=""#).skip(1);
    fields.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

async fn is_logged_in(client: &mut Client) -> bool {
    client.get("/login").await.text.contains("Hello, Ada")
}

#[tokio::test]
async fn each_device_is_listed_with_its_browser_and_when_this_one_first() {
    let shop = in_memory().await;
    let mut laptop = logged_in(&shop, FIREFOX, "Ada").await;
    assert!(laptop.get("/login").await.text.contains(r#"<a href="/devices">"#));
    let alone = laptop.get("/devices").await.text;
    assert!(alone.contains("Firefox on Linux") && alone.contains("This device"));
    assert!(!alone.contains("Log out everywhere else"), "there is nowhere else");

    logged_in(&shop, PHONE, "Ada").await;
    logged_in(&shop, PHONE, "Eve").await;
    let page = laptop.get("/devices").await.text;
    let (this, other) = page.split_once("This device").unwrap();
    assert!(this.contains("Firefox on Linux") && other.contains("Chrome on Android"));
    assert!(this.contains("Logged in <time datetime=\"20") && other.contains("Logged in <time"));
    assert_eq!(page.matches("Chrome on Android</p>").count(), 1, "not Eve's");
    assert_eq!(handles(&page).len(), 1, "this device has no button");
    assert!(!page.contains(laptop.id.as_deref().unwrap()), "no ID is shown");
}

#[tokio::test]
async fn when_a_device_was_last_used_is_shown_where_sessions_end_idle() {
    let mut config = Config::new("memory");
    config.idle = Some(std::time::Duration::from_secs(86_400));
    let shop = from_config(config).await;
    let mut laptop = logged_in(&shop, FIREFOX, "Ada").await;
    logged_in(&shop, PHONE, "Ada").await;
    assert!(laptop.get("/devices").await.text.contains("Last used <time datetime=\"20"));
}

#[tokio::test]
async fn a_device_that_is_logged_out_says_so_and_logs_in_again_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let shop = on_files(folder.path()).await;
    let mut laptop = logged_in(&shop, FIREFOX, "Ada").await;
    let mut phone = logged_in(&shop, PHONE, "Ada").await;
    phone.add_to_cart("felt-hat").await;

    let handle = &handles(&laptop.get("/devices").await.text)[0];
    let answer = laptop.post_form(END, &format!("device={handle}")).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, Some("/devices"))
    );
    let page = laptop.get("/devices").await.text;
    assert!(page.contains("That device is logged out.") && !page.contains("Chrome on Android"));
    assert!(is_logged_in(&mut laptop).await);

    let page = phone.get("/").await.text;
    assert!(page.contains("You have been logged out here") && !page.contains("Ada"));
    assert_eq!(phone.get("/devices").await.header("location"), Some("/login"));
    let answer = phone.post_form("/cart?_action=cart.add", "item=felt-hat").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(phone.cart().await.is_empty(), "nothing is kept in a session that was ended");

    phone.log_in("Ada").await;
    let page = phone.get("/").await.text;
    assert!(page.contains("Hello, Ada.") && !page.contains("You have been logged out here"));
    assert!(page.contains("🛒 0 items"), "nothing of the old session is there");
    assert!(laptop.get("/devices").await.text.contains("Chrome on Android"));
}

#[tokio::test]
async fn a_script_of_a_device_that_was_logged_out_is_told() {
    let shop = in_memory().await;
    let mut laptop = logged_in(&shop, FIREFOX, "Ada").await;
    let mut phone = logged_in(&shop, PHONE, "Ada").await;
    laptop.post_form(END_OTHERS, "").await;
    assert_eq!(phone.add_to_cart("felt-hat").await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn logging_out_everywhere_else_leaves_this_device_alone() {
    let shop = in_memory().await;
    let mut laptop = logged_in(&shop, FIREFOX, "Ada").await;
    let mut others = [logged_in(&shop, PHONE, "Ada").await, logged_in(&shop, "", "Ada").await];
    let mut eve = logged_in(&shop, PHONE, "Eve").await;

    let page = laptop.get("/devices").await.text;
    assert!(page.contains("Log out everywhere else") && page.contains("An unknown browser"));
    assert_eq!(laptop.post_form(END_OTHERS, "").await.header("location"), Some("/devices"));
    let page = laptop.get("/devices").await.text;
    assert!(page.contains("2 other devices are logged out.") && handles(&page).is_empty());
    for other in &mut others {
        assert!(!is_logged_in(other).await);
    }
    assert!(is_logged_in(&mut laptop).await);
    assert!(eve.get("/login").await.text.contains("Hello, Eve"));

    laptop.post_form(END_OTHERS, "").await;
    assert!(laptop.get("/devices").await.text.contains("There was no other device"));
}

#[tokio::test]
async fn a_device_that_is_no_more_was_logged_out_already() {
    let shop = in_memory().await;
    let mut laptop = logged_in(&shop, FIREFOX, "Ada").await;
    logged_in(&shop, PHONE, "Ada").await;
    let handle = handles(&laptop.get("/devices").await.text).remove(0);
    laptop.post_form(END, &format!("device={handle}")).await;
    laptop.get("/devices").await;

    for handle in [&*handle, "0000000000000000", "nonsense"] {
        let answer = laptop.post_form(END, &format!("device={handle}")).await;
        assert_eq!(answer.header("location"), Some("/devices"), "{handle}");
        let page = laptop.get("/devices").await.text;
        assert!(page.contains("That device was logged out already."), "{handle}");
    }
}

#[tokio::test]
async fn nobody_ends_a_device_of_somebody_else() {
    let shop = in_memory().await;
    let mut laptop = logged_in(&shop, FIREFOX, "Ada").await;
    let mut phone = logged_in(&shop, PHONE, "Ada").await;
    let form = format!("device={}", handles(&laptop.get("/devices").await.text)[0]);

    let mut eve = logged_in(&shop, FIREFOX, "Eve").await;
    eve.post_form(END, &form).await;
    assert!(eve.get("/devices").await.text.contains("That device was logged out already."));
    let mut nobody = Client::new(shop.clone());
    for (action, form) in [(END, &*form), (END_OTHERS, "")] {
        nobody.post_form(action, form).await;
        assert_eq!(nobody.get("/devices").await.header("location"), Some("/login"));
    }
    assert!(is_logged_in(&mut phone).await);
}

#[tokio::test]
async fn a_device_that_ends_itself_is_logged_out() {
    let shop = in_memory().await;
    let mut laptop = logged_in(&shop, FIREFOX, "Ada").await;
    let mut phone = logged_in(&shop, PHONE, "Ada").await;
    let form = format!("device={}", handles(&laptop.get("/devices").await.text)[0]);
    assert_eq!(phone.post_form(END, &form).await.status, StatusCode::SEE_OTHER);
    assert!(!is_logged_in(&mut phone).await);
    assert!(is_logged_in(&mut laptop).await);
}

#[tokio::test]
async fn a_fourth_device_logs_out_the_oldest() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &[]).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(logged_in(&process.shop(), FIREFOX, "Ada").await);
    }
    let mut logged_in = Vec::new();
    for client in &mut clients {
        logged_in.push(is_logged_in(client).await);
    }
    assert_eq!(logged_in, [false, true, true, true]);
    assert!(clients[0].get("/").await.text.contains("by logging in on too many"));
    assert_eq!(handles(&clients[3].get("/devices").await.text).len(), 2);
}

#[tokio::test]
async fn a_log_in_that_is_refused_leaves_nobody_logged_in() {
    let mut config = Config::new("memory");
    config.max_sessions = Some(1);
    config.when_full = cloakroom::WhenFull::Refuse;
    let shop = from_config(config).await;
    let mut laptop = logged_in(&shop, FIREFOX, "Ada").await;
    let mut phone = Client::new(shop);
    phone.add_to_cart("felt-hat").await;
    assert_eq!(phone.log_in("Ada").await.header("location"), Some("/login"));
    assert!(phone.get("/login").await.text.contains("as many sessions as there may be"));
    assert!(!is_logged_in(&mut phone).await);
    assert_eq!(phone.cart().await, ["felt-hat"]);
    assert!(is_logged_in(&mut laptop).await);
}

#[tokio::test]
async fn a_log_in_on_another_site_that_shares_the_session_is_a_device_too() {
    let sessions = sessions_in_memory().await;
    let shop = Shop::Here(shop::app(sessions.clone()));
    let mut laptop = logged_in(&shop, FIREFOX, "Ada").await;
    let mut phone = Client::with_agent(shop, PHONE);
    phone.add_to_cart("felt-hat").await;
    // What an Astro site does that knows nothing of devices.
    let cookie = format!("astro-session={}", phone.id.as_deref().unwrap());
    let session = sessions.session(CookieHeaders::from(HeaderValue::from_str(&cookie).unwrap()));
    session.regenerate().await.unwrap();
    session.set(USER, &User { name: "Ada".to_owned() }).unwrap();
    _ = session.finish().await.unwrap();
    phone.id = session.id().map(|id| id.to_string());
    assert!(is_logged_in(&mut phone).await);

    let page = laptop.get("/devices").await.text;
    assert!(page.contains("A browser elsewhere"));
    laptop.post_form(END, &format!("device={}", handles(&page)[0])).await;
    assert!(!is_logged_in(&mut phone).await);
}

#[tokio::test]
async fn logged_out_at_one_process_is_logged_out_at_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let shops =
        [Process::start(folder.path(), &[]).await, Process::start(folder.path(), &[]).await];
    let mut laptop = logged_in(&shops[0].shop(), FIREFOX, "Ada").await;
    let mut phone = logged_in(&shops[1].shop(), PHONE, "Ada").await;
    assert!(is_logged_in(&mut phone).await);

    let page = laptop.get("/devices").await.text;
    assert!(page.contains("Chrome on Android"));
    laptop.post_form(END, &format!("device={}", handles(&page)[0])).await;
    assert!(!is_logged_in(&mut phone).await);
    assert!(is_logged_in(&mut laptop.at(&shops[1].shop())).await);
}
