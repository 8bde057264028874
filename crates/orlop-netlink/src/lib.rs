//! Links, addresses, routes, neighbours, sysctls and nftables of a network namespace, by batched netlink. Nothing is
//! executed, and no thread of the caller's changes its namespace.
//!
//! [`Netns`] is a namespace by descriptor. [`Rtnl`] speaks about links, addresses and routes in one namespace,
//! [`nft::Nft`] about its packet rules. Both take many requests at once: [`Batch`] sends them together and tells the
//! result of each, [`nft::Transaction`] is done whole or not at all.
//!
//! ```no_run
//! # #[cfg(target_os = "linux")]
//! # fn main() -> Result<(), orlop_netlink::Error> {
//! use orlop_netlink::{Address, Batch, LinkChange, Netns, Rtnl, Veth};
//!
//! let pod = Netns::create()?;
//! let mut host = Rtnl::open()?;
//! let mut batch = Batch::new();
//! batch.add_veth(&Veth { peer_netns: Some(&pod), up: true, ..Veth::new("veth0", "eth0") })?;
//! host.run(batch)?;
//!
//! let mut inside = Rtnl::open_in(&pod)?;
//! let eth0 = inside.link("eth0")?.expect("the peer is there");
//! let mut batch = Batch::new();
//! batch.change_link(eth0.index, &LinkChange { up: Some(true), ..Default::default() })?;
//! batch.add_address(&Address { link: eth0.index, net: "10.1.0.5/24".parse().unwrap() });
//! inside.run(batch)?;
//! # Ok(())
//! # }
//! # #[cfg(not(target_os = "linux"))]
//! # fn main() {}
//! ```
//!
//! All calls block, most of them for microseconds. On other systems than Linux only [`Error`] and [`Mac`] are there.

mod error;
mod mac;

pub use error::Error;
pub use mac::Mac;

#[cfg(target_os = "linux")]
mod address;
#[cfg(target_os = "linux")]
mod attr;
#[cfg(target_os = "linux")]
mod connection;
#[cfg(target_os = "linux")]
pub mod conntrack;
#[cfg(all(test, target_os = "linux"))]
mod fixture;
#[cfg(target_os = "linux")]
mod link;
#[cfg(target_os = "linux")]
mod neighbour;
#[cfg(target_os = "linux")]
mod netns;
#[cfg(target_os = "linux")]
pub mod nft;
#[cfg(target_os = "linux")]
mod route;
#[cfg(target_os = "linux")]
mod rtnl;
#[cfg(target_os = "linux")]
pub mod sysctl;

#[cfg(target_os = "linux")]
pub use self::{
    address::Address,
    link::{Bridge, Link, LinkChange, Veth},
    neighbour::Neighbour,
    netns::Netns,
    route::Route,
    rtnl::{Batch, LinkId, Rtnl},
};
