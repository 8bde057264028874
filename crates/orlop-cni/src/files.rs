//! Configurations in a folder.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::{ConfigError, NetworkList, PluginConfig};

/// Larger files are no configurations.
const FILE_MAX: u64 = 4 << 20;

fn failed(path: &Path, problem: impl ToString) -> ConfigError {
    ConfigError::File { path: path.display().to_string(), problem: problem.to_string() }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let file = fs::File::open(path).map_err(|error| failed(path, error))?;
    let mut text = String::new();
    let len = file.take(FILE_MAX + 1).read_to_string(&mut text).map_err(|error| failed(path, error))?;
    if len as u64 > FILE_MAX { Err(failed(path, "is larger than 4 MiB")) } else { Ok(text) }
}

/// Files with one of some endings, sorted by name. A folder that is not there has none.
fn files(folder: &Path, endings: &[&str]) -> Result<Vec<PathBuf>, ConfigError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(folder, error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(folder, error))?.path();
        let fits = path.extension().and_then(|ending| ending.to_str()).is_some_and(|e| endings.contains(&e));
        if fits && !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

impl NetworkList {
    /// Reads a list from a file, and the plugins beside it: those in the files `NAME/*.conf` of the same folder, unless
    /// `loadOnlyInlinedPlugins` is set.
    ///
    /// # Errors
    /// If a file cannot be read or understood, or there is no plugin at all.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let mut list = Self::parse(&read(path)?)?;
        if !list.load_only_inlined_plugins {
            // The name leads to a folder, so it must not lead elsewhere.
            crate::name::network(&list.name).map_err(|error| failed(path, error))?;
            let folder = path.parent().unwrap_or(Path::new(".")).join(&list.name);
            for file in files(&folder, &["conf"])? {
                list.plugins.push(PluginConfig::from_json(&crate::json::parse(&read(&file)?)?)?);
            }
        }
        if list.plugins.is_empty() { Err(ConfigError::NoPlugins) } else { Ok(list) }
    }

    /// Reads the network of a name from a folder: the first in its `*.conflist` files, by their names; else the first in
    /// its `*.conf` and `*.json` files, which hold one plugin each. None if there is none.
    ///
    /// # Errors
    /// If a file before the right one cannot be read or understood.
    pub fn from_folder(folder: impl AsRef<Path>, name: &str) -> Result<Option<Self>, ConfigError> {
        let folder = folder.as_ref();
        for path in files(folder, &["conflist"])? {
            let list = Self::from_file(path)?;
            if list.name == name {
                return Ok(Some(list));
            }
        }
        for path in files(folder, &["conf", "json"])? {
            let plugin = PluginConfig::from_json(&crate::json::parse(&read(&path)?)?)?;
            if plugin.name == name {
                return Self::of_plugin(&plugin).map(Some);
            }
        }
        Ok(None)
    }

    /// A network of one plugin, with the plugin's name and version.
    ///
    /// # Errors
    /// If the version cannot be understood.
    pub fn of_plugin(plugin: &PluginConfig) -> Result<Self, ConfigError> {
        let list = json!({"name": plugin.name, "cniVersion": plugin.cni_version, "plugins": [plugin.json]});
        Self::parse(&list.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_in_a_folder() {
        let folder = std::env::temp_dir().join(format!("orlop-cni-files-{}", std::process::id()));
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(NetworkList::from_folder(&folder, "a").unwrap(), None, "no folder, no networks");
        write("20-a.conflist", r#"{"name": "a", "cniVersion": "1.0.0", "plugins": [{"type": "second"}]}"#);
        write("10-a.conflist", r#"{"name": "a", "cniVersion": "1.0.0", "plugins": [{"type": "first"}]}"#);
        write("30-b.conflist", r#"{"name": "b", "cniVersion": "1.0.0"}"#);
        write("40-c.conf", r#"{"name": "c", "cniVersion": "0.4.0", "type": "single", "mtu": 1400}"#);
        write("a/2.conf", r#"{"type": "more"}"#);
        write("a/1.conf", r#"{"type": "some"}"#);
        write("a/ignored.txt", "{");
        let types = |list: NetworkList| list.plugins.into_iter().map(|p| p.plugin_type).collect::<Vec<_>>();
        let a = NetworkList::from_folder(&folder, "a").unwrap().unwrap();
        assert_eq!(types(a), ["first", "some", "more"]);
        // It has no plugins, and is before the files of single plugins.
        assert_eq!(NetworkList::from_folder(&folder, "c").unwrap_err(), ConfigError::NoPlugins);
        write("b/1.conf", r#"{"type": "only"}"#);
        assert_eq!(types(NetworkList::from_folder(&folder, "b").unwrap().unwrap()), ["only"]);
        let c = NetworkList::from_folder(&folder, "c").unwrap().unwrap();
        assert_eq!((c.cni_version.as_str(), &c.plugins[0].json["mtu"]), ("0.4.0", &1400.into()));
        assert_eq!(NetworkList::from_folder(&folder, "d").unwrap(), None);
        write("30-b.conflist", r#"{"name": "../b", "cniVersion": "1.0.0"}"#);
        let error = NetworkList::from_folder(&folder, "b").unwrap_err().to_string();
        assert!(error.contains("30-b.conflist") && error.contains("invalid characters"), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }
}
