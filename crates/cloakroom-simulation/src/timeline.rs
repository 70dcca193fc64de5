//! A history as lines for a reader.

use std::fmt::Write;

use crate::history::{Request, Setup, Site};
use crate::trace::{Act, Answer, Call, Condition, Effect, Event, Id, Outcome, Sent, Trace, What};

/// What was set up, and what happened, one line each.
pub fn render(trace: &Trace) -> String {
    let mut text = setup(&trace.history.setup);
    for (place, event) in trace.events.iter().enumerate() {
        let Some(line) = line(trace, place, event) else { continue };
        let at = event.at.as_secs_f64() * 1000.0;
        let who = match event.owner.request {
            usize::MAX => "       ".to_owned(),
            request => format!("r{:<2}", request + 1),
        };
        let _infallible = writeln!(text, "  {at:>9.3} ms  {who} {line}");
    }
    text
}

fn setup(setup: &Setup) -> String {
    let Setup {
        skews, compares, versions, expires, ttl, idle, absolute, max_age, is_wrapped, ..
    } = setup;
    let limits = format!("ttl {ttl:?}, idle {idle:?}, absolute {absolute:?}, Max-Age {max_age:?}");
    format!(
        "  clocks {skews:?} ms, compare-and-swap {compares}, versions {versions:?}, expiry {expires}, \
         retries {is_wrapped}, {limits}\n"
    )
}

fn line(trace: &Trace, place: usize, event: &Event) -> Option<String> {
    Some(match &event.what {
        What::Began(presented) => began(&trace.history.requests[event.owner.request], presented),
        What::Begun(act) => match trace.events.get(place + 1).map(|next| &next.what) {
            // Both in one line.
            Some(What::Ended(begun, _)) if *begun == place => return None,
            _ => format!("{} …", self::act(act)),
        },
        What::Ended(begun, outcome) => {
            let What::Begun(act) = &trace.events[*begun].what else { return None };
            format!("{} → {}", self::act(act), self::outcome(outcome))
        }
        What::Called(call, id, what) => {
            let is_told = answer(trace, *call).is_some();
            let is_applied = trace
                .events
                .iter()
                .any(|event| matches!(event.what, What::Applied(applied, _) if applied == *call));
            // Said where it is done, if it is.
            match is_told && is_applied {
                true => return None,
                false => format!("    store: {} {} is sent", self::call(what), name(*id)),
            }
        }
        What::Applied(call, effect) => {
            let (id, what) = called(trace, *call)?;
            let told = match answer(trace, *call) {
                Some(Answer::Told) => "",
                _ => ", nobody is told",
            };
            let (what, effect) = (self::call(what), self::effect(effect));
            format!("    store: {what} {} → {effect}{told}", name(id))
        }
        What::Answered(_, Answer::Told) => return None,
        What::Answered(call, Answer::Failed(kind, is_unapplied, fault)) => {
            let (id, what) = called(trace, *call)?;
            let fault = fault.map_or(String::new(), |fault| format!(" ({fault:?})"));
            let sure = if *is_unapplied { ", nothing happened for sure" } else { "" };
            format!("    store: {} {} fails: {kind:?}{sure}{fault}", self::call(what), name(id))
        }
        What::GivenUp(call) => {
            let (id, what) = called(trace, *call)?;
            format!("    store: {} {} is given up by its caller", self::call(what), name(id))
        }
        What::Delivered(sent) => format!("browser: the answer comes, {}", self::sent(*sent)),
        What::AnswerLost => "the answer is lost on its way".to_owned(),
        What::Gone => "the client has gone".to_owned(),
        What::Overwritten(kind) => format!("the operator is told: {kind}"),
        What::Died(machine) => format!("machine {machine} dies"),
        What::Quiet => return None,
    })
}

fn began(request: &Request, presented: &[Id]) -> String {
    let Request { browser, machine, site, .. } = request;
    let site = if *site == Site::Astro { " (Astro)" } else { "" };
    let with = match presented {
        [] => "without a cookie".to_owned(),
        ids => {
            let names: Vec<_> = ids.iter().map(|id| name(*id)).collect();
            format!("with the cookie {}", names.join(", then "))
        }
    };
    format!("request of browser {browser} to machine {machine}{site} {with}")
}

fn called(trace: &Trace, call: usize) -> Option<(Id, &Call)> {
    trace.events.iter().find_map(|event| match &event.what {
        What::Called(number, id, what) if *number == call => Some((*id, what)),
        _ => None,
    })
}

fn answer(trace: &Trace, call: usize) -> Option<Answer> {
    trace.events.iter().find_map(|event| match &event.what {
        What::Answered(number, answer) if *number == call => Some(*answer),
        _ => None,
    })
}

/// An ID for a reader.
pub fn name(id: Id) -> String {
    format!("#{}", id.0 + 1)
}

/// A call to the session for a reader.
pub fn act(act: &Act) -> String {
    match act {
        Act::Get(key) => format!("get({key})"),
        Act::Has(key) => format!("has({key})"),
        Act::Keys => "keys()".to_owned(),
        Act::Set(key, tag, None) => format!("set({key}, [{tag}])"),
        Act::Set(key, tag, Some(ttl)) => format!("set({key}, [{tag}], ttl {ttl:?})"),
        Act::SetSame(key) => format!("set({key}, what was read)"),
        Act::Delete(key) => format!("delete({key})"),
        Act::Update(key, tag) => format!("update({key}, push {tag})"),
        Act::Peek(key) => format!("update({key}, nothing)"),
        Act::TakeOut(key) => format!("try_update({key}, take out)"),
        Act::Refuse(key) => format!("try_update({key}, refuse)"),
        Act::Reload => "reload()".to_owned(),
        Act::Save => "save()".to_owned(),
        Act::Regenerate => "regenerate()".to_owned(),
        Act::Destroy => "destroy()".to_owned(),
        Act::Load(id) => format!("load({})", name(*id)),
        Act::Finish => "finish()".to_owned(),
        Act::FinishLate => "the body's end".to_owned(),
    }
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done => "Ok".to_owned(),
        Outcome::Value(None) => "Ok(None)".to_owned(),
        Outcome::Value(Some(tags)) => format!("Ok({tags:?})"),
        Outcome::Bool(answer) => format!("Ok({answer})"),
        Outcome::Keys(keys) => {
            let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
            format!("Ok([{}])", keys.join(", "))
        }
        Outcome::Finished(cookie) => format!("Ok, {}", sent(*cookie)),
        Outcome::Failed(kind) => format!("Err({kind:?})"),
        Outcome::Refused => "Err of the closure".to_owned(),
        Outcome::GivenUp => "given up".to_owned(),
    }
}

fn sent(sent: Option<Sent>) -> String {
    match sent {
        None => "no cookie".to_owned(),
        Some(Sent::Id(id)) => format!("cookie {}", name(id)),
        Some(Sent::Deletion) => "cookie deleted".to_owned(),
    }
}

fn call(call: &Call) -> String {
    let when = |condition: &Condition| match condition {
        Condition::Always => "",
        Condition::Absent => " if absent",
        Condition::Version => " if unchanged",
    };
    match call {
        Call::Get => "get".to_owned(),
        Call::Set { when: condition, ttl, .. } => {
            let ttl = ttl.map_or(String::new(), |ttl| format!(" for {ttl:?}"));
            format!("set{}{ttl}", when(condition))
        }
        Call::Remove(condition) => format!("remove{}", when(condition)),
        Call::Touch(ttl) => format!("touch to {ttl:?}"),
    }
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Read(None) => "nothing".to_owned(),
        Effect::Read(Some(content)) => content.to_string(),
        Effect::Wrote { after, before: None, .. } => format!("written {after}"),
        Effect::Wrote { after, before: Some(before), .. } => {
            format!("written {after} over {before}")
        }
        Effect::Removed(before) => format!("removed {before}"),
        Effect::Touched { .. } => "touched".to_owned(),
        Effect::Conflict => "conflict".to_owned(),
        Effect::Missing => "not there".to_owned(),
        Effect::NoRoom => "no room".to_owned(),
    }
}
