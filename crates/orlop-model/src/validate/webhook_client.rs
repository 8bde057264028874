//! How webhooks are reached.

use super::rules::Rules;
use crate::names;

/// The address of a webhook: `https://host[/path]` and nothing else.
pub(super) fn url(rules: &mut Rules, field: &str, url: &str) {
    const FORM: &str = "; desired format: https://host[/path]";
    let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (scheme, rest) = match rest.split_once(':') {
        Some((scheme, rest))
            if scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) =>
        {
            (scheme.to_ascii_lowercase(), rest)
        }
        _ => (String::new(), rest),
    };
    let authority = rest.strip_prefix("//").map_or("", |rest| rest.split('/').next().unwrap_or_default());
    let (user, host) =
        authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    if scheme != "https" {
        rules.invalid(field, scheme, format!("'https' is the only allowed URL scheme{FORM}"));
    }
    if host.is_empty() {
        rules.invalid(field, "", format!("host must be specified{FORM}"));
    }
    if let Some(user) = user {
        rules.invalid(field, user, "user information is not permitted in the URL");
    }
    if !fragment.is_empty() {
        rules.invalid(field, fragment, "fragments are not permitted in the URL");
    }
    if !query.is_empty() {
        rules.invalid(field, query, "query parameters are not permitted in the URL");
    }
}

/// A reference to a Service, at the place of `rules`.
pub(super) fn service(rules: &mut Rules, name: &str, namespace: &str, path: Option<&str>, port: Option<i32>) {
    if name.is_empty() {
        rules.required("name", "service name is required");
    }
    if namespace.is_empty() {
        rules.required("namespace", "service namespace is required");
    }
    let port = port.unwrap_or(443);
    if !(1..=65_535).contains(&port) {
        rules.invalid("port", port, "port is not valid: must be between 1 and 65535, inclusive");
    }
    let Some(path) = path.filter(|path| !matches!(*path, "" | "/")) else {
        return;
    };
    if path == "//" {
        rules.invalid("path", path, "segment[0] may not be empty");
        return;
    }
    if !path.starts_with('/') {
        rules.invalid("path", path, "must start with a '/'");
    }
    let mut rest = path.chars();
    rest.next();
    let rest = rest.as_str();
    for (index, step) in rest.strip_suffix('/').unwrap_or(rest).split('/').enumerate() {
        if step.is_empty() {
            rules.invalid("path", path, format!("segment[{index}] may not be empty"));
            continue;
        }
        for complaint in names::dns1123_subdomain(step) {
            rules.invalid("path", path, format!("segment[{index}]: {complaint}"));
        }
    }
}
