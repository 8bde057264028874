//! [`CniResult`]: what ADD answers, and its forms in the versions of the specification.

pub(crate) mod cidr;
mod versioned;

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Map, Value};

use crate::json::{Fields, Malformed, Put};
use crate::version::CURRENT;

pub use versioned::{ConvertError, VersionedResult};

/// What an attachment to a network has: interfaces, addresses, routes and name servers. This is the form of versions
/// 1.0.0 and 1.1.0, which everything inside works with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CniResult {
    /// The version that it is written in.
    pub cni_version: String,
    /// Interfaces, on the host and in the container.
    pub interfaces: Vec<Interface>,
    /// Addresses.
    pub ips: Vec<IpConfig>,
    /// Routes.
    pub routes: Vec<Route>,
    /// How names are to be resolved.
    pub dns: Dns,
}

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its hardware address.
    pub mac: String,
    /// Largest packet, in bytes; 0 if it is not told.
    pub mtu: u32,
    /// Path of its network namespace; empty for the host's.
    pub sandbox: String,
    /// Path of a socket, for interfaces that are one.
    pub socket_path: String,
    /// Identifier of the device, for interfaces that are one.
    pub pci_id: String,
}

/// An address of an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpConfig {
    /// Which of the result's interfaces has it; a number that is none's is kept, and means none.
    pub interface: Option<i64>,
    /// The address, and how many of its bits name the network.
    pub address: Option<IpNet>,
    /// The way out of the network.
    pub gateway: Option<IpAddr>,
}

/// A route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// Where to.
    pub dst: Option<IpNet>,
    /// By whom; none for the gateway of the address.
    pub gw: Option<IpAddr>,
    /// Largest packet, in bytes; 0 if it is not told.
    pub mtu: u32,
    /// Largest TCP segment to announce, in bytes; 0 if it is not told.
    pub advmss: u32,
    /// Of several routes the smallest counts; 0 if it is not told.
    pub priority: u32,
    /// Number of the table.
    pub table: Option<u32>,
    /// Scope: 0 everywhere, 253 on the link, 254 on the host.
    pub scope: Option<u32>,
}

/// How names are to be resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dns {
    /// Addresses of name servers, the first to be asked first.
    pub nameservers: Vec<String>,
    /// The local domain.
    pub domain: String,
    /// Domains to search short names in.
    pub search: Vec<String>,
    /// Options of the resolver.
    pub options: Vec<String>,
}

impl Default for CniResult {
    fn default() -> Self {
        Self::new()
    }
}

impl CniResult {
    /// An empty one of the newest version.
    #[must_use]
    pub fn new() -> Self {
        Self {
            cni_version: CURRENT.to_owned(),
            interfaces: Vec::new(),
            ips: Vec::new(),
            routes: Vec::new(),
            dns: Dns::default(),
        }
    }

    /// The container's addresses: those of interfaces in a namespace, or of no particular interface.
    pub fn addresses(&self) -> impl Iterator<Item = IpNet> {
        let inside = |ip: &&IpConfig| {
            let interface = ip.interface.and_then(|i| self.interfaces.get(usize::try_from(i).ok()?));
            interface.is_none_or(|interface| !interface.sandbox.is_empty())
        };
        self.ips.iter().filter(inside).filter_map(|ip| ip.address)
    }

    pub(crate) fn read(value: &Value) -> Result<Self, Malformed> {
        let fields = Fields::of(value, "")?;
        Ok(Self {
            cni_version: fields.text("cniVersion")?,
            interfaces: fields.list("interfaces", |value, path| Interface::read(value, path, true))?,
            ips: fields.list("ips", IpConfig::read)?,
            routes: fields.list("routes", Route::read)?,
            dns: Dns::read(&fields)?,
        })
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.put_text("cniVersion", &self.cni_version);
        map.put_list("interfaces", self.interfaces.iter().map(Interface::to_json).collect());
        map.put_list("ips", self.ips.iter().map(IpConfig::to_json).collect());
        map.put_list("routes", self.routes.iter().map(Route::to_json).collect());
        if self.dns != Dns::default() {
            map.put("dns", self.dns.to_json());
        }
        map.into()
    }
}

impl Interface {
    pub(crate) fn read(value: &Value, path: &str, full: bool) -> Result<Self, Malformed> {
        let fields = Fields::of(value, path)?;
        let mut interface = Self {
            name: fields.text("name")?,
            mac: fields.text("mac")?,
            sandbox: fields.text("sandbox")?,
            ..Self::default()
        };
        if full {
            interface.mtu = fields.number("mtu")?.unwrap_or(0);
            interface.socket_path = fields.text("socketPath")?;
            interface.pci_id = fields.text("pciID")?;
        }
        Ok(interface)
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.put("name", self.name.as_str());
        map.put_text("mac", &self.mac);
        if self.mtu != 0 {
            map.put("mtu", self.mtu);
        }
        map.put_text("sandbox", &self.sandbox);
        map.put_text("socketPath", &self.socket_path);
        map.put_text("pciID", &self.pci_id);
        map.into()
    }
}

impl IpConfig {
    pub(crate) fn read(value: &Value, path: &str) -> Result<Self, Malformed> {
        let fields = Fields::of(value, path)?;
        Ok(Self {
            interface: fields.number("interface")?,
            address: cidr::read_net(&fields, "address")?,
            gateway: cidr::read_ip(&fields, "gateway")?,
        })
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut map = Map::new();
        if let Some(interface) = self.interface {
            map.put("interface", interface);
        }
        map.put("address", cidr::write_net(self.address));
        if let Some(gateway) = self.gateway {
            map.put("gateway", gateway.to_string());
        }
        map.into()
    }
}

impl Route {
    pub(crate) fn read(value: &Value, path: &str) -> Result<Self, Malformed> {
        let fields = Fields::of(value, path)?;
        Ok(Self {
            dst: cidr::read_net(&fields, "dst")?,
            gw: cidr::read_ip(&fields, "gw")?,
            mtu: fields.number("mtu")?.unwrap_or(0),
            advmss: fields.number("advmss")?.unwrap_or(0),
            priority: fields.number("priority")?.unwrap_or(0),
            table: fields.number("table")?,
            scope: fields.number("scope")?,
        })
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.put("dst", cidr::write_net(self.dst));
        if let Some(gw) = self.gw {
            map.put("gw", gw.to_string());
        }
        for (key, number) in [("mtu", self.mtu), ("advmss", self.advmss), ("priority", self.priority)] {
            if number != 0 {
                map.put(key, number);
            }
        }
        for (key, number) in [("table", self.table), ("scope", self.scope)] {
            if let Some(number) = number {
                map.put(key, number);
            }
        }
        map.into()
    }
}

impl Dns {
    pub(crate) fn read(result: &Fields<'_>) -> Result<Self, Malformed> {
        let fields = result.object("dns")?;
        Ok(Self {
            nameservers: fields.texts("nameservers")?,
            domain: fields.text("domain")?,
            search: fields.texts("search")?,
            options: fields.texts("options")?,
        })
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut map = Map::new();
        let list = |texts: &[String]| texts.iter().map(|text| text.as_str().into()).collect();
        map.put_list("nameservers", list(&self.nameservers));
        map.put_text("domain", &self.domain);
        map.put_list("search", list(&self.search));
        map.put_list("options", list(&self.options));
        map.into()
    }
}
