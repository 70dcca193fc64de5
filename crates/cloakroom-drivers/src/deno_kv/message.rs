//! The messages of KV Connect's data path, written down from its schema; what this driver does not use is left out.

use bytes::Bytes;
use prost::Message;

/// How many bytes a version has.
pub(super) const VERSIONSTAMP: usize = 10;

// None of them is printed: they have keys and sessions.

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct SnapshotRead {
    #[prost(message, repeated, tag = "1")]
    pub(super) ranges: Vec<ReadRange>,
}

/// From a key up to another, which is not read.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct ReadRange {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) start: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) end: Bytes,
    #[prost(int32, tag = "3")]
    pub(super) limit: i32,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct SnapshotReadOutput {
    /// One for each that was asked for.
    #[prost(message, repeated, tag = "1")]
    pub(super) ranges: Vec<ReadRangeOutput>,
    #[prost(bool, tag = "2")]
    pub(super) read_disabled: bool,
    #[prost(bool, tag = "4")]
    pub(super) read_is_strongly_consistent: bool,
    /// Since version 3 of the protocol.
    #[prost(enumeration = "SnapshotReadStatus", tag = "8")]
    pub(super) status: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum SnapshotReadStatus {
    Unspecified = 0,
    Success = 1,
    ReadDisabled = 2,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct ReadRangeOutput {
    /// In the order of their keys.
    #[prost(message, repeated, tag = "1")]
    pub(super) values: Vec<KvEntry>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct KvEntry {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) value: Bytes,
    #[prost(enumeration = "ValueEncoding", tag = "3")]
    pub(super) encoding: i32,
    /// Of the write that last wrote it.
    #[prost(bytes = "bytes", tag = "4")]
    pub(super) versionstamp: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum ValueEncoding {
    Unspecified = 0,
    /// Any value of JavaScript's, as V8 serialises it.
    V8 = 1,
    /// A number of 64 bits, the lowest byte first.
    Le64 = 2,
    Bytes = 3,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct AtomicWrite {
    #[prost(message, repeated, tag = "1")]
    pub(super) checks: Vec<Check>,
    #[prost(message, repeated, tag = "2")]
    pub(super) mutations: Vec<Mutation>,
}

/// That a key is at this version; with an empty one, that it is not there.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct Check {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) versionstamp: Bytes,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct Mutation {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) key: Bytes,
    #[prost(message, optional, tag = "2")]
    pub(super) value: Option<KvValue>,
    #[prost(enumeration = "MutationType", tag = "3")]
    pub(super) mutation_type: i32,
    /// Milliseconds since 1970; zero for never.
    #[prost(int64, tag = "4")]
    pub(super) expire_at_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum MutationType {
    Unspecified = 0,
    Set = 1,
    Delete = 2,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct KvValue {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) data: Bytes,
    #[prost(enumeration = "ValueEncoding", tag = "2")]
    pub(super) encoding: i32,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct AtomicWriteOutput {
    #[prost(enumeration = "AtomicWriteStatus", tag = "1")]
    pub(super) status: i32,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) versionstamp: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum AtomicWriteStatus {
    Unspecified = 0,
    Success = 1,
    CheckFailure = 2,
    WriteDisabled = 5,
}
