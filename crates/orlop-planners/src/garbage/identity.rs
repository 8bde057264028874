//! Who an object is, as owner references and watch events tell it.

use std::fmt;

use orlop_model::Str;
use orlop_model::meta::v1::{ObjectMeta, OwnerReference};

/// The coordinates of one object: enough to find it and to tell it from a namesake.
///
/// The order (kind, apiVersion, namespace, name, uid) is the one in which the collector tries the
/// coordinates that dependents of an unseen owner disagree about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// Kind, as in `Pod`.
    pub kind: Str,
    /// Group and version, as in `apps/v1`; `v1` for the core group.
    pub api_version: Str,
    /// Namespace; empty for a cluster-scoped object.
    pub namespace: Str,
    /// Name.
    pub name: Str,
    /// UID.
    pub uid: Str,
}

impl Identity {
    /// The identity of an object that was observed with this metadata.
    #[must_use]
    pub fn of(api_version: &str, kind: &str, meta: &ObjectMeta) -> Self {
        Self {
            kind: kind.into(),
            api_version: api_version.into(),
            namespace: meta.namespace.clone(),
            name: meta.name.clone(),
            uid: meta.uid.clone(),
        }
    }

    /// The identity that `reference`, found on an object in `namespace`, claims for the owner.
    #[must_use]
    pub fn of_owner(reference: &OwnerReference, namespace: &Str) -> Self {
        Self {
            kind: reference.kind.clone(),
            api_version: reference.api_version.clone(),
            namespace: namespace.clone(),
            name: reference.name.clone(),
            uid: reference.uid.clone(),
        }
    }

    /// Whether `reference` names this object, the namespace left aside.
    pub(crate) fn matches(&self, reference: &OwnerReference) -> bool {
        self.uid == reference.uid
            && self.kind == reference.kind
            && self.api_version == reference.api_version
            && self.name == reference.name
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}/{}, ", self.api_version, self.kind)?;
        if !self.namespace.is_empty() {
            write!(f, "namespace: {}, ", self.namespace)?;
        }
        write!(f, "name: {}, uid: {}]", self.name, self.uid)
    }
}
