//! The kind `CertificateSigningRequest`.

use super::{KeyUsage, RequestConditionType};
use crate::{ByteString, Extra, List, Map, Message, Object, Str, Time};

/// Cluster-scoped request to have an X.509 certificate issued by a signer, subject to approval.
///
/// The kind `CertificateSigningRequest` of `certificates.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#certificatesigningrequest-v1-certificates).
#[derive(Clone, Default, PartialEq, Object)]
#[object(
    group = "certificates.k8s.io",
    version = "v1",
    short = "csr",
    cluster,
    status,
    subresources = "approval"
)]
#[wire(debug)]
pub struct CertificateSigningRequest {
    /// Object metadata; finished and stale requests are removed automatically after some time.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// The request and the identity of its author; immutable.
    #[wire(pb = 2, needed)]
    pub spec: CertificateSigningRequestSpec,
    /// Approval conditions and the issued certificate.
    #[wire(pb = 3)]
    pub status: CertificateSigningRequestStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Approval, denial or failure of a signing request.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CertificateSigningRequestCondition {
    /// `Approved`, `Denied` or `Failed`; the first two exclude each other and cannot be removed.
    #[wire(pb = 1, required)]
    pub type_: RequestConditionType,
    /// Truth value; must be `True` for the three known types.
    #[wire(pb = 6, required)]
    pub status: crate::core::v1::ConditionStatus,
    /// Brief machine-readable cause of the state.
    #[wire(pb = 2)]
    pub reason: Str,
    /// Human-readable details of the state.
    #[wire(pb = 3)]
    pub message: Str,
    /// When the condition was last written; set by the server when missing.
    #[wire(pb = 4, required, plain, needless)]
    pub last_update_time: Option<Time>,
    /// When `status` last changed; set by the server when missing.
    #[wire(pb = 5, required, plain, needless)]
    pub last_transition_time: Option<Time>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// What is to be signed by whom, and who asked for it.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CertificateSigningRequestSpec {
    /// PKCS#10 request in a PEM block of type `CERTIFICATE REQUEST`, base64-encoded in JSON.
    #[wire(pb = 1, required)]
    pub request: ByteString,
    /// Qualified name of the signer, such as `kubernetes.io/kube-apiserver-client`; required.
    #[wire(pb = 7, required)]
    pub signer_name: Str,
    /// Wanted validity of the certificate in seconds, at least 600; the signer may ignore or shorten it.
    #[wire(pb = 8)]
    pub expiration_seconds: Option<i32>,
    /// Key usages wanted in the certificate, such as `digital signature` and `client auth`; required.
    #[wire(pb = 5)]
    pub usages: List<KeyUsage>,
    /// Name of the user who created the request; set by the API server.
    #[wire(pb = 2)]
    pub username: Str,
    /// UID of the user who created the request; set by the API server.
    #[wire(pb = 3)]
    pub uid: Str,
    /// Groups of the user who created the request; set by the API server.
    #[wire(pb = 4)]
    pub groups: List<Str>,
    /// Extra attributes of the user who created the request; set by the API server.
    #[wire(pb = 6)]
    pub extra: Map<List<Str>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub unknown: Extra,
}

/// Progress of a signing request.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CertificateSigningRequestStatus {
    /// Decisions on the request; approval or denial goes through the `/approval` subresource.
    #[wire(pb = 1, list = "map", keys = "type")]
    pub conditions: List<CertificateSigningRequestCondition>,
    /// Issued certificate chain in PEM, leaf first, written by the signer after approval; immutable once set.
    #[wire(pb = 2)]
    pub certificate: ByteString,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
