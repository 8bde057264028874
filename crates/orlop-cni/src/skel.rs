//! The plugin's side of the protocol: environment and standard input in, standard output and an error out.
//!
//! A plugin that is an executable of its own calls [`dispatch`] in its `main` with the process's environment and
//! standard input, writes what it answers, and exits with 1 after an error.

use std::error::Error as StdError;
use std::io::Read;

use serde_json::json;

use crate::error::code;
use crate::json::{Fields, parse};
use crate::version::{CURRENT, Version, compatible, declared};
use crate::{CniError, name};

/// What a plugin is asked to do, besides VERSION.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Attach a container to the network.
    Add,
    /// Detach it; succeeds however often it is asked.
    Del,
    /// See whether everything is as ADD left it.
    Check,
    /// Release what belongs to no valid attachment.
    Gc,
    /// Say whether ADD could be served.
    Status,
}

impl Command {
    /// As in `CNI_COMMAND`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Del => "DEL",
            Self::Check => "CHECK",
            Self::Gc => "GC",
            Self::Status => "STATUS",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Add, Self::Del, Self::Check, Self::Gc, Self::Status]
            .into_iter()
            .find(|command| command.as_str() == text)
    }
}

impl std::fmt::Display for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One call of a plugin, from its environment and standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What to do.
    pub command: Command,
    /// `CNI_CONTAINERID`.
    pub container_id: String,
    /// `CNI_NETNS`, a path.
    pub netns: String,
    /// `CNI_IFNAME`.
    pub ifname: String,
    /// `CNI_ARGS`.
    pub args: String,
    /// `CNI_PATH`.
    pub path: String,
    /// The configuration: JSON.
    pub config: String,
}

/// What a plugin's function answers: text for standard output, or an error. A [`CniError`] among the error's sources is
/// told as it is; anything else gets code 999.
pub type Answer = Result<String, Box<dyn StdError + Send + Sync>>;

/// A plugin's function.
pub type Verb<'a> = &'a dyn Fn(&Call) -> Answer;

/// A plugin: its functions, and what it says about itself.
#[derive(Clone, Copy)]
pub struct Skeleton<'a> {
    /// A line about the plugin, for people who call it without a command.
    pub about: &'a str,
    /// Versions that it supports.
    pub supported: &'a [&'a str],
    /// ADD.
    pub add: Option<Verb<'a>>,
    /// DEL.
    pub del: Option<Verb<'a>>,
    /// CHECK.
    pub check: Option<Verb<'a>>,
    /// GC.
    pub gc: Option<Verb<'a>>,
    /// STATUS.
    pub status: Option<Verb<'a>>,
}

impl std::fmt::Debug for Skeleton<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Skeleton")
            .field("about", &self.about)
            .field("supported", &self.supported)
            .finish_non_exhaustive()
    }
}

/// What a plugin's process is to write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// To standard output.
    pub stdout: String,
    /// To standard error.
    pub stderr: String,
}

/// What each command needs, in the order in which it is looked at.
const VARIABLES: [(&str, &[Command]); 5] = [
    ("CNI_CONTAINERID", &[Command::Add, Command::Check, Command::Del]),
    ("CNI_NETNS", &[Command::Add, Command::Check]),
    ("CNI_IFNAME", &[Command::Add, Command::Check, Command::Del]),
    ("CNI_ARGS", &[]),
    ("CNI_PATH", &[Command::Add, Command::Check, Command::Del, Command::Gc, Command::Status]),
];

/// Serves one call. `env` tells environment variables, `stdin` is read for every command but VERSION, and
/// `is_own_netns` says whether a path names the network namespace that the plugin is in itself.
///
/// # Errors
/// What is wrong with the call, and what the plugin's function answers. The process prints it to standard output as
/// JSON and exits with 1.
pub fn dispatch(
    plugin: &Skeleton<'_>,
    env: impl Fn(&str) -> Option<String>,
    mut stdin: impl Read,
    is_own_netns: impl Fn(&str) -> bool,
) -> Result<Output, CniError> {
    let env = |name: &str| env(name).unwrap_or_default();
    let name = env("CNI_COMMAND");
    if name.is_empty() && !plugin.about.is_empty() {
        let supported = plugin.supported.join(", ");
        let stderr = format!("{}\nCNI protocol versions supported: {supported}\n", plugin.about);
        return Ok(Output { stderr, ..Output::default() });
    }
    let command = Command::parse(&name);
    let mut missing = Vec::new();
    if name.is_empty() {
        missing.push("CNI_COMMAND");
    }
    for (variable, needed_by) in VARIABLES {
        if !command.is_some_and(|command| needed_by.contains(&command)) {
            continue;
        }
        let value = env(variable);
        match variable {
            _ if value.is_empty() => missing.push(variable),
            "CNI_CONTAINERID" => crate::name::container_id(&value)?,
            "CNI_IFNAME" => crate::name::interface(&value)?,
            _ => {}
        }
    }
    if !missing.is_empty() {
        let msg = format!("required env variables [{}] missing", missing.join(","));
        return Err(CniError::new(code::INVALID_ENVIRONMENT, msg));
    }
    if name == "VERSION" {
        let reply = json!({"cniVersion": CURRENT, "supportedVersions": plugin.supported});
        return Ok(Output { stdout: format!("{reply}\n"), ..Output::default() });
    }

    let mut config = String::new();
    stdin.read_to_string(&mut config).map_err(|error| CniError::io("error reading from stdin", error))?;
    validate(&config)?;
    let Some(command) = command else {
        return Err(CniError::new(code::INVALID_ENVIRONMENT, format!("unknown CNI_COMMAND: {name}")));
    };
    let call = Call {
        command,
        container_id: env("CNI_CONTAINERID"),
        netns: env("CNI_NETNS"),
        ifname: env("CNI_IFNAME"),
        args: env("CNI_ARGS"),
        path: env("CNI_PATH"),
        config,
    };
    let version = declared(&call.config)
        .map_err(|error| decode(format!("decoding version from network config: {error}")))?;
    let verb = match command {
        Command::Add => plugin.add,
        Command::Del => plugin.del,
        Command::Check => plugin.check,
        Command::Gc => plugin.gc,
        Command::Status => plugin.status,
    };
    match command {
        Command::Add | Command::Del => {}
        Command::Check => allowed(command, &version, crate::version::CHECK_SINCE, plugin.supported)?,
        Command::Gc | Command::Status => {
            allowed(command, &version, crate::version::GC_SINCE, plugin.supported)?
        }
    }
    compatible(&version, plugin.supported)?;
    let stdout = verb.map_or_else(|| Ok(String::new()), |verb| verb(&call).map_err(|error| told(&*error)))?;
    if matches!(command, Command::Add | Command::Del) {
        let overridden = env("CNI_NETNS_OVERRIDE");
        let overridden = overridden == "1" || overridden.eq_ignore_ascii_case("true");
        if !overridden && !call.netns.is_empty() && is_own_netns(&call.netns) {
            let msg = "plugin's netns and netns from CNI_NETNS should not be the same";
            return Err(CniError::new(code::INVALID_NETNS, msg));
        }
    }
    Ok(Output { stdout, ..Output::default() })
}

fn decode(msg: String) -> CniError {
    CniError::new(code::DECODE, msg)
}

fn validate(config: &str) -> Result<(), CniError> {
    let network = parse(config)
        .and_then(|config| Fields::of(&config, "")?.text("name"))
        .map_err(|error| decode(format!("error unmarshall network config: {error}")))?;
    if network.is_empty() {
        return Err(CniError::config("missing network name"));
    }
    name::network(&network)
}

/// Whether both the configuration and the plugin know of a command.
fn allowed(command: Command, version: &str, since: Version, supported: &[&str]) -> Result<(), CniError> {
    let read = |version| Version::parse(version).map_err(|error| decode(error.to_string()));
    let config = read(version)?;
    let refuse = |who: &str| {
        Err(CniError::new(code::INCOMPATIBLE_VERSION, format!("{who} version does not allow {command}")))
    };
    if config < since {
        return refuse("config");
    }
    for version in supported {
        if read(version)? >= config {
            return Ok(());
        }
    }
    refuse("plugin")
}

/// The CNI error in an error, or an error without a code of its own.
fn told(error: &(dyn StdError + 'static)) -> CniError {
    let mut source = Some(error);
    while let Some(one) = source {
        if let Some(error) = one.downcast_ref::<CniError>() {
            return error.clone();
        }
        source = one.source();
    }
    CniError::internal(error.to_string())
}
