//! Commands in running containers.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use orlop_container::{Container, Process, ProcessSpec, Stdio, Stream};
use orlop_model::Str;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;

use super::runtime::failed;
use super::undo::told;
use crate::runtime::{ExecOutput, RuntimeError, RuntimeResult};

/// What a command's own children still write is waited for so long after it has ended.
const DRAIN: Duration = Duration::from_secs(1);
/// `SIGKILL`
const KILL: i32 = 9;

/// A process that does not outlive whoever waits for it.
struct Held(Arc<Process>);

impl Drop for Held {
    fn drop(&mut self) {
        told("process of a command", self.0.signal(KILL));
    }
}

/// Reads an output; what is more than `most` is read and forgotten.
async fn read(mut from: pipe::Receiver, most: usize, into: &mut Vec<u8>) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let room = most - into.len();
        into.extend_from_slice(&buffer[..count.min(room)]);
    }
}

/// Runs a command to its end; it is killed when `timeout` is over, or when nobody waits any more. `most`: bytes of each
/// output that are kept.
pub(super) async fn run(
    container: Arc<Container>,
    mut process: ProcessSpec,
    command: &[Str],
    timeout: Option<Duration>,
    most: usize,
) -> RuntimeResult<ExecOutput> {
    process.args = command.iter().map(ToString::to_string).collect();
    let (stdout, stdout_end) = std::io::pipe().map_err(failed)?;
    let (stderr, stderr_end) = std::io::pipe().map_err(failed)?;
    let receiver = |end| pipe::Receiver::from_owned_fd(OwnedFd::from(end)).map_err(failed);
    let (stdout, stderr) = (receiver(stdout)?, receiver(stderr)?);
    let stdio = Stdio {
        stdin: Stream::Null,
        stdout: Stream::Fd(stdout_end.into()),
        stderr: Stream::Fd(stderr_end.into()),
    };
    // If nobody waits any more while the process is made, it is killed as soon as it is there.
    let made = tokio::task::spawn_blocking(move || {
        container.exec(&process, stdio).map(|process| Held(Arc::new(process)))
    });
    let held = made.await.map_err(failed)?.map_err(failed)?;
    let process = Arc::clone(&held.0);
    let finished = async {
        let (mut from_stdout, mut from_stderr) = (Vec::new(), Vec::new());
        let exit = {
            let outputs = async {
                tokio::join!(read(stdout, most, &mut from_stdout), read(stderr, most, &mut from_stderr));
            };
            tokio::pin!(outputs);
            let exited = process.exited();
            tokio::pin!(exited);
            let mut open = true;
            let exit = loop {
                tokio::select! {
                    exit = &mut exited => break exit,
                    () = &mut outputs, if open => open = false,
                }
            };
            if open {
                // What has come until then counts.
                drop(tokio::time::timeout(DRAIN, &mut outputs).await);
            }
            exit
        };
        exit.map(|exit| (exit, from_stdout, from_stderr)).map_err(failed)
    };
    let done = match timeout {
        Some(limit) => {
            tokio::time::timeout(limit, finished).await.unwrap_or(Err(RuntimeError::Timeout { after: limit }))
        }
        None => finished.await,
    };
    let (exit, stdout, stderr) = done?;
    Ok(ExecOutput { code: exit.status.code().unwrap_or(-1), stdout, stderr })
}
