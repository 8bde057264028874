//! [`Output`]: what people see.

use std::cell::Cell;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

/// Writes lines with the time of the cluster, and shows on a terminal what is going on.
pub(crate) struct Output {
    quiet: bool,
    start: Cell<Instant>,
    live: ProgressBar,
}

impl Output {
    pub(crate) fn new(quiet: bool) -> Self {
        let visible = !quiet && std::io::stderr().is_terminal();
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let live = ProgressBar::with_draw_target(None, target);
        live.set_style(
            ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        Self { quiet, start: Cell::new(Instant::now()), live }
    }

    /// The time of the cluster is counted from now on.
    pub(crate) fn begin(&self) {
        self.start.set(Instant::now());
    }

    /// A line in any case.
    pub(crate) fn say(&self, text: &str) {
        self.live.suspend(|| {
            let mut out = std::io::stdout().lock();
            // Whoever closed the pipe does not want to read on.
            let _ = writeln!(out, "{text}");
        });
    }

    /// A step of the story begins.
    pub(crate) fn step(&self, text: &str) {
        self.say(&format!("\n[{:>7.1}s] {text}", self.elapsed().as_secs_f64()));
    }

    /// Something that goes on; not said when quiet.
    pub(crate) fn tell(&self, text: &str) {
        if !self.quiet {
            text.lines().for_each(|line| self.say(&format!("           {line}")));
        }
    }

    /// Whether an assertion held; gives it back.
    pub(crate) fn check(&self, held: bool, text: &str) -> bool {
        let mark = if held { "ok" } else { "FAILED" };
        self.say(&format!("[{:>7.1}s]   {mark}: {text}", self.elapsed().as_secs_f64()));
        held
    }

    /// Shows a table as it is now, on a terminal only, until the next one or [`settled`](Self::settled).
    pub(crate) fn show(&self, table: &str) {
        self.live.set_message(table.to_owned());
        self.live.tick();
    }

    /// Nothing is going on any more.
    pub(crate) fn settled(&self) {
        self.live.set_message("");
        self.live.tick();
    }

    /// A bar that is shown on a terminal only.
    pub(crate) fn bar(&self, total: u64) -> ProgressBar {
        if self.live.is_hidden() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} pods running, {elapsed}");
        ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    }

    fn elapsed(&self) -> Duration {
        self.start.get().elapsed()
    }
}
