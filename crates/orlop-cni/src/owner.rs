//! Who owns what: every link, packet rule and reservation says for which attachment it was made.

use std::fmt;

use crate::CniError;
use crate::error::code;

/// One attachment of a container to a network.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// The network's name.
    pub network: String,
    /// The container's id.
    pub container_id: String,
    /// The interface's name in the container.
    pub ifname: String,
}

/// Longest tag, in bytes: what an alias of a link holds, less its prefix.
const TAG_MAX: usize = 240;

/// Begins the alias of every link of ours.
const PREFIX: &str = "orlop-cni:";

impl Owner {
    /// Whether it is another, as far as it is known: old reservations do not tell the interface.
    pub(crate) fn may_be(&self, other: &Self) -> bool {
        let interface = self.ifname.is_empty() || self.ifname == other.ifname;
        interface && self.network == other.network && self.container_id == other.container_id
    }

    /// The owner as text: `network/container/interface`. None of the names can have a slash in it.
    ///
    /// # Errors
    /// If it is longer than the kernel keeps, 240 bytes.
    pub(crate) fn tag(&self) -> Result<String, CniError> {
        let tag = self.to_string();
        if tag.len() > TAG_MAX {
            let msg = format!("container id and network name are longer than {TAG_MAX} bytes together");
            return Err(CniError::new(code::INVALID_ENVIRONMENT, msg).with_details(tag));
        }
        Ok(tag)
    }

    /// Reads a tag.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        let mut parts = tag.split('/').map(ToOwned::to_owned);
        let owner = Self { network: parts.next()?, container_id: parts.next()?, ifname: parts.next()? };
        parts.next().is_none().then_some(owner)
    }

    /// The alias of a link of this attachment.
    pub(crate) fn alias(&self) -> Result<String, CniError> {
        Ok(format!("{PREFIX}{}", self.tag()?))
    }

    /// Reads a link's alias.
    pub(crate) fn from_alias(alias: &str) -> Option<Self> {
        Self::from_tag(alias.strip_prefix(PREFIX)?)
    }

    /// A name for the link on the host that no other attachment has: `veth` and eleven characters of a hash.
    pub(crate) fn link_name(&self) -> String {
        let hash = fnv(self.to_string().as_bytes());
        format!("veth{:011x}", hash & 0xfff_ffff_ffff)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.network, self.container_id, self.ifname)
    }
}

/// The alias of what all attachments of a network share.
pub(crate) fn network_alias(network: &str) -> String {
    let mut alias = format!("{PREFIX}{network}");
    alias.truncate(250);
    alias
}

/// FNV-1a of 64 bits: the same on every machine and in every version.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// Something that was made and still exists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owned {
    /// For which attachment; none for what all of a network share.
    pub owner: Option<Owner>,
    /// What it is.
    pub kind: OwnedKind,
    /// Its name: of a link, an address, a port.
    pub name: String,
}

/// What can be owned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum OwnedKind {
    /// A link of the host.
    Link,
    /// A reserved address.
    Reservation,
    /// An element of the packet rules: an address that is masqueraded.
    Masquerade,
    /// An element of the packet rules: a port of the host.
    HostPort,
    /// A recorded attachment.
    Record,
    /// A file or folder.
    File,
    /// A table of packet rules.
    Table,
}

impl fmt::Display for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.kind, self.name)?;
        match &self.owner {
            Some(owner) => write!(f, " of {owner}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_back() {
        let owner = Owner { network: "n".into(), container_id: "c-1".into(), ifname: "eth0".into() };
        assert_eq!(Owner::from_tag(&owner.tag().unwrap()), Some(owner.clone()));
        assert_eq!(Owner::from_alias(&owner.alias().unwrap()), Some(owner.clone()));
        assert_eq!(Owner::from_alias("n/c/e"), None);
        for tag in ["", "n", "n/c", "n/c/e/x"] {
            assert_eq!(Owner::from_tag(tag), None, "{tag}");
        }
        assert_eq!(owner.link_name().len(), 15);
        let long = Owner { container_id: "c".repeat(240), ..owner };
        assert_eq!(long.tag().unwrap_err().code, code::INVALID_ENVIRONMENT);
    }
}
