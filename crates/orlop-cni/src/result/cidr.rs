//! Addresses in the text forms of results.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use crate::json::{Fields, Malformed};

/// An IPv4 address that is written as IPv6 one is the IPv4 address.
fn plain(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or(ip.into(), IpAddr::V4),
        ip @ IpAddr::V4(_) => ip,
    }
}

/// `10.1.0.5/24`, with the bits of the host kept.
pub(crate) fn parse(text: &str) -> Option<IpNet> {
    let (ip, len) = text.split_once('/')?;
    if len.is_empty() || len.len() > 3 || !len.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let len: u8 = len.parse().ok()?;
    match ip.parse().ok()? {
        IpAddr::V4(ip) => IpNet::new(ip.into(), len).ok(),
        IpAddr::V6(ip) => {
            let whole = IpNet::new(ip.into(), len).ok()?;
            match ip.to_ipv4_mapped() {
                Some(ip) => IpNet::new(ip.into(), len.saturating_sub(96)).ok(),
                None => Some(whole),
            }
        }
    }
}

pub(crate) fn read_net(fields: &Fields<'_>, key: &str) -> Result<Option<IpNet>, Malformed> {
    match fields.any(key) {
        None => Ok(None),
        Some(Value::String(text)) => parse(text)
            .map(Some)
            .ok_or_else(|| fields.refuse(key, format!("{text:?} is not an address/length"))),
        Some(other) => Err(fields.wrong(key, other, "text")),
    }
}

pub(crate) fn read_ip(fields: &Fields<'_>, key: &str) -> Result<Option<IpAddr>, Malformed> {
    let text = fields.text(key)?;
    if text.is_empty() {
        return Ok(None);
    }
    let ip = text.parse().map_err(|_| fields.refuse(key, format!("{text:?} is not an address")))?;
    Ok(Some(plain(ip)))
}

/// What the reference implementation writes where an address is missing.
pub(crate) fn write_net(net: Option<IpNet>) -> String {
    net.map_or_else(|| "<nil>".to_owned(), |net| net.to_string())
}

/// All addresses of a family.
#[cfg(target_os = "linux")]
pub(crate) fn everything(like: IpAddr) -> IpNet {
    use std::net::{Ipv4Addr, Ipv6Addr};
    match like {
        IpAddr::V4(_) => ipnet::Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0).into(),
        IpAddr::V6(_) => ipnet::Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}
