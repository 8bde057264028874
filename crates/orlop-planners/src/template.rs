//! Pod templates: pods made from them, when two are the same, and the hash that names them.

use orlop_model::core::v1::{Pod, PodTemplateSpec};
use orlop_model::{List, Object, ObjectMeta, Str};
use serde_json::Value;

/// Label that tells the pods and ReplicaSets of one Deployment revision from those of another.
pub const POD_TEMPLATE_HASH: &str = "pod-template-hash";

/// Longest name of an object.
const MAX_NAME: usize = 253;

/// A pod made from `template` for `owner`, which controls it: labels, annotations, finalizers and spec of the template,
/// a `generateName`, no name and no namespace.
pub fn pod_from_template(owner: &impl Object, template: &PodTemplateSpec) -> Pod {
    let name = &owner.meta().name;
    let from = &template.metadata;
    Pod {
        metadata: ObjectMeta {
            generate_name: pod_name_prefix(name),
            labels: from.labels.clone(),
            annotations: from.annotations.clone(),
            finalizers: from.finalizers.clone(),
            owner_references: List::from_iter([owner.controller_reference()]),
            ..ObjectMeta::default()
        },
        spec: template.spec.clone(),
        ..Pod::default()
    }
}

/// `NAME-`, or `NAME` alone where that would not be a prefix of a valid pod name.
fn pod_name_prefix(owner: &str) -> Str {
    // A name followed by a dash is a valid prefix exactly if the name is one and there is room.
    if owner.len() < MAX_NAME && is_subdomain(owner) { format!("{owner}-").into() } else { owner.into() }
}

/// Labels of letters, digits and inner dashes, joined by dots (RFC 1123).
fn is_subdomain(name: &str) -> bool {
    let alphanumeric =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    name.split('.').all(|label| {
        let bytes = label.as_bytes();
        alphanumeric(bytes.first())
            && alphanumeric(bytes.last())
            && bytes.iter().all(|byte| alphanumeric(Some(byte)) || *byte == b'-')
    })
}

/// Whether two templates ask for the same pods: equal but for the label `pod-template-hash`. Quantities are compared by
/// value, and an empty list or map is the same as none.
#[must_use]
pub fn same_template(left: &PodTemplateSpec, right: &PodTemplateSpec) -> bool {
    fn labels(template: &PodTemplateSpec) -> impl Iterator<Item = (&Str, &Str)> {
        template.metadata.labels.iter().filter(|(key, _)| **key != *POD_TEMPLATE_HASH)
    }
    left.spec == right.spec
        && left.extra == right.extra
        && labels(left).eq(labels(right))
        && right.metadata == ObjectMeta { labels: right.metadata.labels.clone(), ..left.metadata.clone() }
}

/// The template as canonical JSON without the hash label: sorted keys, nothing that is absent.
fn canonical(template: &PodTemplateSpec) -> Value {
    let mut template = template.clone();
    template.metadata.labels.remove(POD_TEMPLATE_HASH);
    // A template that cannot be written cannot have been read: there is none.
    serde_json::to_value(template).unwrap_or_default()
}

/// The hash that names the ReplicaSet of a template: stable over releases (FNV-1a over canonical JSON, then the
/// collision count), in the letters Kubernetes uses. Kubernetes' own value depends on the layout of its Go structs and
/// is not reproduced; nothing may compare templates by it ([`same_template`] does).
#[must_use]
pub fn template_hash(template: &PodTemplateSpec, collision_count: Option<i32>) -> String {
    let mut text = canonical(template).to_string().into_bytes();
    if let Some(count) = collision_count {
        text.extend(count.to_le_bytes());
    }
    let hash =
        text.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    safe_encode(&hash.to_string())
}

/// Letters that make no words and are not mistaken for one another, one for each character of `text`
/// (`SafeEncodeString` of Kubernetes' apimachinery).
#[must_use]
pub fn safe_encode(text: &str) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    text.bytes().map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()])).collect()
}

/// `PREFIX-HASH`, the prefix cut where that would be too long for a name.
pub(crate) fn name_with_hash(prefix: &str, hash: &str) -> Str {
    let mut room = MAX_NAME.saturating_sub(hash.len() + 1).min(prefix.len());
    while !prefix.is_char_boundary(room) {
        room -= 1;
    }
    format!("{}-{hash}", &prefix[..room]).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn template(value: Value) -> PodTemplateSpec {
        serde_json::from_value(value).expect("a template")
    }

    #[test]
    fn templates_are_compared_by_meaning() {
        let left = template(json!({"metadata": {"labels": {"app": "web", "pod-template-hash": "x"}},
            "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "500m"}}}], "volumes": []}}));
        let right = template(json!({"metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "0.5"}}}]}}));
        assert!(same_template(&left, &right));
        assert_eq!(template_hash(&left, None), template_hash(&right, None));
        assert_ne!(template_hash(&left, None), template_hash(&left, Some(1)));
        let other = template(json!({"metadata": {"labels": {"app": "web"}, "annotations": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "500m"}}}]}}));
        assert!(!same_template(&left, &other));
    }

    #[test]
    fn names_fit() {
        assert_eq!(name_with_hash("web", "abc"), "web-abc");
        assert_eq!(name_with_hash(&"w".repeat(300), "abc").len(), 253);
        assert_eq!(pod_name_prefix("web"), "web-");
        assert_eq!(pod_name_prefix(&"w".repeat(253)), *"w".repeat(253));
    }
}
