//! From the options to what is connected to.

use std::net::SocketAddr;
use std::time::Duration;

use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo,
    ProtocolVersion, RedisConnectionInfo, RedisError, RedisFuture, TlsMode,
};
use serde_json::Value;

use super::given::Given;
use super::options::{ClusterNode, Options, Secret, SentinelAddress, invalid};
use super::tls::{Tls, TlsOptions};
use super::url::take_apart;
use cloakroom_storage::Result;

/// How long connecting may take, unless it is said otherwise. ioredis waits for 10 s, longer than a request does.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long an answer may take, unless it is said otherwise. ioredis waits for ever.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(2);

const DEFAULT_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// What is connected to.
#[derive(Debug)]
pub(super) enum Target {
    /// One server, at one address.
    Server(Box<ConnectionInfo>),
    /// The master that sentinels name.
    Sentinels(Box<Sentinels>),
    /// The nodes that a cluster is found through.
    Cluster(Vec<ConnectionInfo>),
}

/// How a master is found.
#[derive(Debug)]
pub(super) struct Sentinels {
    addresses: Vec<ConnectionAddr>,
    name: String,
    login: Login,
    sentinel_login: Login,
    tcp: TcpSettings,
    tls: Option<Tls>,
}

/// Who we are at a server.
#[derive(Clone, Debug, Default)]
struct Login {
    username: Option<String>,
    password: Option<Secret>,
    db: u32,
    skip_client_information: bool,
}

/// What holds for every connection.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pub(super) connect_timeout: Duration,
    pub(super) command_timeout: Duration,
    pub(super) connection_name: Option<String>,
    pub(super) resolver: Option<Resolver>,
    pub(super) tls: Option<Tls>,
}

impl Target {
    pub(super) fn new(options: &Options, tls: Option<Tls>) -> Result<Target> {
        if let Some(nodes) = &options.cluster {
            return cluster(options, nodes, tls.as_ref()).map(Target::Cluster);
        }
        if let Some(sentinels) = &options.sentinels {
            return Sentinels::new(options, sentinels, tls)
                .map(|sentinels| Target::Sentinels(Box::new(sentinels)));
        }
        let address = match &options.path {
            Some(path) => ConnectionAddr::Unix(path.into()),
            None => address(options.host.clone(), options.port, tls.as_ref())?,
        };
        let login = Login::new(options);
        Ok(Target::Server(Box::new(login.information(address, tcp_settings(options))?)))
    }

    /// Where it is known to be: those of the sentinels where they alone know the master.
    pub(super) fn addresses(&self) -> Vec<&ConnectionAddr> {
        match self {
            Target::Server(server) => vec![server.addr()],
            Target::Sentinels(sentinels) => sentinels.addresses.iter().collect(),
            Target::Cluster(nodes) => nodes.iter().map(ConnectionInfo::addr).collect(),
        }
    }
}

impl Sentinels {
    fn new(
        options: &Options,
        sentinels: &[SentinelAddress],
        tls: Option<Tls>,
    ) -> Result<Sentinels> {
        let Some(name) = options.name.clone() else {
            return Err(invalid(
                "option `sentinels` needs the option `name`, which master they watch",
            ));
        };
        if options.role.as_deref().is_some_and(|role| role != "master") {
            return Err(invalid(
                "option `role`: sessions live on the `master`; replicas lag behind",
            ));
        }
        if sentinels.is_empty() {
            return Err(invalid("option `sentinels`: there is none"));
        }
        let sentinel_tls = match options.enable_tls_for_sentinel_mode {
            true => {
                let usual = Given::from(TlsOptions::default());
                Tls::read(Some(options.sentinel_tls.as_ref().unwrap_or(&usual)), None)?
            }
            false => None,
        };
        let addresses = sentinels
            .iter()
            .map(|sentinel| {
                let port = sentinel.port.unwrap_or(SENTINEL_PORT);
                address(Some(sentinel.host.clone()), Some(port), sentinel_tls.as_ref())
            })
            .collect::<Result<_>>()?;
        let sentinel_login = Login {
            username: options.sentinel_username.clone(),
            password: options.sentinel_password.as_ref().map(Secret::from),
            ..Login::default()
        };
        let (login, tcp) = (Login::new(options), tcp_settings(options));
        Ok(Sentinels { addresses, name, login, sentinel_login, tcp, tls })
    }

    /// Asks the sentinels for the master, which may have changed since the last time.
    pub(super) async fn master(
        &self,
        protocol: ProtocolVersion,
    ) -> redis::RedisResult<redis::Client> {
        let mut builder = SentinelClientBuilder::new(
            self.addresses.iter().cloned(),
            &self.name,
            SentinelServerType::Master,
        )?
        .set_client_to_redis_db(i64::from(self.login.db))
        .set_client_to_redis_protocol(protocol)
        .set_client_to_redis_tcp_settings(self.tcp.clone());
        if let Some(tls) = &self.tls {
            let mode = if tls.insecure { TlsMode::Insecure } else { TlsMode::Secure };
            builder = builder.set_client_to_redis_tls_mode(mode);
            if let Some(certificates) = &tls.certificates {
                builder = builder.set_client_to_redis_certificates(certificates.clone());
            }
        }
        if let Some(username) = self.login.username() {
            builder = builder.set_client_to_redis_username(username);
        }
        if let Some(password) = &self.login.password {
            builder = builder.set_client_to_redis_password(password.reveal());
        }
        if let Some(username) = self.sentinel_login.username() {
            builder = builder.set_client_to_sentinel_username(username);
        }
        if let Some(password) = &self.sentinel_login.password {
            builder = builder.set_client_to_sentinel_password(password.reveal());
        }
        builder.build()?.async_get_client().await
    }
}

impl Login {
    fn new(options: &Options) -> Login {
        Login {
            username: options.username.clone(),
            password: options.password.as_ref().map(Secret::from),
            db: options.db.unwrap_or(0),
            skip_client_information: options.disable_client_info,
        }
    }

    fn username(&self) -> Option<&str> {
        self.username.as_deref().filter(|username| !username.is_empty())
    }

    fn information(&self, address: ConnectionAddr, tcp: TcpSettings) -> Result<ConnectionInfo> {
        let mut login = RedisConnectionInfo::default().set_db(i64::from(self.db));
        if let Some(username) = self.username() {
            login = login.set_username(username);
        }
        if let Some(password) = &self.password {
            login = login.set_password(password.reveal());
        }
        if self.skip_client_information {
            login = login.set_skip_set_lib_name();
        }
        let information = address
            .into_connection_info()
            .map_err(|error| invalid("this is no address").with_source(error))?;
        Ok(information
            .set_tcp_settings(tcp)
            .set_redis_settings(login.set_protocol(ProtocolVersion::RESP3)))
    }
}

impl Wire {
    /// What holds where nothing else is said.
    #[cfg(feature = "redis-1")]
    pub(super) fn usual() -> Wire {
        Wire {
            connect_timeout: CONNECT_TIMEOUT,
            command_timeout: COMMAND_TIMEOUT,
            connection_name: None,
            resolver: None,
            tls: None,
        }
    }

    pub(super) fn new(options: &Options, tls: Option<Tls>) -> Result<Wire> {
        let resolver = match options.family {
            None | Some(0) => None,
            Some(4) => Some(Resolver { v6: false }),
            Some(6) => Some(Resolver { v6: true }),
            Some(_) => return Err(invalid("option `family`: expected 4, 6 or 0 for either")),
        };
        let duration = |given: Option<u64>, default| match given {
            None | Some(0) => default,
            Some(milliseconds) => Duration::from_millis(milliseconds),
        };
        Ok(Wire {
            connect_timeout: duration(options.connect_timeout, CONNECT_TIMEOUT),
            command_timeout: duration(options.command_timeout, COMMAND_TIMEOUT),
            connection_name: options.connection_name.clone(),
            resolver,
            tls,
        })
    }

    pub(super) fn configuration(&self) -> AsyncConnectionConfig {
        let configuration = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_timeout))
            .set_response_timeout(Some(self.command_timeout));
        match self.resolver {
            Some(resolver) => configuration.set_dns_resolver(resolver),
            None => configuration,
        }
    }
}

/// Finds addresses of one family only.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolver {
    v6: bool,
}

impl redis::io::AsyncDNSResolver for Resolver {
    fn resolve<'a, 'b: 'a>(
        &'a self,
        host: &'b str,
        port: u16,
    ) -> RedisFuture<'a, Box<dyn Iterator<Item = SocketAddr> + Send + 'a>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, port)).await?;
            let found: Vec<_> = found.filter(|address| address.is_ipv6() == self.v6).collect();
            if found.is_empty() {
                let family =
                    if self.v6 { "it has no IPv6 address" } else { "it has no IPv4 address" };
                return Err(RedisError::from((ErrorKind::Io, family)));
            }
            Ok(Box::new(found.into_iter()) as Box<dyn Iterator<Item = SocketAddr> + Send>)
        })
    }
}

/// A cluster's nodes, each a URL, a port, or an object with a host and a port.
fn cluster(
    options: &Options,
    nodes: &[ClusterNode],
    tls: Option<&Tls>,
) -> Result<Vec<ConnectionInfo>> {
    if nodes.is_empty() {
        return Err(invalid("option `cluster`: there is no node"));
    }
    let nodes = nodes.iter().map(|ClusterNode(node)| {
        let given = match node {
            Value::String(url) => take_apart(url)?,
            Value::Object(given) => given.clone(),
            Value::Number(port) => [("port".to_owned(), port.clone().into())].into_iter().collect(),
            _ => {
                return Err(invalid(
                    "option `cluster`: a node is a URL, a port, or `{ host, port }`",
                ));
            }
        };
        let node = Options::read(&given)?;
        let own = Tls::read(node.tls.as_ref(), node.host.as_deref())?;
        let address = address(node.host.clone(), node.port, own.as_ref().or(tls))?;
        let login = if node.password.is_some() { Login::new(&node) } else { Login::new(options) };
        login.information(address, tcp_settings(options))
    });
    nodes.collect()
}

fn address(host: Option<String>, port: Option<u16>, tls: Option<&Tls>) -> Result<ConnectionAddr> {
    let host = host.unwrap_or_else(|| "127.0.0.1".to_owned());
    let port = port.unwrap_or(DEFAULT_PORT);
    if port == 0 {
        return Err(invalid(
            "option `port`: no server listens on 0; leave it out for the usual one",
        ));
    }
    match tls {
        Some(tls) => tls.address(host, port),
        None => Ok(ConnectionAddr::Tcp(host, port)),
    }
}

fn tcp_settings(options: &Options) -> TcpSettings {
    let settings = TcpSettings::default().set_nodelay(options.no_delay.unwrap_or(true));
    match options.keep_alive {
        None | Some(0) => settings,
        Some(milliseconds) => {
            // The system counts whole seconds.
            let idle = Duration::from_secs(milliseconds.div_ceil(1000));
            settings.set_keepalive(TcpKeepalive::new().with_time(idle))
        }
    }
}
