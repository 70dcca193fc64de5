//! `cloakroom man`.

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::{Man as Page, generate_to};

use crate::output::Outcome;

/// Prints the manual page, or writes one for each command.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cloakroom man | man -l -
  cloakroom man --out /usr/local/share/man/man1")]
pub(crate) struct Man {
    /// Write cloakroom.1, and cloakroom-list.1 and the like for the commands, into this folder, which is made if it is missing.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(self, command: Command) -> Result<Outcome, Box<dyn Error>> {
        match self.out {
            Some(folder) => {
                let cannot = |error| format!("cannot write into {}: {error}", folder.display());
                fs::create_dir_all(&folder).map_err(cannot)?;
                generate_to(command, &folder).map_err(cannot)?;
            }
            None => {
                let mut page = Vec::new();
                Page::new(command.disable_help_subcommand(true)).render(&mut page)?;
                io::stdout().write_all(&page)?;
            }
        }
        Ok(Outcome::Done)
    }
}
