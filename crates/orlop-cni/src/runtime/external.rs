//! Plugins that are executables of their own.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command as Process, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use serde_json::{Value, json};

use super::knows_gc;
use crate::error::code;
use crate::plugin::{Call, ErasedPlugin, NetworkCall};
use crate::skel::Command;
use crate::version::{CHECK_SINCE, CURRENT, Version, supported_by};
use crate::{CniError, CniResult, Owned, Owner, VersionedResult};

/// Calls plugins that are not in this process.
pub trait Invoker: Send + Sync + std::fmt::Debug + 'static {
    /// Whether there is such a plugin. Asked before anything is done for an attachment.
    ///
    /// # Errors
    /// If there is not.
    fn find(&self, plugin: &str) -> Result<(), CniError>;

    /// Calls a plugin with an environment and standard input, and answers its standard output.
    ///
    /// # Errors
    /// What the plugin answered; or if there is no such plugin, or it cannot be called.
    fn invoke(&self, invocation: &Invocation<'_>) -> Result<Vec<u8>, CniError>;
}

/// One call of a plugin that is not in this process.
#[derive(Clone, Debug)]
pub struct Invocation<'a> {
    /// Which plugin.
    pub plugin: &'a str,
    /// `CNI_…` variables, but for `CNI_PATH`, which the invoker knows.
    pub env: Vec<(&'static str, String)>,
    /// Standard input.
    pub stdin: Vec<u8>,
}

/// Runs executables from folders, for a limited time each.
///
/// They get the `CNI_…` variables and `PATH`, and nothing else of this process's environment. Each is a process group of
/// its own, which is killed with it. What one leaves running when it ends in time is left alone, and not waited for.
#[derive(Clone, Debug)]
pub struct Executables {
    folders: Vec<PathBuf>,
    limit: Duration,
}

/// How much of an answer is read.
const ANSWER_MAX: usize = 4 << 20;

impl Executables {
    /// From these folders, the first first. Each call may take two minutes.
    #[must_use]
    pub fn new(folders: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self { folders: folders.into_iter().map(Into::into).collect(), limit: Duration::from_secs(120) }
    }

    /// With another limit for a call; what takes longer is killed.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    fn path(&self, plugin: &str) -> Result<PathBuf, CniError> {
        let usable = !plugin.is_empty() && !plugin.contains(['/', '\0']) && plugin != "." && plugin != "..";
        let found =
            usable.then(|| self.folders.iter().map(|folder| folder.join(plugin)).find(|path| path.is_file()));
        found.flatten().ok_or_else(|| {
            let folders: Vec<_> = self.folders.iter().map(|folder| folder.display().to_string()).collect();
            CniError::io(format!("find plugin {plugin:?}"), format!("not in {}", folders.join(":")))
        })
    }
}

impl Invoker for Executables {
    fn find(&self, plugin: &str) -> Result<(), CniError> {
        self.path(plugin).map(drop)
    }

    fn invoke(&self, invocation: &Invocation<'_>) -> Result<Vec<u8>, CniError> {
        let path = self.path(invocation.plugin)?;
        let failed = |doing: &str, error: &dyn std::fmt::Display| {
            CniError::io(format!("{doing} {}", path.display()), error)
        };
        let mode = path.metadata().map_err(|error| failed("look at", &error))?.permissions().mode();
        if mode & 0o111 == 0 {
            return Err(failed("run", &"not executable"));
        }
        let folders = std::env::join_paths(&self.folders).map_err(|error| failed("run", &error))?;
        let mut process = Process::new(&path);
        process
            .env_clear()
            .env("CNI_PATH", folders)
            .envs(invocation.env.iter().map(|(name, value)| (name, value)));
        if let Some(path) = std::env::var_os("PATH") {
            process.env("PATH", path);
        }
        process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = process.spawn().map_err(|error| failed("run", &error))?;
        let (status, stdout, stderr) = match converse(&mut child, &invocation.stdin, self.limit) {
            Ok(Some(ended)) => ended,
            other => {
                // Its children as well: they have its pipes.
                let _ = Pid::from_raw(child.id().cast_signed())
                    .map(|group| kill_process_group(group, Signal::KILL));
                let _ = child.wait();
                return Err(match other {
                    Err(error) => failed("talk to", &error),
                    Ok(_) => failed("run", &format!("took longer than {:?}", self.limit)),
                });
            }
        };
        if status.success() {
            return Ok(stdout);
        }
        Err(told(invocation.plugin, &stdout, &stderr, &status.to_string()))
    }
}

/// How a plugin ended, and what it wrote to standard output and error.
type Ended = (ExitStatus, Vec<u8>, Vec<u8>);

/// Writes what a plugin is to read and reads what it writes until it ends; none if that takes too long. The pipes may
/// stay open for longer, in processes that it started: nobody waits for them.
fn converse(child: &mut Child, mut input: &[u8], limit: Duration) -> io::Result<Option<Ended>> {
    let started = Instant::now();
    let pid = Pid::from_raw(child.id().cast_signed()).ok_or(ErrorKind::NotFound)?;
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    let mut stdin = child.stdin.take();
    if let Some(pipe) = &stdin {
        ioctl_fionbio(pipe, true)?;
    }
    let (mut stdout, mut stderr) = (Heard::new(child.stdout.take())?, Heard::new(child.stderr.take())?);
    loop {
        let mut awaited = vec![PollFd::new(&process, PollFlags::IN)];
        awaited.extend(stdin.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
        awaited.extend(stdout.pipe.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        awaited.extend(stderr.pipe.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        let left = limit.saturating_sub(started.elapsed());
        match poll(&mut awaited, Timespec::try_from(left).ok().as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        // Looked at before the pipes: all that it wrote is in them by then.
        let ended = !awaited[0].revents().is_empty();
        say(&mut stdin, &mut input);
        stdout.hear();
        stderr.hear();
        if ended {
            return Ok(Some((child.wait()?, stdout.bytes, stderr.bytes)));
        }
        if started.elapsed() >= limit {
            return Ok(None);
        }
    }
}

/// Writes as much as there is room for. A plugin that does not read its input, or not to the end, is fine.
fn say(to: &mut Option<ChildStdin>, input: &mut &[u8]) {
    while let Some(pipe) = to {
        match pipe.write(input) {
            Ok(written) if written > 0 => *input = &input[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            _ => *to = None,
        }
    }
}

/// What comes out of a pipe.
struct Heard<P> {
    pipe: Option<P>,
    bytes: Vec<u8>,
}

impl<P: Read + AsFd> Heard<P> {
    fn new(pipe: Option<P>) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            ioctl_fionbio(pipe, true)?;
        }
        Ok(Self { pipe, bytes: Vec::new() })
    }

    /// Reads what is there. After too much the pipe is closed.
    fn hear(&mut self) {
        let mut buffer = [0; 16 << 10];
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut buffer) {
                Ok(read) if read > 0 && self.bytes.len() < ANSWER_MAX => {
                    self.bytes.extend_from_slice(&buffer[..read]);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => self.pipe = None,
            }
        }
    }
}

/// The error that a plugin wrote to standard output; or, where it wrote none, what it wrote elsewhere.
fn told(plugin: &str, stdout: &[u8], stderr: &[u8], status: &str) -> CniError {
    if let Ok(error) = serde_json::from_slice::<CniError>(stdout)
        && (error.code != 0 || !error.msg.is_empty())
    {
        return error;
    }
    let said = if stdout.is_empty() { stderr } else { stdout };
    let said = String::from_utf8_lossy(said);
    let said = said.trim();
    let said: String = said.chars().take(2000).collect();
    CniError::internal(format!("plugin {plugin:?}: {status}: {said}"))
}

/// A plugin that is not in this process.
#[derive(Debug)]
pub(super) struct External {
    plugin: String,
    invoker: Arc<dyn Invoker>,
}

impl External {
    pub(super) fn new(plugin: &str, invoker: Arc<dyn Invoker>) -> Self {
        Self { plugin: plugin.to_owned(), invoker }
    }

    fn invoke(&self, command: Command, call: Option<&Call<'_>>, config: Value) -> Result<Vec<u8>, CniError> {
        let mut env = vec![("CNI_COMMAND", command.to_string())];
        if let Some(call) = call {
            env.push(("CNI_CONTAINERID", call.owner.container_id.clone()));
            env.push(("CNI_NETNS", call.netns_path.to_owned()));
            env.push(("CNI_IFNAME", call.owner.ifname.clone()));
            env.push(("CNI_ARGS", call.args.to_owned()));
        }
        self.invoker.invoke(&Invocation { plugin: &self.plugin, env, stdin: config.to_string().into_bytes() })
    }

    fn with_previous(call: &Call<'_>) -> Result<Value, CniError> {
        let mut config = call.network.config.clone();
        if let Some(previous) = call.previous {
            let result = VersionedResult::from(previous.clone());
            let result =
                result.convert(version(&config)).map_err(|error| CniError::internal(error.to_string()))?;
            config["prevResult"] = result.to_json();
        }
        Ok(config)
    }

    pub(super) fn versions(&self) -> Result<Vec<String>, CniError> {
        let env = vec![
            ("CNI_COMMAND", "VERSION".to_owned()),
            // Plugins of the first version ask for these whatever the command is.
            ("CNI_NETNS", "dummy".to_owned()),
            ("CNI_IFNAME", "dummy".to_owned()),
        ];
        let stdin = json!({"cniVersion": CURRENT}).to_string().into_bytes();
        match self.invoker.invoke(&Invocation { plugin: &self.plugin, env, stdin }) {
            Ok(reply) => supported_by(&String::from_utf8_lossy(&reply))
                .map_err(|error| CniError::new(code::DECODE, error.to_string())),
            Err(error) if error.msg.contains("unknown CNI_COMMAND: VERSION") => Ok(vec!["0.1.0".to_owned()]),
            Err(error) => Err(error),
        }
    }
}

fn version(config: &Value) -> &str {
    config.get("cniVersion").and_then(Value::as_str).unwrap_or_default()
}

impl ErasedPlugin for External {
    fn ready(&self, _: &Value) -> Result<(), CniError> {
        self.invoker.find(&self.plugin)
    }

    fn add(&self, call: &Call<'_>) -> Result<CniResult, CniError> {
        let stdout = self.invoke(Command::Add, Some(call), Self::with_previous(call)?)?;
        let decode = |error: &dyn std::fmt::Display| {
            CniError::new(code::DECODE, format!("result of plugin {:?}: {error}", self.plugin))
        };
        let mut result: Value = serde_json::from_slice(&stdout).map_err(|error| decode(&error))?;
        let config = version(call.network.config);
        if result.is_null() {
            return Ok(call.previous.cloned().unwrap_or_default());
        }
        // A plugin that does not say which version it answers in answers in that of the configuration.
        if version(&result).is_empty() && result.is_object() {
            result["cniVersion"] = config.into();
        }
        let declared = version(&result).to_owned();
        let result = VersionedResult::from_json(&declared, &result).map_err(|error| decode(&error))?;
        result.into_current().map_err(|error| decode(&error))
    }

    fn del(&self, call: &Call<'_>) -> Result<(), CniError> {
        let knows = Version::parse(version(call.network.config)).is_ok_and(|version| version >= CHECK_SINCE);
        let config = if knows { Self::with_previous(call)? } else { call.network.config.clone() };
        self.invoke(Command::Del, Some(call), config).map(drop)
    }

    fn check(&self, call: &Call<'_>) -> Result<(), CniError> {
        self.invoke(Command::Check, Some(call), Self::with_previous(call)?).map(drop)
    }

    fn owned(&self, _: &NetworkCall<'_>) -> Result<Vec<Owned>, CniError> {
        Ok(Vec::new())
    }

    fn release(&self, _: &NetworkCall<'_>, _: &Owner) -> Result<(), CniError> {
        Ok(())
    }

    fn remove(&self, _: &NetworkCall<'_>) -> Result<(), CniError> {
        Ok(())
    }

    fn status(&self, network: &NetworkCall<'_>) -> Result<(), CniError> {
        if !knows_gc(version(network.config)) {
            return Ok(());
        }
        self.invoke(Command::Status, None, network.config.clone()).map(drop)
    }

    fn gc(&self, network: &NetworkCall<'_>, valid: &[Owner]) -> Result<(), CniError> {
        if !knows_gc(version(network.config)) {
            return Ok(());
        }
        let valid: Vec<_> = valid
            .iter()
            .map(|owner| json!({"containerID": owner.container_id, "ifname": owner.ifname}))
            .collect();
        let mut config = network.config.clone();
        config["cni.dev/valid-attachments"] = valid.clone().into();
        // The name that earlier runtimes gave it.
        config["cni.dev/attachments"] = valid.into();
        self.invoke(Command::Gc, None, config).map(drop)
    }
}
