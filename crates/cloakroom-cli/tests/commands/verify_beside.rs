//! A store is repaired while servers use it: nobody is logged out by it, nobody comes back, and nobody is listed twice.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use cloakroom_session::adapter::Commit as _;
use cloakroom_session::{CookieHeaders, Session, SessionId, Sessions};
use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use http::HeaderValue;

use crate::support::{Ran, Site};

/// How many people sign in and out at once, each a principal.
const PEOPLE: usize = 6;

/// How often the store is repaired meanwhile.
const REPAIRS: usize = 4;

/// Somebody who knows of each of his sessions what became of it.
struct Person {
    name: String,
    alive: Vec<SessionId>,
    ended: Vec<SessionId>,
}

impl Person {
    /// The session of a browser that has this ID.
    fn session(sessions: &Sessions, id: SessionId) -> Session {
        let cookie = HeaderValue::from_str(&format!("astro-session={id}")).unwrap();
        sessions.session(CookieHeaders::from(cookie))
    }

    async fn sign_in(&mut self, sessions: &Sessions) {
        let session = sessions.session(CookieHeaders::default());
        session.set("cart", &["hat"]).unwrap();
        session.sign_in(&self.name).await.unwrap();
        session.finish().await.unwrap();
        self.alive.push(session.id().unwrap());
    }

    /// Gets a new ID, as with each change of what somebody may do.
    async fn moves(&mut self, sessions: &Sessions) {
        let id = self.alive.remove(0);
        let session = Person::session(sessions, id);
        session.regenerate().await.unwrap();
        session.finish().await.unwrap();
        self.alive.push(session.id().unwrap());
        self.ended.push(id);
    }

    async fn leaves(&mut self, sessions: &Sessions) {
        let id = self.alive.remove(0);
        let session = Person::session(sessions, id);
        session.destroy();
        session.finish().await.unwrap();
        self.ended.push(id);
    }

    async fn is_revoked(&mut self, sessions: &Sessions) {
        // A repair may be faster with some of them, which are not counted then.
        let revoked = sessions.of(&self.name).revoke_all().await.unwrap();
        assert!(revoked <= self.alive.len(), "{}: {revoked}", self.name);
        self.ended.append(&mut self.alive);
    }

    async fn lives(mut self, sessions: Sessions, is_over: &AtomicBool) -> Person {
        let mut turn = 0;
        while !is_over.load(Ordering::SeqCst) {
            turn += 1;
            self.sign_in(&sessions).await;
            self.sign_in(&sessions).await;
            self.moves(&sessions).await;
            match turn % 4 {
                0 => self.is_revoked(&sessions).await,
                _ => self.leaves(&sessions).await,
            }
            let listed = sessions.of(&self.name).count().await.unwrap();
            assert_eq!(listed, self.alive.len(), "{}, turn {turn}", self.name);
        }
        self
    }
}

/// The faults of which there was none.
fn false_faults(ran: &Ran) -> Vec<String> {
    let mut lines = ran.json();
    lines.pop();
    let names = lines.iter().map(|line| line["fault"].as_str().unwrap().to_owned());
    // Entries do outlive their sessions, and an end may be under way.
    names.filter(|name| !["outlived", "unfinished"].contains(&name.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_repair_costs_nobody_a_session_and_brings_none_back() {
    for (store, site) in Site::on_each().await {
        let is_over = AtomicBool::new(false);
        let people = join_all((0..PEOPLE).map(async |number| {
            let person =
                Person { name: format!("person {number}"), alive: Vec::new(), ended: Vec::new() };
            person.lives(site.sessions().await, &is_over).await
        }));
        let repairs = async {
            for _ in 0..REPAIRS {
                let mut command = site.command(&["verify", "--repair", "--json"]);
                let output = tokio::task::spawn_blocking(move || command.output().unwrap());
                let ran = Ran::from(output.await.unwrap());
                assert_eq!(false_faults(&ran), Vec::<String>::new(), "{store}: {}", ran.output);
                assert_eq!(ran.code, 0, "{store}: {}{}", ran.output, ran.errors);
            }
            is_over.store(true, Ordering::SeqCst);
        };
        let (people, ()) = futures_util::join!(people, repairs);

        let sessions = site.sessions().await;
        let all: Vec<_> = sessions.all().list().unwrap().try_collect().await.unwrap();
        let alive: usize = people.iter().map(|person| person.alive.len()).sum();
        assert_eq!(all.len(), alive, "{store}");
        for person in people {
            let listed = sessions.of(&person.name).list().await.unwrap();
            let handles: HashSet<_> = listed.iter().map(|session| session.handle()).collect();
            assert_eq!(
                (listed.len(), handles.len()),
                (person.alive.len(), person.alive.len()),
                "{store}"
            );
            for id in person.alive {
                assert!(site.is_alive(id).await, "{store}: {} was logged out", person.name);
            }
            for id in person.ended {
                assert!(!site.is_alive(id).await, "{store}: {} is back", person.name);
            }
        }
    }
}
