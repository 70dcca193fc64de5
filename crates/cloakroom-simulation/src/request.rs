//! A request, served as the adapters of frameworks do.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use cloakroom_session::adapter::{CookieHeaders, Finished, LateCommit, Scope};
use cloakroom_session::{Error, Result, Session, Sessions};
use cloakroom_storage::platform;

use crate::browser::{self, SetCookie};
use crate::history::{Operation, Request};
use crate::program::{self, Memory, Noted};
use crate::trace::{Act, Outcome, Owner, What};
use crate::world;

/// A body that streams: what it does with its session.
type Body = Pin<Box<dyn Future<Output = ()>>>;

/// Sends a request and serves it, all of it on its machine.
pub(crate) async fn serve(plan: Rc<Request>, sessions: Rc<Sessions>) {
    world::sleep_until(plan.start).await;
    let presented =
        world::with(|world| world.browsers[plan.browser].carries(plan.cookies, world.now));
    let headers = browser::headers(&presented);
    world::note(What::Began(presented));
    let answered = Rc::new(std::cell::Cell::new(false));
    let served = respond(Rc::clone(&plan), &sessions, headers, Rc::clone(&answered));
    match plan.gone {
        None => served.await,
        Some(after) => {
            if platform::timeout(after, served).await.is_none() && !answered.get() {
                world::note(What::Gone);
            }
        }
    }
}

async fn respond(
    plan: Rc<Request>,
    sessions: &Sessions,
    headers: Vec<http::HeaderValue>,
    answered: Rc<std::cell::Cell<bool>>,
) {
    let session = sessions.session(headers.into_iter().collect::<CookieHeaders>());
    let scope = Scope::Session(session.clone());
    // The handler takes the handle along.
    let body = scope.run(handler(session, &plan)).await;
    let finished = finish(&scope).await;
    answered.set(true);
    let Ok(sent) = finished else {
        // What the handler answered is replaced, its body with it.
        return send_answer(&plan, None);
    };
    send_answer(&plan, sent);
    let mut late: LateCommit<()> = scope.late();
    drop(scope);
    if late.is_done() && body.is_none() {
        return;
    }
    let mut body: Body = body.unwrap_or_else(|| Box::pin(std::future::ready(())));
    let noted = Noted::begin(Act::FinishLate);
    let ended = std::future::poll_fn(|context| poll_body(&mut late, &mut body, context)).await;
    noted.end(ended.map_or_else(|error| Outcome::Failed(error.kind()), |()| Outcome::Done));
}

/// Runs the program; what is left is the body.
async fn handler(session: Session, plan: &Request) -> Option<Body> {
    let memory = Memory::default();
    program::run(&session, &memory, &plan.program).await;
    let operations = plan.body.clone()?;
    Some(Box::pin(stream(session, memory, operations)))
}

async fn stream(session: Session, memory: Memory, operations: Vec<Operation>) {
    program::run(&session, &memory, &operations).await;
}

async fn finish(scope: &Scope) -> Result<Option<SetCookie>> {
    if scope.is_unapplied() {
        return Ok(None);
    }
    let noted = Noted::begin(Act::Finish);
    let finished: Result<Finished> = scope.finish().await;
    let sent = finished.map(|finished| {
        let header = finished.set_cookie?;
        Some(world::with(|world| browser::read(world, &header)))
    });
    match &sent {
        Ok(sent) => noted.end(Outcome::Finished(sent.map(|(sent, _)| sent))),
        Err(error) => noted.end(Outcome::Failed(error.kind())),
    }
    sent
}

/// The one piece of the body comes when its program has ended.
fn poll_body(
    late: &mut LateCommit<()>,
    body: &mut Body,
    context: &mut Context<'_>,
) -> Poll<Result<(), Error>> {
    let mut is_ended = false;
    let piece = late.poll::<Error>(context, |context| {
        if is_ended {
            return Poll::Ready(None);
        }
        body.as_mut().poll(context).map(|()| {
            is_ended = true;
            // The handle goes with the stream that held it.
            *body = Box::pin(std::future::ready(()));
            Some((Ok(()), true))
        })
    });
    piece.map(|piece| piece.unwrap_or(Ok(())))
}

/// The headers leave, and come to the browser a little later.
fn send_answer(plan: &Rc<Request>, set_cookie: Option<SetCookie>) {
    let owner = Owner { machine: None, ..world::owner() };
    let Some(latency) = plan.answer else {
        world::note(What::AnswerLost);
        return;
    };
    let browser = plan.browser;
    world::spawn(owner, async move {
        world::sleep(latency).await;
        browser::deliver(browser, set_cookie);
    });
}
