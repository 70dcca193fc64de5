//! Runs a history.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_session::{Config, Sessions};
use cloakroom_storage::{DriverExt, DynDriver};

use crate::astro;
use crate::executor::{Ending, Executor};
use crate::history::{History, Request, Setup, Site};
use crate::operator;
use crate::random::Random;
use crate::request;
use crate::store::{SimulatedDriver, Store};
use crate::trace::{Owner, Trace, What};
use crate::world::{self, World};

/// How long a call of the library's own deadline takes, where it stands around the store.
const DEADLINE: Duration = Duration::from_millis(200);

/// How often the library's own retries try again, where they stand around the store.
const RETRIES: u32 = 2;

/// How far the idle deadline moves at least, for it to be worth a call.
pub(crate) const TOUCH_INTERVAL: Duration = Duration::from_secs(1);

/// Runs a history, and says what happened.
pub fn run(history: &History) -> Trace {
    let mut random = Random::new(history.schedule);
    let store = Store::new(&history.setup, history.faults.clone(), history.requests.len());
    let browsers = history.requests.iter().map(|request| request.browser + 1).max().unwrap_or(0);
    let seed = random.number();
    let world = World::new(seed, store, history.setup.skews.clone(), browsers);
    let entered = world::begin(world);
    let listening = operator::listen();
    let mut executor = Executor::new(random.split(), history.deaths.clone());
    let machines = machines(&history.setup);
    for (number, plan) in history.requests.iter().enumerate() {
        begin(number, plan, history, &machines);
    }
    let ending = executor.run();
    world::with(|world| world.running = Owner { request: usize::MAX, machine: None });
    world::note(What::Quiet);
    executor.drop_all();
    drop(machines);
    drop(listening);
    let world = world::end();
    drop(entered);
    let (hung, is_endless) = match ending {
        Ending::Quiet { hung } => (hung, false),
        Ending::Endless => (0, true),
    };
    let mut events = world.events;
    let quiet = events.iter().position(|event| matches!(event.what, What::Quiet));
    events.truncate(quiet.map_or(events.len(), |quiet| quiet + 1));
    Trace { history: history.clone(), events, hung, is_endless }
}

/// The site on each machine.
fn machines(setup: &Setup) -> Vec<Rc<Sessions>> {
    let mut config = Config::new("simulated");
    config.sweep_interval = None;
    config.ttl = setup.ttl;
    config.idle = setup.idle;
    config.absolute = setup.absolute;
    config.cookie.max_age = setup.max_age;
    config.touch_interval = setup.idle.map(|_| TOUCH_INTERVAL);
    let sessions = setup.skews.iter().map(|_| {
        let sessions = Sessions::with_driver(driver(setup), &config);
        Rc::new(sessions.expect("a configuration that the generator made is usable"))
    });
    sessions.collect()
}

fn driver(setup: &Setup) -> DynDriver {
    let driver = simulated(setup);
    match setup.is_wrapped {
        true => Arc::new(driver.with_retries(RETRIES).with_timeout(DEADLINE)),
        false => Arc::new(driver),
    }
}

fn simulated(setup: &Setup) -> SimulatedDriver {
    SimulatedDriver { compares: setup.compares, expires: setup.expires }
}

fn begin(number: usize, plan: &Request, history: &History, machines: &[Rc<Sessions>]) {
    let owner = Owner { request: number, machine: Some(plan.machine) };
    let plan = Rc::new(plan.clone());
    match plan.site {
        Site::Cloakroom => {
            let sessions = Rc::clone(&machines[plan.machine]);
            world::spawn(owner, request::serve(plan, sessions));
        }
        Site::Astro => {
            let driver = Rc::new(simulated(&history.setup));
            world::spawn(owner, astro::serve(plan, driver));
        }
    }
}
