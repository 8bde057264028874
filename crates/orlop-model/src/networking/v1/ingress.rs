//! The kind `Ingress`.

use super::PathType;
use crate::{Extra, List, Message, Object, Str};

/// Rules that expose Services of one namespace to outside HTTP(S) clients through an ingress controller.
///
/// The kind `Ingress` of `networking.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#ingress-v1-networking).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "networking.k8s.io", version = "v1", plural = "ingresses", short = "ing", status)]
#[wire(debug)]
pub struct Ingress {
    /// Object metadata; an `Ingress` is namespaced.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Wanted routing: class, default backend, TLS and host rules.
    #[wire(pb = 2)]
    pub spec: IngressSpec,
    /// Addresses of the load balancer, as published by the ingress controller.
    #[wire(pb = 3)]
    pub status: IngressStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Maps requests whose URL path matches to one backend.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct HTTPIngressPath {
    /// URL path to match; must start with `/` unless `pathType` is `ImplementationSpecific`.
    #[wire(pb = 1)]
    pub path: Str,
    /// How `path` is compared with the request path: `Exact`, `Prefix` or `ImplementationSpecific`; required.
    #[wire(pb = 3, required)]
    pub path_type: Option<PathType>,
    /// Service port or resource that receives the matching requests.
    #[wire(pb = 2, needed)]
    pub backend: IngressBackend,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// The HTTP part of an `Ingress` rule: a list of paths with their backends.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct HTTPIngressRuleValue {
    /// Path-to-backend mappings of this host, at least one; the longest matching path wins.
    #[wire(pb = 1, required)]
    pub paths: List<HTTPIngressPath>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Target of ingress traffic: either a `Service` port or another resource, never both.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct IngressBackend {
    /// `Service` of the same namespace as target; excludes `resource`.
    #[wire(pb = 4)]
    pub service: Option<Box<IngressServiceBackend>>,
    /// Other object of the same namespace as target, such as a storage bucket; excludes `service`.
    #[wire(pb = 3, map = "atomic")]
    pub resource: Option<Box<crate::core::v1::TypedLocalObjectReference>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One entry point of the load balancer in front of an `Ingress`.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct IngressLoadBalancerIngress {
    /// IP address of the entry point, for load balancers that are reached by address.
    #[wire(pb = 1)]
    pub ip: Str,
    /// DNS name of the entry point, for load balancers that are reached by name.
    #[wire(pb = 2)]
    pub hostname: Str,
    /// State of the ports that the load balancer exposes at this entry point.
    #[wire(pb = 4)]
    pub ports: List<IngressPortStatus>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Where the load balancer of an `Ingress` can be reached.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct IngressLoadBalancerStatus {
    /// Entry points of the load balancer, written by the ingress controller.
    #[wire(pb = 1)]
    pub ingress: List<IngressLoadBalancerIngress>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// State of one exposed port of an ingress load balancer.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct IngressPortStatus {
    /// Port number that is exposed to clients.
    #[wire(pb = 1, required)]
    pub port: i32,
    /// Transport protocol of the port: `TCP`, `UDP` or `SCTP`.
    #[wire(pb = 2, required)]
    pub protocol: crate::core::v1::Protocol,
    /// Reason why the port could not be provided, in CamelCase; provider-specific reasons carry a domain
    /// prefix.
    #[wire(pb = 3)]
    pub error: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Routing of the requests for one host.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct IngressRule {
    /// DNS name to match, exact or with a leading `*.` wildcard label; empty matches every host, IPs are
    /// refused.
    #[wire(pb = 1)]
    pub host: Str,
    /// Gives the protocol-specific part of the rule, today only `http`; without it all traffic goes to the
    /// default backend.
    #[wire(inline, pb = 2)]
    pub value: IngressRuleValue,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Protocol-specific content of an `Ingress` rule; `http` is the only choice.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct IngressRuleValue {
    /// Paths and backends for HTTP requests to the host of the rule.
    #[wire(pb = 1)]
    pub http: Option<Box<HTTPIngressRuleValue>>,
}

/// Points to a port of a `Service` in the namespace of the `Ingress`.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct IngressServiceBackend {
    /// Name of the target `Service`.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Port of the `Service`, given by name or by number.
    #[wire(pb = 2, map = "atomic")]
    pub port: ServiceBackendPort,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Wanted behaviour of an `Ingress`; needs `defaultBackend` or at least one rule.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct IngressSpec {
    /// Name of the `IngressClass` whose controller serves this object; admission fills in the default class
    /// if one exists.
    #[wire(pb = 4)]
    pub ingress_class_name: Option<Str>,
    /// Backend for requests that no rule matches; required when `rules` is empty.
    #[wire(pb = 1)]
    pub default_backend: Option<Box<IngressBackend>>,
    /// Certificates for HTTPS on port 443, chosen by SNI host name; empty means no TLS.
    #[wire(pb = 2)]
    pub tls: List<IngressTLS>,
    /// Host rules; without any, all traffic goes to `defaultBackend`.
    #[wire(pb = 3)]
    pub rules: List<IngressRule>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observed state of an `Ingress`.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct IngressStatus {
    /// Entry points under which the `Ingress` is reachable.
    #[wire(pb = 1)]
    pub load_balancer: IngressLoadBalancerStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One certificate and the hosts for which TLS is terminated with it.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct IngressTLS {
    /// Host names covered by the certificate; empty means the wildcard default of the controller.
    #[wire(pb = 1)]
    pub hosts: List<Str>,
    /// `Secret` of the same namespace with certificate and key for port 443; may be unset for pure SNI
    /// routing.
    #[wire(pb = 2)]
    pub secret_name: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Port of a backend `Service`; exactly one of `name` and `number` is set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct ServiceBackendPort {
    /// Name of the port in the `Service`; excludes `number`.
    #[wire(pb = 1)]
    pub name: Str,
    /// Port number of the `Service`, 1 to 65535; excludes `name`.
    #[wire(pb = 2)]
    pub number: i32,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
