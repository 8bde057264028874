//! What containers write, on its way into their logs.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orlop_clock::Clock;
use rustix::fs::{FileType, Mode, OFlags};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::sync::watch;

use super::log::{LogFile, LogLimits, Output, Pending, finish, format};
use super::log_read::Progress;

/// Bytes read at once.
const CHUNK: usize = 32 << 10;

/// The two pipes that a container writes to. They have names, so that a process that comes after this one can go on
/// reading; and the container can read them too, so that writing never fails for want of a reader.
#[derive(Debug, Clone)]
pub(crate) struct Pipes {
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Pipes {
    /// Those in a folder.
    pub(crate) fn of(dir: &Path) -> Self {
        Self { stdout: dir.join("stdout"), stderr: dir.join("stderr") }
    }

    /// Makes them.
    pub(crate) fn make(&self) -> io::Result<()> {
        for path in [&self.stdout, &self.stderr] {
            rustix::fs::mknodat(rustix::fs::CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?;
        }
        Ok(())
    }

    /// The container's ends.
    pub(crate) fn open_for_writing(&self) -> io::Result<(std::os::fd::OwnedFd, std::os::fd::OwnedFd)> {
        let open = |path: &PathBuf| {
            rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).map_err(io::Error::from)
        };
        Ok((open(&self.stdout)?, open(&self.stderr)?))
    }

    /// Our ends. Must be called within a tokio runtime.
    pub(crate) fn open_for_reading(&self) -> io::Result<(pipe::Receiver, pipe::Receiver)> {
        Ok((
            pipe::OpenOptions::new().open_receiver(&self.stdout)?,
            pipe::OpenOptions::new().open_receiver(&self.stderr)?,
        ))
    }
}

/// Copies what comes out of the pipes into the log until nobody can write any more.
pub(crate) async fn copy(
    pipes: (pipe::Receiver, pipe::Receiver),
    log: PathBuf,
    limits: LogLimits,
    clock: Arc<dyn Clock>,
    progress: watch::Sender<Progress>,
) {
    let (mut stdout, mut stderr) = pipes;
    let mut file = match LogFile::open(&log, limits) {
        Ok(file) => Some(file),
        Err(error) => {
            tracing::error!(path = %log.display(), %error, "a log cannot be written");
            None
        }
    };
    let mut buffers = [vec![0; CHUNK], vec![0; CHUNK]];
    let mut pending = [Pending::default(), Pending::default()];
    let mut open = [true, true];
    let mut lines = Vec::new();
    while open[0] || open[1] {
        let [first, second] = &mut buffers;
        let (index, read) = tokio::select! {
            read = stdout.read(first), if open[0] => (0, read),
            read = stderr.read(second), if open[1] => (1, read),
        };
        let output = [Output::Stdout, Output::Stderr][index];
        lines.clear();
        match read {
            Ok(count) if count > 0 => {
                format(&mut lines, output, &mut pending[index], &buffers[index][..count], clock.now());
            }
            ended => {
                if let Err(error) = ended {
                    tracing::warn!(path = %log.display(), %error, "an output of a container cannot be read");
                }
                open[index] = false;
                finish(&mut lines, output, &mut pending[index], clock.now());
            }
        }
        // What cannot be written is read all the same: the container must not come to a stop.
        if let Some(log_file) = file.as_mut().filter(|_| !lines.is_empty())
            && let Err(error) = log_file.append(&lines, clock.now())
        {
            tracing::error!(path = %log.display(), %error, "a log cannot be written");
            file = None;
        }
        progress.send_modify(|progress| progress.written += 1);
    }
    progress.send_modify(|progress| progress.ended = true);
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use orlop_clock::TokioClock;

    use super::*;
    use crate::linux::scratch::Scratch;

    #[tokio::test]
    async fn both_outputs_end_in_the_log() {
        let scratch = Scratch::new("pipes");
        let pipes = Pipes::of(scratch.path());
        pipes.make().unwrap();
        let (out, err) = pipes.open_for_writing().unwrap();
        let ours = pipes.open_for_reading().unwrap();
        let log = scratch.path().join("0.log");
        let clock = Arc::new(TokioClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
        let (tell, mut told) = watch::channel(Progress::default());
        let copying = tokio::spawn(copy(ours, log.clone(), LogLimits::default(), clock, tell));
        let (mut out, mut err) = (std::fs::File::from(out), std::fs::File::from(err));
        out.write_all(b"one\ntwo").unwrap();
        err.write_all(b"bad\n").unwrap();
        drop((out, err));
        copying.await.unwrap();
        assert!(told.borrow_and_update().ended);
        let text = std::fs::read_to_string(&log).unwrap();
        let mut lines: Vec<&str> = text.lines().map(|line| line.split_once(' ').unwrap().1).collect();
        lines.sort_unstable();
        assert_eq!(lines, ["stderr F bad", "stdout F one", "stdout F two"]);
    }
}
