//! Formats of texts.

use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::names;

/// Whether a text has a format; formats that are not known pass.
pub(super) fn holds(format: &str, text: &str) -> bool {
    match format {
        "date-time" | "datetime" => text.contains(['T', 't']) && text.parse::<jiff::Timestamp>().is_ok(),
        "date" => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => names::cidr("", text).is_empty(),
        "hostname" => names::dns1123_subdomain(&text.to_lowercase()).is_empty(),
        "byte" => STANDARD.decode(text).is_ok(),
        "uuid" => {
            let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
            digits.len() == 32 && digits.iter().all(u8::is_ascii_hexdigit)
        }
        _ => true,
    }
}
