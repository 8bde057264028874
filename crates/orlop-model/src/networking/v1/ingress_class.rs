//! The kind `IngressClass`.

use crate::{Extra, Message, Object, Str};

/// Cluster-scoped class that ties `Ingress` objects to the controller implementing them.
///
/// The kind `IngressClass` of `networking.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#ingressclass-v1-networking).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "networking.k8s.io", version = "v1", plural = "ingressclasses", cluster)]
#[wire(debug)]
pub struct IngressClass {
    /// Object metadata; the annotation `ingressclass.kubernetes.io/is-default-class` marks the default class.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Controller of the class and its optional parameters.
    #[wire(pb = 2)]
    pub spec: IngressClassSpec,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Reference to an object with controller-specific settings of an `IngressClass`.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct IngressClassParametersReference {
    /// API group of the parameters object; the core group when unset.
    #[wire(pb = 1)]
    pub api_group: Option<Str>,
    /// Kind of the parameters object.
    #[wire(pb = 2, required)]
    pub kind: Str,
    /// Name of the parameters object.
    #[wire(pb = 3, required)]
    pub name: Str,
    /// Whether the parameters object is `Cluster` or `Namespace` scoped; `Cluster` by default.
    #[wire(pb = 4, required, needless)]
    pub scope: Option<Str>,
    /// Namespace of the parameters object; required with scope `Namespace`, forbidden with scope `Cluster`.
    #[wire(pb = 5)]
    pub namespace: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Says which controller handles a class and with which parameters.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct IngressClassSpec {
    /// Domain-prefixed path that identifies the controller, such as `example.com/ingress`; at most 250
    /// characters, immutable.
    #[wire(pb = 1)]
    pub controller: Str,
    /// Object with additional configuration for the controller; absent when it needs none.
    #[wire(pb = 2)]
    pub parameters: Option<Box<IngressClassParametersReference>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
