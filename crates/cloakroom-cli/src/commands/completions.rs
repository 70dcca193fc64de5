//! `cloakroom completions`.

use std::error::Error;
use std::io::{self, Write as _};

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use crate::output::Outcome;

/// Prints what a shell needs to complete the commands and their options.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cloakroom completions bash > ~/.local/share/bash-completion/completions/cloakroom
  cloakroom completions fish > ~/.config/fish/completions/cloakroom.fish")]
pub(crate) struct Completions {
    /// Which shell it is for.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, mut command: Command) -> Result<Outcome, Box<dyn Error>> {
        // Written as a whole, since the generator has no answer to an output that is closed.
        let mut script = Vec::new();
        generate(self.shell, &mut command, "cloakroom", &mut script);
        io::stdout().write_all(&script)?;
        Ok(Outcome::Done)
    }
}
