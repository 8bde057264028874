//! [`NetworkList`]: a network configuration list, and what each of its plugins is given.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::json::{Fields, Malformed};
use crate::quote::quoted;
use crate::version::{CURRENT, VersionError, greater_than};

/// A network: plugins that are called one after the other.
///
/// ```
/// use orlop_cni::NetworkList;
///
/// let network = NetworkList::parse(
///     r#"{"cniVersion": "1.1.0", "name": "pods", "plugins": [
///         {"type": "bridge", "bridge": "pods0", "isGateway": true, "ipMasq": true,
///          "ipam": {"type": "host-local", "subnet": "10.1.0.0/24"}},
///         {"type": "portmap", "capabilities": {"portMappings": true}}]}"#,
/// )?;
/// assert_eq!(network.plugins[0].ipam_type, "host-local");
/// # Ok::<(), orlop_cni::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkList {
    /// Its name. [`name::network`](crate::name::network) says which are allowed.
    pub name: String,
    /// The version that plugins are spoken to in: the greatest of `cniVersions` and `cniVersion` that this crate
    /// speaks; or `cniVersion` as it is.
    pub cni_version: String,
    /// CHECK does nothing.
    pub disable_check: bool,
    /// GC does nothing.
    pub disable_gc: bool,
    /// No plugins from files beside the list.
    pub load_only_inlined_plugins: bool,
    /// The plugins, in order.
    pub plugins: Vec<PluginConfig>,
}

/// The configuration of one plugin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PluginConfig {
    /// Which plugin.
    pub plugin_type: String,
    /// A name, which the network's replaces.
    pub name: String,
    /// A version, which the network's replaces.
    pub cni_version: String,
    /// Which of the runtime's arguments it wants.
    pub capabilities: BTreeMap<String, bool>,
    /// Which plugin it asks for addresses; empty for none.
    pub ipam_type: String,
    /// All of it, as it was written.
    pub json: Map<String, Value>,
}

/// A configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("network configuration: {0}")]
    Malformed(#[from] Malformed),
    /// It has no name.
    #[error("network configuration: no name")]
    NoName,
    /// A field has a value of the wrong kind.
    #[error("network configuration: {field}: invalid value {value}")]
    Value {
        /// Which field.
        field: String,
        /// What it has, as JSON.
        value: String,
    },
    /// A version that is none.
    #[error("network configuration: {field}: {source}")]
    Version {
        /// Which field.
        field: String,
        /// Why.
        source: VersionError,
    },
    /// `loadOnlyInlinedPlugins` is set, and there is no `plugins`.
    #[error("network configuration: loadOnlyInlinedPlugins is true, and there is no plugins field")]
    NothingInlined,
    /// The list of plugins is empty.
    #[error("network configuration: no plugins in the list")]
    NoPlugins,
    /// One of the plugins cannot be used.
    #[error("network configuration: plugin {index}: {source}")]
    Plugin {
        /// Which, from 0.
        index: usize,
        /// Why.
        source: Box<ConfigError>,
    },
    /// A plugin without a type.
    #[error("no type")]
    NoType,
    /// Files could not be read.
    #[error("network configuration {}: {problem}", quoted(path))]
    File {
        /// Which file or folder.
        path: String,
        /// Why.
        problem: String,
    },
}

impl NetworkList {
    /// Reads a list.
    ///
    /// # Errors
    /// If it is not JSON, lacks a name, or one of its fields or plugins cannot be understood. A list without a
    /// `plugins` field is fine: plugins may come from files beside it.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let document = crate::json::parse(text)?;
        Fields::of(&document, "")?;
        let nothing = Map::new();
        let raw = document.as_object().unwrap_or(&nothing);
        let wrong = |field: &str, value: &Value| ConfigError::Value {
            field: field.to_owned(),
            value: value.to_string(),
        };
        let name = match raw.get("name") {
            None => return Err(ConfigError::NoName),
            Some(Value::String(name)) => name.clone(),
            Some(other) => return Err(wrong("name", other)),
        };
        let mut cni_version = match raw.get("cniVersion") {
            None => String::new(),
            Some(Value::String(version)) => version.clone(),
            Some(other) => return Err(wrong("cniVersion", other)),
        };
        if let Some(versions) = raw.get("cniVersions") {
            let list = versions.as_array().ok_or_else(|| wrong("cniVersions", versions))?;
            cni_version = negotiated(list, cni_version)?;
        }
        let flag = |field: &str| match raw.get(field) {
            None => Ok(false),
            Some(Value::Bool(on)) => Ok(*on),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(other) => Err(wrong(field, other)),
        };
        let mut list = Self {
            name,
            cni_version,
            disable_check: flag("disableCheck")?,
            disable_gc: flag("disableGC")?,
            load_only_inlined_plugins: flag("loadOnlyInlinedPlugins")?,
            plugins: Vec::new(),
        };
        let Some(plugins) = raw.get("plugins") else {
            return if list.load_only_inlined_plugins { Err(ConfigError::NothingInlined) } else { Ok(list) };
        };
        let plugins = plugins.as_array().ok_or_else(|| wrong("plugins", plugins))?;
        if plugins.is_empty() {
            return Err(ConfigError::NoPlugins);
        }
        for (index, plugin) in plugins.iter().enumerate() {
            let plugin = PluginConfig::from_json(plugin)
                .map_err(|source| ConfigError::Plugin { index, source: Box::new(source) })?;
            list.plugins.push(plugin);
        }
        Ok(list)
    }

    /// What a plugin of this network is given: its own configuration with the network's name and version, the result so
    /// far, and of the runtime's arguments those that it declares and that are there.
    #[must_use]
    pub fn config_for(
        &self,
        plugin: &PluginConfig,
        capabilities: &Map<String, Value>,
        previous: Option<Value>,
    ) -> Value {
        let mut config = plugin.json.clone();
        config.insert("name".to_owned(), self.name.as_str().into());
        config.insert("cniVersion".to_owned(), self.cni_version.as_str().into());
        if let Some(previous) = previous {
            config.insert("prevResult".to_owned(), previous);
        }
        let wanted: Map<_, _> = plugin
            .capabilities
            .iter()
            .filter(|(_, on)| **on)
            .filter_map(|(name, _)| Some((name.clone(), capabilities.get(name)?.clone())))
            .collect();
        if !wanted.is_empty() {
            config.insert("runtimeConfig".to_owned(), wanted.into());
        }
        config.into()
    }
}

impl PluginConfig {
    /// Reads the configuration of one plugin.
    ///
    /// # Errors
    /// If it is no object, lacks a type, or a field that every plugin has is of the wrong kind.
    pub fn from_json(value: &Value) -> Result<Self, ConfigError> {
        let fields = Fields::of(value, "")?;
        // Not used here, but every plugin would refuse them.
        crate::result::Dns::read(&fields)?;
        fields.object("prevResult")?;
        let config = Self {
            plugin_type: fields.text("type")?,
            name: fields.text("name")?,
            cni_version: fields.text("cniVersion")?,
            capabilities: fields.flags("capabilities")?.into_iter().collect(),
            ipam_type: fields.object("ipam")?.text("type")?,
            json: value.as_object().cloned().unwrap_or_default(),
        };
        if config.plugin_type.is_empty() {
            return Err(ConfigError::NoType);
        }
        Ok(config)
    }
}

/// The greatest of some versions that this crate speaks; of equal ones the first.
fn negotiated(versions: &[Value], declared: String) -> Result<String, ConfigError> {
    let mut best: Option<&str> = None;
    let entry = |i: usize| format!("cniVersions[{i}]");
    let mut all = Vec::with_capacity(versions.len() + 1);
    for (i, version) in versions.iter().enumerate() {
        let text = version
            .as_str()
            .ok_or_else(|| ConfigError::Value { field: entry(i), value: version.to_string() })?;
        all.push((entry(i), text));
    }
    if !declared.is_empty() {
        all.push(("cniVersion".to_owned(), &declared));
    }
    for (field, version) in all {
        let failed = |source| ConfigError::Version { field: field.clone(), source };
        if greater_than(version, CURRENT).map_err(failed)? {
            continue;
        }
        let better = match best {
            Some(best) => greater_than(version, best).map_err(failed)?,
            None => true,
        };
        if better {
            best = Some(version);
        }
    }
    Ok(best.map(ToOwned::to_owned).unwrap_or(declared))
}

impl NetworkList {
    /// The list as JSON, with the version that was chosen.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let plugins: Vec<Value> = self.plugins.iter().map(|plugin| plugin.json.clone().into()).collect();
        serde_json::json!({
            "name": self.name,
            "cniVersion": self.cni_version,
            "disableCheck": self.disable_check,
            "disableGC": self.disable_gc,
            "plugins": plugins,
        })
    }
}
