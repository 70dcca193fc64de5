//! An Astro site over the same store, as its `AstroSession` behaves: it reads the whole record, writes the whole record
//! over whatever is there, without a ttl, and sends its cookie with each set.

use std::rc::Rc;

use cloakroom_storage::{Driver, ItemKey, When};

use crate::browser;
use crate::content::{Content, Entry};
use crate::history::{Operation, Request};
use crate::store::SimulatedDriver;
use crate::trace::{Owner, Sent, What};
use crate::world::{self, BEGINNING};

struct Astro {
    driver: Rc<SimulatedDriver>,
    id: Option<String>,
    /// The ID came in a cookie, and was not looked up.
    is_partial: bool,
    content: Content,
    is_dirty: bool,
    to_remove: Vec<String>,
    sent: Option<Sent>,
}

/// Sends a request to the Astro site.
pub(crate) async fn serve(plan: Rc<Request>, driver: Rc<SimulatedDriver>) {
    world::sleep_until(plan.start).await;
    let presented =
        world::with(|world| world.browsers[plan.browser].carries(plan.cookies, world.now));
    let id = presented.first().map(|id| world::with(|world| world.ids[id.0].clone()));
    world::note(What::Began(presented));
    let content = Content { entries: Vec::new(), created: None, is_tombstone: false };
    let is_partial = id.is_some();
    let (to_remove, sent) = (Vec::new(), None);
    let mut astro = Astro { driver, id, is_partial, content, is_dirty: false, to_remove, sent };
    for operation in &plan.program {
        astro.step(operation).await;
    }
    let saved = astro.persist().await;
    let (sent, owner) = (astro.sent, Owner { machine: None, ..world::owner() });
    if let (Some(()), Some(latency)) = (saved, plan.answer) {
        let browser = plan.browser;
        world::spawn(owner, async move {
            world::sleep(latency).await;
            browser::deliver(browser, sent.map(|sent| (sent, None)));
        });
    }
}

impl Astro {
    async fn step(&mut self, operation: &Operation) {
        match operation {
            Operation::Get(_) | Operation::Has(_) | Operation::Keys | Operation::Peek(_) => {
                self.load().await;
            }
            Operation::Set(key) | Operation::SetFor(key, _) => {
                let tags = vec![world::with(|world| world.tag())];
                self.content.entries.retain(|entry| entry.key != *key);
                self.content.entries.push(Entry { key: *key, tags, expires: None });
                self.hand_out();
                self.is_dirty = true;
            }
            Operation::Delete(key) => {
                self.load().await;
                self.content.entries.retain(|entry| entry.key != *key);
                self.is_dirty = true;
            }
            Operation::Regenerate => {
                self.load().await;
                self.to_remove.extend(self.id.take());
                self.is_dirty = true;
                self.hand_out();
            }
            Operation::Destroy => {
                self.to_remove.extend(self.id.take());
                self.content.entries.clear();
                self.is_dirty = false;
                self.sent = Some(Sent::Deletion);
            }
            Operation::Pause(time) => world::sleep(*time).await,
            _ => {}
        }
    }

    fn hand_out(&mut self) {
        let id = self.id.get_or_insert_with(new_id).clone();
        self.sent = Some(Sent::Id(world::with(|world| world.id(&id))));
    }

    /// Merges what is stored into what was set; an ID that names nothing is never taken over.
    async fn load(&mut self) -> Option<()> {
        if !std::mem::take(&mut self.is_partial) {
            return Some(());
        }
        let Some(id) = &self.id else { return Some(()) };
        let item = self.driver.get(&ItemKey::new(id).ok()?).await.ok()?;
        let stored = item.and_then(|item| Content::read(&item.value));
        // It reads a tombstone as zero, which is nothing.
        let stored = stored.filter(|stored| !stored.is_tombstone);
        let Some(stored) = stored else {
            self.id = None;
            if self.sent.is_some() {
                self.hand_out();
            }
            return Some(());
        };
        let now = (BEGINNING + world::with(|world| world.now)).as_millis() as f64;
        self.content.created = stored.created;
        for entry in stored.entries.into_iter().filter(|entry| entry.is_alive(now)) {
            if self.content.entry(entry.key).is_none() {
                self.content.entries.push(entry);
            }
        }
        Some(())
    }

    /// `None` where it failed, and the response with it.
    async fn persist(&mut self) -> Option<()> {
        if self.is_dirty {
            self.load().await?;
        }
        for id in std::mem::take(&mut self.to_remove) {
            self.driver.remove(&ItemKey::new(&id).ok()?, When::Always).await.ok()?;
        }
        if self.is_dirty {
            self.hand_out();
            let id = self.id.clone().unwrap_or_default();
            let key = ItemKey::new(&id).ok()?;
            let written = self.driver.set(&key, self.content.write(), When::Always, None).await;
            let _written = written.ok()?;
        }
        Some(())
    }
}

fn new_id() -> String {
    let mut bytes = [0; 16];
    world::with(|world| world.random.fill(&mut bytes));
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}
