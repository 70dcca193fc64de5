//! What the disk itself does: a file is written and kept, renamed, and the name is kept too.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use figures::measure::{Series, Settings};

/// How often that is done in a second, one after the other.
pub(super) fn writes_per_second(settings: &Settings, folder: &Path) -> Result<Series> {
    let (rounds, length) = if settings.quick { (1, 1) } else { (5, 2) };
    let mut samples = Vec::new();
    for _ in 0..rounds {
        let (begin, mut times) = (Instant::now(), 0_u32);
        while begin.elapsed() < Duration::from_secs(length) {
            write(folder)?;
            times += 1;
        }
        samples.push(f64::from(times) / begin.elapsed().as_secs_f64());
    }
    Ok(Series { name: "the disk, write after write".to_owned(), samples })
}

fn write(folder: &Path) -> Result<()> {
    let (temporary, path) = (folder.join("temporary"), folder.join("file"));
    let mut file = File::create(&temporary)?;
    file.write_all(&[b'x'; 1024])?;
    file.sync_all()?;
    fs::rename(temporary, path)?;
    File::open(folder)?.sync_all()?;
    Ok(())
}
