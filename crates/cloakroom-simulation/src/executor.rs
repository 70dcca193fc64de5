//! One thread that runs all tasks of all machines, in an order that the seed decides.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use crate::history::Death;
use crate::random::Random;
use crate::trace::{Owner, What};
use crate::world::{self, Task};

/// So many steps make a history that has no end.
const MOST_STEPS: usize = 5_000;

/// Runs the tasks of a history.
pub(crate) struct Executor {
    tasks: Vec<Option<Running>>,
    ready: Ready,
    schedule: Random,
    /// The next one last.
    deaths: Vec<Death>,
}

/// The places of the tasks that were woken.
type Ready = Arc<Mutex<Vec<usize>>>;

struct Running {
    owner: Owner,
    task: Task,
    woken: Arc<Woken>,
    waker: Waker,
}

/// Puts its task among the ready ones, once.
struct Woken {
    place: usize,
    is_ready: AtomicBool,
    ready: Ready,
}

/// How a history ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing is left to be done, but for so many tasks that wait for what never comes.
    Quiet { hung: usize },
    /// It does not end.
    Endless,
}

impl Executor {
    pub(crate) fn new(schedule: Random, mut deaths: Vec<Death>) -> Executor {
        deaths.sort_by_key(|death| std::cmp::Reverse(death.at));
        Executor { tasks: Vec::new(), ready: Ready::default(), schedule, deaths }
    }

    /// Runs everything until nothing is left to be done.
    pub(crate) fn run(&mut self) -> Ending {
        for _ in 0..MOST_STEPS {
            self.take_spawned();
            self.bury();
            match self.next_ready() {
                Some(place) => self.poll(place),
                None => {
                    if !self.advance() {
                        let hung = self.tasks.iter().flatten().count();
                        return Ending::Quiet { hung };
                    }
                }
            }
        }
        Ending::Endless
    }

    /// Drops what is left, as the end of the world does: nothing of it goes on.
    pub(crate) fn drop_all(&mut self) {
        world::with(|world| world.dead.fill(true));
        let tasks = std::mem::take(&mut self.tasks);
        drop(tasks);
        let spawned = world::with(|world| std::mem::take(&mut world.spawned));
        drop(spawned);
        let timers = world::with(|world| std::mem::take(&mut world.timers));
        drop(timers);
    }

    fn take_spawned(&mut self) {
        for (owner, task) in world::with(|world| std::mem::take(&mut world.spawned)) {
            let place = self.tasks.len();
            let ready = Arc::clone(&self.ready);
            let woken = Arc::new(Woken { place, is_ready: AtomicBool::new(false), ready });
            let waker = Waker::from(Arc::clone(&woken));
            waker.wake_by_ref();
            self.tasks.push(Some(Running { owner, task, woken, waker }));
        }
    }

    /// Ends the machines whose time has come. What is dropped then does nothing more.
    fn bury(&mut self) {
        let now = world::with(|world| world.now);
        while let Some(death) = self.deaths.pop_if(|death| death.at <= now) {
            world::with(|world| {
                world.dead[death.machine] = true;
                world.running = Owner { request: usize::MAX, machine: Some(death.machine) };
                world.note(What::Died(death.machine));
            });
            for place in 0..self.tasks.len() {
                let owner = self.tasks[place].as_ref().map(|running| running.owner);
                if let Some(owner) = owner.filter(|owner| owner.machine == Some(death.machine)) {
                    world::with(|world| world.running = owner);
                    self.tasks[place] = None;
                }
            }
        }
    }

    fn next_ready(&mut self) -> Option<usize> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        match ready.len() {
            0 => None,
            length => Some(ready.swap_remove(self.schedule.place(length))),
        }
    }

    fn poll(&mut self, place: usize) {
        let Some(running) = &mut self.tasks[place] else { return };
        running.woken.is_ready.store(false, Ordering::Relaxed);
        world::with(|world| world.running = running.owner);
        let mut context = Context::from_waker(&running.waker);
        if running.task.as_mut().poll(&mut context).is_ready() {
            self.tasks[place] = None;
        }
    }

    /// Goes on to the next moment at which something happens; `false` where there is none.
    fn advance(&mut self) -> bool {
        let death = self.deaths.last().map(|death| death.at);
        let next = world::with(|world| {
            let (timer, arrival) = (world.next_timer(), world.store.next_arrival());
            // A death alone keeps no history going.
            let next = [timer, arrival].into_iter().flatten().min()?;
            let next = death.map_or(next, |death| next.min(death.max(world.now)));
            Some(next)
        });
        let Some(next) = next else { return false };
        world::with(|world| world.now = next);
        world::with(|world| world.store_arrivals());
        for waker in due(next) {
            waker.wake();
        }
        true
    }
}

/// Those who wait for a moment that has come.
fn due(now: Duration) -> Vec<Waker> {
    world::with(|world| {
        let mut due = Vec::new();
        while world.next_timer().is_some_and(|at| at <= now) {
            due.extend(world.timers.pop().map(|timer| timer.0.waker));
        }
        due
    })
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_ready.swap(true, Ordering::Relaxed) {
            self.ready.lock().unwrap_or_else(PoisonError::into_inner).push(self.place);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;
    use crate::history::Setup;
    use crate::store::Store;
    use crate::world::World;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// Runs two tasks on two machines, each of which says so before and after it waits, and again when it is dropped.
    fn heard(seed: u64, deaths: Vec<Death>) -> Vec<String> {
        struct Dropped(Rc<RefCell<Vec<String>>>, usize);
        impl Drop for Dropped {
            fn drop(&mut self) {
                self.0.borrow_mut().push(format!("{} dropped", self.1));
                let _refused =
                    cloakroom_storage::platform::detach(async { panic!("the dead act") });
            }
        }
        let setup = Setup::plain(2);
        let store = Store::new(&setup, Vec::new(), 2);
        let entered = world::begin(World::new(seed, store, setup.skews, 0));
        let heard = Rc::new(RefCell::new(Vec::new()));
        let mut executor = Executor::new(Random::new(seed), deaths);
        for machine in 0..2 {
            let heard = Rc::clone(&heard);
            world::spawn(Owner { request: machine, machine: Some(machine) }, async move {
                heard.borrow_mut().push(format!("{machine} begins"));
                let dropped = Dropped(Rc::clone(&heard), machine);
                world::sleep(MILLISECOND * 5).await;
                heard.borrow_mut().push(format!("{machine} ends"));
                std::mem::forget(dropped);
            });
        }
        assert_eq!(executor.run(), Ending::Quiet { hung: 0 });
        executor.drop_all();
        drop(entered);
        world::end();
        heard.take()
    }

    #[test]
    fn the_seed_decides_which_task_goes_first() {
        assert_eq!(heard(1, Vec::new()), heard(1, Vec::new()));
        let first = |seed| heard(seed, Vec::new())[0].clone();
        assert!((0..20).any(|seed| first(seed) != first(0)));
    }

    #[test]
    fn a_machine_that_dies_does_nothing_more() {
        let heard = heard(1, vec![Death { machine: 1, at: MILLISECOND * 2 }]);
        assert!(heard.contains(&"0 ends".to_owned()), "{heard:?}");
        assert!(heard.contains(&"1 dropped".to_owned()) && !heard.contains(&"1 ends".to_owned()));
    }
}
