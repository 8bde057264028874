//! Rights of containers and pods.

use super::{
    AppArmorProfileType, PodFSGroupChangePolicy, PodSELinuxChangePolicy, ProcMountType, SELinuxOptions,
    SeccompProfileType, SupplementalGroupsPolicy, WindowsSecurityContextOptions,
};
use crate::{Extra, List, Message, Str};

/// Selects the AppArmor profile that confines a pod or one of its containers.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct AppArmorProfile {
    /// Where the profile comes from: the node, the container runtime, or none at all; required.
    #[wire(pb = 1, required)]
    pub type_: AppArmorProfileType,
    /// Name of a profile already loaded on the node; required with type `Localhost` and forbidden with any
    /// other.
    #[wire(pb = 2)]
    pub localhost_profile: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Linux capabilities given to or taken from a container, relative to the default set of the runtime.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct Capabilities {
    /// Capabilities granted beyond the default set of the runtime, such as `NET_ADMIN`; `ALL` grants every
    /// one.
    #[wire(pb = 1)]
    pub add: List<Str>,
    /// Capabilities removed from the default set, such as `CHOWN`; `ALL` removes every one.
    #[wire(pb = 2)]
    pub drop: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Security settings for all containers of a Pod; a container's own `securityContext` takes precedence where
/// both set a field.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodSecurityContext {
    /// SELinux label of all containers and, where supported, of the volumes; unset lets the runtime pick one;
    /// Linux only.
    #[wire(pb = 1)]
    pub se_linux_options: Option<Box<SELinuxOptions>>,
    /// Settings that apply to Windows containers only; must be unset for `linux` Pods.
    #[wire(pb = 8)]
    pub windows_options: Option<Box<WindowsSecurityContextOptions>>,
    /// Numeric user ID, 0 or more, of the containers' main processes; default is the user named in the image.
    #[wire(pb = 2)]
    pub run_as_user: Option<i64>,
    /// Numeric group ID, 0 or more, of the containers' main processes; unset uses the runtime's default.
    #[wire(pb = 6)]
    pub run_as_group: Option<i64>,
    /// If `true`, the kubelet checks the user at run time and refuses to start a container as UID 0.
    #[wire(pb = 3)]
    pub run_as_non_root: Option<bool>,
    /// Further group IDs given to the first process of each container; Linux only.
    #[wire(pb = 4)]
    pub supplemental_groups: List<i64>,
    /// Whether groups from the image's `/etc/group` count too; default `Merge`, and `Strict` needs runtime
    /// support.
    #[wire(pb = 12)]
    pub supplemental_groups_policy: Option<SupplementalGroupsPolicy>,
    /// Group ID given to supporting volumes, whose files become group-writable, and to all containers as an
    /// extra group.
    #[wire(pb = 5)]
    pub fs_group: Option<i64>,
    /// Kernel parameters set in the Pod's namespaces; unsafe ones make a Pod fail unless the kubelet permits
    /// them.
    #[wire(pb = 7)]
    pub sysctls: List<Sysctl>,
    /// When volumes are re-owned for `fsGroup`; default `Always`, while `OnRootMismatch` saves time on large
    /// volumes.
    #[wire(pb = 9)]
    pub fs_group_change_policy: Option<PodFSGroupChangePolicy>,
    /// System call filter for all containers; Linux only, `Unconfined` applies unless the kubelet defaults to
    /// `RuntimeDefault`.
    #[wire(pb = 10)]
    pub seccomp_profile: Option<Box<SeccompProfile>>,
    /// AppArmor confinement of all containers; Linux only, unset leaves the runtime's default profile.
    #[wire(pb = 11)]
    pub app_armor_profile: Option<Box<AppArmorProfile>>,
    /// How volumes receive the SELinux label; default `MountOption` where the `SELinuxMount` feature applies,
    /// otherwise `Recursive`.
    #[wire(pb = 13)]
    pub se_linux_change_policy: Option<PodSELinuxChangePolicy>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Seccomp filter of system calls for a Pod or a container.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct SeccompProfile {
    /// Which filter applies: `RuntimeDefault`, `Unconfined` or `Localhost`, a file on the node; required.
    #[wire(pb = 1, required)]
    pub type_: SeccompProfileType,
    /// Path of the profile, relative to the kubelet's seccomp directory; required with `Localhost`, otherwise
    /// forbidden.
    #[wire(pb = 2)]
    pub localhost_profile: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Security settings of one container, which override those of the Pod where both exist.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct SecurityContext {
    /// Linux capabilities added to or dropped from the runtime's default set.
    #[wire(pb = 1)]
    pub capabilities: Option<Box<Capabilities>>,
    /// Runs the container with practically all rights of root on the node; default `false`.
    #[wire(pb = 2)]
    pub privileged: Option<bool>,
    /// SELinux label of the container; unset takes the Pod's, else one chosen by the runtime.
    #[wire(pb = 3)]
    pub se_linux_options: Option<Box<SELinuxOptions>>,
    /// Windows-only settings; each field set here replaces the Pod's.
    #[wire(pb = 10)]
    pub windows_options: Option<Box<WindowsSecurityContextOptions>>,
    /// Numeric user ID, 0 or more, of the main process; unset takes the Pod's, else the image's user.
    #[wire(pb = 4)]
    pub run_as_user: Option<i64>,
    /// Numeric group ID, 0 or more, of the main process; unset takes the Pod's, else the runtime default.
    #[wire(pb = 8)]
    pub run_as_group: Option<i64>,
    /// If `true`, the kubelet refuses to start the container as UID 0; unset takes the Pod's value.
    #[wire(pb = 5)]
    pub run_as_non_root: Option<bool>,
    /// Mounts the container's root filesystem read-only, so that only volumes are writable; default `false`.
    #[wire(pb = 6)]
    pub read_only_root_filesystem: Option<bool>,
    /// If `false`, sets `no_new_privs`, so that set-user-ID programs gain nothing; always `true` when
    /// privileged or with `CAP_SYS_ADMIN`.
    #[wire(pb = 7)]
    pub allow_privilege_escalation: Option<bool>,
    /// How `/proc` is mounted; `Default` masks paths, while `Unmasked` requires `hostUsers: false`.
    #[wire(pb = 9)]
    pub proc_mount: Option<ProcMountType>,
    /// System call filter of the container; unset takes the Pod's, Linux only.
    #[wire(pb = 11)]
    pub seccomp_profile: Option<Box<SeccompProfile>>,
    /// AppArmor confinement of the container; unset takes the Pod's, Linux only.
    #[wire(pb = 12)]
    pub app_armor_profile: Option<Box<AppArmorProfile>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One kernel parameter to set for a Pod.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct Sysctl {
    /// Name of the parameter, with dots or slashes, e.g. `net.core.somaxconn`.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Value written to the parameter, always as a string.
    #[wire(pb = 2, required)]
    pub value: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
