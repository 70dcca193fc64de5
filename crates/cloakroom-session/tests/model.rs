//! Any sequence of calls in any sequence of requests does what a plain ordered map would.

#![allow(clippy::unwrap_used)]

mod common;

use cloakroom_session::{Session, SessionId};
use common::Site;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Set(&'static str, u8),
    Delete(&'static str),
    Get(&'static str),
    Has(&'static str),
    Take(&'static str),
    Update(&'static str),
    Keys,
    Regenerate,
    Destroy,
    Save,
    NextRequest,
}

fn step() -> impl Strategy<Value = Step> {
    let key = prop::sample::select(vec!["cart", "user", "theme"]);
    prop_oneof![
        4 => (key.clone(), any::<u8>()).prop_map(|(key, value)| Step::Set(key, value)),
        2 => key.clone().prop_map(Step::Delete),
        2 => key.clone().prop_map(Step::Get),
        1 => key.clone().prop_map(Step::Has),
        1 => key.clone().prop_map(Step::Take),
        1 => key.prop_map(Step::Update),
        1 => Just(Step::Keys),
        1 => Just(Step::Regenerate),
        1 => Just(Step::Destroy),
        1 => Just(Step::Save),
        4 => Just(Step::NextRequest),
    ]
}

/// JavaScript's `Map`, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model(Vec<(&'static str, u8)>);

impl Model {
    fn get(&self, key: &str) -> Option<u8> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    fn set(&mut self, key: &'static str, value: u8) {
        match self.0.iter_mut().find(|(name, _)| *name == key) {
            Some(entry) => entry.1 = value,
            None => self.0.push((key, value)),
        }
    }

    fn delete(&mut self, key: &str) {
        self.0.retain(|(name, _)| *name != key);
    }

    fn keys(&self) -> Vec<&'static str> {
        self.0.iter().map(|(key, _)| *key).collect()
    }
}

async fn run(steps: &[Step]) {
    let site = Site::new().await;
    let mut model = Model::default();
    let mut cookie: Option<SessionId> = None;
    let mut session = site.visitor();
    for step in steps {
        match *step {
            Step::Set(key, value) => {
                session.set(key, &value).unwrap();
                model.set(key, value);
            }
            Step::Delete(key) => {
                session.delete(key);
                model.delete(key);
            }
            Step::Get(key) => assert_eq!(session.get::<u8>(key).await.unwrap(), model.get(key)),
            Step::Has(key) => assert_eq!(session.has(key).await.unwrap(), model.get(key).is_some()),
            Step::Take(key) => {
                assert_eq!(session.take::<u8>(key).await.unwrap(), model.get(key));
                model.delete(key);
            }
            Step::Update(key) => {
                let next = |value: u8| value.wrapping_add(1);
                let updated =
                    session.update(key, |value: &mut u8| *value = next(*value)).await.unwrap();
                model.set(key, next(model.get(key).unwrap_or_default()));
                assert_eq!(Some(updated), model.get(key));
            }
            Step::Keys => assert_eq!(session.keys().await.unwrap(), model.keys()),
            Step::Regenerate => session.regenerate().await.unwrap(),
            Step::Destroy => {
                session.destroy();
                model = Model::default();
            }
            Step::Save => session.save().await.unwrap(),
            Step::NextRequest => {
                cookie = finish(&session, cookie).await;
                session = request(&site, cookie);
            }
        }
    }
    cookie = finish(&session, cookie).await;
    assert_eq!(request(&site, cookie).keys().await.unwrap(), model.keys());
    assert!(site.records().await <= 1, "one session leaves one record at most");
    if cookie.is_none() {
        assert_eq!(site.records().await, 0, "no cookie names what is left in the store");
    }
}

/// What the browser holds after the response.
async fn finish(session: &Session, cookie: Option<SessionId>) -> Option<SessionId> {
    match session.finish().await.unwrap().set_cookie {
        None => cookie,
        Some(header) if header.starts_with("astro-session=deleted;") => None,
        Some(header) => SessionId::parse(&header["astro-session=".len()..][..36]),
    }
}

fn request(site: &Site, cookie: Option<SessionId>) -> Session {
    match cookie {
        Some(id) => site.request(id),
        None => site.visitor(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_session_is_a_map(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(run(&steps));
    }
}
