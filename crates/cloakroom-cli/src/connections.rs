//! Who holds a connection, and for how long.
//!
//! A client may be slow, or hostile, before it has said who it is. So each thing that one waits for has a deadline: a request's
//! head and the pause before it here, a value in [`cloakroom_server`], and the taking of an answer in [`Patient`]. And there
//! are so many connections at most: where all are taken, whoever has waited longest for a request of its client makes room.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use cloakroom_server::OnRefusal;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::patient::Patient;

/// How long a client may take for a request's head, the pause before it included, and to take a part of an answer. Longer
/// than clients keep a connection that they do not use, lest one is closed just when it is used again.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long requests may take that are being answered when the end is asked for.
const GRACE: Duration = Duration::from_secs(10);

/// How long the last answer may still take to leave then, where nothing else is asked.
const PARTING: Duration = Duration::from_secs(1);

/// The pause after a connection could not be taken in: no file is left to open, as a rule.
const PAUSE: Duration = Duration::from_millis(50);

/// Answers whoever connects, over at most so many connections at a time, until `stopped`. What is being answered then is
/// finished, within a grace; what has not yet been asked is not waited for.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    most: usize,
    stopped: impl Future<Output = ()>,
) {
    let mut stopped = pin!(stopped);
    let (closing, closes) = watch::channel(());
    let mut connections =
        Connections { open: Arc::default(), tasks: JoinSet::new(), last: 0, is_short: false };
    loop {
        let taking_in = connections.take_in(&listener, most);
        let stream = tokio::select! {
            () = &mut stopped => break,
            stream = taking_in => stream,
        };
        connections.start(stream, app.clone(), closes.clone());
    }
    drop(listener);
    drop(closing);
    // Whatever is not finished by then ends with its task.
    _ = timeout(GRACE, async { while connections.tasks.join_next().await.is_some() {} }).await;
}

struct Connections {
    open: Arc<Open>,
    tasks: JoinSet<()>,
    /// The number of the latest one.
    last: u64,
    /// Whether there was no file left to open before.
    is_short: bool,
}

/// The connections on which no request is being answered, or one that is refused.
#[derive(Default)]
struct Open {
    waiting: Mutex<HashMap<u64, Waiting>>,
    /// Told when there is one more.
    begun: Notify,
}

/// A connection whose client has the word.
struct Waiting {
    since: Instant,
    leave: Arc<Notify>,
}

impl Connections {
    /// Waits for a client, and for room for it.
    async fn take_in(&mut self, listener: &TcpListener, most: usize) -> TcpStream {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    while self.tasks.try_join_next().is_some() {}
                    while self.tasks.len() >= most {
                        let is_leaving = self.open.make_room();
                        tokio::select! {
                            _ = self.tasks.join_next() => {}
                            // All were being answered, and one no longer is.
                            () = self.open.begun.notified(), if !is_leaving => {}
                        }
                    }
                    return stream;
                }
                // The client has thought better of it.
                Err(error) if is_of_the_client(&error) => {}
                Err(error) => {
                    // Once: whoever can connect could fill the log.
                    if !std::mem::replace(&mut self.is_short, true) {
                        tracing::warn!(%error, "no connection can be taken in; those that wait are closed");
                    }
                    self.open.make_room();
                    _ = timeout(PAUSE, self.tasks.join_next()).await;
                    if self.tasks.is_empty() {
                        sleep(PAUSE).await;
                    }
                }
            }
        }
    }

    fn start(&mut self, stream: TcpStream, app: Router, closes: watch::Receiver<()>) {
        // Answers are short, and nobody shall wait for more of them.
        _ = stream.set_nodelay(true);
        self.last += 1;
        let place = Place { number: self.last, leave: Arc::default(), open: self.open.clone() };
        self.tasks.spawn(converse(stream, app, place, closes));
    }
}

/// Answers the requests of one connection.
async fn converse(stream: TcpStream, app: Router, place: Place, mut closes: watch::Receiver<()>) {
    let place = Arc::new(place);
    place.wait();
    let (app, asked) = (TowerToHyperService::new(app), place.clone());
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        let answering = Answering::begin(&asked);
        // What comes after a refusal is for nobody, and must not keep others out.
        let refused = asked.clone();
        request.extensions_mut().insert(OnRefusal::new(move || refused.wait()));
        let answer = app.call(request);
        async move {
            let answer = answer.await?;
            Ok::<_, Infallible>(answer.map(|body| Answered { body, _answering: answering }))
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    let stream = TokioIo::new(Patient::new(stream, PATIENCE));
    let mut connection = pin!(builder.serve_connection(stream, service));
    tokio::select! {
        result = connection.as_mut() => return debug(result),
        () = place.leave.notified() => return,
        // The sender is dropped.
        _ = closes.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    if place.is_waiting() {
        // What is not being answered has not been asked; an answer may be on its way yet.
        _ = timeout(PARTING, connection).await;
        return;
    }
    debug(connection.await);
}

fn debug(result: hyper::Result<()>) {
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended");
    }
}

impl Open {
    /// Closes the connection that has waited longest; whether one waits.
    fn make_room(&self) -> bool {
        let mut waiting = self.lock();
        let longest = waiting.iter().min_by_key(|(_, waiting)| waiting.since);
        let longest = longest.map(|(number, _)| *number);
        let longest = longest.and_then(|number| waiting.remove(&number));
        longest.inspect(|longest| longest.leave.notify_one()).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Waiting>> {
        // Nothing panics while it holds this.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place among the others.
struct Place {
    number: u64,
    leave: Arc<Notify>,
    open: Arc<Open>,
}

impl Place {
    fn wait(&self) {
        let waiting = Waiting { since: Instant::now(), leave: self.leave.clone() };
        self.open.lock().insert(self.number, waiting);
        self.open.begun.notify_one();
    }

    fn is_waiting(&self) -> bool {
        self.open.lock().contains_key(&self.number)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.lock().remove(&self.number);
    }
}

/// A request, from when its head has come until its answer has left.
struct Answering(Arc<Place>);

impl Answering {
    fn begin(place: &Arc<Place>) -> Answering {
        place.open.lock().remove(&place.number);
        Answering(place.clone())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.wait();
    }
}

/// An answer's body, which knows when it has been sent.
struct Answered {
    body: Body,
    _answering: Answering,
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn is_of_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
    )
}
