//! A wire that counts, hangs and breaks.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::port::Port;
use crate::until::until;

/// How long the proxy's own port may be held by others.
const PATIENCE: Duration = Duration::from_secs(60);

/// A port of its own, which leads to a server's.
pub struct Proxy {
    port: Port,
    wire: Arc<Wire>,
    listener: Mutex<Option<JoinHandle<()>>>,
}

/// What the threads of all connections share.
struct Wire {
    target: u16,
    round_trips: AtomicU64,
    hangs: AtomicBool,
    listens: AtomicBool,
    connections: Mutex<Vec<Arc<Connection>>>,
}

struct Connection {
    client: TcpStream,
    server: TcpStream,
    /// Whether the client sends next: what it then sends begins a turn.
    is_clients_turn: AtomicBool,
    /// Whether bytes are missing.
    is_torn: AtomicBool,
}

impl Proxy {
    /// Starts a proxy before this port of 127.0.0.1.
    #[must_use]
    pub fn start(target: u16) -> Self {
        let wire = Arc::new(Wire {
            target,
            round_trips: AtomicU64::new(0),
            hangs: AtomicBool::new(false),
            listens: AtomicBool::new(false),
            connections: Mutex::default(),
        });
        let proxy = Self { port: Port::claim(), wire, listener: Mutex::new(None) };
        proxy.heal();
        proxy
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// How often clients sent something and the server had answered all that was sent before: over all connections,
    /// those of what opens a connection included.
    #[must_use]
    pub fn round_trips(&self) -> u64 {
        self.wire.round_trips.load(Ordering::SeqCst)
    }

    /// Counts from zero again.
    pub fn reset(&self) {
        self.wire.round_trips.store(0, Ordering::SeqCst);
    }

    /// Accepts everything, passes nothing on, and answers nothing, on old and new connections.
    pub fn hang(&self) {
        self.wire.hangs.store(true, Ordering::SeqCst);
    }

    /// Closes all connections, and the port.
    pub fn refuse(&self) {
        let mut listener = self.listener();
        self.wire.listens.store(false, Ordering::SeqCst);
        if let Some(thread) = listener.take() {
            // Wakes the thread that waits for a connection.
            _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port()));
            thread.join().expect("the listener does not panic");
        }
        self.wire.connections().drain(..).for_each(|connection| connection.close());
    }

    /// Passes everything on again. Connections that have lost bytes are closed.
    pub fn heal(&self) {
        self.wire.hangs.store(false, Ordering::SeqCst);
        self.wire.connections().retain(|connection| {
            let is_torn = connection.is_torn.load(Ordering::SeqCst);
            if is_torn {
                connection.close();
            }
            !is_torn
        });
        let mut thread = self.listener();
        if thread.is_none() {
            let listener = listen_on(self.port());
            self.wire.listens.store(true, Ordering::SeqCst);
            let wire = Arc::clone(&self.wire);
            *thread = Some(thread::spawn(move || wire.listen(&listener)));
        }
    }

    fn listener(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.refuse();
    }
}

/// A process that another thread starts holds a listener that was closed here, for as long as it takes it to become its
/// program.
fn listen_on(port: u16) -> TcpListener {
    let mut listener = None;
    until(PATIENCE, || {
        listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok();
        listener.is_some()
    });
    listener.expect("the port is this proxy's")
}

impl Wire {
    fn connections(&self) -> MutexGuard<'_, Vec<Arc<Connection>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming().flatten() {
            if !self.listens.load(Ordering::SeqCst) {
                return;
            }
            // A server that is away closes the client's connection.
            if let Ok(connection) = Connection::open(client, self.target) {
                let connection = Arc::new(connection);
                self.connections().push(Arc::clone(&connection));
                let (wire, upward) = (Arc::clone(self), Arc::clone(&connection));
                thread::spawn(move || wire.pass_to_server(&upward));
                let wire = Arc::clone(self);
                thread::spawn(move || wire.pass_to_client(&connection));
            }
        }
    }

    fn pass_to_server(&self, connection: &Connection) {
        self.pass(connection, &connection.client, &connection.server, || {
            if connection.is_clients_turn.swap(false, Ordering::SeqCst) {
                self.round_trips.fetch_add(1, Ordering::SeqCst);
            }
        });
    }

    fn pass_to_client(&self, connection: &Connection) {
        self.pass(connection, &connection.server, &connection.client, || {
            connection.is_clients_turn.store(true, Ordering::SeqCst);
        });
    }

    /// Passes bytes on until either end is closed; `note` sees that some came, before they go on.
    fn pass(
        &self,
        connection: &Connection,
        mut from: &TcpStream,
        mut to: &TcpStream,
        note: impl Fn(),
    ) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if self.hangs.load(Ordering::SeqCst) {
                connection.is_torn.store(true, Ordering::SeqCst);
            }
            if connection.is_torn.load(Ordering::SeqCst) {
                continue;
            }
            note();
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        connection.close();
        self.connections().retain(|other| !std::ptr::eq(&**other, connection));
    }
}

impl Connection {
    fn open(client: TcpStream, target: u16) -> std::io::Result<Self> {
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, target))?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let is_clients_turn = AtomicBool::new(true);
        Ok(Self { client, server, is_clients_turn, is_torn: AtomicBool::new(false) })
    }

    fn close(&self) {
        // Either may be closed already.
        _ = self.client.shutdown(Shutdown::Both);
        _ = self.server.shutdown(Shutdown::Both);
    }
}
