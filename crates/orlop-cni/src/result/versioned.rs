//! Results in the three forms that the versions have, and conversion between them.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Map, Value};

use super::{CniResult, Dns, Interface, IpConfig, Route, cidr};
use crate::json::{Fields, Malformed, Put, parse};
use crate::quote::quoted;
use crate::version::CURRENT;

/// A result as one version of the specification writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionedResult {
    /// 0.1.0 and 0.2.0: one address of each family.
    Old(OldResult),
    /// 0.3.0, 0.3.1 and 0.4.0: addresses say their family, interfaces only name, hardware address and namespace.
    Middle(MiddleResult),
    /// 1.0.0 and 1.1.0.
    New(CniResult),
}

/// The form of 0.1.0 and 0.2.0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OldResult {
    cni_version: String,
    ip4: Option<OldIp>,
    ip6: Option<OldIp>,
    dns: Dns,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct OldIp {
    ip: Option<IpNet>,
    gateway: Option<IpAddr>,
    routes: Vec<Route>,
}

/// The form of 0.3.0, 0.3.1 and 0.4.0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MiddleResult {
    cni_version: String,
    interfaces: Vec<Interface>,
    /// With the family that each says it is of.
    ips: Vec<(String, IpConfig)>,
    routes: Vec<Route>,
    dns: Dns,
}

/// A result that cannot be read or converted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// It cannot be read.
    #[error("result: {0}")]
    Malformed(#[from] Malformed),
    /// It declares a version that is not one of those asked for.
    #[error("result declares version {} instead of {wanted}", quoted(declared))]
    Declared {
        /// What it declares.
        declared: String,
        /// What it should be.
        wanted: String,
    },
    /// There is no such version.
    #[error("no converter for CNI result version {from} to {to}")]
    UnknownVersion {
        /// The version that it has.
        from: String,
        /// The version asked for.
        to: String,
    },
    /// The version asked for needs an address, and there is none.
    #[error("cannot convert: no valid IP addresses")]
    NoAddress,
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Old,
    Middle,
    New,
}

fn form(version: &str) -> Option<Form> {
    Some(match version {
        "0.1.0" | "0.2.0" => Form::Old,
        "0.3.0" | "0.3.1" | "0.4.0" => Form::Middle,
        "1.0.0" | "1.1.0" => Form::New,
        _ => return None,
    })
}

impl VersionedResult {
    /// Reads a result of a version. A text that declares no version at all is one of 0.1.0.
    ///
    /// # Errors
    /// If it is not in the form of that version, declares a version of another form, or there is no such version.
    pub fn parse(version: &str, text: &str) -> Result<Self, ConvertError> {
        Self::from_json(version, &parse(text)?)
    }

    /// Reads a result of a version from a JSON value.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn from_json(version: &str, value: &Value) -> Result<Self, ConvertError> {
        let asked = if version.is_empty() { "0.1.0" } else { version };
        let unknown = || ConvertError::UnknownVersion { from: asked.to_owned(), to: CURRENT.to_owned() };
        let wanted = form(asked).ok_or_else(unknown)?;
        let mut result = match wanted {
            Form::Old => Self::Old(OldResult::read(value)?),
            Form::Middle => Self::Middle(MiddleResult::read(value)?),
            Form::New => Self::New(CniResult::read(value)?),
        };
        if result.version().is_empty() && wanted == Form::Old {
            result.set_version("0.1.0");
        }
        if form(result.version()) == Some(wanted) {
            Ok(result)
        } else {
            Err(ConvertError::Declared { declared: result.version().to_owned(), wanted: asked.to_owned() })
        }
    }

    /// The version that it is written in.
    #[must_use]
    pub fn version(&self) -> &str {
        match self {
            Self::Old(result) => &result.cni_version,
            Self::Middle(result) => &result.cni_version,
            Self::New(result) => &result.cni_version,
        }
    }

    fn set_version(&mut self, version: &str) {
        let place = match self {
            Self::Old(result) => &mut result.cni_version,
            Self::Middle(result) => &mut result.cni_version,
            Self::New(result) => &mut result.cni_version,
        };
        version.clone_into(place);
    }

    /// In the form of another version; an empty one is 0.1.0. What that cannot say is left out: below 1.0.0 mtu, socket
    /// and device of interfaces, below 0.3.0 all addresses but the first of each family, interfaces, and of routes
    /// everything but destination and gateway.
    ///
    /// # Errors
    /// If there is no such version; or it is below 0.3.0 and there is no address.
    pub fn convert(self, version: &str) -> Result<Self, ConvertError> {
        let version = if version.is_empty() { "0.1.0" } else { version };
        if self.version() == version {
            return Ok(self);
        }
        let unknown =
            || ConvertError::UnknownVersion { from: self.version().to_owned(), to: version.to_owned() };
        let wanted = form(version).ok_or_else(unknown)?;
        let mut result = match (self, wanted) {
            (same @ Self::Old(_), Form::Old)
            | (same @ Self::Middle(_), Form::Middle)
            | (same @ Self::New(_), Form::New) => same,
            (Self::Old(old), Form::Middle) => Self::Middle(old.up()),
            (Self::Old(old), Form::New) => Self::New(old.up().up()),
            (Self::Middle(middle), Form::New) => Self::New(middle.up()),
            (Self::Middle(middle), Form::Old) => Self::Old(middle.down()?),
            (Self::New(new), Form::Middle) => Self::Middle(MiddleResult::from_new(new)),
            (Self::New(new), Form::Old) => Self::Old(MiddleResult::from_new(new).down()?),
        };
        result.set_version(version);
        Ok(result)
    }

    /// In the form of the newest version.
    ///
    /// # Errors
    /// If its version is unknown.
    pub fn into_current(self) -> Result<CniResult, ConvertError> {
        match self.convert(CURRENT)? {
            Self::New(result) => Ok(result),
            other => {
                Err(ConvertError::UnknownVersion { from: other.version().to_owned(), to: CURRENT.to_owned() })
            }
        }
    }

    /// As the plugin or the runtime writes it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Old(result) => result.to_json(),
            Self::Middle(result) => result.to_json(),
            Self::New(result) => result.to_json(),
        }
    }
}

impl From<CniResult> for VersionedResult {
    /// A result that declares no version is taken to be of the newest.
    fn from(mut result: CniResult) -> Self {
        if result.cni_version.is_empty() {
            CURRENT.clone_into(&mut result.cni_version);
        }
        Self::New(result)
    }
}

impl OldResult {
    fn read(value: &Value) -> Result<Self, Malformed> {
        let fields = Fields::of(value, "")?;
        let ip = |key| fields.get(key).map(|value| OldIp::read(value, key)).transpose();
        Ok(Self {
            cni_version: fields.text("cniVersion")?,
            ip4: ip("ip4")?,
            ip6: ip("ip6")?,
            dns: Dns::read(&fields)?,
        })
    }

    fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.put_text("cniVersion", &self.cni_version);
        for (key, ip) in [("ip4", &self.ip4), ("ip6", &self.ip6)] {
            if let Some(ip) = ip {
                map.put(key, ip.to_json());
            }
        }
        map.put("dns", self.dns.to_json());
        map.into()
    }

    fn up(self) -> MiddleResult {
        let mut result = MiddleResult { dns: self.dns, ..MiddleResult::default() };
        for (family, ip) in [("4", self.ip4), ("6", self.ip6)] {
            if let Some(ip) = ip {
                let config = IpConfig { interface: None, address: ip.ip, gateway: ip.gateway };
                result.ips.push((family.to_owned(), config));
                result.routes.extend(ip.routes);
            }
        }
        result
    }
}

impl OldIp {
    fn read(value: &Value, path: &str) -> Result<Self, Malformed> {
        let fields = Fields::of(value, path)?;
        Ok(Self {
            ip: cidr::read_net(&fields, "ip")?,
            gateway: cidr::read_ip(&fields, "gateway")?,
            routes: fields.list("routes", Route::read)?,
        })
    }

    fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.put("ip", cidr::write_net(self.ip));
        if let Some(gateway) = self.gateway {
            map.put("gateway", gateway.to_string());
        }
        map.put_list("routes", self.routes.iter().map(Route::to_json).collect());
        map.into()
    }
}

impl MiddleResult {
    fn read(value: &Value) -> Result<Self, Malformed> {
        let fields = Fields::of(value, "")?;
        Ok(Self {
            cni_version: fields.text("cniVersion")?,
            interfaces: fields.list("interfaces", |value, path| Interface::read(value, path, false))?,
            ips: fields.list("ips", |value, path| {
                Ok((Fields::of(value, path)?.text("version")?, IpConfig::read(value, path)?))
            })?,
            routes: fields.list("routes", Route::read)?,
            dns: Dns::read(&fields)?,
        })
    }

    fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.put_text("cniVersion", &self.cni_version);
        map.put_list("interfaces", self.interfaces.iter().map(Interface::to_json).collect());
        let ip = |(family, ip): &(String, IpConfig)| {
            let mut value = ip.to_json();
            value["version"] = family.as_str().into();
            value
        };
        map.put_list("ips", self.ips.iter().map(ip).collect());
        map.put_list("routes", self.routes.iter().map(Route::to_json).collect());
        map.put("dns", self.dns.to_json());
        map.into()
    }

    fn up(self) -> CniResult {
        CniResult {
            cni_version: self.cni_version,
            interfaces: self.interfaces,
            ips: self.ips.into_iter().map(|(_, ip)| ip).collect(),
            routes: self.routes,
            dns: self.dns,
        }
    }

    fn from_new(new: CniResult) -> Self {
        let family = |ip: &IpConfig| if is_ip4(ip.address) { "4" } else { "6" };
        Self {
            cni_version: new.cni_version,
            interfaces: new
                .interfaces
                .into_iter()
                .map(|i| Interface { name: i.name, mac: i.mac, sandbox: i.sandbox, ..Interface::default() })
                .collect(),
            ips: new.ips.into_iter().map(|ip| (family(&ip).to_owned(), ip)).collect(),
            routes: new.routes,
            dns: new.dns,
        }
    }

    fn down(self) -> Result<OldResult, ConvertError> {
        let first = |wanted: &str| {
            let found = self.ips.iter().find(|(family, _)| family == wanted);
            found.map(|(_, ip)| OldIp { ip: ip.address, gateway: ip.gateway, routes: Vec::new() })
        };
        let mut result =
            OldResult { ip4: first("4"), ip6: first("6"), dns: self.dns, ..OldResult::default() };
        for route in self.routes {
            let ip = if is_ip4(route.dst) { &mut result.ip4 } else { &mut result.ip6 };
            if let Some(ip) = ip {
                ip.routes.push(Route { dst: route.dst, gw: route.gw, ..Route::default() });
            }
        }
        if result.ip4.is_none() && result.ip6.is_none() {
            return Err(ConvertError::NoAddress);
        }
        Ok(result)
    }
}

fn is_ip4(net: Option<IpNet>) -> bool {
    matches!(net, Some(IpNet::V4(_)))
}
