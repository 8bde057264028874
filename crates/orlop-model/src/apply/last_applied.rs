//! Objects that were applied by kubectl before servers could do it: what it applied last is in an annotation.

use serde_json::Value;

use super::compare::Comparison;
use super::walk::field_set;
use super::{Conflict, Conflicts, Options, Target};
use crate::tree::{Node, NodeMut};

/// The annotation.
pub(super) const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The manager for which the annotation counts.
pub(super) const MANAGER: &str = "kubectl";

/// Most bytes of all annotations together.
const MAX_ANNOTATIONS: usize = 256 << 10;

fn annotations(node: Node<'_>) -> Option<Node<'_>> {
    node.get("metadata")?.get("annotations")
}

/// The conflicts about fields that were not applied before, or have another value since.
pub(super) fn contested(
    conflicts: Conflicts,
    live: Node<'_>,
    target: &Target<'_>,
    options: &Options<'_>,
) -> Vec<Conflict> {
    let Some(text) = annotations(live).and_then(|all| all.get(ANNOTATION)).and_then(Node::as_str) else {
        return conflicts.0;
    };
    let Ok(last) = serde_json::from_str::<Value>(&text) else { return conflicts.0 };
    if last["apiVersion"].as_str() != Some(target.api_version) {
        return conflicts.0;
    }
    let last = Node::from(&last);
    let applied = field_set(last, target.shape, None, options.key_defaults);
    let compared = Comparison::of(last, live, target.shape, options.key_defaults);
    let own =
        applied.difference(&compared.modified).difference(&compared.added).difference(&compared.removed);
    conflicts.0.into_iter().filter(|conflict| !own.has(conflict.path())).collect()
}

/// Keeps the annotation at what is applied, where there is one; answers whether it has changed.
pub(super) fn sync(new: &mut NodeMut<'_>, config: &Value) -> bool {
    let all = annotations(new.node());
    let Some(before) = all.and_then(|all| all.get(ANNOTATION)).and_then(Node::as_str) else { return false };
    if before.is_empty() {
        return false;
    }
    let mut config = config.clone();
    if let Some(annotations) = config.get_mut("metadata").and_then(|meta| meta.get_mut("annotations"))
        && let Some(annotations) = annotations.as_object_mut()
    {
        annotations.remove(ANNOTATION);
    }
    let mut text = Vec::new();
    crate::json::any(&mut text, &config);
    text.push(b'\n');
    let text = String::from_utf8(text).unwrap_or_default();
    if *before == text {
        return false;
    }
    let mut others = 0;
    if let Some(all) = all {
        all.each(&mut |name, value| {
            if name != ANNOTATION {
                others += name.len() + value.as_str().map_or(0, |text| text.len());
            }
            true
        });
    }
    let fits = others + ANNOTATION.len() + text.len() <= MAX_ANNOTATIONS;
    let place = new.reborrow().into_field("metadata").and_then(|meta| meta.into_field("annotations"));
    let Some(mut annotations) = place else { return false };
    if !fits {
        return annotations.remove(ANNOTATION);
    }
    annotations.into_entry(ANNOTATION).and_then(|mut place| place.set(&Value::String(text))).is_ok()
}
