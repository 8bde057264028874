//! The pull policy that an image name asks for.

use crate::core::v1::PullPolicy;

/// `Always` for images that are named by the tag `latest` or no tag at all, else `IfNotPresent`;
/// also for names that are not valid.
pub(super) fn default_pull_policy(image: &str) -> PullPolicy {
    if tag(image) == Some("latest") { PullPolicy::Always } else { PullPolicy::IfNotPresent }
}

/// The tag of a valid image name, `latest` if it has neither tag nor digest.
/// (The grammar of the distribution project's `reference` package.)
fn tag(image: &str) -> Option<&str> {
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (image, None),
    };
    let path_start = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest[path_start..].split_once(':') {
        Some((last, tag)) => (&rest[..path_start + last.len()], Some(tag)),
        None => (rest, None),
    };
    let valid = is_name(name) && tag.is_none_or(is_tag) && digest.is_none_or(is_digest);
    match (valid, tag, digest) {
        (false, ..) => None,
        (true, Some(tag), _) => Some(tag),
        (true, None, Some(_)) => None,
        (true, None, None) => Some("latest"),
    }
}

fn is_name(name: &str) -> bool {
    let hexadecimal_id =
        name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if hexadecimal_id {
        return false;
    }
    let (domain, path) = match name.split_once('/') {
        Some((first, rest)) if is_domain_like(first) => (Some(first), rest),
        _ => (None, name),
    };
    let full_length = name.len() + if domain.is_none() { "docker.io/".len() } else { 0 };
    full_length <= 255 && domain.is_none_or(is_domain) && path.split('/').all(is_path_component)
}

/// Whether the first part of a name is a registry and not a part of the path.
fn is_domain_like(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (domain, None),
    };
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_is_valid = match bracketed {
        Some(address) => {
            !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':')
        }
        None => host.split('.').all(|part| {
            let edges = [part.bytes().next(), part.bytes().last()];
            edges.iter().all(|edge| edge.is_some_and(|byte| byte.is_ascii_alphanumeric()))
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        }),
    };
    host_is_valid
        && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Runs of lower-case letters and digits between separators `.`, `_`, `__` and any number of `-`.
fn is_path_component(component: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = component.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    is_word(*first)
        && is_word(*last)
        && bytes.chunk_by(|a, b| is_word(*a) == is_word(*b)).all(|run| {
            is_word(run[0]) || matches!(run, b"." | b"_" | b"__") || run.iter().all(|byte| *byte == b'-')
        })
}

fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=128).contains(&tag.len())
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hash)) = digest.split_once(':') else {
        return false;
    };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    hash.len() == length && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags() {
        let digest = format!("a/b@sha256:{}", "0".repeat(64));
        for (image, wanted) in [
            ("nginx", Some("latest")),
            ("nginx:1.25", Some("1.25")),
            ("registry.io:5000/a/b", Some("latest")),
            ("registry.io:5000/a/b:v1", Some("v1")),
            ("localhost/a", Some("latest")),
            ("Nginx", None),
            ("a//b", None),
            ("a:", None),
            (digest.as_str(), None),
        ] {
            assert_eq!(tag(image), wanted, "{image}");
        }
    }
}
