//! Volumes made of several sources.

use std::collections::BTreeSet;

use super::rules::Rules;
use super::volume::{downward_file, inside_volume, key_to_path};
use crate::core::v1::{
    ClusterTrustBundleProjection, KeyToPath, PodCertificateProjection, ProjectedVolumeSource,
    ServiceAccountTokenProjection,
};
use crate::{FieldValue, Str, metadata, names};

/// Longest name of a signer: a domain, `/`, a label, a dot and a domain.
const MAX_SIGNER: usize = names::MAX_SUBDOMAIN + 1 + names::MAX_SUBDOMAIN + names::MAX_LABEL + 1;

/// Seconds that certificates of pods may hold: 91 days, a day for signers of Kubernetes.
const MAX_CERTIFICATE: i32 = 91 * 86_400;
const MAX_KUBERNETES_CERTIFICATE: i32 = 86_400;

/// Paths of files that are taken.
#[derive(Default)]
struct Paths<'a> {
    taken: BTreeSet<&'a str>,
    /// The values that errors about paths that are taken twice show.
    twice: Vec<&'a str>,
}

impl<'a> Paths<'a> {
    fn take(&mut self, path: &'a str, shown: &'a str) {
        if !self.taken.insert(path) {
            self.twice.push(shown);
        }
    }
}

/// The sources of a projected volume, of which no two may write one file. `token_paths_outside`: paths of tokens may
/// lead out of the volume.
pub(super) fn sources(rules: &mut Rules, projected: &ProjectedVolumeSource, token_paths_outside: bool) {
    let mut paths = Paths::default();
    rules.each("sources", &projected.sources, |rules, source| {
        let named = [
            ("secret", source.secret.as_deref().map(|source| (&source.name, &*source.items))),
            ("configMap", source.config_map.as_deref().map(|source| (&source.name, &*source.items))),
        ];
        for (field, reference) in named {
            if let Some((name, items)) = reference {
                rules.within(field, |rules| object(rules, name, items, &mut paths));
            }
        }
        rules.option("downwardAPI", source.downward_api.as_deref(), |rules, downward| {
            downward.items.iter().for_each(|file| downward_file(rules, file));
        });
        for file in source.downward_api.iter().flat_map(|downward| &downward.items) {
            if !file.path.is_empty() {
                paths.take(&file.path, &file.path);
            }
        }
        rules.option("serviceAccountToken", source.service_account_token.as_deref(), token);
        if let Some(bundle) = source.cluster_trust_bundle.as_deref() {
            rules.within("clusterTrustBundle", |rules| trust_bundle(rules, bundle));
            paths.take(&bundle.path, &bundle.path);
        }
        if let Some(certificate) = source.pod_certificate.as_deref() {
            rules.within("podCertificate", |rules| pod_certificate(rules, certificate));
            let written = [
                &certificate.credential_bundle_path,
                &certificate.key_path,
                &certificate.certificate_chain_path,
            ];
            for path in written.into_iter().filter(|path| !path.is_empty()) {
                paths.take(path, path);
            }
        }
        let count = [
            source.secret.is_some(),
            source.config_map.is_some(),
            source.downward_api.is_some(),
            source.service_account_token.is_some(),
            source.cluster_trust_bundle.is_some(),
            source.pod_certificate.is_some(),
        ]
        .iter()
        .filter(|is_set| **is_set)
        .count();
        if count > 1 {
            rules.forbidden("", "may not specify more than 1 volume type per source");
        }
    });
    // The paths of these are Kubernetes' own: they name the volume.
    for token in projected.sources.iter().filter_map(|source| source.service_account_token.as_deref()) {
        if token.path.is_empty() {
            rules.required("path", "");
        } else if !token_paths_outside {
            inside_volume(rules, "path", &token.path);
        }
    }
    for shown in paths.twice {
        rules.invalid("", shown, "conflicting duplicate paths");
    }
}

fn object<'a>(rules: &mut Rules, name: &'a Str, items: &'a [KeyToPath], paths: &mut Paths<'a>) {
    rules.present("name", name);
    rules.each("items", items, |rules, item| {
        key_to_path(rules, item);
        if !item.path.is_empty() {
            paths.take(&item.path, name);
        }
    });
}

fn token(rules: &mut Rules, token: &ServiceAccountTokenProjection) {
    let seconds = token.expiration_seconds.unwrap_or_default();
    if seconds < 10 * 60 {
        rules.invalid("expirationSeconds", seconds, "may not specify a duration less than 10 minutes");
    }
    if seconds > 1 << 32 {
        rules.invalid("expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds");
    }
}

fn trust_bundle(rules: &mut Rules, bundle: &ClusterTrustBundleProjection) {
    match (&bundle.name, &bundle.signer_name) {
        (Some(_), Some(_)) => {
            rules.invalid("", FieldValue::of(bundle), "only one of name and signerName may be used");
        }
        (Some(name), None) => {
            if name.is_empty() {
                rules.required("name", "must be a valid object name");
            }
            // Bundles of a signer are named after it, with colons for slashes.
            let own = name.rsplit_once(':').map_or(name.as_str(), |(_, own)| own);
            for complaint in names::dns1123_subdomain(own) {
                rules.invalid("name", name, format!("not a valid clustertrustbundlename: {complaint}"));
            }
            if let Some(selector) = &bundle.label_selector {
                let detail = "labelSelector must be unset if name is specified";
                rules.invalid("labelSelector", FieldValue::of(selector), detail);
            }
        }
        (None, Some(signer)) => {
            if signer.is_empty() {
                rules.required("signerName", "must be a valid signer name");
            }
            signer_name(rules, "signerName", signer);
            if let Some(selector) = &bundle.label_selector {
                rules.selector("labelSelector", selector, false);
            }
        }
        (None, None) => rules.required("", "either name or signerName must be specified"),
    }
    rules.present("path", &bundle.path);
    inside_volume(rules, "path", &bundle.path);
}

/// The name of a signer: a domain and a path.
pub(super) fn signer_name(rules: &mut Rules, field: &str, name: &str) {
    rules.present(field, name);
    let (domain, path) = match name.split_once('/') {
        Some((domain, path)) if !path.contains('/') => (domain, path),
        _ => {
            let detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
            return rules.invalid(field, name, detail);
        }
    };
    if domain.len() > names::MAX_SUBDOMAIN {
        rules.too_long(field, names::MAX_SUBDOMAIN);
    }
    let mut labels = |part: &str, check: fn(&str) -> names::Complaints| {
        let wrong = part.split('.').map(|label| (label, check(label))).find(|(_, found)| !found.is_empty());
        if let Some((label, complaints)) = wrong {
            for complaint in complaints {
                let label = crate::quote::quoted(label);
                rules.invalid(field, part, format!("validating label {label}: {complaint}"));
            }
        }
    };
    labels(domain, names::dns1123_label);
    labels(path, names::dns1123_subdomain);
    if !domain.contains('.') {
        let detail = "should be a domain with at least two segments separated by dots";
        rules.invalid(field, domain, detail);
    }
    if name.len() > MAX_SIGNER {
        rules.too_long(field, MAX_SIGNER);
    }
}

fn pod_certificate(rules: &mut Rules, certificate: &PodCertificateProjection) {
    signer_name(rules, "signerName", &certificate.signer_name);
    for key in certificate.user_annotations.keys() {
        rules.check("userAnnotations", |path| names::domain_prefixed_key(path, key));
    }
    let size: usize = certificate.user_annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
    if size > metadata::MAX_ANNOTATIONS {
        rules.too_long("userAnnotations", metadata::MAX_ANNOTATIONS);
    }
    let types = &["RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"];
    rules.one_of("keyType", &certificate.key_type, types);
    if let Some(seconds) = certificate.max_expiration_seconds {
        if seconds < 3600 {
            let detail = "if provided, maxExpirationSeconds must be >= 3600";
            rules.invalid("maxExpirationSeconds", seconds, detail);
        }
        let domain = certificate.signer_name.split('/').next().unwrap_or_default();
        let of_kubernetes = domain == "kubernetes.io" || domain.ends_with(".kubernetes.io");
        let most = if of_kubernetes { MAX_KUBERNETES_CERTIFICATE } else { MAX_CERTIFICATE };
        if seconds > most {
            let detail = format!("if provided, maxExpirationSeconds must be <= {most}");
            rules.invalid("maxExpirationSeconds", seconds, detail);
        }
    }
    let mut count = 0;
    for (field, path) in [
        ("credentialBundlePath", &certificate.credential_bundle_path),
        ("keyPath", &certificate.key_path),
        ("certificateChainPath", &certificate.certificate_chain_path),
    ] {
        if !path.is_empty() {
            count += 1;
            inside_volume(rules, field, path);
        }
    }
    if count == 0 {
        let detail = "specify at least one of credentialBundlePath, keyPath, and certificateChainPath";
        rules.required("", detail);
    }
}
