//! Reading a file without waiting for the disk.

use std::fs::File;
use std::io::IoSliceMut;
use std::path::Path;

use bytes::Bytes;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::{ReadWriteFlags, preadv2};

use super::read::Seen;

/// The longest file that is read so: to copy more takes its time too.
const LONGEST: usize = 16 * 1024;

/// The file, if the kernel has its name and all of it in memory. `None` says nothing of it: it
/// may be missing, or long, or on a file system that cannot tell, or the kernel may be older than 5.12.
pub(super) fn read(path: &Path) -> Option<Seen> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED).ok()?);
    let mut buffer = [0; LONGEST];
    let length =
        preadv2(&file, &mut [IoSliceMut::new(&mut buffer)], 0, ReadWriteFlags::NOWAIT).ok()?;
    // As in a thread, the times are taken after the bytes.
    let metadata = file.metadata().ok()?;
    let whole = metadata.is_file() && metadata.len() == length as u64;
    whole.then(|| (Bytes::copy_from_slice(&buffer[..length]), file, metadata))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_was_just_written_is_read_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("item");
        fs::write(&path, "value").expect("written");
        // Not every kernel and file system can.
        if let Some((value, _, metadata)) = read(&path) {
            assert_eq!(value, "value");
            assert_eq!(metadata.len(), 5);
        }
    }

    #[test]
    fn what_is_no_file_or_too_long_is_left_to_a_thread() {
        let folder = tempfile::tempdir().expect("a folder");
        let (long, link) = (folder.path().join("long"), folder.path().join("link"));
        fs::write(&long, vec![b'x'; LONGEST + 1]).expect("written");
        fs::write(folder.path().join("item"), "value").expect("written");
        symlink(folder.path().join("item"), &link).expect("linked");
        for path in [&long, &link, &folder.path().join("missing"), &folder.path().to_owned()] {
            assert!(read(path).is_none(), "{}", path.display());
        }
    }
}
