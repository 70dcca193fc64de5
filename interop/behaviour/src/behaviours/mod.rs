//! The behaviours, by what they are about. Each is a sentence, and holds for any framework.
//!
//! Among them is what went wrong in other session libraries; their defects below HTTP are in the tests of
//! `cloakroom-session`:
//!
//! - every request loads its session, asked for or not: `an_untouched_session_leaves_the_response_alone`
//! - two `Set-Cookie` headers on a response: `a_write_sends_one_cookie_and_keeps_caches_away`
//! - two of them on one request make two sessions: `a_layer_that_is_there_twice_is_one_session_with_one_cookie`
//! - a failed load becomes an empty session: `a_store_that_is_down_is_503_with_retry_after_and_no_cookie`
//! - a new ID and an error after it lose the session: `a_login_whose_response_is_an_error_keeps_the_session`
//! - a logout makes a write under way an error: `a_write_that_a_logout_overtakes_is_answered_and_revives_nothing`
//! - a streamed body sees an empty session: `a_body_that_streams_sees_the_session_and_caches_are_told`

pub mod caching;
pub mod cookies;
pub mod current;
pub mod failures;
pub mod interruptions;
pub mod layers;
pub mod middleware;
pub mod outages;
pub mod prerendered;
pub mod principals;
pub mod sessions;
pub mod streams;
