//! What containers write, on its way into their logs.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orlop_clock::Clock;
use rustix::fs::{FileType, Mode, OFlags};
use tokio::net::unix::pipe;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::log::{Away, LogFile, Output, Pending, finish, format};
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
    mut log: LogFile,
    clock: Arc<dyn Clock>,
    progress: watch::Sender<Progress>,
) {
    let (stdout, stderr) = pipes;
    let mut pending = [Pending::default(), Pending::default()];
    let mut open = [true, true];
    let mut written = true;
    let mut tidying: Option<JoinHandle<()>> = None;
    while open[0] || open[1] {
        let (index, ready) = tokio::select! {
            ready = stdout.readable(), if open[0] => (0, ready),
            ready = stderr.readable(), if open[1] => (1, ready),
        };
        // Containers are silent most of the time, and then nothing is held for them.
        let mut buffer = vec![0; CHUNK];
        let mut lines = Vec::new();
        let output = [Output::Stdout, Output::Stderr][index];
        match ready.and_then(|()| [&stdout, &stderr][index].try_read(&mut buffer)) {
            Ok(count) if count > 0 => {
                format(&mut lines, output, &mut pending[index], &buffer[..count], clock.now());
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            ended => {
                if let Err(error) = ended {
                    let path = log.path().display();
                    tracing::warn!(%path, %error, "an output of a container cannot be read");
                }
                open[index] = false;
                finish(&mut lines, output, &mut pending[index], clock.now());
            }
        }
        if !lines.is_empty() {
            match log.append(&lines, clock.now()) {
                Ok(away) => {
                    written = true;
                    if let Some(away) = away {
                        tidying = Some(tidy(away, tidying.take()).await);
                    }
                }
                // What cannot be written is read all the same: the container must not come to a stop.
                Err(error) => {
                    if written {
                        tracing::error!(path = %log.path().display(), %error, "a log cannot be written");
                    }
                    written = false;
                }
            }
        }
        progress.send_modify(|progress| progress.written += 1);
    }
    if let Some(tidying) = tidying {
        drop(tidying.await);
    }
    progress.send_modify(|progress| progress.ended = true);
}

/// Compresses files that were put away, on a thread for that, after those before.
async fn tidy(away: Away, before: Option<JoinHandle<()>>) -> JoinHandle<()> {
    if let Some(before) = before {
        drop(before.await);
    }
    tokio::task::spawn_blocking(move || {
        if let Err(error) = away.tidy() {
            tracing::warn!(?away, %error, "a log that was put away cannot be compressed");
        }
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use orlop_clock::TokioClock;

    use super::*;
    use crate::linux::log::LogLimits;
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
        let copying = tokio::spawn(copy(ours, LogFile::new(&log, LogLimits::default()), clock, tell));
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
