//! What every driver must do, as a test suite for any implementation of [`Driver`](crate::Driver).
//!
//! Call [`run`] from a test of the driver, against the real thing:
//!
//! ```
//! use std::sync::Arc;
//! use cloakroom_drivers::memory::Memory;
//! use cloakroom_storage::{DynDriver, conformance};
//!
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
//! let store: DynDriver = Arc::new(Memory::new());
//! conformance::run(|| async { store.clone() }).await;
//! # });
//! ```
//!
//! Each rule is one small function named as a sentence. A rule that needs a
//! [capability](crate::Capabilities) that the driver does not declare is skipped, and the suite prints so.
//! Keys begin with `conformance-` and a number of the run, so that the suite may run on a store in use.

// A test suite fails by panicking.
#![allow(clippy::panic, clippy::expect_used, clippy::unwrap_used)]

mod concurrency;
mod conditions;
mod expiry;
mod listing;
mod suite;
mod values;
mod versions;

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::DynDriver;
use crate::platform::print;
use suite::{Need, Suite};

struct Rule {
    function: &'static str,
    needs: &'static [Need],
    check: for<'a> fn(&'a Suite) -> BoxFuture<'a, ()>,
}

/// One rule a line: what it needs, and the function that checks it.
macro_rules! rules {
    ($([$($need:ident),*] $module:ident::$rule:ident;)*) => {
        &[$(Rule {
            function: stringify!($rule),
            needs: &[$(Need::$need),*],
            check: |suite| Box::pin($module::$rule(suite)),
        }),*]
    };
}

static RULES: &[Rule] = rules! {
    [] values::a_missing_item_reads_as_none;
    [] values::removing_a_missing_item_is_no_error;
    [] values::touching_a_missing_item_says_that_it_is_not_there;
    [] values::removing_on_condition_of_absence_is_refused;
    [] values::keys_that_would_leave_the_namespace_cannot_be_made;
    [ReadOnly] values::a_read_only_store_refuses_every_write;
    [Forgetting] values::a_store_that_retains_nothing_is_always_empty;
    [Writing] values::bytes_come_back_as_they_were_set;
    [Writing] values::large_values_come_back_whole;
    [Writing, LongestValue] values::a_value_beyond_the_longest_is_refused;
    [Writing, EmptyValues] values::an_empty_value_is_an_item;
    [Writing, NoEmptyValues] values::an_empty_value_is_refused_where_it_cannot_be_stored;
    [Writing] values::an_item_without_ttl_tells_of_none;
    [Writing] values::a_second_write_replaces_the_first;
    [Writing] values::a_removed_item_is_gone;
    [Writing] values::keys_that_look_alike_are_different_items;
    [Writing] values::another_handle_on_the_store_sees_the_same_items;
    [Writing, CompareAndSwap] conditions::creating_refuses_an_existing_item;
    [Writing, CompareAndSwap] conditions::creating_works_again_after_a_removal;
    [Writing, CompareAndSwap] conditions::an_update_of_the_version_that_was_read_is_written;
    [Writing, CompareAndSwap] conditions::the_version_of_a_write_serves_for_the_next;
    [Writing, CompareAndSwap] conditions::an_update_of_an_older_version_is_a_conflict;
    [Writing, CompareAndSwap] conditions::an_update_of_a_missing_item_is_a_conflict;
    [Writing, CompareAndSwap] conditions::an_update_fails_when_the_item_is_removed_after_it_was_read;
    [Writing, CompareAndSwap] conditions::a_removal_of_an_older_version_is_a_conflict;
    [Writing, CompareAndSwap] conditions::a_removal_of_the_version_that_was_read_removes_it;
    [Writing, NoCompareAndSwap] conditions::conditions_are_refused_where_they_cannot_be_kept;
    [Writing, CompareAndSwap] versions::an_old_version_never_matches_other_bytes;
    [Writing, CompareAndSwap, VersionPerWrite] versions::the_same_bytes_written_again_are_another_version;
    [Writing, CompareAndSwap, VersionPerWrite] versions::an_old_version_does_not_match_when_its_bytes_come_back;
    [Writing, CompareAndSwap, VersionPerWrite] versions::what_was_removed_and_made_anew_is_another_version;
    [Writing, Expiry] expiry::an_item_expires_after_its_ttl_and_not_before;
    [Writing, Expiry] expiry::an_item_tells_how_long_it_still_lives;
    [Writing, Expiry] expiry::a_ttl_of_zero_leaves_no_item;
    [Writing, Expiry] expiry::a_ttl_beyond_the_end_of_time_never_expires;
    [Writing, Expiry] expiry::an_expired_item_cannot_be_touched_removed_or_revived;
    [Writing, Expiry, CompareAndSwap] expiry::an_expired_item_counts_as_missing_for_conditions;
    [Writing, Expiry, CompareAndSwap] expiry::a_deadline_that_is_brought_forward_ends_the_versions_from_before;
    [Writing, Expiry] expiry::a_write_without_ttl_ends_the_expiry_of_the_one_before;
    [Writing, Expiry] expiry::touch_moves_the_expiry_and_nothing_else;
    [Writing, Expiry] expiry::touch_can_give_and_take_away_a_deadline;
    [Writing, Expiry, Sweeping] expiry::a_sweep_frees_the_expired_alone_and_keeps_to_its_budget;
    [Writing, CompareAndSwap, Expiry] versions::a_version_of_what_expired_never_matches_other_bytes;
    [Writing, CompareAndSwap, VersionPerWrite, Expiry] versions::what_expired_and_was_made_anew_is_another_version;
    [Writing, Iteration] listing::keys_lists_each_item_under_the_prefix_once;
    [Writing, Iteration] listing::one_base_does_not_see_the_items_of_another;
    [Writing, Iteration] listing::removed_items_are_not_listed;
    [Writing, Iteration, Expiry] listing::expired_items_are_not_listed;
    [Writing, CompareAndSwap] concurrency::of_many_creators_one_wins;
    [Writing, CompareAndSwap] concurrency::of_many_removers_of_one_version_one_wins;
    [Writing, CompareAndSwap] concurrency::concurrent_counting_over_two_handles_loses_nothing;
    [Writing, CompareAndSwap] concurrency::a_removal_is_not_undone_by_updates_under_way;
    [Writing] concurrency::readers_never_see_a_torn_value;
};

/// Runs every rule that the driver's capabilities call for, prints each as run or skipped, and answers how many hold.
///
/// `make_driver` is called twice and must give two handles on the same store. The rules run on the runtime
/// of the caller; one with several threads proves more about concurrency.
///
/// # Panics
/// When a rule is broken, with its name. That is what a test suite is for.
pub async fn run<F, Fut>(make_driver: F) -> usize
where
    F: Fn() -> Fut,
    Fut: Future<Output = DynDriver>,
{
    let suite = Suite::new(make_driver().await, make_driver().await);
    let passed = run_rules(&suite).await;
    suite.clean_up().await;
    passed
}

/// As [`run`], and then looks that no version from before a restart matches anything after it.
///
/// `restart` ends the store and starts it again: a server, or where there is none what was opened. `make_driver` is called
/// twice again after it.
///
/// # Panics
/// As [`run`].
pub async fn run_with_restart<F, Fut, R, Restarted>(make_driver: F, restart: R) -> usize
where
    F: Fn() -> Fut,
    Fut: Future<Output = DynDriver>,
    R: FnOnce() -> Restarted,
    Restarted: Future<Output = ()>,
{
    let suite = Suite::new(make_driver().await, make_driver().await);
    // First of all, so that a store that counts from the beginning comes by the same numbers again.
    let before = versions::BeforeRestart::prepare(&suite).await;
    let passed = run_rules(&suite).await;
    restart().await;
    let suite = suite.reopened(make_driver().await, make_driver().await);
    before.check_after(&suite).await;
    print(&format!("conformance of {}: ok: no version outlives a restart", suite.driver.name()));
    suite.clean_up().await;
    passed + 1
}

async fn run_rules(suite: &Suite) -> usize {
    let driver = suite.driver.name();
    let (mut passed, mut skipped) = (0, 0);
    for rule in RULES {
        let name = rule.function.replace('_', " ");
        if let Some(need) =
            rule.needs.iter().find(|need| !need.is_met_by(suite.driver.capabilities()))
        {
            print(&format!("conformance of {driver}: skipped, {}: {name}", need.unmet()));
            skipped += 1;
            continue;
        }
        if let Err(panic) = AssertUnwindSafe((rule.check)(suite)).catch_unwind().await {
            panic!("conformance of {driver}: broken: {name}: {}", message(&*panic));
        }
        print(&format!("conformance of {driver}: ok: {name}"));
        passed += 1;
    }
    print(&format!("conformance of {driver}: {passed} rules hold, {skipped} skipped"));
    passed
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it panicked")
}
