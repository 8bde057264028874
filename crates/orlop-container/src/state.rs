//! [`Record`]: what is written down of a container or sandbox, so that the next run of the program finds it.

use std::collections::BTreeMap;
use std::path::Path;

use orlop_fs::Root;
use serde::{Deserialize, Serialize};

use crate::Error;

/// What is written down. It is there before anything else is made, and names what will be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Which form of record this is.
    pub(crate) version: u32,
    /// What it is of.
    pub(crate) kind: Kind,
    /// Its process, from when it is about to be started.
    pub(crate) process: Option<Identity>,
    /// Its cgroup, below the base.
    pub(crate) cgroup: Option<String>,
    /// Whether it has a user namespace of its own.
    pub(crate) user_namespace: bool,
    /// What the caller wants to find again.
    pub(crate) annotations: BTreeMap<String, String>,
}

/// What a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Container,
    Sandbox,
}

/// Which process is meant: its number alone may mean another one by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) pid: u32,
    /// When it began, in ticks since the machine was started (proc_pid_stat(5), field 22).
    pub(crate) started: u64,
    /// Which start of the machine.
    pub(crate) boot: String,
}

const FILE: &str = "record.json";
const VERSION: u32 = 1;
/// No record is larger.
const LIMIT: u64 = 4 << 20;

impl Record {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            version: VERSION,
            kind,
            process: None,
            cgroup: None,
            user_namespace: false,
            annotations: BTreeMap::new(),
        }
    }

    pub(crate) fn write(&self, dir: &Root) -> Result<(), Error> {
        let text = serde_json::to_vec(self)
            .map_err(|error| Error::Record { path: dir.path().join(FILE), message: error.to_string() })?;
        Ok(dir.replace(FILE, &text, 0o600)?)
    }

    /// Nothing if there is none: its directory was made and nothing else yet.
    pub(crate) fn read(dir: &Root) -> Result<Option<Self>, Error> {
        let wrong = |message: String| Error::Record { path: dir.path().join(FILE), message };
        let text = match dir.read(FILE, LIMIT) {
            Err(error) if error.is_not_found() => return Ok(None),
            other => other?,
        };
        let record: Self = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if record.version != VERSION {
            return Err(wrong(format!("version {} is not known", record.version)));
        }
        Ok(Some(record))
    }
}

impl Identity {
    /// Of a process that runs, or nothing if there is none of this number.
    pub(crate) fn of(pid: u32) -> Result<Option<Self>, Error> {
        // The name of a process is whatever bytes it wants.
        let read = |path: &Path| match std::fs::read(path) {
            Ok(text) => Ok(Some(String::from_utf8_lossy(&text).into_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            // The process has just gone.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
            Err(error) => {
                Err(Error::Step { operation: "read", object: path.display().to_string(), source: error })
            }
        };
        let Some(stat) = read(Path::new(&format!("/proc/{pid}/stat")))? else { return Ok(None) };
        let boot = read(Path::new("/proc/sys/kernel/random/boot_id"))?.unwrap_or_default().trim().to_owned();
        let started = started(&stat).ok_or_else(|| Error::Record {
            path: format!("/proc/{pid}/stat").into(),
            message: "not understood".to_owned(),
        })?;
        Ok(Some(Self { pid, started, boot }))
    }

    /// Whether this process still runs.
    pub(crate) fn lives(&self) -> Result<bool, Error> {
        Ok(Self::of(self.pid)?.as_ref() == Some(self))
    }
}

/// Field 22. The second one is the name in parentheses, in which anything may be.
fn started(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moment_of_beginning_is_found() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 1 2 3";
        assert_eq!(started(stat), Some(12_345));
        assert_eq!(started(""), None);
        assert_eq!(started("1 (x) S 1"), None);
    }

    #[test]
    fn a_name_may_be_any_bytes() {
        let named = std::thread::spawn(|| {
            rustix::thread::set_name(c"\xff\xfe) S (").expect("a name");
            let thread = rustix::thread::gettid().as_raw_nonzero().get();
            let found = Identity::of(u32::try_from(thread).expect("positive"));
            found.expect("readable").expect("running").started
        });
        assert!(named.join().expect("no panic") > 0);
    }

    #[test]
    fn a_process_is_recognised() {
        let me = Identity::of(std::process::id()).expect("readable").expect("running");
        assert!(me.lives().expect("readable"));
        assert!(!Identity { started: me.started + 1, ..me.clone() }.lives().expect("readable"));
        assert!(!Identity { boot: "other".to_owned(), ..me }.lives().expect("readable"));
        assert_eq!(Identity::of(u32::MAX).expect("readable"), None);
    }
}
