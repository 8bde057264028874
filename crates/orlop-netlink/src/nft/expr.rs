//! What a rule consists of: expressions that load values into registers, compare them, and act.
//!
//! Registers of four bytes are numbered from 8 to 23; a value of more than four bytes takes several in a row, and the
//! fields of a concatenated key lie in registers one after the other.

use super::transaction::Verdict;
use crate::attr::Writer;

/// One expression, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    name: &'static str,
    attributes: Vec<u8>,
}

impl Expr {
    fn new(name: &'static str, fill: impl FnOnce(&mut Writer<'_>)) -> Self {
        let mut attributes = Vec::new();
        fill(&mut Writer(&mut attributes));
        Self { name, attributes }
    }

    pub(crate) fn write(&self, to: &mut Writer<'_>) {
        // NFTA_LIST_ELEM { NFTA_EXPR_NAME, NFTA_EXPR_DATA }
        to.nest(1, |expr| {
            expr.str(1, self.name);
            expr.nest(2, |data| data.0.extend_from_slice(&self.attributes));
        });
    }
}

/// What a packet belongs to or carries, beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Meta {
    /// The mark, four bytes in the machine's order.
    Mark = 3,
    /// Index of the link that it came in by.
    InLink = 4,
    /// Index of the link that it goes out by.
    OutLink = 5,
    /// Name of the link that it came in by, 16 bytes filled up with zeros.
    InLinkName = 6,
    /// Name of the link that it goes out by.
    OutLinkName = 7,
    /// Transport protocol, one byte.
    Protocol = 16,
}

/// Where in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Base {
    /// Its IP header.
    Network = 1,
    /// Its TCP, UDP or SCTP header.
    Transport = 2,
}

/// How to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Compare {
    /// The same.
    Equal = 0,
    /// Not the same.
    Unequal = 1,
}

/// What of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Ct {
    /// New, established … as bits: 2 established, 4 related, 8 new.
    State = 0,
    /// Bits of `enum ip_conntrack_status`: [`DNAT`] among them.
    Status = 2,
    /// The connection's mark.
    Mark = 3,
}

/// The bit of [`Ct::Status`] of a connection whose destination was changed.
pub const DNAT: u32 = 1 << 5;

/// Loads from beside the packet.
#[must_use]
pub fn meta(key: Meta, to: u32) -> Expr {
    Expr::new("meta", |e| {
        e.u32(1, to).u32(2, key as u32);
    })
}

/// Loads bytes of the packet.
#[must_use]
pub fn payload(base: Base, offset: u32, len: u32, to: u32) -> Expr {
    Expr::new("payload", |e| {
        e.u32(1, to).u32(2, base as u32).u32(3, offset).u32(4, len);
    })
}

/// Loads something about the connection.
#[must_use]
pub fn ct(key: Ct, to: u32) -> Expr {
    Expr::new("ct", |e| {
        e.u32(1, to).u32(2, key as u32);
    })
}

/// Loads the kind of the packet's destination address: 2 is an address of this host.
#[must_use]
pub fn destination_kind(to: u32) -> Expr {
    Expr::new("fib", |e| {
        e.u32(1, to).u32(2, 3).u32(3, 2);
    })
}

/// Loads a constant.
#[must_use]
pub fn constant(value: &[u8], to: u32) -> Expr {
    Expr::new("immediate", |e| {
        e.u32(1, to).nest(2, |data| {
            data.bytes(1, value);
        });
    })
}

/// Loads a random number below `modulus`.
#[must_use]
pub fn random(modulus: u32, to: u32) -> Expr {
    Expr::new("numgen", |e| {
        e.u32(1, to).u32(2, modulus).u32(3, 1).u32(4, 0);
    })
}

/// Goes on only if the register compares so.
#[must_use]
pub fn compare(register: u32, how: Compare, with: &[u8]) -> Expr {
    Expr::new("cmp", |e| {
        e.u32(1, register).u32(2, how as u32).nest(3, |data| {
            data.bytes(1, with);
        });
    })
}

/// Keeps the bits of a mask, then flips those of another; both as long as the value.
#[must_use]
pub fn bits(from: u32, to: u32, mask: &[u8], flip: &[u8]) -> Expr {
    debug_assert_eq!(mask.len(), flip.len());
    #[expect(clippy::cast_possible_truncation, reason = "registers are 64 bytes in all")]
    let len = mask.len() as u32;
    Expr::new("bitwise", |e| {
        e.u32(1, from).u32(2, to).u32(3, len);
        e.nest(4, |data| {
            data.bytes(1, mask);
        });
        e.nest(5, |data| {
            data.bytes(1, flip);
        });
    })
}

/// Goes on only if the key is in the set.
#[must_use]
pub fn lookup(set: &str, key: u32) -> Expr {
    Expr::new("lookup", |e| {
        e.str(1, set).u32(2, key);
    })
}

/// Goes on only if the key is not in the set.
#[must_use]
pub fn lookup_not(set: &str, key: u32) -> Expr {
    Expr::new("lookup", |e| {
        e.str(1, set).u32(2, key).u32(5, 1);
    })
}

/// Loads what the map has for the key, or does not go on. A map of verdicts acts at once; its register is 0.
#[must_use]
pub fn map(map: &str, key: u32, to: u32) -> Expr {
    Expr::new("lookup", |e| {
        e.str(1, map).u32(2, key).u32(3, to);
    })
}

/// Changes the destination to the address and the port in two registers.
#[must_use]
pub fn dnat(family: super::Family, address: u32, port: Option<u32>) -> Expr {
    Expr::new("nat", |e| {
        e.u32(1, 1).u32(2, u32::from(family as u8)).u32(3, address);
        if let Some(port) = port {
            e.u32(5, port);
        }
    })
}

/// Changes the source to the address of the link that the packet goes out by, and its port to a random one.
#[must_use]
pub fn masquerade() -> Expr {
    Expr::new("masq", |e| {
        e.u32(1, 1 << 4);
    })
}

/// Counts packets and bytes.
#[must_use]
pub fn counter() -> Expr {
    Expr::new("counter", |_| ())
}

/// Ends the rule with a verdict.
#[must_use]
pub fn verdict(verdict: &Verdict<'_>) -> Expr {
    Expr::new("immediate", |e| {
        e.u32(1, 0).nest(2, |data| verdict.write(data));
    })
}

// What follows is made of the above.

/// Loads the source address of an IPv4 packet.
#[must_use]
pub fn ip4_source(to: u32) -> [Expr; 1] {
    [payload(Base::Network, 12, 4, to)]
}

/// Loads the destination address of an IPv4 packet.
#[must_use]
pub fn ip4_destination(to: u32) -> [Expr; 1] {
    [payload(Base::Network, 16, 4, to)]
}

/// Loads the source address of an IPv6 packet, into four registers.
#[must_use]
pub fn ip6_source(to: u32) -> [Expr; 1] {
    [payload(Base::Network, 8, 16, to)]
}

/// Loads the destination address of an IPv6 packet, into four registers.
#[must_use]
pub fn ip6_destination(to: u32) -> [Expr; 1] {
    [payload(Base::Network, 24, 16, to)]
}

/// Loads the transport protocol.
#[must_use]
pub fn protocol(to: u32) -> [Expr; 1] {
    [meta(Meta::Protocol, to)]
}

/// Loads the destination port.
#[must_use]
pub fn port(to: u32) -> [Expr; 1] {
    [payload(Base::Transport, 2, 2, to)]
}

/// Goes on only for packets to an address of this host.
#[must_use]
pub fn to_this_host() -> [Expr; 2] {
    [destination_kind(8), compare(8, Compare::Equal, &2_u32.to_ne_bytes())]
}

/// Goes on only for connections whose destination was changed.
#[must_use]
pub fn was_dnat() -> [Expr; 3] {
    let mask = DNAT.to_ne_bytes();
    [ct(Ct::Status, 8), bits(8, 8, &mask, &[0; 4]), compare(8, Compare::Unequal, &[0; 4])]
}

/// Goes on only if the link's name compares so.
#[must_use]
pub fn link_name(key: Meta, how: Compare, name: &str) -> [Expr; 2] {
    let mut padded = [0; 16];
    let len = name.len().min(15);
    padded[..len].copy_from_slice(&name.as_bytes()[..len]);
    [meta(key, 8), compare(8, how, &padded)]
}
