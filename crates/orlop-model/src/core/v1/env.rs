//! Environment variables of containers.

use crate::{Extra, Message, Quantity, Str};

/// Turns every entry of a config map into an environment variable of the container.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ConfigMapEnvSource {
    /// Name of the object, effectively required; defaults to the empty string only for old clients.
    #[wire(pb = "1.1", default = "\"\"")]
    pub name: Str,
    /// When true, a missing config map is ignored; otherwise the container cannot start.
    #[wire(pb = 2)]
    pub optional: Option<bool>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Picks a single key of a config map as the value of an environment variable.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct ConfigMapKeySelector {
    /// Name of the object, effectively required; defaults to the empty string only for old clients.
    #[wire(pb = "1.1", default = "\"\"")]
    pub name: Str,
    /// Key whose value is taken; only `data` is searched, not `binaryData`.
    #[wire(pb = 2, required)]
    pub key: Str,
    /// When true, a missing config map or key is tolerated; otherwise the container cannot start.
    #[wire(pb = 3)]
    pub optional: Option<bool>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// A config map or secret whose entries all become environment variables.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct EnvFromSource {
    /// Text put in front of every key to form the variable name; empty by default.
    #[wire(pb = 1)]
    pub prefix: Str,
    /// Config map to draw from; excludes `secretRef`.
    #[wire(pb = 2)]
    pub config_map_ref: Option<Box<ConfigMapEnvSource>>,
    /// Secret to draw from; excludes `configMapRef`.
    #[wire(pb = 3)]
    pub secret_ref: Option<Box<SecretEnvSource>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// An environment variable of a container.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct EnvVar {
    /// Variable name of printable ASCII characters other than `=`; required.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Literal value, empty by default; `$(VAR)` expands to earlier variables and `$$(VAR)` escapes this.
    #[wire(pb = 2)]
    pub value: Str,
    /// Source that supplies the value in place of `value`, of which it requires the absence.
    #[wire(pb = 3)]
    pub value_from: Option<Box<EnvVarSource>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Where the value of an environment variable comes from; exactly one member is set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct EnvVarSource {
    /// Field of the pod, such as `metadata.name`, `spec.nodeName` or `status.podIP`.
    #[wire(pb = 1, map = "atomic")]
    pub field_ref: Option<Box<ObjectFieldSelector>>,
    /// Limit or request of a container, for CPU, memory, huge pages or ephemeral storage.
    #[wire(pb = 2, map = "atomic")]
    pub resource_field_ref: Option<Box<ResourceFieldSelector>>,
    /// One key of a config map in the namespace of the pod.
    #[wire(pb = 3, map = "atomic")]
    pub config_map_key_ref: Option<Box<ConfigMapKeySelector>>,
    /// One key of a secret in the namespace of the pod.
    #[wire(pb = 4, map = "atomic")]
    pub secret_key_ref: Option<Box<SecretKeySelector>>,
    /// One key of an environment file that an init container wrote into an `emptyDir` volume.
    #[wire(pb = 5, map = "atomic")]
    pub file_key_ref: Option<Box<FileKeySelector>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Picks one key of an environment file lying on a volume of the pod.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct FileKeySelector {
    /// Volume of the pod, of type `emptyDir`, on which the file lies; required.
    #[wire(pb = 1, required)]
    pub volume_name: Str,
    /// Path of the file relative to the root of the volume, without `..`; required.
    #[wire(pb = 2, required)]
    pub path: Str,
    /// Variable name looked up in the file, whose value is taken; required.
    #[wire(pb = 3, required)]
    pub key: Str,
    /// When true, an absent entry leaves the variable unset; defaults to false, which keeps the container
    /// from starting.
    #[wire(pb = 4, default = "false")]
    pub optional: Option<bool>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Picks a field of an object by its path.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct ObjectFieldSelector {
    /// API version in which `fieldPath` is to be read; defaults to `v1`.
    #[wire(pb = 1)]
    pub api_version: Str,
    /// Path of the field, such as `metadata.name` or `metadata.annotations['key']`; required.
    #[wire(pb = 2, required)]
    pub field_path: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Picks a container's resource limit or request for an environment variable or file.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct ResourceFieldSelector {
    /// Container whose value is read; required in volumes, in environment variables it defaults to the own
    /// container.
    #[wire(pb = 1)]
    pub container_name: Str,
    /// Value to expose, such as `limits.cpu` or `requests.memory`.
    #[wire(pb = 2, required)]
    pub resource: Str,
    /// Unit the value is divided by, rounding up, e.g. `1Mi` or `1m`; default 1.
    #[wire(pb = 3)]
    pub divisor: Quantity,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Turns all entries of a Secret into environment variables.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct SecretEnvSource {
    /// Name of the object, effectively required; defaults to the empty string only for old clients.
    #[wire(pb = "1.1", default = "\"\"")]
    pub name: Str,
    /// If `true`, a missing Secret is tolerated; by default the container does not start.
    #[wire(pb = 2)]
    pub optional: Option<bool>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Picks one key of a Secret in the same namespace.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct SecretKeySelector {
    /// Name of the object, effectively required; defaults to the empty string only for old clients.
    #[wire(pb = "1.1", default = "\"\"")]
    pub name: Str,
    /// Key in the Secret's data whose value is used; required.
    #[wire(pb = 2, required)]
    pub key: Str,
    /// If `true`, a missing Secret or key is tolerated; default `false`.
    #[wire(pb = 3)]
    pub optional: Option<bool>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
