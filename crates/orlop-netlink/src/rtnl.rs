//! [`Rtnl`] and [`Batch`]: links, addresses, routes and neighbours of one namespace.

use std::marker::PhantomData;
use std::net::IpAddr;

use netlink_packet_core::{Emitable, Parseable};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};
use netlink_packet_route::neighbour::NeighbourMessage;
use netlink_packet_route::route::{RouteAttribute, RouteMessage};

use crate::address::family;
use crate::connection::{ACK, APPEND, CREATE, Connection, DUMP, EXCL, Label, REPLACE, Requests};
use crate::link::checked_name;
use crate::{Address, Bridge, Error, Link, LinkChange, Neighbour, Netns, Route, Veth};

const NEW_LINK: u16 = 16;
const DEL_LINK: u16 = 17;
const GET_LINK: u16 = 18;
const NEW_ADDRESS: u16 = 20;
const DEL_ADDRESS: u16 = 21;
const GET_ADDRESS: u16 = 22;
const NEW_ROUTE: u16 = 24;
const DEL_ROUTE: u16 = 25;
const GET_ROUTE: u16 = 26;
const NEW_NEIGHBOUR: u16 = 28;
const DEL_NEIGHBOUR: u16 = 29;
const GET_NEIGHBOUR: u16 = 30;

/// Requests that are sent at once and done in order.
///
/// Each has a result of its own: one that fails keeps none of the others from being done.
#[derive(Clone, Debug, Default)]
pub struct Batch<'a> {
    requests: Requests,
    /// Namespaces that the messages name by their descriptors.
    netns: PhantomData<&'a Netns>,
}

/// Which link is meant.
#[derive(Clone, Copy, Debug)]
pub enum LinkId<'a> {
    /// By its number.
    Index(u32),
    /// By its name.
    Name(&'a str),
}

impl From<u32> for LinkId<'_> {
    fn from(index: u32) -> Self {
        Self::Index(index)
    }
}

impl<'a> From<&'a str> for LinkId<'a> {
    fn from(name: &'a str) -> Self {
        Self::Name(name)
    }
}

impl LinkId<'_> {
    fn put(self, message: &mut LinkMessage) -> Result<String, Error> {
        Ok(match self {
            Self::Index(index) => {
                message.header.index = index;
                format!("link {index}")
            }
            Self::Name(name) => {
                message.attributes.push(LinkAttribute::IfName(checked_name(name)?));
                name.to_owned()
            }
        })
    }
}

impl<'a> Batch<'a> {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many requests are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether there is none in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn push(
        &mut self,
        kind: u16,
        flags: u16,
        operation: &'static str,
        object: String,
        message: &impl Emitable,
    ) {
        self.requests.push(kind, flags | ACK, Label { operation, object }, |buffer| {
            let start = buffer.len();
            buffer.resize(start + message.buffer_len(), 0);
            message.emit(&mut buffer[start..]);
        });
    }

    /// Make a pair of links; an error if a name is taken.
    ///
    /// # Errors
    /// If a name cannot be a link's.
    pub fn add_veth(&mut self, veth: &Veth<'a>) -> Result<&mut Self, Error> {
        let message = veth.message()?;
        self.push(NEW_LINK, CREATE | EXCL, "create veth", veth.name.to_owned(), &message);
        Ok(self)
    }

    /// Make a bridge; an error if the name is taken.
    ///
    /// # Errors
    /// If the name cannot be a link's.
    pub fn add_bridge(&mut self, bridge: &Bridge<'_>) -> Result<&mut Self, Error> {
        let message = bridge.message()?;
        self.push(NEW_LINK, CREATE | EXCL, "create bridge", bridge.name.to_owned(), &message);
        Ok(self)
    }

    /// Change a link. One that is to be renamed has to be told by its number.
    ///
    /// # Errors
    /// If a name or the alias cannot be a link's, or it is to be renamed and told by its name.
    pub fn change_link<'b>(
        &mut self,
        link: impl Into<LinkId<'b>>,
        change: &LinkChange<'_>,
    ) -> Result<&mut Self, Error> {
        let mut message = change.message()?;
        let link = link.into();
        if let (LinkId::Name(name), Some(_)) = (link, change.rename) {
            let reason = "is to be renamed, so its number is needed";
            return Err(Error::Invalid { field: "link name", value: name.to_owned(), reason });
        }
        let object = link.put(&mut message)?;
        if let Some(name) = change.rename {
            message.attributes.push(LinkAttribute::IfName(checked_name(name)?));
        }
        self.push(NEW_LINK, 0, "change", object, &message);
        Ok(self)
    }

    /// Remove a link, and its peer with it.
    ///
    /// # Errors
    /// If the name cannot be a link's.
    pub fn delete_link<'b>(&mut self, link: impl Into<LinkId<'b>>) -> Result<&mut Self, Error> {
        let mut message = LinkMessage::default();
        let object = link.into().put(&mut message)?;
        self.push(DEL_LINK, 0, "delete", object, &message);
        Ok(self)
    }

    /// Remove all links of a group at once, which takes hardly longer than removing one.
    pub fn delete_group(&mut self, group: u32) -> &mut Self {
        let mut message = LinkMessage::default();
        message.attributes.push(LinkAttribute::Group(group));
        self.push(DEL_LINK, 0, "delete", format!("links of group {group}"), &message);
        self
    }

    /// Give a link an address; an error if it has it.
    pub fn add_address(&mut self, address: &Address) -> &mut Self {
        let object = format!("{} on link {}", address.net, address.link);
        self.push(NEW_ADDRESS, CREATE | EXCL, "add address", object, &address.message());
        self
    }

    /// Take an address from a link.
    pub fn delete_address(&mut self, address: &Address) -> &mut Self {
        let object = format!("{} on link {}", address.net, address.link);
        self.push(DEL_ADDRESS, 0, "delete address", object, &address.message());
        self
    }

    /// Add a route; an error if there is one to that network with that priority.
    pub fn add_route(&mut self, route: &Route) -> &mut Self {
        self.push(NEW_ROUTE, CREATE | EXCL, "add route to", route.destination.to_string(), &route.message());
        self
    }

    /// Add a route in place of one to the same network with the same priority.
    pub fn replace_route(&mut self, route: &Route) -> &mut Self {
        self.push(
            NEW_ROUTE,
            CREATE | REPLACE,
            "set route to",
            route.destination.to_string(),
            &route.message(),
        );
        self
    }

    /// Remove a route.
    pub fn delete_route(&mut self, route: &Route) -> &mut Self {
        self.push(DEL_ROUTE, 0, "delete route to", route.destination.to_string(), &route.message());
        self
    }

    /// Tell the hardware address of a neighbour, in place of what was known.
    pub fn set_neighbour(&mut self, neighbour: &Neighbour) -> &mut Self {
        self.push(
            NEW_NEIGHBOUR,
            CREATE | REPLACE,
            "set neighbour",
            neighbour.ip.to_string(),
            &neighbour.message(),
        );
        self
    }

    /// Add a forwarding entry or a neighbour beside those there are.
    pub fn append_neighbour(&mut self, neighbour: &Neighbour) -> &mut Self {
        self.push(
            NEW_NEIGHBOUR,
            CREATE | APPEND,
            "add neighbour",
            neighbour.ip.to_string(),
            &neighbour.message(),
        );
        self
    }

    /// Forget a neighbour.
    pub fn delete_neighbour(&mut self, neighbour: &Neighbour) -> &mut Self {
        self.push(DEL_NEIGHBOUR, 0, "delete neighbour", neighbour.ip.to_string(), &neighbour.message());
        self
    }
}

/// A connection to the kernel's links, addresses, routes and neighbours in one namespace.
///
/// Its methods block for as long as the kernel works, which is microseconds for most and milliseconds for the removal
/// of links.
#[derive(Debug)]
pub struct Rtnl {
    connection: Connection,
}

impl Rtnl {
    /// In the namespace of the calling thread.
    ///
    /// # Errors
    /// If no socket can be opened.
    pub fn open() -> Result<Self, Error> {
        Ok(Self { connection: Connection::open(netlink_sys::protocols::NETLINK_ROUTE)? })
    }

    /// In a namespace. It stays there, whichever thread uses it.
    ///
    /// # Errors
    /// If the namespace cannot be entered or no socket can be opened.
    pub fn open_in(netns: &Netns) -> Result<Self, Error> {
        netns.run(Self::open)
    }

    /// Does all of a batch, and answers the first error.
    ///
    /// # Errors
    /// That of the first request that the kernel refused. Those after it were tried nevertheless.
    pub fn run(&mut self, batch: Batch<'_>) -> Result<(), Error> {
        self.results(batch)?.into_iter().collect()
    }

    /// Does all of a batch, and answers the result of each request, in order.
    ///
    /// # Errors
    /// If the kernel cannot be spoken to.
    pub fn results(&mut self, mut batch: Batch<'_>) -> Result<Vec<Result<(), Error>>, Error> {
        self.connection.exchange(&mut batch.requests)
    }

    fn ask<M, T>(
        &mut self,
        kind: u16,
        dump: bool,
        operation: &'static str,
        object: String,
        message: &impl Emitable,
        read: impl Fn(M) -> Option<T>,
    ) -> Result<Vec<T>, Error>
    where
        M: Parseable<[u8]>,
    {
        let mut requests = Requests::default();
        let flags = if dump { DUMP } else { ACK };
        requests.push(kind, flags, Label { operation, object }, |buffer| {
            let start = buffer.len();
            buffer.resize(start + message.buffer_len(), 0);
            message.emit(&mut buffer[start..]);
        });
        self.connection.ask(&mut requests, Vec::new, |found, message| {
            let message = M::parse(message.body).map_err(|error| Error::malformed(operation, error))?;
            found.extend(read(message));
            Ok(())
        })
    }

    /// All links.
    ///
    /// # Errors
    /// If the kernel cannot be spoken to, or the list changes all the time.
    pub fn links(&mut self) -> Result<Vec<Link>, Error> {
        let mut message = LinkMessage::default();
        message.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
        let read = |message| Some(Link::from_message(message));
        self.ask(GET_LINK, true, "list", "links".to_owned(), &message, read)
    }

    /// One link; none if there is none of that name or number.
    ///
    /// # Errors
    /// If the name cannot be a link's, or the kernel cannot be spoken to.
    pub fn link<'b>(&mut self, link: impl Into<LinkId<'b>>) -> Result<Option<Link>, Error> {
        let mut message = LinkMessage::default();
        let object = link.into().put(&mut message)?;
        message.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
        let read = |message| Some(Link::from_message(message));
        match self.ask(GET_LINK, false, "get", object, &message, read) {
            Ok(links) => Ok(links.into_iter().next()),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All addresses of all links.
    ///
    /// # Errors
    /// If the kernel cannot be spoken to, or the list changes all the time.
    pub fn addresses(&mut self) -> Result<Vec<Address>, Error> {
        let message = AddressMessage::default();
        self.ask(GET_ADDRESS, true, "list", "addresses".to_owned(), &message, Address::from_message)
    }

    /// All routes of all tables.
    ///
    /// # Errors
    /// If the kernel cannot be spoken to, or the list changes all the time.
    pub fn routes(&mut self) -> Result<Vec<Route>, Error> {
        let mut all = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut message = RouteMessage::default();
            message.header.address_family = family;
            match self.ask(GET_ROUTE, true, "list", "routes".to_owned(), &message, Route::from_message) {
                Ok(routes) => all.extend(routes),
                // A kernel without IPv6.
                Err(error) if family == AddressFamily::Inet6 && error.errno() == Some(95) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// The route that a packet to an address takes; none if there is none.
    ///
    /// # Errors
    /// If the kernel cannot be spoken to.
    pub fn route_to(&mut self, ip: IpAddr) -> Result<Option<Route>, Error> {
        let mut message = RouteMessage::default();
        message.header.address_family = family(ip);
        message.header.destination_prefix_length = if ip.is_ipv4() { 32 } else { 128 };
        message.attributes.push(RouteAttribute::Destination(ip.into()));
        match self.ask(GET_ROUTE, false, "get route to", ip.to_string(), &message, Route::from_message) {
            Ok(routes) => Ok(routes.into_iter().next()),
            // ENETUNREACH, EHOSTUNREACH
            Err(error) if matches!(error.errno(), Some(101 | 113)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All neighbours of all links.
    ///
    /// # Errors
    /// If the kernel cannot be spoken to, or the list changes all the time.
    pub fn neighbours(&mut self) -> Result<Vec<Neighbour>, Error> {
        let message = NeighbourMessage::default();
        self.ask(GET_NEIGHBOUR, true, "list", "neighbours".to_owned(), &message, Neighbour::from_message)
    }
}

#[cfg(test)]
#[path = "rtnl_tests.rs"]
mod tests;
