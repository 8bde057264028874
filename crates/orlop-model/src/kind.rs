//! [`KindInfo`]: what is known of a kind of object.

use std::borrow::Cow;
use std::fmt;

type Text = Cow<'static, str>;

/// A kind: its names, where its objects live and which subresources they have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindInfo {
    /// API group, empty for core.
    pub group: Text,
    /// Version of the group.
    pub version: Text,
    /// Name of the kind (`Pod`).
    pub kind: Text,
    /// Resource name (`pods`).
    pub plural: Text,
    /// Resource name of one object (`pod`).
    pub singular: Text,
    /// Short names (`po`).
    pub short_names: Cow<'static, [Text]>,
    /// Categories (`all`).
    pub categories: Cow<'static, [Text]>,
    /// Whether objects belong to a namespace.
    pub scope: Scope,
    /// Whether it has the subresource `status`.
    pub status: bool,
    /// Whether it has the subresource `scale`.
    pub scale: bool,
    /// Its other subresources (`log`).
    pub subresources: Cow<'static, [Text]>,
    /// Verbs that the API has for it.
    pub verbs: Cow<'static, [Text]>,
}

/// Whether the objects of a kind belong to a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Each belongs to one.
    Namespaced,
    /// They belong to the cluster.
    Cluster,
}

impl KindInfo {
    /// The verbs of most kinds.
    pub const ALL_VERBS: Cow<'static, [Text]> = Cow::Borrowed(&[
        Cow::Borrowed("create"),
        Cow::Borrowed("delete"),
        Cow::Borrowed("deletecollection"),
        Cow::Borrowed("get"),
        Cow::Borrowed("list"),
        Cow::Borrowed("patch"),
        Cow::Borrowed("update"),
        Cow::Borrowed("watch"),
    ]);

    /// A namespaced kind known only by its names, without subresources; the plural is guessed by
    /// English rules until somebody who knows it sets it.
    #[must_use]
    pub fn guess(api_version: &str, kind: &str) -> Self {
        // Without a group before the slash there is none, so that what was read is written again.
        let parts = api_version.split_once('/').filter(|(group, _)| !group.is_empty());
        let (group, version) = parts.unwrap_or(("", api_version));
        let singular = kind.to_lowercase();
        let plural = match singular.as_bytes() {
            [.., b's' | b'x'] | [.., b'c' | b's', b'h'] => format!("{singular}es"),
            [.., before, b'y'] if !b"aeiou".contains(before) => {
                format!("{}ies", &singular[..singular.len() - 1])
            }
            _ => format!("{singular}s"),
        };
        Self {
            group: group.to_owned().into(),
            version: version.to_owned().into(),
            kind: kind.to_owned().into(),
            plural: plural.into(),
            singular: singular.into(),
            short_names: Cow::Borrowed(&[]),
            categories: Cow::Borrowed(&[]),
            scope: Scope::Namespaced,
            status: false,
            scale: false,
            subresources: Cow::Borrowed(&[]),
            verbs: Self::ALL_VERBS,
        }
    }

    /// `group/version`, or the version alone for the core group.
    #[must_use]
    pub fn api_version(&self) -> Cow<'_, str> {
        if self.group.is_empty() {
            Cow::Borrowed(&self.version)
        } else {
            Cow::Owned(format!("{}/{}", self.group, self.version))
        }
    }

    /// `plural.group`, or the plural alone for the core group, as messages name a resource.
    #[must_use]
    pub fn resource(&self) -> Cow<'_, str> {
        if self.group.is_empty() {
            Cow::Borrowed(&self.plural)
        } else {
            Cow::Owned(format!("{}.{}", self.plural, self.group))
        }
    }

    /// Whether objects belong to a namespace.
    #[must_use]
    pub fn is_namespaced(&self) -> bool {
        self.scope == Scope::Namespaced
    }

    /// Whether the names of group, version and kind are the same.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        (&self.group, &self.version, &self.kind) == (&other.group, &other.version, &other.kind)
    }
}

impl fmt::Display for KindInfo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, Kind={}", self.api_version(), self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_api_version_comes_back() {
        for text in ["v1", "apps/v1", "a/b/c", "/", "//", "/v1", "v1/", ""] {
            assert_eq!(KindInfo::guess(text, "Kind").api_version(), text);
        }
    }

    #[test]
    fn plurals_are_guessed() {
        for (kind, plural) in [
            ("Website", "websites"),
            ("Policy", "policies"),
            ("Ingress", "ingresses"),
            ("Gateway", "gateways"),
        ] {
            assert_eq!(KindInfo::guess("example.dev/v1", kind).plural, plural);
        }
    }
}
