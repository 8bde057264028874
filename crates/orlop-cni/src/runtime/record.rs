//! Records of attachments on disk: one file each, in the format of CNI's reference implementation, written before the
//! first plugin is called and again with the result.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Attachment, Error};
use crate::{CniResult, NetworkList, Owner, VersionedResult};

const KIND: &str = "cniCacheV1";

/// One attachment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    kind: String,
    container_id: String,
    /// The network's configuration, in base64.
    config: String,
    if_name: String,
    network_name: String,
    #[serde(default)]
    netns: String,
    #[serde(default)]
    cni_args: Value,
    #[serde(default)]
    capability_args: Map<String, Value>,
    /// What ADD answered; none while it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) result: Option<Value>,
}

impl Record {
    pub(super) fn of(list: &NetworkList, attachment: &Attachment) -> Self {
        let pairs = attachment.args.split(';').filter_map(|pair| pair.split_once('='));
        Self {
            kind: KIND.to_owned(),
            container_id: attachment.container_id.clone(),
            config: STANDARD.encode(list.to_json().to_string()),
            if_name: attachment.ifname.clone(),
            network_name: list.name.clone(),
            netns: attachment.netns_path.clone(),
            cni_args: pairs.map(|(name, value)| json!([name, value])).collect(),
            capability_args: attachment.capabilities.clone(),
            result: None,
        }
    }

    /// The configuration that the container was attached with.
    pub(super) fn list(&self) -> Option<NetworkList> {
        let text = String::from_utf8(STANDARD.decode(&self.config).ok()?).ok()?;
        NetworkList::parse(&text).ok().filter(|list| list.name == self.network_name)
    }

    pub(super) fn result(&self) -> Option<CniResult> {
        let result = self.result.as_ref()?;
        let version = result.get("cniVersion").and_then(Value::as_str).unwrap_or_default();
        VersionedResult::from_json(version, result).ok()?.into_current().ok()
    }

    /// Adds to an attachment what it was attached with.
    pub(super) fn complete(&self, attachment: &mut Attachment) {
        for (name, value) in &self.capability_args {
            attachment.capabilities.entry(name.clone()).or_insert_with(|| value.clone());
        }
        if attachment.args.is_empty() {
            let pairs: Vec<[String; 2]> = Vec::deserialize(&self.cni_args).unwrap_or_default();
            let pairs: Vec<_> = pairs.iter().map(|[name, value]| format!("{name}={value}")).collect();
            attachment.args = pairs.join(";");
        }
        // A path below /proc names a process and a descriptor of then, which may be others by now.
        if attachment.netns_path.is_empty() && !self.netns.starts_with("/proc/") {
            attachment.netns_path.clone_from(&self.netns);
        }
    }
}

/// The folder of all records.
#[derive(Debug)]
pub(super) struct Records {
    folder: PathBuf,
}

/// Files that are being written.
const UNFINISHED: &str = ".unfinished:";

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.display().to_string();
    move |error| Error::Record { path, problem: error.to_string() }
}

impl Records {
    pub(super) fn new(state: &Path) -> Self {
        Self { folder: state.join("results") }
    }

    /// Names have neither colons nor slashes in them.
    fn path(&self, owner: &Owner) -> PathBuf {
        self.folder.join(format!("{}:{}:{}", owner.network, owner.container_id, owner.ifname))
    }

    fn unfinished(&self, owner: &Owner) -> PathBuf {
        self.folder.join(format!("{UNFINISHED}{}:{}:{}", owner.network, owner.container_id, owner.ifname))
    }

    pub(super) fn read(&self, owner: &Owner) -> Result<Option<Record>, Error> {
        let path = self.path(owner);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&path)(error)),
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| Error::Record { path: path.display().to_string(), problem: error.to_string() })
    }

    /// Whole or not at all, also for who is killed meanwhile.
    pub(super) fn write(&self, owner: &Owner, record: &Record) -> Result<(), Error> {
        let path = self.path(owner);
        // Of one attachment, so that what a killed process left is overwritten.
        let unfinished = self.unfinished(owner);
        let bytes = serde_json::to_vec(record).map_err(|error| Error::Record {
            path: path.display().to_string(),
            problem: error.to_string(),
        })?;
        let write = || {
            use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
            let open = || {
                fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)
            };
            let mut file = match open() {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
                    open()?
                }
                other => other?,
            };
            file.write_all(&bytes)?;
            fs::rename(&unfinished, &path)
        };
        write().map_err(|error| {
            let _ = fs::remove_file(&unfinished);
            failed(&path)(error)
        })
    }

    pub(super) fn remove(&self, owner: &Owner) -> Result<(), Error> {
        for path in [self.unfinished(owner), self.path(owner)] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(&path)(error)),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn all(&self) -> Result<Vec<Owner>, Error> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&self.folder)(error)),
        };
        let mut owners = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed(&self.folder))?.file_name();
            let Some(name) = name.to_str() else { continue };
            // One that was being written is one that something may have been made for.
            let name = name.strip_prefix(UNFINISHED).unwrap_or(name);
            let mut parts = name.split(':').map(ToOwned::to_owned);
            if let (Some(network), Some(container_id), Some(ifname), None) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            {
                owners.push(Owner { network, container_id, ifname });
            }
        }
        owners.sort();
        owners.dedup();
        Ok(owners)
    }

    pub(super) fn of_network(&self, network: &str) -> Result<Vec<Owner>, Error> {
        Ok(self.all()?.into_iter().filter(|owner| owner.network == network).collect())
    }
}
