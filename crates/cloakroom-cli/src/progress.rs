//! How far long work is, for whoever looks on.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use cloakroom_storage::{Driver as _, DynDriver};
use futures_util::TryStreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};

use crate::output::Format;

/// How often it is drawn while nothing is done.
const PULSE: Duration = Duration::from_millis(200);

/// A bar on the standard error with the rate, and the time that is left where the end is known. There is none where the standard
/// error is no terminal, or the output is for a program: then nothing is printed at all.
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    /// Of work that nobody knows the length of.
    pub(crate) fn spinner(format: Format, doing: &'static str) -> Progress {
        Progress::new(format, doing, None, "{spinner} {msg} {human_pos}, {per_sec}")
    }

    /// Of so many steps.
    pub(crate) fn bar(format: Format, doing: &'static str, steps: usize) -> Progress {
        let template = "{msg} {wide_bar} {human_pos}/{human_len}, {per_sec}, {eta} left";
        Progress::new(format, doing, Some(steps as u64), template)
    }

    /// Of so many bytes.
    pub(crate) fn bytes(format: Format, doing: &'static str, bytes: u64) -> Progress {
        let template = "{msg} {wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
        Progress::new(format, doing, Some(bytes), template)
    }

    /// Of a walk through a store, whose keys are counted first: only for a bar that is seen. Where they cannot be, the walk says
    /// why.
    pub(crate) async fn through(
        format: Format,
        doing: &'static str,
        driver: &DynDriver,
    ) -> Progress {
        if !is_shown(format) {
            return Progress(None);
        }
        let counted = driver.keys("").try_fold(0, async |count, _| Ok(count + 1)).await;
        match counted {
            Ok(count) => Progress::bar(format, doing, count),
            Err(_) => Progress::spinner(format, doing),
        }
    }

    fn new(format: Format, doing: &'static str, length: Option<u64>, template: &str) -> Progress {
        if !is_shown(format) {
            return Progress(None);
        }
        let bar = ProgressBar::no_length();
        if let Some(length) = length {
            bar.set_length(length);
        }
        // The templates are those above, and one that is none would leave the bar as it comes.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(doing);
        bar.enable_steady_tick(PULSE);
        Progress(Some(bar))
    }

    /// One step is done.
    pub(crate) fn tick(&self) {
        self.advance(1);
    }

    /// So much is done.
    pub(crate) fn advance(&self, by: u64) {
        if let Some(bar) = &self.0 {
            bar.inc(by);
        }
    }

    /// Says something on the standard error, and leaves the bar whole.
    pub(crate) fn say(&self, line: &str) {
        self.beside(|| _ = writeln!(io::stderr(), "{line}"));
    }

    /// Prints, and leaves the bar whole.
    pub(crate) fn beside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

/// What is done is not looked at any more.
impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

fn is_shown(format: Format) -> bool {
    !format.json && io::stderr().is_terminal()
}
