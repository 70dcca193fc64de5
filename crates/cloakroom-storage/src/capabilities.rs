//! What a driver can do.

/// What a driver can do, so that its callers and the [conformance suite](crate::conformance) know what to
/// rely on.
///
/// Start from [`Capabilities::none`] and set what holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// What was set can be got again. Only `null` lacks this.
    pub retains: bool,
    /// [`When::Absent`](crate::When::Absent) and [`When::Version`](crate::When::Version) are decided
    /// atomically. Without it they are [`Unsupported`](crate::ErrorKind::Unsupported), and a caller must
    /// load, merge and write with [`When::Always`](crate::When::Always).
    pub compare_and_swap: bool,
    /// A version names one writing: what writes the same bytes again gets another one, and so does what makes anew what was
    /// removed or has expired. Without it a version says what the bytes are, and serves whenever these very bytes are
    /// there, whoever wrote them.
    pub version_per_write: bool,
    /// A `ttl` is honoured: an expired item reads as missing.
    pub expiry: bool,
    /// The store frees expired items by itself, so that nobody needs to call
    /// [`sweep`](crate::Driver::sweep).
    pub native_ttl: bool,
    /// [`keys`](crate::Driver::keys) lists the items.
    pub iteration: bool,
    /// Items outlive the process.
    pub durable: bool,
    /// Several processes may use the store at once.
    pub shared: bool,
    /// Every write fails with [`ReadOnly`](crate::ErrorKind::ReadOnly).
    pub read_only: bool,
    /// An empty value can be stored. Otherwise it is refused as
    /// [`Unsupported`](crate::ErrorKind::Unsupported).
    pub empty_values: bool,
    /// The longest value in bytes, where a session may be longer: text in ASCII or no text at all. A text with other letters may
    /// have room for fewer, or for more. A longer one is refused as [`TooLarge`](crate::ErrorKind::TooLarge).
    pub longest_value: Option<usize>,
}

impl Capabilities {
    /// No capability at all.
    pub const fn none() -> Capabilities {
        Capabilities {
            retains: false,
            compare_and_swap: false,
            version_per_write: false,
            expiry: false,
            native_ttl: false,
            iteration: false,
            durable: false,
            shared: false,
            read_only: false,
            empty_values: false,
            longest_value: None,
        }
    }
}
