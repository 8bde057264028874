//! CertificateSigningRequests. Of the request itself only the envelope is looked at, not the signature.

use super::Validate;
use super::rules::{Rules, Seen};
use crate::certificates::v1::CertificateSigningRequest;
use crate::names::{self, MAX_LABEL, MAX_SUBDOMAIN, NameRule};
use crate::quote::quoted;
use crate::{ByteString, FieldError};

const USAGES: [&str; 23] = [
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
];

/// Shortest life of a certificate, in seconds.
const MIN_LIFE: i32 = 600;

impl Validate for CertificateSigningRequest {
    const NAME_RULE: NameRule = NameRule::PathSegment;

    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("spec", |rules| {
            let spec = &self.spec;
            if !is_request(&spec.request) {
                // The bytes are not shown: they may be many.
                rules.invalid("request", "", "PEM block type must be CERTIFICATE REQUEST");
            }
            if spec.usages.is_empty() {
                rules.required("usages", "");
            }
            let mut seen = Seen::new();
            rules.each("usages", &spec.usages, |rules, usage| {
                rules.one_of("", usage.as_str(), &USAGES);
                if !seen.insert(usage.as_str()) {
                    rules.duplicate("", usage.as_str());
                }
            });
            if spec.signer_name == "kubernetes.io/legacy-unknown" {
                let detail = "the legacy signerName is not allowed via this API version";
                rules.invalid("signerName", &spec.signer_name, detail);
            } else {
                signer(rules, &spec.signer_name);
            }
            if let Some(seconds) = spec.expiration_seconds
                && seconds < MIN_LIFE
            {
                let detail = "may not specify a duration less than 600 seconds (10 minutes)";
                rules.invalid("expirationSeconds", seconds, detail);
            }
        });
        rules.finish()
    }

    /// The spec is that of the old request; see the preparation.
    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.metadata_update(self, old);
        rules.finish()
    }
}

/// Whether the first PEM block (RFC 7468) is that of a request.
fn is_request(bytes: &ByteString) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let Some((before, rest)) = text.split_once("-----BEGIN CERTIFICATE REQUEST-----") else {
        return false;
    };
    (before.is_empty() || before.ends_with('\n'))
        && !before.contains("-----BEGIN ")
        && rest.contains("-----END CERTIFICATE REQUEST-----")
}

/// The name of a signer: a domain, `/` and a path.
pub(super) fn signer(rules: &mut Rules, name: &str) {
    if name.is_empty() {
        rules.required("signerName", "");
        return;
    }
    let Some((domain, path)) = name.split_once('/').filter(|(_, path)| !path.contains('/')) else {
        let detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
        rules.invalid("signerName", name, detail);
        return;
    };
    if domain.len() > MAX_SUBDOMAIN {
        rules.too_long("signerName", MAX_SUBDOMAIN);
    }
    let mut first_wrong = |part: &str, check: fn(&str) -> names::Complaints| {
        let wrong = part.split('.').map(|label| (label, check(label))).find(|(_, list)| !list.is_empty());
        for (label, complaint) in
            wrong.into_iter().flat_map(|(label, list)| list.into_iter().map(move |text| (label, text)))
        {
            let detail = format!("validating label {}: {complaint}", quoted(label));
            rules.invalid("signerName", part, detail);
        }
    };
    first_wrong(domain, names::dns1123_label);
    first_wrong(path, names::dns1123_subdomain);
    if !domain.contains('.') {
        let detail = "should be a domain with at least two segments separated by dots";
        rules.invalid("signerName", domain, detail);
    }
    let longest = MAX_SUBDOMAIN + MAX_SUBDOMAIN + MAX_LABEL + 2;
    if name.len() > longest {
        rules.too_long("signerName", longest);
    }
}
