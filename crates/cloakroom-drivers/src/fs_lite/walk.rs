//! Every file below the base that may be an item.

use std::fs::{self, DirEntry, ReadDir};
use std::io;
use std::path::{Path, PathBuf};

use super::is_own_folder;
use cloakroom_storage::ItemKey;

/// Goes through the folders one entry at a time, so that it can stop anywhere and go on later.
#[derive(Debug)]
pub(super) struct Walk {
    prefix: String,
    /// The folders that are being read, and how the keys in them begin.
    folders: Vec<(ReadDir, String)>,
    error: Option<io::Error>,
}

impl Walk {
    /// The files whose keys begin with `prefix`.
    pub(super) fn new(base: &Path, prefix: &str) -> Walk {
        let mut walk = Walk { prefix: prefix.to_owned(), folders: Vec::new(), error: None };
        if let Err(error) = walk.enter(base, String::new()) {
            walk.error = Some(error);
        }
        walk
    }

    fn enter(&mut self, folder: &Path, begins: String) -> io::Result<()> {
        match fs::read_dir(folder) {
            Ok(entries) => self.folders.push((entries, begins)),
            // The base has not been made yet, or somebody has removed the folder.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The file and its key, if the entry may be an item. Enters a folder. Links are neither.
    fn look_at(
        &mut self,
        entry: &DirEntry,
        begins: &str,
    ) -> io::Result<Option<(PathBuf, ItemKey)>> {
        let name = entry.file_name();
        // A name that no key leads to belongs to somebody else. A `:` would be a folder.
        let Some(name) = name.to_str().filter(|name| !name.contains(':')) else { return Ok(None) };
        // Also that of a store whose base lies in this one's.
        if is_own_folder(name) {
            return Ok(None);
        }
        let kind = entry.file_type()?;
        let raw = format!("{begins}{name}");
        if kind.is_dir() {
            let below = raw + ":";
            if below.starts_with(&self.prefix) || self.prefix.starts_with(&below) {
                self.enter(&entry.path(), below)?;
            }
            return Ok(None);
        }
        if !kind.is_file() || !raw.starts_with(&self.prefix) {
            return Ok(None);
        }
        let key = ItemKey::new(&raw).ok().filter(|key| key.as_str() == raw);
        Ok(key.map(|key| (entry.path(), key)))
    }
}

impl Iterator for Walk {
    type Item = io::Result<(PathBuf, ItemKey)>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.error.take() {
            return Some(Err(error));
        }
        loop {
            let (entries, begins) = self.folders.last_mut()?;
            let found = match entries.next() {
                Some(Ok(entry)) => {
                    let begins = begins.clone();
                    self.look_at(&entry, &begins)
                }
                Some(Err(error)) => {
                    // A folder that fails once may fail for ever.
                    self.folders.pop();
                    Err(error)
                }
                None => {
                    self.folders.pop();
                    continue;
                }
            };
            match found {
                Ok(None) => {}
                Ok(Some(found)) => return Some(Ok(found)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
