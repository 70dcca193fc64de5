//! The Astro site: built for each of its stores, as Astro has it and with our package. Its packages are those of `interop`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::cores;
use figures::measure::Settings;

pub(crate) struct Site {
    folder: PathBuf,
    node: PathBuf,
}

impl Site {
    pub(crate) fn build(settings: &Settings) -> Result<Site> {
        let packages = settings.root.join("interop/node_modules");
        let folder = settings.root.join("bench/javascript/site");
        let link = folder.join("node_modules");
        if !link.exists() {
            std::os::unix::fs::symlink(&packages, &link)
                .with_context(|| link.display().to_string())?;
        }
        // The one that `npm ci` brings: Astro needs a later one than many a system has.
        let node = packages.join(".bin/node");
        let built = Command::new(&node)
            .arg("build.mjs")
            .current_dir(&folder)
            .env("ASTRO_TELEMETRY_DISABLED", "1")
            .output()
            .context("`node` did not start")?;
        let said = String::from_utf8_lossy(&built.stderr);
        ensure!(built.status.success(), "the Astro site was not built: {said}");
        Ok(Site { folder, node })
    }

    /// Its server for the sessions of this folder. `kind` is `plain` or `package`.
    pub(crate) fn server(&self, store: &str, kind: &str, folder: &Path) -> Command {
        let mut command = cores::server(&self.node);
        command.arg(self.folder.join(format!("dist/{store}-{kind}/server/entry.mjs")));
        command.current_dir(folder).env("HOST", "127.0.0.1").env("PORT", "0");
        command.env("NODE_ENV", "production");
        command
    }
}
