//! Names of the standard resources.

/// `cpu`.
pub const CPU: &str = "cpu";
/// `memory`.
pub const MEMORY: &str = "memory";
/// `storage`.
pub const STORAGE: &str = "storage";
/// `ephemeral-storage`.
pub const EPHEMERAL_STORAGE: &str = "ephemeral-storage";
/// `pods`.
pub const PODS: &str = "pods";
/// `services`.
pub const SERVICES: &str = "services";
/// `replicationcontrollers`.
pub const REPLICATIONCONTROLLERS: &str = "replicationcontrollers";
/// `resourcequotas`.
pub const RESOURCEQUOTAS: &str = "resourcequotas";
/// `secrets`.
pub const SECRETS: &str = "secrets";
/// `configmaps`.
pub const CONFIGMAPS: &str = "configmaps";
/// `persistentvolumeclaims`.
pub const PERSISTENTVOLUMECLAIMS: &str = "persistentvolumeclaims";
/// `services.nodeports`.
pub const SERVICES_NODEPORTS: &str = "services.nodeports";
/// `services.loadbalancers`.
pub const SERVICES_LOADBALANCERS: &str = "services.loadbalancers";
/// `requests.cpu`.
pub const REQUESTS_CPU: &str = "requests.cpu";
/// `requests.memory`.
pub const REQUESTS_MEMORY: &str = "requests.memory";
/// `requests.storage`.
pub const REQUESTS_STORAGE: &str = "requests.storage";
/// `requests.ephemeral-storage`.
pub const REQUESTS_EPHEMERAL_STORAGE: &str = "requests.ephemeral-storage";
/// `limits.cpu`.
pub const LIMITS_CPU: &str = "limits.cpu";
/// `limits.memory`.
pub const LIMITS_MEMORY: &str = "limits.memory";
/// `limits.ephemeral-storage`.
pub const LIMITS_EPHEMERAL_STORAGE: &str = "limits.ephemeral-storage";
