//! [`Capability`] and sets of them: the single rights that root is made of (capabilities(7)).

use std::fmt;
use std::ops::{BitAnd, BitOr, Sub};
use std::str::FromStr;

macro_rules! capabilities {
    ($($number:literal $variant:ident $name:literal $what:literal;)*) => {
        /// One of the rights that root is made of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Capability {
            $(#[doc = concat!("`CAP_", $name, "`: ", $what, ".")] $variant = $number,)*
        }

        impl Capability {
            /// All of them, in the kernel's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name without `CAP_`, as Kubernetes writes it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

capabilities! {
    0 Chown "CHOWN" "give files away";
    1 DacOverride "DAC_OVERRIDE" "pass over permission bits of files";
    2 DacReadSearch "DAC_READ_SEARCH" "pass over permission bits for reading, open by file handle";
    3 Fowner "FOWNER" "act as owner of any file";
    4 Fsetid "FSETID" "keep set-uid and set-gid bits of changed files";
    5 Kill "KILL" "signal any process";
    6 Setgid "SETGID" "change groups";
    7 Setuid "SETUID" "change users";
    8 Setpcap "SETPCAP" "change capability sets";
    9 LinuxImmutable "LINUX_IMMUTABLE" "change immutable and append-only flags";
    10 NetBindService "NET_BIND_SERVICE" "bind ports below 1024";
    11 NetBroadcast "NET_BROADCAST" "unused";
    12 NetAdmin "NET_ADMIN" "configure networks";
    13 NetRaw "NET_RAW" "raw and packet sockets";
    14 IpcLock "IPC_LOCK" "lock memory";
    15 IpcOwner "IPC_OWNER" "pass over permission bits of IPC objects";
    16 SysModule "SYS_MODULE" "load kernel modules";
    17 SysRawio "SYS_RAWIO" "raw access to ports and devices";
    18 SysChroot "SYS_CHROOT" "change root directory and mount namespace";
    19 SysPtrace "SYS_PTRACE" "trace any process";
    20 SysPacct "SYS_PACCT" "process accounting";
    21 SysAdmin "SYS_ADMIN" "mount, name hosts, and much else";
    22 SysBoot "SYS_BOOT" "reboot, load another kernel";
    23 SysNice "SYS_NICE" "raise priorities, set affinities";
    24 SysResource "SYS_RESOURCE" "go beyond limits";
    25 SysTime "SYS_TIME" "set the clock";
    26 SysTtyConfig "SYS_TTY_CONFIG" "configure terminals";
    27 Mknod "MKNOD" "make device nodes";
    28 Lease "LEASE" "leases on any file";
    29 AuditWrite "AUDIT_WRITE" "write to the audit log";
    30 AuditControl "AUDIT_CONTROL" "configure auditing";
    31 Setfcap "SETFCAP" "set file capabilities, map user 0";
    32 MacOverride "MAC_OVERRIDE" "pass over mandatory access control";
    33 MacAdmin "MAC_ADMIN" "configure mandatory access control";
    34 Syslog "SYSLOG" "read and clear the kernel's log";
    35 WakeAlarm "WAKE_ALARM" "timers that wake the machine";
    36 BlockSuspend "BLOCK_SUSPEND" "keep the machine awake";
    37 AuditRead "AUDIT_READ" "read the audit log";
    38 Perfmon "PERFMON" "observe performance";
    39 Bpf "BPF" "privileged BPF";
    40 CheckpointRestore "CHECKPOINT_RESTORE" "checkpoint and restore";
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CAP_{}", self.name())
    }
}

/// There is no capability of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no capability has the name {name:?}")]
pub struct UnknownCapability {
    /// The name.
    pub name: String,
}

impl FromStr for Capability {
    type Err = UnknownCapability;

    /// With or without `CAP_`, in upper or lower case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
        let found = Self::ALL.iter().copied().find(|capability| capability.name() == name);
        found.ok_or_else(|| UnknownCapability { name: text.to_owned() })
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct CapabilitySet(u64);

impl CapabilitySet {
    /// None.
    pub const EMPTY: Self = Self(0);

    /// All that this crate knows.
    pub const ALL: Self = Self((1 << Capability::ALL.len()) - 1);

    /// What containers have if nobody says anything: as Docker and containerd.
    pub const CONTAINER: Self = Self(
        1 << Capability::AuditWrite as u8
            | 1 << Capability::Chown as u8
            | 1 << Capability::DacOverride as u8
            | 1 << Capability::Fowner as u8
            | 1 << Capability::Fsetid as u8
            | 1 << Capability::Kill as u8
            | 1 << Capability::Mknod as u8
            | 1 << Capability::NetBindService as u8
            | 1 << Capability::NetRaw as u8
            | 1 << Capability::Setfcap as u8
            | 1 << Capability::Setgid as u8
            | 1 << Capability::Setpcap as u8
            | 1 << Capability::Setuid as u8
            | 1 << Capability::SysChroot as u8,
    );

    /// The set with these bits, as `/proc/PID/status` shows them.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether this one is in.
    #[must_use]
    pub const fn contains(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u8) != 0
    }

    /// The set and this one.
    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | 1 << capability as u8)
    }

    /// The set but this one.
    #[must_use]
    pub const fn without(self, capability: Capability) -> Self {
        Self(self.0 & !(1 << capability as u8))
    }

    /// Those that are in, in the kernel's order.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.iter().copied().filter(move |capability| self.contains(*capability))
    }
}

impl fmt::Debug for CapabilitySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Capability::name)).finish()
    }
}

impl FromIterator<Capability> for CapabilitySet {
    fn from_iter<T: IntoIterator<Item = Capability>>(all: T) -> Self {
        all.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl BitOr for CapabilitySet {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for CapabilitySet {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Sub for CapabilitySet {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// The five sets of a process (capabilities(7)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// What no program it starts can go beyond.
    pub bounding: CapabilitySet,
    /// What it may make effective.
    pub permitted: CapabilitySet,
    /// What it has at the moment.
    pub effective: CapabilitySet,
    /// What programs with inheritable file capabilities receive. Kept empty, unless somebody knows why.
    pub inheritable: CapabilitySet,
    /// What programs of users other than root receive: at most what is permitted and inheritable.
    pub ambient: CapabilitySet,
}

impl From<CapabilitySet> for Capabilities {
    /// Bounding, permitted and effective, as container runtimes mean it; nothing inheritable, nothing ambient.
    fn from(set: CapabilitySet) -> Self {
        Self { bounding: set, permitted: set, effective: set, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for capability in Capability::ALL {
            assert_eq!(capability.to_string().parse(), Ok(*capability));
            assert_eq!(capability.name().to_lowercase().parse(), Ok(*capability));
        }
        assert!("CAP_EVERYTHING".parse::<Capability>().is_err());
        assert!("".parse::<Capability>().is_err());
    }

    #[test]
    fn the_set_of_containers_is_the_usual_one() {
        assert_eq!(CapabilitySet::CONTAINER.bits(), 0xa804_25fb);
        assert_eq!(CapabilitySet::CONTAINER.iter().count(), 14);
        assert_eq!(CapabilitySet::ALL.bits(), 0x1ff_ffff_ffff);
    }
}
