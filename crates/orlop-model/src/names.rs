//! The rules for names and other short texts.
//!
//! Each rule returns what is wrong with a value, in Kubernetes' words; nothing if it is valid.
//!
//! ```
//! use orlop_model::names;
//!
//! assert!(names::dns1123_label("web-1").is_empty());
//! assert_eq!(names::dns1123_label("web.1"), ["must not contain dots"]);
//! ```

use std::net::{IpAddr, Ipv6Addr};

use crate::FieldError;
use crate::quote::quoted;

/// What is wrong with a value.
pub type Complaints = Vec<String>;

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const QUALIFIED: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

/// Most bytes of a [`dns1123_label`] and a [`dns1035_label`].
pub const MAX_LABEL: usize = 63;
/// Most bytes of a [`dns1123_subdomain`].
pub const MAX_SUBDOMAIN: usize = 253;

fn no_match(message: &str, pattern: &str, examples: &[&str]) -> String {
    if examples.is_empty() {
        return format!("{message} (regex used for validation is '{pattern}')");
    }
    let examples: Vec<String> = examples.iter().map(|example| format!("'{example}', ")).collect();
    format!("{message} (e.g. {}regex used for validation is '{pattern}')", examples.join(" or "))
}

fn longer_than(value: &str, limit: usize) -> Option<String> {
    (value.len() > limit).then(|| format!("must be no more than {limit} characters"))
}

fn check(ok: bool, complaint: impl FnOnce() -> String) -> Complaints {
    if ok { Vec::new() } else { vec![complaint()] }
}

/// Letters and digits of `inner` at both ends, anything that `inner` takes between.
fn is_enclosed(value: &str, edge: fn(u8) -> bool, inner: fn(u8) -> bool) -> bool {
    match value.as_bytes() {
        [] => false,
        [one] => edge(*one),
        [first, middle @ .., last] => edge(*first) && edge(*last) && middle.iter().all(|byte| inner(*byte)),
    }
}

fn is_lower(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_label(value: &str) -> bool {
    is_enclosed(value, is_lower, |byte| is_lower(byte) || byte == b'-')
}

fn is_subdomain(value: &str) -> bool {
    value.split('.').all(is_label)
}

fn is_dns1035(value: &str) -> bool {
    is_label(value) && value.as_bytes()[0].is_ascii_lowercase()
}

fn is_qualified_part(value: &str) -> bool {
    is_enclosed(
        value,
        |byte| byte.is_ascii_alphanumeric(),
        |byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte),
    )
}

/// A DNS label (RFC 1123) in lower case, at most 63 bytes.
#[must_use]
pub fn dns1123_label(value: &str) -> Complaints {
    let mut complaints: Complaints = longer_than(value, MAX_LABEL).into_iter().collect();
    if !is_label(value) {
        complaints.push(if is_subdomain(value) {
            "must not contain dots".to_owned()
        } else {
            no_match(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
                LABEL,
                &["my-name", "123-abc"],
            )
        });
    }
    complaints
}

/// DNS labels (RFC 1123) in lower case, joined by dots, at most 253 bytes.
#[must_use]
pub fn dns1123_subdomain(value: &str) -> Complaints {
    let mut complaints: Complaints = longer_than(value, MAX_SUBDOMAIN).into_iter().collect();
    if !is_subdomain(value) {
        complaints.push(subdomain_complaint());
    }
    complaints
}

fn subdomain_complaint() -> String {
    no_match(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        SUBDOMAIN,
        &["example.com"],
    )
}

/// Like [`dns1123_subdomain`], with underscores allowed at the start and inside of each label.
#[must_use]
pub fn dns1123_subdomain_underscore(value: &str) -> Complaints {
    let is_label = |label: &str| {
        let label = label.strip_prefix('_').unwrap_or(label);
        is_enclosed(label, is_lower, |byte| is_lower(byte) || byte == b'-' || byte == b'_')
    };
    let mut complaints: Complaints = longer_than(value, MAX_SUBDOMAIN).into_iter().collect();
    if !value.split('.').all(is_label) {
        complaints.push(no_match(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
            "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*",
            &["example.com"],
        ));
    }
    complaints
}

/// A DNS label that begins with a letter (RFC 1035), at most 63 bytes.
#[must_use]
pub fn dns1035_label(value: &str) -> Complaints {
    let mut complaints: Complaints = longer_than(value, MAX_LABEL).into_iter().collect();
    if !is_dns1035(value) {
        complaints.push(no_match(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
            "[a-z]([-a-z0-9]*[a-z0-9])?",
            &["my-name", "abc-123"],
        ));
    }
    complaints
}

/// `*.` and a [`dns1123_subdomain`].
#[must_use]
pub fn wildcard_dns1123_subdomain(value: &str) -> Complaints {
    let mut complaints: Complaints = longer_than(value, MAX_SUBDOMAIN).into_iter().collect();
    if !value.strip_prefix("*.").is_some_and(is_subdomain) {
        complaints.push(no_match(
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
            &format!("\\*\\.{SUBDOMAIN}"),
            &["*.example.com"],
        ));
    }
    complaints
}

const QUALIFIED_WORDS: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const QUALIFIED_EXAMPLES: &[&str] = &["MyName", "my.name", "123-abc"];

/// The key of a label: a name of at most 63 bytes, optionally with a DNS subdomain and `/` before.
#[must_use]
pub fn label_key(value: &str) -> Complaints {
    let mut complaints = Complaints::new();
    let mut parts = value.split('/');
    let name = match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, _) => name,
        (Some(prefix), Some(name), None) => {
            if prefix.is_empty() {
                complaints.push("prefix part must be non-empty".to_owned());
            } else {
                if prefix.len() > MAX_SUBDOMAIN {
                    complaints.push(format!("prefix part must be no more than {MAX_SUBDOMAIN} bytes"));
                }
                if !is_subdomain(prefix) {
                    complaints.push(format!("prefix part {}", subdomain_complaint()));
                }
            }
            name
        }
        _ => {
            let words = no_match(QUALIFIED_WORDS, QUALIFIED, QUALIFIED_EXAMPLES);
            return vec![format!(
                "a valid label key {words} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        complaints.push("name part must be non-empty".to_owned());
    } else if name.len() > MAX_LABEL {
        complaints.push(format!("name part must be no more than {MAX_LABEL} bytes"));
    }
    if !is_qualified_part(name) {
        complaints.push(format!("name part {}", no_match(QUALIFIED_WORDS, QUALIFIED, QUALIFIED_EXAMPLES)));
    }
    complaints
}

/// The value of a label: empty, or letters and digits at both ends, at most 63 bytes.
#[must_use]
pub fn label_value(value: &str) -> Complaints {
    let mut complaints = Complaints::new();
    if value.len() > MAX_LABEL {
        complaints.push(format!("must be no more than {MAX_LABEL} bytes"));
    }
    if !value.is_empty() && !is_qualified_part(value) {
        complaints.push(no_match(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
            &format!("({QUALIFIED})?"),
            &["MyValue", "my_value", "12345"],
        ));
    }
    complaints
}

/// An identifier of C.
#[must_use]
pub fn c_identifier(value: &str) -> Complaints {
    let ok = !value.starts_with(|first: char| first.is_ascii_digit())
        && !value.is_empty()
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    check(ok, || {
        no_match(
            "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
            "[A-Za-z_][A-Za-z0-9_]*",
            &["my_name", "MY_NAME", "MyName"],
        )
    })
}

/// A name that can stand in the path of a URL.
#[must_use]
pub fn path_segment_name(value: &str) -> Complaints {
    if matches!(value, "." | "..") {
        return vec![format!("may not be '{value}'")];
    }
    ["/", "%"]
        .into_iter()
        .filter(|illegal| value.contains(illegal))
        .map(|illegal| format!("may not contain '{illegal}'"))
        .collect()
}

/// A decimal integer without plus sign and leading zeros.
#[must_use]
pub fn decimal_integer(value: &str) -> Complaints {
    if value.is_empty() {
        return vec!["must be non-empty".to_owned()];
    }
    let digits = value.strip_prefix('-').unwrap_or(value).as_bytes();
    let ok =
        value == "0" || matches!(digits, [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit));
    check(ok, || "must be a valid decimal integer in canonical form".to_owned())
}

/// The name of a port (RFC 6335), at most 15 bytes.
#[must_use]
pub fn port_name(value: &str) -> Complaints {
    let mut complaints: Complaints = longer_than(value, 15).into_iter().collect();
    if value.is_empty() || !value.bytes().all(|byte| is_lower(byte) || byte == b'-') {
        complaints.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned());
    }
    if !value.bytes().any(|byte| byte.is_ascii_lowercase()) {
        complaints.push("must contain at least one letter (a-z)".to_owned());
    }
    if value.contains("--") {
        complaints.push("must not contain consecutive hyphens".to_owned());
    }
    if value.starts_with('-') || value.ends_with('-') {
        complaints.push("must not begin or end with a hyphen".to_owned());
    }
    complaints
}

/// The number of a port: 1 to 65535.
#[must_use]
pub fn port_number(value: i64) -> Complaints {
    check((1..=65535).contains(&value), || "must be between 1 and 65535, inclusive".to_owned())
}

/// Digits and a percent sign.
#[must_use]
pub fn percent(value: &str) -> Complaints {
    let ok = value
        .strip_suffix('%')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    check(ok, || {
        no_match(
            "a valid percent string must be a numeric string followed by an ending '%'",
            "[0-9]+%",
            &["1%", "93%"],
        )
    })
}

/// The name of an HTTP header.
#[must_use]
pub fn http_header_name(value: &str) -> Complaints {
    let ok = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    check(ok, || {
        no_match(
            "a valid HTTP header must consist of alphanumeric characters or '-'",
            "[-A-Za-z0-9]+",
            &["X-Header-Name"],
        )
    })
}

fn change_of_folder(value: &str) -> Option<String> {
    match value {
        "." | ".." => Some(format!("must not be '{value}'")),
        _ if value.starts_with("..") => Some("must not start with '..'".to_owned()),
        _ => None,
    }
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._".contains(&byte)
}

/// The name of an environment variable, as it was always allowed.
#[must_use]
pub fn env_var_name(value: &str) -> Complaints {
    let ok = !value.is_empty() && !value.as_bytes()[0].is_ascii_digit() && value.bytes().all(is_key_byte);
    let mut complaints = check(ok, || {
        no_match(
            "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
            "[-._a-zA-Z][-._a-zA-Z0-9]*",
            &["my.env-name", "MY_ENV.NAME", "MyEnvName1"],
        )
    });
    complaints.extend(change_of_folder(value));
    complaints
}

/// The name of an environment variable: any printable ASCII but `=`.
#[must_use]
pub fn relaxed_env_var_name(value: &str) -> Complaints {
    if value.is_empty() {
        return vec!["environment variable name must be non-empty".to_owned()];
    }
    check(value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'='), || {
        "a valid environment variable name must consist only of printable ASCII characters other than '='"
            .to_owned()
    })
}

/// The key of an entry of a ConfigMap or Secret.
#[must_use]
pub fn configmap_key(value: &str) -> Complaints {
    let mut complaints: Complaints = longer_than(value, MAX_SUBDOMAIN).into_iter().collect();
    if value.is_empty() || !value.bytes().all(is_key_byte) {
        complaints.push(no_match(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
            "[-._a-zA-Z0-9]+",
            &["key.name", "KEY_NAME", "key-name"],
        ));
    }
    complaints.extend(change_of_folder(value));
    complaints
}

/// A rule for the name of an object, which is also one for `generateName`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRule {
    /// [`dns1123_subdomain`], the rule of most kinds.
    Subdomain,
    /// [`dns1123_label`].
    Label,
    /// [`dns1035_label`].
    Dns1035Label,
    /// [`path_segment_name`].
    PathSegment,
    /// [`ip`].
    Address,
}

impl NameRule {
    /// What is wrong with a name.
    #[must_use]
    pub fn check(self, name: &str) -> Complaints {
        match self {
            Self::Subdomain => dns1123_subdomain(name),
            Self::Label => dns1123_label(name),
            Self::Dns1035Label => dns1035_label(name),
            Self::PathSegment => path_segment_name(name),
            Self::Address => ip("", name).into_iter().map(|error| error.detail).collect(),
        }
    }

    /// What is wrong with a prefix that a name is made from: it may end in a hyphen.
    #[must_use]
    pub fn check_prefix(self, prefix: &str) -> Complaints {
        match prefix.strip_suffix('-') {
            // A whole name of the same form, without its last two bytes and with a letter at the end.
            Some(rest) if !rest.is_empty() && self != Self::PathSegment => {
                let mut end = rest.len() - 1;
                while !rest.is_char_boundary(end) {
                    end -= 1;
                }
                let tail = if end == rest.len() - 1 { "a" } else { "\u{fffd}a" };
                self.check(&format!("{}{tail}", &rest[..end]))
            }
            _ => self.check(prefix),
        }
    }
}

/// A domain name of at least two labels; a dot at the end is allowed.
#[must_use]
pub fn fqdn(field: &str, value: &str) -> Vec<FieldError> {
    if value.is_empty() {
        return vec![FieldError::required(field, "")];
    }
    let name = value.strip_suffix('.').unwrap_or(value);
    let complaints = dns1123_subdomain(name);
    if !complaints.is_empty() {
        return vec![FieldError::invalid(field, name, complaints.join(","))];
    }
    if !name.contains('.') {
        let detail = "should be a domain with at least two segments separated by dots";
        return vec![FieldError::invalid(field, name, detail)];
    }
    name.split('.')
        .map(|label| (label, dns1123_label(label)))
        .find(|(_, complaints)| !complaints.is_empty())
        .map(|(label, complaints)| FieldError::invalid(field, label, complaints.join(",")))
        .into_iter()
        .collect()
}

/// A domain name of at least three labels.
#[must_use]
pub fn fully_qualified_name(field: &str, value: &str) -> Vec<FieldError> {
    if value.is_empty() {
        return vec![FieldError::required(field, "")];
    }
    let complaints = dns1123_subdomain(value);
    if !complaints.is_empty() {
        return vec![FieldError::invalid(field, value, complaints.join(","))];
    }
    if value.split('.').count() < 3 {
        let detail = "should be a domain with at least three segments separated by dots";
        return vec![FieldError::invalid(field, value, detail)];
    }
    Vec::new()
}

/// A domain, `/` and a path.
#[must_use]
pub fn domain_prefixed_path(field: &str, value: &str) -> Vec<FieldError> {
    if value.is_empty() {
        return vec![FieldError::required(field, "")];
    }
    let (host, path) = match value.split_once('/') {
        Some((host, path)) if !host.is_empty() && !path.is_empty() => (host, path),
        _ => {
            let detail = "must be a domain-prefixed path (such as \"acme.io/foo\")";
            return vec![FieldError::invalid(field, value, detail)];
        }
    };
    let mut errors: Vec<FieldError> = dns1123_subdomain(host)
        .into_iter()
        .map(|complaint| FieldError::invalid(field, host, complaint))
        .collect();
    let is_path_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte);
    if !path.bytes().all(is_path_byte) {
        let detail = no_match("Invalid path", "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+", &[]);
        errors.push(FieldError::invalid(field, path, detail));
    }
    errors
}

/// A domain, `/` and a name.
#[must_use]
pub fn domain_prefixed_key(field: &str, value: &str) -> Vec<FieldError> {
    if value.is_empty() {
        return vec![FieldError::required(field, "")];
    }
    let errors = finalizer(field, value);
    if errors.is_empty() && !value.contains('/') {
        let detail = "must be a domain-prefixed key (such as \"acme.io/foo\")";
        return vec![FieldError::invalid(field, value, detail)];
    }
    errors
}

/// The name of a CronJob, in addition to the rule of its metadata: at most 52 bytes, so that there
/// is room for what the names of its Jobs add.
#[must_use]
pub fn cronjob_name(field: &str, value: &str) -> Vec<FieldError> {
    longer_than(value, MAX_LABEL - 11)
        .map(|complaint| FieldError::invalid(field, value, complaint))
        .into_iter()
        .collect()
}

/// The name of a finalizer: a [`label_key`].
#[must_use]
pub fn finalizer(field: &str, value: &str) -> Vec<FieldError> {
    label_key(value).into_iter().map(|complaint| FieldError::invalid(field, value, complaint)).collect()
}

/// An IP address in canonical notation: no leading zeros, no IPv4 inside IPv6, no zone, and IPv6 as
/// RFC 5952 says.
#[must_use]
pub fn ip(field: &str, value: &str) -> Vec<FieldError> {
    let errors = legacy_ip(field, value, true);
    match value.parse::<IpAddr>() {
        Ok(address) if errors.is_empty() => not_canonical(field, value, &address.to_string()),
        _ => errors,
    }
}

/// An IP address as old fields take it, in any notation; unless `strict`, with leading zeros and
/// IPv4 inside IPv6 too.
#[must_use]
pub fn legacy_ip(field: &str, value: &str, strict: bool) -> Vec<FieldError> {
    let detail = match lenient_ip(value) {
        None => "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        Some(_) if !strict => return Vec::new(),
        Some(_) if value.parse::<IpAddr>().is_err() => "must not have leading 0s",
        Some(IpAddr::V6(address)) if is_mapped(address) => "must not be an IPv4-mapped IPv6 address",
        Some(_) => return Vec::new(),
    };
    vec![FieldError::invalid(field, value, detail)]
}

/// A network in CIDR notation, canonical as for [`ip`] and without bits beyond its prefix.
#[must_use]
pub fn cidr(field: &str, value: &str) -> Vec<FieldError> {
    let errors = legacy_cidr(field, value, true);
    match lenient_cidr(value) {
        Some(network) if errors.is_empty() => {
            not_canonical(field, value, &format!("{}/{}", network.address, network.prefix))
        }
        _ => errors,
    }
}

/// A network in CIDR notation as old fields take it, in any notation; unless `strict`, with leading
/// zeros, IPv4 inside IPv6 and bits beyond its prefix too.
#[must_use]
pub fn legacy_cidr(field: &str, value: &str, strict: bool) -> Vec<FieldError> {
    let detail = match lenient_cidr(value) {
        None => "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
        Some(_) if !strict => return Vec::new(),
        Some(Network { has_leading_zeros: true, .. }) => "must not have leading 0s in IP or prefix length",
        Some(Network { address: IpAddr::V6(address), .. }) if is_mapped(address) => {
            "must not have an IPv4-mapped IPv6 address"
        }
        Some(network) if network.has_host_bits() => "must not have bits set beyond the prefix length",
        Some(_) => return Vec::new(),
    };
    vec![FieldError::invalid(field, value, detail)]
}

fn not_canonical(field: &str, value: &str, canonical: &str) -> Vec<FieldError> {
    if value == canonical {
        return Vec::new();
    }
    let detail = format!("must be in canonical form ({})", quoted(canonical));
    vec![FieldError::invalid(field, value, detail)]
}

/// A network as it was written: its address may have bits beyond its prefix.
pub(crate) struct Network {
    pub(crate) address: IpAddr,
    pub(crate) prefix: u32,
    pub(crate) has_leading_zeros: bool,
}

impl Network {
    /// The address without what is beyond its first bits.
    #[cfg(feature = "rules")]
    pub(crate) fn masked(&self, bits: u32) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or(0);
                IpAddr::from((address.to_bits() & mask).to_be_bytes())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits)).unwrap_or(0);
                IpAddr::from((address.to_bits() & mask).to_be_bytes())
            }
        }
    }

    pub(crate) fn has_host_bits(&self) -> bool {
        match self.address {
            IpAddr::V4(address) => address.to_bits().checked_shl(self.prefix).unwrap_or(0) != 0,
            IpAddr::V6(address) => address.to_bits().checked_shl(self.prefix).unwrap_or(0) != 0,
        }
    }
}

/// An address in which numbers may have leading zeros.
pub(crate) fn lenient_ip(value: &str) -> Option<IpAddr> {
    value.parse().ok().or_else(|| {
        // Zones are not addresses.
        let plain: Vec<String> = value
            .split_inclusive(['.', ':'])
            .map(|part| {
                let digits = part.trim_end_matches(['.', ':']);
                let rest = digits.trim_start_matches('0');
                let kept = if rest.is_empty() && !digits.is_empty() { "0" } else { rest };
                format!("{kept}{}", &part[digits.len()..])
            })
            .collect();
        plain.concat().parse().ok()
    })
}

/// A network in which numbers may have leading zeros.
pub(crate) fn lenient_cidr(value: &str) -> Option<Network> {
    let (address_text, prefix_text) = value.split_once('/')?;
    let address = lenient_ip(address_text)?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    if !prefix_text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let prefix: u32 = prefix_text.parse().ok().filter(|prefix| *prefix <= bits)?;
    let strict = address_text.parse::<IpAddr>().is_ok() && prefix.to_string() == prefix_text;
    Some(Network { address, prefix, has_leading_zeros: !strict })
}

fn is_mapped(address: Ipv6Addr) -> bool {
    address.to_ipv4_mapped().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(errors: Vec<FieldError>) -> Vec<String> {
        errors.into_iter().map(|error| error.detail).collect()
    }

    #[test]
    fn addresses_are_canonical() {
        for good in ["10.9.8.7", "2001:db8::ffff", "::", "::1", "0.0.0.0"] {
            assert_eq!(details(ip("f", good)), [""; 0], "{good}");
        }
        assert_eq!(details(ip("f", "FE80:0::1")), ["must be in canonical form (\"fe80::1\")"]);
        assert_eq!(details(ip("f", "1.2.3.004")), ["must not have leading 0s"]);
        assert_eq!(details(ip("f", "00001::")), ["must not have leading 0s"]);
        assert_eq!(details(legacy_ip("f", "1.2.3.004", false)), [""; 0]);
        for bad in ["1.2.3", "1.2.3.256", "fe80::1%eth0", " 1.2.3.4", "1.2.3.4.", ":::", "1.2.3.04x", ""] {
            assert!(details(ip("f", bad))[0].starts_with("must be a valid IP"), "{bad}");
        }
        assert_eq!(details(cidr("f", "2001:DB8::/64")), ["must be in canonical form (\"2001:db8::/64\")"]);
        assert_eq!(details(cidr("f", "::ffff:1.1.1.0/120")), ["must not have an IPv4-mapped IPv6 address"]);
        assert_eq!(details(cidr("f", "010.0.0.0/8")), ["must not have leading 0s in IP or prefix length"]);
        assert_eq!(details(cidr("f", "1.2.3.4/0")), ["must not have bits set beyond the prefix length"]);
        assert_eq!(details(cidr("f", "::/0")), [""; 0]);
        for bad in ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/8/8", "::/129"] {
            assert!(details(cidr("f", bad))[0].starts_with("must be a valid CIDR"), "{bad}");
        }
    }

    #[test]
    fn prefixes_may_end_in_a_hyphen() {
        assert!(NameRule::Subdomain.check_prefix("web-").is_empty());
        assert!(NameRule::Label.check_prefix("w-").is_empty());
        assert!(!NameRule::Label.check_prefix("-").is_empty());
        assert!(!NameRule::Label.check_prefix("web.").is_empty());
        assert!(!NameRule::Label.check_prefix("é-").is_empty());
    }

    #[test]
    fn paths_have_no_spaces() {
        assert_eq!(
            details(domain_prefixed_path("f", "a.io/b c")),
            ["Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"]
        );
    }
}
