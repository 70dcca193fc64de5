//! A form, read again and again until it is known all that is wrong with it.
//!
//! A field that is not there can be `false`, an empty list, or whatever its type has for a default, and only the type
//! knows which: so first it is offered as missing, then left out. And a field that is wrong is replaced by a value of its
//! type, so that the others are looked at too.
//!
//! serde's tagged, untagged and flattened types read their fields before they know what they want of them. So a field is
//! handed to them as a text first, and when that is refused as a number, as a boolean and as a list. Which one was
//! refused is known by where its text lies, or by having been the last that changed.
//!
//! Each round settles something, and all of them together look at no more than [`MOST_WORK`] fields.

use std::collections::HashMap;

use serde::de::DeserializeOwned;

use super::attempt::{Attempt, Buffered, Guise, Offer, Scalar};
use super::form::{FormData, FormValue};
use super::number;
use super::object::Object;
use super::rejection::{
    FieldError, Otherwise, Path, Problem, REQUIRED, Refused, Rejection, heard, listen,
};
use crate::code::ErrorCode;
use crate::error::{ActionError, Result};
use crate::issue::{Issue, PathSegment};

/// Who gets as much wrong is no person with a form.
pub(super) const MOST_ISSUES: usize = 32;

/// How many fields are looked at, in all rounds together. A form of a hundred fields takes some ten thousand.
const MOST_WORK: usize = 1 << 19;

/// A type that no form can be read into.
#[derive(Debug)]
struct UnsupportedType {
    name: &'static str,
    reason: String,
}

impl std::fmt::Display for UnsupportedType {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "a form cannot be read into {}: {}", self.name, self.reason)
    }
}

impl std::error::Error for UnsupportedType {}

pub(super) fn read<T: DeserializeOwned>(form: &FormData) -> Result<T> {
    let mut reader = Reader::new(form);
    let mut good = None;
    loop {
        let attempt = &mut reader.attempt;
        if attempt.wrong().count() >= MOST_ISSUES {
            break;
        }
        if attempt.work() > MOST_WORK {
            if attempt.wrong().next().is_some() || good.is_some() {
                break;
            }
            let message = "The form has too many fields.";
            return Err(ActionError::new(ErrorCode::BadRequest, message));
        }
        listen();
        let round = match T::deserialize(Object::whole(attempt.begin())) {
            Ok(_) if attempt.wrong().next().is_some() => break,
            Ok(value) => {
                let is_sure = heard().is_empty();
                good = Some(value);
                // An earlier variant, or what may be left out, would have done if it had been a number.
                if is_sure { Round::Stuck } else { reader.try_variants(&Path::new()) }
            }
            Err(error) if good.is_some() => {
                let error = error.at(&[]);
                let place = error.place.unwrap_or_default();
                reader.try_variants(&place)
            }
            Err(error) => reader.settle(error.at(&[])),
        };
        match round {
            Round::Settled => {}
            Round::Stuck => break,
            Round::Unsupported(reason) => {
                let name = std::any::type_name::<T>();
                return Err(ActionError::from(UnsupportedType { name, reason }));
            }
        }
    }
    match good {
        Some(value) => Ok(value),
        None => Err(ActionError::input(reader.issues())),
    }
}

/// What a round comes to.
enum Round {
    /// Something is known that was not: the form is read again.
    Settled,
    /// No value is good enough: what else there is to know stays unknown.
    Stuck,
    /// The type asks for what no form has, for this reason.
    Unsupported(String),
}

struct Reader<'a> {
    attempt: Attempt<'a>,
    /// What is not there, and what it is where its type has no default.
    missing: HashMap<Path, Otherwise>,
    /// The objects that were tried to be given a field that one of them lacks.
    given: HashMap<(Path, &'static str), usize>,
    /// What was changed last.
    latest: Path,
    /// Objects and files that were taken for the one that was refused, which nothing tells from the others.
    guessed: Vec<Path>,
    /// Which of the variants of a type without a tag is tried.
    variant: usize,
}

impl<'a> Reader<'a> {
    fn new(form: &'a FormData) -> Reader<'a> {
        Reader {
            attempt: Attempt::new(form),
            missing: HashMap::new(),
            given: HashMap::new(),
            latest: Path::new(),
            guessed: Vec::new(),
            variant: 0,
        }
    }

    fn settle(&mut self, error: FieldError) -> Round {
        let place = error.place.unwrap_or_default();
        match error.problem {
            Problem::Missing { otherwise } => self.missing(place, otherwise),
            Problem::NoDefault { field } => self.no_default(&place, field),
            Problem::Unknown { field } => self.unknown(&place, &field),
            Problem::Rejected(rejection) => self.rejected(place, &rejection),
            Problem::Invalid { .. } if heard().len() > 1 && self.has_buffered(&place) => {
                match self.try_variants(&place) {
                    Round::Stuck => self.wrong(place, "This is not valid."),
                    round => round,
                }
            }
            Problem::Invalid { .. } if self.has_nothing() => self.leave_out(&self.latest.clone()),
            Problem::Invalid { message } => self.wrong(place, &message),
            Problem::Unsupported { message } => Round::Unsupported(told(&place, &message)),
        }
    }

    fn missing(&mut self, path: Path, otherwise: Otherwise) -> Round {
        match (self.attempt.guise(&path), otherwise) {
            (None, _) => {
                self.missing.insert(path.clone(), otherwise);
                self.change(path, Guise::LeftOut, None)
            }
            // Its object was said to have it, so it was left out before.
            (Some(Guise::Buffered(_)), Otherwise::Empty) => self.change(path, Guise::Empty, None),
            _ => self.wrong(path, REQUIRED),
        }
    }

    fn no_default(&mut self, object: &[PathSegment], field: &'static str) -> Round {
        let path = child(object, field);
        let is_left_out = self.attempt.guise(&path) == Some(Guise::LeftOut);
        if is_left_out && self.attempt.wrong().any(|(wrong, _)| wrong.starts_with(&path)) {
            // No value is good enough, and the type cannot do without.
            return Round::Stuck;
        }
        match self.missing.get(&path) {
            Some(Otherwise::Empty) if is_left_out => self.change(path, Guise::Empty, None),
            Some(_) => self.wrong(path, REQUIRED),
            None => self.give(object, field),
        }
    }

    /// Says of an object that it has a field, whatever it is. Of those that it holds in turn, where which one lacks it is
    /// not told.
    fn give(&mut self, object: &[PathSegment], field: &'static str) -> Round {
        let objects = self.objects_below(object);
        let tried = self.given.entry((object.to_vec(), field)).or_default();
        let untried = objects.iter().enumerate().skip(*tried);
        let mut paths = untried.map(|(at, object)| (at, child(object, field)));
        // One that was given it already lacks it no longer.
        let found = paths.find(|(_, path)| self.attempt.settled(path).is_none());
        let Some((at, path)) = found else { return self.wrong(child(object, field), REQUIRED) };
        *tried = at + 1;
        let first =
            self.candidates(&name(&path)).first().map_or(Buffered::Boolean, |first| first.0);
        self.change(path, Guise::Buffered(first), None)
    }

    /// The object, and those in it that were handed out to be buffered.
    fn objects_below(&self, object: &[PathSegment]) -> Vec<Path> {
        let offers = self.attempt.offers_below(object).into_iter();
        let objects = offers.filter(|offer| offer.value == Refused::Object);
        let below = objects.map(|offer| offer.path).filter(|path| path != object);
        std::iter::once(object.to_vec()).chain(below).collect()
    }

    /// As in Astro, where a strict schema too gets no fields but its own.
    fn unknown(&mut self, object: &[PathSegment], field: &str) -> Round {
        let paths = self.objects_below(object).into_iter().map(|object| child(&object, field));
        let offered = paths.filter(|path| self.attempt.guise(path) != Some(Guise::LeftOut));
        let known = offered.into_iter().find(|path| {
            let name = name(path);
            self.attempt.get(&name).is_some() || self.attempt.has_below(&format!("{name}."))
        });
        match known {
            Some(path) => self.change(path, Guise::LeftOut, None),
            None => self.wrong(object.to_vec(), "This is not valid."),
        }
    }

    fn rejected(&mut self, place: Path, rejection: &Rejection) -> Round {
        let Some(path) = self.refused(&place, rejection.value) else {
            return match rejection.value {
                // One of them is no file or no object, and nothing tells which.
                Refused::Object if !self.guessed.is_empty() => {
                    self.wrong(place, "This is not valid.")
                }
                Refused::Object | Refused::List => {
                    Round::Unsupported(told(&place, &rejection.message))
                }
                _ => self.wrong(place, &rejection.message),
            };
        };
        let settled = self.attempt.settled(&path);
        let is_wrong = settled.is_some_and(|settled| settled.wrong.is_some());
        let is_no_whole_number = matches!(rejection.value, Refused::Fraction(_)) && !is_wrong;
        if rejection.is_of_another_type && !is_no_whole_number {
            if rejection.value == Refused::Object && path != self.latest {
                self.guessed.push(path.clone());
            }
            if let Some(round) = self.advance(&path, rejection, false) {
                return round;
            }
            if self.guessed.contains(&path) {
                // It was another one.
                self.attempt.forget(&path);
                self.latest.clear();
                return Round::Settled;
            }
            return match self.attempt.get(&name(&path)) {
                Some(_) => Round::Unsupported(told(&path, &rejection.message)),
                None => self.wrong(path, REQUIRED),
            };
        }
        if is_wrong {
            return self.leave_out(&path);
        }
        let guise = settled.map_or(Guise::Buffered(Buffered::Single), |settled| settled.guise);
        self.change(path, guise, Some(rejection.message.clone()))
    }

    fn has_buffered(&self, place: &[PathSegment]) -> bool {
        !self.attempt.offers_below(place).is_empty()
    }

    /// Whether what changed last is an object without fields, in place of one that is missing.
    fn has_nothing(&self) -> bool {
        self.attempt.guise(&self.latest) == Some(Guise::Buffered(Buffered::Nothing))
    }

    /// Which of the values below a place it was.
    fn refused(&self, place: &[PathSegment], value: Refused) -> Option<Path> {
        let offers = self.attempt.offers_below(place);
        let is_it = |offer: &&Offer| match (offer.value, value) {
            (Refused::Text { length: 0, .. }, Refused::Text { length: 0, .. }) => true,
            (offered, refused) => offered == refused,
        };
        let mut same: Vec<&Offer> = offers.iter().filter(is_it).collect();
        // A file may be one of a list, which is more likely than that nobody wants an object.
        same.sort_by_key(|offer| self.attempt.get(&name(&offer.path)).is_none());
        let is_latest =
            |offer: &&&Offer| !self.latest.is_empty() && offer.path.starts_with(&self.latest);
        let is_new =
            |offer: &&&Offer| value != Refused::Object || !self.guessed.contains(&offer.path);
        let refused = same.iter().find(is_latest).or_else(|| same.iter().find(is_new));
        refused.map(|offer| offer.path.clone())
    }

    /// Hands a field out as the next thing that it can be; as nothing that is wrong if it has to be `right`.
    fn advance(
        &mut self,
        path: &[PathSegment],
        rejection: &Rejection,
        right: bool,
    ) -> Option<Round> {
        // What an element is, all of its list are.
        let path = match path.last() {
            Some(PathSegment::Index(_)) => &path[..path.len() - 1],
            _ => path,
        };
        let name = name(path);
        let all = self.candidates(&name);
        let now = match self.attempt.guise(path) {
            Some(Guise::Buffered(now)) => now,
            _ => all.first()?.0,
        };
        let (mut later, is_group) =
            (all.iter().skip_while(|(other, _)| *other != now), all.len() == 1);
        later.next();
        let next = match rejection.wants_fields {
            true => all.iter().rev().find(|(other, _)| {
                *other != now && matches!(other, Buffered::Object | Buffered::Nothing)
            }),
            false => later.find(|(_, wrong)| !right || wrong.is_none()),
        };
        if let (None, true, Refused::Object, false) = (next, is_group, rejection.value, right) {
            return Some(self.change(path.to_vec(), Guise::Ungrouped, None));
        }
        let (next, wrong) = *next?;
        if next == Buffered::List(Scalar::Number) {
            let broken = self.broken_numbers(&name);
            if right && !broken.is_empty() {
                return None;
            }
            for index in broken {
                let mut element = path.to_vec();
                element.push(index.into());
                let guise = Guise::Buffered(Buffered::Number);
                self.attempt.settle(element, guise, Some(number::NONE.to_owned()));
            }
        } else {
            self.attempt.forget_elements(path);
        }
        Some(self.change(path.to_vec(), Guise::Buffered(next), wrong.map(str::to_owned)))
    }

    /// What a field can be, in the order in which it is tried, and what is wrong if it is that.
    fn candidates(&self, name: &str) -> Vec<(Buffered, Option<&'static str>)> {
        let lists = [Scalar::Single, Scalar::Number, Scalar::Boolean]
            .map(|scalar| (Buffered::List(scalar), None));
        let has_fields = self.attempt.has_below(&format!("{name}."));
        let mut all = Vec::new();
        match self.attempt.get(name) {
            None if has_fields => return vec![(Buffered::Object, None)],
            Some(file @ FormValue::File(_)) if !file.is_empty() => {
                return vec![(Buffered::Single, None), lists[0]];
            }
            Some(FormValue::Text(text)) if !text.is_empty() => {
                all.push((Buffered::Single, None));
                let is_number = number::parse(text).is_some();
                all.push((Buffered::Number, (!is_number).then_some(number::NONE)));
                all.push((Buffered::Boolean, None));
                all.extend(lists);
            }
            // Not there, or empty, which is the same but for a box and a list.
            _ => {
                all.push((Buffered::Boolean, None));
                all.extend(lists);
                all.push((Buffered::Single, Some(REQUIRED)));
                all.push((Buffered::Number, Some(REQUIRED)));
            }
        }
        match has_fields {
            true => all.push((Buffered::Object, None)),
            false => all.push((Buffered::Nothing, Some(REQUIRED))),
        }
        all
    }

    fn broken_numbers(&self, name: &str) -> Vec<usize> {
        let values = self.attempt.get_all(name).iter().enumerate();
        let broken = values
            .filter(|(_, value)| value.as_text().is_none_or(|text| number::parse(text).is_none()));
        broken.map(|(index, _)| index).collect()
    }

    /// Of a type that tries its variants one after the other and keeps to itself what they say: each has said one thing.
    /// What the first of them refused is changed until it is content or cannot be, and then that of the next one.
    fn try_variants(&mut self, place: &[PathSegment]) -> Round {
        loop {
            let heard = heard();
            let Some(problem) = heard.get(self.variant) else { return Round::Stuck };
            let changed = match problem {
                Problem::Rejected(rejection) if rejection.is_of_another_type => self
                    .refused(place, rejection.value)
                    .and_then(|path| self.advance(&path, rejection, true)),
                Problem::NoDefault { field } => self.give_what_may_be_empty(place, field),
                _ => None,
            };
            match changed {
                Some(round) => return round,
                None => {
                    self.variant += 1;
                    self.given.clear();
                    if self.attempt.forget_guises(place) {
                        return Round::Settled;
                    }
                }
            }
        }
    }

    /// Only what is right where it is not there: `false` or an empty list.
    fn give_what_may_be_empty(
        &mut self,
        object: &[PathSegment],
        field: &'static str,
    ) -> Option<Round> {
        let path = child(object, field);
        let is_new = self.attempt.settled(&path).is_none();
        let is_there = self.attempt.is_filled(&name(&path));
        (is_new && !is_there).then(|| self.change(path, Guise::Buffered(Buffered::Boolean), None))
    }

    /// Replaces a field, so that the others are looked at too.
    fn wrong(&mut self, path: Path, message: &str) -> Round {
        let is_news = !self.attempt.is_replaced(&path);
        if is_news {
            self.change(path, Guise::Replaced, Some(message.to_owned()));
            return Round::Settled;
        }
        self.leave_out(&path)
    }

    /// Leaves out what holds a field for which no value is good enough, so that those after it are looked at too, as far as
    /// the type can do without it.
    fn leave_out(&mut self, path: &[PathSegment]) -> Round {
        let holder = match path {
            [] => return Round::Stuck,
            [_] => path,
            [holder @ .., _] => holder,
        };
        if self.attempt.guise(holder) == Some(Guise::LeftOut) {
            return Round::Stuck;
        }
        let wrong = self.attempt.settled(holder).and_then(|settled| settled.wrong.clone());
        self.change(holder.to_vec(), Guise::LeftOut, wrong)
    }

    fn change(&mut self, path: Path, guise: Guise, wrong: Option<String>) -> Round {
        self.latest.clone_from(&path);
        self.attempt.settle(path, guise, wrong);
        Round::Settled
    }

    /// In the order of the type, and of an object that is not there no more than that.
    fn issues(self) -> Vec<Issue> {
        let wrong: Vec<(&Path, &str)> = self.attempt.wrong().collect();
        let is_part = |path: &Path| {
            wrong.iter().any(|(other, _)| {
                other.len() < path.len() && path.starts_with(other) && !other.is_empty()
            })
        };
        let mut told: Vec<_> = wrong.iter().filter(|(path, _)| !is_part(path)).collect();
        told.sort_by_cached_key(|(path, _)| (self.attempt.position(path), (*path).clone()));
        told.into_iter()
            .map(|(path, message)| Issue::type_mismatch((*path).clone(), *message))
            .collect()
    }
}

fn child(object: &[PathSegment], field: &str) -> Path {
    let mut path = object.to_vec();
    path.push(field.into());
    path
}

/// The name that a field has in a form.
fn name(path: &[PathSegment]) -> String {
    let keys = path.iter().filter_map(|step| match step {
        PathSegment::Key(key) => Some(key.as_str()),
        PathSegment::Index(_) => None,
    });
    keys.collect::<Vec<_>>().join(".")
}

fn told(place: &[PathSegment], message: &str) -> String {
    match place {
        [] => message.to_owned(),
        _ => format!("{}: {message}", name(place)),
    }
}
