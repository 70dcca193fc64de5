//! Threads that write: few, since more of them only wait for one another.
//!
//! Whoever makes or renames a file has its folder to himself for so long, in the kernel. Sixty-four threads that write to
//! one folder spend most of their time waiting for it, and take a stack each.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

type Job = Box<dyn FnOnce() + Send>;

/// Does jobs in the order in which they come, some at a time. Its threads are the runtime's, and go back to it when
/// there is nothing left to do.
pub(super) struct Writers(Arc<Shared>);

struct Shared {
    most: usize,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    writers: usize,
}

/// Why a job has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The runtime is shutting down.
    Cancelled,
    Panicked,
}

impl Writers {
    /// At most this many threads.
    pub(super) fn new(most: usize) -> Writers {
        Writers(Arc::new(Shared { most, queue: Mutex::default() }))
    }

    /// What `work` gives, when it was its turn. The second part of that is dropped after the first was handed over.
    pub(super) async fn run<T: Send + 'static, R>(
        &self,
        work: impl FnOnce() -> (T, R) + Send + 'static,
    ) -> Result<T, Lost> {
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(move || {
            let (done, left) = match catch_unwind(AssertUnwindSafe(work)) {
                Ok((done, left)) => (Ok(done), Some(left)),
                Err(panic) => (Err(panic), None),
            };
            // Where nobody waits any more it was done all the same.
            let _ = sender.send(done);
            drop(left);
        });
        if self.0.push(job) {
            let writer = Writer { shared: Arc::clone(&self.0), is_done: false };
            spawn_blocking(move || writer.run());
        }
        match receiver.await {
            Ok(done) => done.map_err(|_| Lost::Panicked),
            Err(_) => Err(Lost::Cancelled),
        }
    }
}

impl Shared {
    /// Answers whether one more thread is to begin.
    fn push(&self, job: Job) -> bool {
        let mut queue = self.queue();
        queue.jobs.push_back(job);
        let begins = queue.writers < self.most;
        queue.writers += usize::from(begins);
        begins
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // No job runs under the lock.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Writers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Writers").field("most", &self.0.most).finish_non_exhaustive()
    }
}

/// One thread that is counted.
struct Writer {
    shared: Arc<Shared>,
    is_done: bool,
}

impl Writer {
    fn run(mut self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    /// The next job; where there is none, the thread is counted no more.
    fn next(&mut self) -> Option<Job> {
        let mut queue = self.shared.queue();
        let job = queue.jobs.pop_front();
        if job.is_none() {
            queue.writers -= 1;
            self.is_done = true;
        }
        job
    }
}

impl Drop for Writer {
    /// A runtime that is shutting down drops it before it ran. Nobody must wait for jobs that no thread will do.
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        let mut queue = self.shared.queue();
        queue.writers -= 1;
        let abandoned =
            if queue.writers == 0 { std::mem::take(&mut queue.jobs) } else { VecDeque::new() };
        drop(queue);
        drop(abandoned);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn every_job_is_done_and_never_more_at_once_than_there_may_be() {
        let writers = Writers::new(3);
        let (now, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let jobs = (0..50).map(|number| {
            let (now, peak) = (Arc::clone(&now), Arc::clone(&peak));
            writers.run(move || {
                peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(1));
                now.fetch_sub(1, Ordering::SeqCst);
                (number, ())
            })
        });
        let done = join_all(jobs).await;
        assert_eq!(done, (0..50).map(Ok).collect::<Vec<_>>());
        assert!((1..=3).contains(&peak.load(Ordering::SeqCst)));
        // A thread is counted for a moment longer than its last job takes.
        while writers.0.queue().writers > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn what_a_job_leaves_is_dropped_after_its_answer_was_heard() {
        struct Left(std::sync::mpsc::Receiver<()>, std::sync::mpsc::Sender<bool>);
        impl Drop for Left {
            fn drop(&mut self) {
                let heard = self.0.recv_timeout(Duration::from_secs(60)).is_ok();
                let _ = self.1.send(heard);
            }
        }
        let ((hear, heard), (tell, told)) =
            (std::sync::mpsc::channel(), std::sync::mpsc::channel());
        assert_eq!(Writers::new(1).run(move || (1, Left(heard, tell))).await, Ok(1));
        hear.send(()).expect("it is not dropped yet");
        assert_eq!(told.recv(), Ok(true));
    }

    #[tokio::test]
    async fn a_job_that_panics_is_told_and_the_next_one_is_done() {
        let writers = Writers::new(1);
        let broken = writers.run(|| -> ((), ()) { panic!("as the test wants it") });
        let (broken, done) = tokio::join!(broken, writers.run(|| (1, ())));
        assert_eq!((broken, done), (Err(Lost::Panicked), Ok(1)));
    }

    #[test]
    fn a_runtime_that_ends_leaves_nobody_waiting_and_the_next_one_writes() {
        let build = || {
            tokio::runtime::Builder::new_current_thread()
                .max_blocking_threads(1)
                .build()
                .expect("a runtime")
        };
        let writers = Arc::new(Writers::new(1));
        let first = build();
        // The one thread is busy when the runtime is told to end, so that the writer never runs.
        first.spawn_blocking(|| std::thread::sleep(Duration::from_millis(50)));
        let waiting = {
            let writers = Arc::clone(&writers);
            async move { writers.run(|| (1, ())).await }
        };
        let lost = first.spawn(waiting);
        first.block_on(tokio::task::yield_now());
        first.shutdown_background();
        std::thread::sleep(Duration::from_millis(100));
        let second = build();
        assert!(second.block_on(lost).is_err() || writers.0.queue().jobs.is_empty());
        assert_eq!(second.block_on(writers.run(|| (2, ()))), Ok(2));
    }
}
