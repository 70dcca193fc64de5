//! Free ports.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpStream};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::program::user;

/// Below the ports that the kernel gives to outgoing connections, so that none takes a server's port while the server
/// is away.
const FIRST: u16 = 10_000;
const COUNT: u16 = 22_000;

/// A port that belongs to this value, among all the processes that ask here.
pub(crate) struct Port {
    number: u16,
    /// Locked for as long as it is open: the lock ends with the process.
    _claim: File,
}

impl Port {
    pub(crate) fn claim() -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let folder = std::env::temp_dir().join(format!("cloakroom-ports-{}", user()));
        fs::create_dir_all(&folder).expect("the temporary folder can be written to");
        for _ in 0..COUNT {
            // Processes begin at different places, so that they seldom meet.
            let offset = NEXT.fetch_add(1, Ordering::Relaxed);
            let start = u64::from(process::id()) * 97;
            let number = FIRST + ((start + u64::from(offset)) % u64::from(COUNT)) as u16;
            let claim =
                File::create(folder.join(number.to_string())).expect("a claim's file opens");
            let is_mine = claim.try_lock().is_ok();
            if is_mine && is_free(number) {
                return Self { number, _claim: claim };
            }
        }
        panic!("no port from {FIRST} on is free");
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}

/// Whether nobody listens.
///
/// To listen here for a moment would tell as well, but a process that another thread starts meanwhile holds what is open
/// here until it becomes its program: it would go on listening, and the server would be taken for started.
fn is_free(number: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, number)).is_err()
}
