//! Any sequence of calls in any sequence of requests does what a plain ordered map would.

use crate::common::Site;
use cloakroom_session::adapter::Commit;
use cloakroom_session::{Session, SessionId};
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

/// JavaScript's `Map`, as far as it matters here, and Astro's way of loading one: what is stored is merged into
/// what a request has set before.
#[derive(Clone, Debug, Default)]
struct Model {
    memory: Vec<(&'static str, u8)>,
    /// What the store has, until it is loaded.
    stored: Option<Vec<(&'static str, u8)>>,
}

impl Model {
    fn load(&mut self) {
        for (key, value) in self.stored.take().unwrap_or_default() {
            if !self.memory.iter().any(|(name, _)| *name == key) {
                self.memory.push((key, value));
            }
        }
    }

    fn get(&mut self, key: &str) -> Option<u8> {
        self.load();
        self.memory.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    fn set(&mut self, key: &'static str, value: u8) {
        match self.memory.iter_mut().find(|(name, _)| *name == key) {
            Some(entry) => entry.1 = value,
            None => self.memory.push((key, value)),
        }
    }

    fn delete(&mut self, key: &'static str) {
        for entries in [Some(&mut self.memory), self.stored.as_mut()].into_iter().flatten() {
            entries.retain(|(name, _)| *name != key);
        }
    }

    fn keys(&mut self) -> Vec<&'static str> {
        self.load();
        self.memory.iter().map(|(key, _)| *key).collect()
    }

    fn save(&mut self) {
        // It answers for the store, so that it asks, whether or not anything has changed.
        self.load();
    }

    fn next_request(&mut self, cookie: bool) {
        self.load();
        if cookie {
            self.stored = Some(std::mem::take(&mut self.memory));
        }
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
                let value = model.get(key);
                assert_eq!(session.take::<u8>(key).await.unwrap(), value);
                if value.is_some() {
                    model.delete(key);
                }
            }
            Step::Update(key) => {
                let next = |value: u8| value.wrapping_add(1);
                model.load();
                let updated =
                    session.update(key, |value: &mut u8| *value = next(*value)).await.unwrap();
                let value = next(model.get(key).unwrap_or_default());
                model.set(key, value);
                assert_eq!(Some(updated), model.get(key));
            }
            Step::Keys => assert_eq!(session.keys().await.unwrap(), model.keys()),
            Step::Regenerate => {
                session.regenerate().await.unwrap();
                model.load();
            }
            Step::Destroy => {
                session.destroy();
                model = Model::default();
            }
            Step::Save => {
                session.save().await.unwrap();
                model.save();
            }
            Step::NextRequest => {
                cookie = finish(&session, cookie).await;
                session = request(&site, cookie);
                model.next_request(cookie.is_some());
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
