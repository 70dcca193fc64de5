//! What an I/O error means to whoever uses the store.

use std::io;
use std::path::Path;

use super::platform;
use cloakroom_storage::{Error, ErrorKind};

/// Says what an I/O error means. Its text names the folder and never the file, whose name is the key.
pub(super) fn of_item(base: &Path, error: io::Error) -> Error {
    use io::ErrorKind as Io;
    let base = base.display();
    let (kind, message) = match error.kind() {
        Io::StorageFull | Io::QuotaExceeded => (
            ErrorKind::StorageFull,
            format!("the disk that holds `{base}` is full; make room on it"),
        ),
        Io::FileTooLarge => {
            (ErrorKind::TooLarge, format!("the value is larger than a file in `{base}` may be"))
        }
        Io::ReadOnlyFilesystem => {
            (ErrorKind::ReadOnly, format!("`{base}` is on a read-only file system"))
        }
        Io::PermissionDenied => (
            ErrorKind::PermissionDenied,
            format!(
                "this process may not do that in `{base}`; let its user own the folder and what is in it"
            ),
        ),
        Io::NotADirectory | Io::IsADirectory | Io::DirectoryNotEmpty => (
            ErrorKind::InvalidKey,
            format!(
                "a file stands where a folder is needed, or the reverse, in `{base}`; is one key the beginning of another?"
            ),
        ),
        Io::InvalidFilename => (
            ErrorKind::InvalidKey,
            format!("a part of the key is too long for a file name in `{base}`"),
        ),
        _ if platform::is_link_error(&error) => (
            ErrorKind::Corrupt,
            format!(
                "a symbolic link stands in the place of an item in `{base}`; it is not followed"
            ),
        ),
        _ => (ErrorKind::Unavailable, format!("the folder `{base}` does not work: {error}")),
    };
    Error::new(kind, message).with_source(error)
}

/// Of a lock's file, which no key is to blame for.
pub(super) fn of_lock(base: &Path, own_folder: &Path, error: io::Error) -> Error {
    if error.kind() != io::ErrorKind::IsADirectory {
        return of_item(base, error);
    }
    let own_folder = own_folder.display();
    let message = format!("a folder stands in the place of a lock in `{own_folder}`: remove it");
    Error::new(ErrorKind::Corrupt, message).with_source(error)
}
