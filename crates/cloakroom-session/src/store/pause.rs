//! How writers keep apart that have collided.

use std::time::Duration;

use cloakroom_storage::platform;

use crate::id::SessionId;

/// As many processes as are kept apart well that write one session at once.
const MOST_RIVALS: u32 = 16;

/// The bounds of the longest pause after a conflict.
const SHORTEST_PAUSE: Duration = Duration::from_micros(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Apart, so that processes that collided do not collide again: for as long as some attempts take, the more the more
/// often they collided, since that tells how many they are.
pub(crate) async fn pause(conflicts: u32, took: Duration) {
    let ceiling = (took * conflicts.min(MOST_RIVALS)).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
    let random = SessionId::random().random_bits() % (ceiling.as_micros() as u64);
    platform::sleep(Duration::from_micros(random)).await;
}
