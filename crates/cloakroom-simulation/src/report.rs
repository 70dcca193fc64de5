//! What is told of a seed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::checks::{Violation, check, is_held_strictly};
use crate::generate;
use crate::run::run;
use crate::shrink::shrink;
use crate::timeline::render;

/// The promises that the history of a seed breaks. A panic is one, too.
pub fn violations(seed: u64) -> Vec<Violation> {
    let history = generate::history(seed);
    catch_unwind(AssertUnwindSafe(|| check(&run(&history)))).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().cloned().unwrap_or_default();
        vec![Violation { check: "nothing panics", complaint: message }]
    })
}

/// Those of them that hold without exception, as the suite asks.
pub fn strict_violations(seed: u64) -> Vec<Violation> {
    let mut violations = violations(seed);
    if !violations.is_empty() {
        let trace = run(&generate::history(seed));
        violations.retain(|violation| is_held_strictly(&trace, violation.check));
    }
    violations
}

/// The whole history of a seed, in lines.
pub fn whole(seed: u64) -> String {
    let text = catch_unwind(|| render(&run(&generate::history(seed))));
    text.unwrap_or_else(|_| "  it ends in a panic".to_owned())
}

/// The smallest history found that breaks the same promise, in lines.
pub fn shrunk(seed: u64, violation: &Violation) -> String {
    let small = catch_unwind(AssertUnwindSafe(|| {
        let small = shrink(&generate::history(seed), violation.check);
        let trace = run(&small);
        let again = check(&trace).into_iter().find(|again| again.check == violation.check);
        let complaint = again.map_or_else(|| violation.complaint.clone(), |again| again.complaint);
        (complaint, render(&trace))
    }));
    let (complaint, lines) = small.unwrap_or_else(|_| (violation.complaint.clone(), String::new()));
    format!("seed {seed} breaks \"{}\": {complaint}\n{lines}", violation.check)
}
