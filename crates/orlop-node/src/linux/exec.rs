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

/// Bytes of each output that are kept.
const MAX_OUTPUT: usize = 16 << 20;
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

/// Reads an output; what is too much is read and forgotten.
async fn read(mut from: pipe::Receiver) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let room = MAX_OUTPUT - all.len();
        all.extend_from_slice(&buffer[..count.min(room)]);
    }
    all
}

/// Runs a command to its end; it is killed when `timeout` is over, or when nobody waits any more.
pub(super) async fn run(
    container: Arc<Container>,
    mut process: ProcessSpec,
    command: &[Str],
    timeout: Option<Duration>,
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
    let outputs = async { tokio::join!(read(stdout), read(stderr)) };
    tokio::pin!(outputs);
    let finished = async {
        let mut early = None;
        let exit = {
            let exited = process.exited();
            tokio::pin!(exited);
            loop {
                tokio::select! {
                    exit = &mut exited => break exit,
                    both = &mut outputs, if early.is_none() => early = Some(both),
                }
            }
        };
        let both = match early {
            Some(both) => both,
            None => tokio::time::timeout(DRAIN, &mut outputs).await.unwrap_or_default(),
        };
        exit.map(|exit| (exit, both)).map_err(failed)
    };
    let done = match timeout {
        Some(limit) => {
            tokio::time::timeout(limit, finished).await.unwrap_or(Err(RuntimeError::Timeout { after: limit }))
        }
        None => finished.await,
    };
    let (exit, (stdout, stderr)) = done?;
    Ok(ExecOutput { code: exit.status.code().unwrap_or(-1), stdout, stderr })
}
