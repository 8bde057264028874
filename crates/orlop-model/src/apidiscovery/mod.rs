//! API group `apidiscovery.k8s.io`: all that a server offers, in one document.

pub mod v2;
