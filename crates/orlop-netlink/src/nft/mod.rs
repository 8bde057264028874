//! nftables: tables, chains, rules, sets and maps of one namespace, changed by [`Transaction`]s that are done whole or
//! not at all.
//!
//! ```no_run
//! use orlop_netlink::Error;
//! use orlop_netlink::nft::{Chain, Element, Family, Hook, HookKind, Nft, Set, Transaction};
//! use orlop_netlink::nft::expr::{self, ip4_source};
//!
//! # fn main() -> Result<(), Error> {
//! let mut rules = Transaction::new();
//! rules.create_table(Family::Ip4, "shop")?;
//! let hook = Hook { kind: HookKind::Postrouting, priority: 100, chain_type: "nat" };
//! rules.add_chain(Family::Ip4, "shop", &Chain { name: "out", hook: Some(hook) })?;
//! rules.add_set(Family::Ip4, "shop", &Set::new("pods", &[Set::IP4]))?;
//! rules.add_rule(
//!     Family::Ip4,
//!     "shop",
//!     "out",
//!     &[&ip4_source(8)[..], &[expr::lookup("pods", 8), expr::masquerade()]].concat(),
//!     "pods leave as their node",
//! )?;
//! rules.add_elements(Family::Ip4, "shop", "pods", &[Element::key([10, 1, 0, 5])])?;
//! Nft::open()?.commit(rules)?;
//! # Ok(())
//! # }
//! ```

pub mod expr;
mod read;
mod transaction;

pub use expr::Expr;
pub use read::Nft;
pub use transaction::{Chain, Element, Family, Hook, HookKind, Set, Transaction, Verdict};

pub(crate) const SUBSYSTEM: u16 = 10;

pub(crate) mod message {
    pub(crate) const NEW_TABLE: u16 = 0;
    pub(crate) const GET_TABLE: u16 = 1;
    pub(crate) const DEL_TABLE: u16 = 2;
    pub(crate) const NEW_CHAIN: u16 = 3;
    pub(crate) const GET_CHAIN: u16 = 4;
    pub(crate) const DEL_CHAIN: u16 = 5;
    pub(crate) const NEW_RULE: u16 = 6;
    pub(crate) const GET_RULE: u16 = 7;
    pub(crate) const DEL_RULE: u16 = 8;
    pub(crate) const NEW_SET: u16 = 9;
    pub(crate) const GET_SET: u16 = 10;
    pub(crate) const DEL_SET: u16 = 11;
    pub(crate) const NEW_ELEMENT: u16 = 12;
    pub(crate) const GET_ELEMENT: u16 = 13;
    pub(crate) const DEL_ELEMENT: u16 = 14;
    pub(crate) const GET_GENERATION: u16 = 16;
}

/// Family, version and resource at the head of every nfnetlink message.
pub(crate) fn head(family: u8, resource: u16) -> [u8; 4] {
    let [high, low] = resource.to_be_bytes();
    [family, 0, high, low]
}

#[cfg(test)]
mod tests;
