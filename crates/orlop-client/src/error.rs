//! Why a verb failed.

use std::{fmt, sync::Arc, time::Duration};

use orlop_model::{FieldError, KindInfo, ObjectKey, Str};
use serde_json::{Value, json};

/// The answer of a verb, or why there is none.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The object that an error is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ObjectRef {
    /// API group, empty for the core group.
    pub group: Str,
    /// Plural name of the kind, such as `pods`.
    pub resource: Str,
    /// The kind, such as `Pod`.
    pub kind: Str,
    /// Empty for cluster-scoped kinds.
    pub namespace: Str,
    /// Empty where the error is about the kind as such.
    pub name: Str,
}

impl ObjectRef {
    /// The object of that kind and key.
    pub fn new(kind: &KindInfo, key: &ObjectKey) -> Self {
        Self::named(kind, key.namespace.as_deref().unwrap_or_default(), &key.name)
    }

    /// The object of that kind, namespace (empty for cluster-scoped kinds) and name.
    pub fn named(kind: &KindInfo, namespace: &str, name: &str) -> Self {
        Self {
            group: Str::from(&*kind.group),
            resource: Str::from(&*kind.plural),
            kind: Str::from(&*kind.kind),
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// `pods`, `deployments.apps`: the resource with its group.
    pub fn qualified_resource(&self) -> String {
        qualified(&self.resource, &self.group)
    }

    /// `Pod`, `Deployment.apps`: the kind with its group.
    pub fn qualified_kind(&self) -> String {
        qualified(&self.kind, &self.group)
    }
}

fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.qualified_resource(), self.name.as_str())
    }
}

/// One reason why an object is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What is wrong, as in `details.causes[].reason` of a Status: `FieldValueRequired`, `FieldValueInvalid`, …
    pub reason: Str,
    /// Path of the field, such as `spec.containers[0].image`.
    pub field: Str,
    /// What is wrong, for people, with the value: `Invalid value: "x": must be …`.
    pub message: Str,
}

impl From<FieldError> for Cause {
    fn from(error: FieldError) -> Self {
        Self { reason: error.kind.reason().into(), message: error.body().into(), field: error.field.into() }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.field, self.message)
        }
    }
}

/// Why a verb failed. Messages, reasons and codes are those of Kubernetes' `Status`.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such object (or its namespace or subresource is missing).
    #[error("{object} not found")]
    NotFound {
        /// The missing object.
        object: Box<ObjectRef>,
    },
    /// The server does not serve this kind.
    #[error("the server could not find the requested resource ({kind})")]
    UnknownKind {
        /// Group, version and kind.
        kind: String,
    },
    /// The name is taken.
    #[error("{object} already exists")]
    AlreadyExists {
        /// The object that is there.
        object: Box<ObjectRef>,
    },
    /// The stored object is not the one that the caller means: read it again and decide anew.
    #[error("Operation cannot be fulfilled on {object}: {message}")]
    Conflict {
        /// The object.
        object: Box<ObjectRef>,
        /// The resourceVersion (or uid) that the caller sent, where it is about one.
        sent: Option<Str>,
        /// The stored one.
        stored: Option<Str>,
        /// What does not hold.
        message: String,
    },
    /// Other field managers own fields that an apply would change: leave these out, agree on their values, or use force.
    #[error("{message}")]
    ApplyConflict {
        /// The object.
        object: Box<ObjectRef>,
        /// Every such field and who owns it.
        causes: Vec<Cause>,
        /// All of them, for people.
        message: String,
    },
    /// The object breaks rules of its kind.
    #[error("{} {:?} is invalid: {}", object.qualified_kind(), object.name.as_str(), Causes(causes))]
    Invalid {
        /// The object.
        object: Box<ObjectRef>,
        /// Every reason found, at least one.
        causes: Vec<Cause>,
    },
    /// The revision asked for is compacted: list again.
    #[error("{message}")]
    Expired {
        /// What is too old.
        message: String,
        /// A token to go on listing with at the latest revision, or empty.
        continue_: String,
    },
    /// The revision asked for is in the future, and stayed so for some seconds.
    #[error("Too large resource version: {wanted}, current: {current}")]
    TooLargeResourceVersion {
        /// The revision asked for.
        wanted: Str,
        /// The latest there is.
        current: Str,
    },
    /// The caller may not do that, or an admission rule or the state of the namespace forbids it.
    #[error("{object} is forbidden: {message}")]
    Forbidden {
        /// The object.
        object: Box<ObjectRef>,
        /// Why.
        message: String,
    },
    /// The request itself makes no sense.
    #[error("{message}")]
    BadRequest {
        /// What is wrong with it.
        message: String,
    },
    /// This client or kind has no such verb, subresource or kind of patch.
    #[error("{message}")]
    Unsupported {
        /// What is not there.
        message: String,
    },
    /// The body has a type that is not read there, such as a strategic merge patch for a kind without a schema.
    #[error("{message}")]
    UnsupportedMediaType {
        /// Which types are.
        message: String,
    },
    /// A patch does not apply to the object as it is, or contradicts itself. Kubernetes keeps the reason to itself.
    #[error("the server rejected our request due to an error in our request: {message}")]
    Unprocessable {
        /// Why.
        message: String,
    },
    /// The request is larger than the server takes.
    #[error("Request entity too large: {message}")]
    TooLarge {
        /// By what measure.
        message: String,
    },
    /// Not now: too many requests, or an eviction that a disruption budget holds back.
    #[error("{message}")]
    TooManyRequests {
        /// The object, where it is about one.
        object: Box<ObjectRef>,
        /// Why.
        message: String,
        /// When to try again, if the server says so.
        retry_after: Option<Duration>,
    },
    /// The server did not answer in time; the write may have happened.
    #[error("{message}")]
    Timeout {
        /// What took too long.
        message: String,
    },
    /// The caller is not known to the server.
    #[error("{message}")]
    Unauthorized {
        /// Why.
        message: String,
    },
    /// An object could not be read as the type asked for.
    #[error("{kind} {name:?} cannot be decoded: {message}")]
    Decode {
        /// The kind of the object.
        kind: Str,
        /// The object's name, empty if unknown.
        name: Str,
        /// Line, column, field and reason.
        message: String,
    },
    /// The server could not be reached, or its answer not understood.
    #[error("{message}")]
    Transport {
        /// What was being done.
        message: String,
        /// Why it failed.
        source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    },
    /// The server failed.
    #[error("Internal error occurred: {message}")]
    Internal {
        /// How.
        message: String,
    },
}

struct Causes<'a>(&'a [Cause]);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut texts: Vec<String> = Vec::with_capacity(self.0.len());
        for text in self.0.iter().map(ToString::to_string) {
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        match texts.as_slice() {
            [one] => f.write_str(one),
            all => write!(f, "[{}]", all.join(", ")),
        }
    }
}

/// What an update with a stale resourceVersion is answered.
const MODIFIED: &str =
    "the object has been modified; please apply your changes to the latest version and try again";

impl Error {
    /// [`Error::NotFound`] of an object.
    pub fn not_found(kind: &KindInfo, key: &ObjectKey) -> Self {
        Self::NotFound { object: Box::new(ObjectRef::new(kind, key)) }
    }

    /// [`Error::UnknownKind`].
    pub fn unknown_kind(kind: &KindInfo) -> Self {
        Self::UnknownKind { kind: kind.to_string() }
    }

    /// [`Error::AlreadyExists`] of an object.
    pub fn already_exists(kind: &KindInfo, key: &ObjectKey) -> Self {
        Self::AlreadyExists { object: Box::new(ObjectRef::new(kind, key)) }
    }

    /// [`Error::Conflict`]: the object was changed since the caller read it.
    pub fn modified(kind: &KindInfo, key: &ObjectKey, sent: impl Into<Str>, stored: impl Into<Str>) -> Self {
        Self::Conflict {
            object: Box::new(ObjectRef::new(kind, key)),
            sent: Some(sent.into()),
            stored: Some(stored.into()),
            message: MODIFIED.to_owned(),
        }
    }

    /// [`Error::Conflict`] for another reason than a stale resourceVersion.
    pub fn conflict(kind: &KindInfo, key: &ObjectKey, message: impl Into<String>) -> Self {
        Self::Conflict {
            object: Box::new(ObjectRef::new(kind, key)),
            sent: None,
            stored: None,
            message: message.into(),
        }
    }

    /// [`Error::Invalid`] of an object.
    pub fn invalid(
        kind: &KindInfo,
        key: &ObjectKey,
        causes: impl IntoIterator<Item = impl Into<Cause>>,
    ) -> Self {
        Self::Invalid {
            object: Box::new(ObjectRef::new(kind, key)),
            causes: causes.into_iter().map(Into::into).collect(),
        }
    }

    /// [`Error::Forbidden`] of an object.
    pub fn forbidden(kind: &KindInfo, key: &ObjectKey, message: impl Into<String>) -> Self {
        Self::Forbidden { object: Box::new(ObjectRef::new(kind, key)), message: message.into() }
    }

    /// [`Error::BadRequest`].
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::BadRequest { message: message.into() }
    }

    /// [`Error::Unsupported`].
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::Unsupported { message: message.into() }
    }

    /// [`Error::UnsupportedMediaType`].
    pub fn unsupported_media_type(message: impl Into<String>) -> Self {
        Self::UnsupportedMediaType { message: message.into() }
    }

    /// [`Error::Unprocessable`].
    pub fn unprocessable(message: impl Into<String>) -> Self {
        Self::Unprocessable { message: message.into() }
    }

    /// [`Error::TooLarge`].
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::TooLarge { message: message.into() }
    }

    /// [`Error::Internal`].
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Internal { message: message.into() }
    }

    /// [`Error::Expired`] without a token to go on with.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::Expired { message: message.into(), continue_: String::new() }
    }

    /// [`Error::Decode`] of an object of that kind.
    pub fn decode(kind: &KindInfo, name: &str, error: impl fmt::Display) -> Self {
        Self::Decode { kind: Str::from(&*kind.kind), name: name.into(), message: error.to_string() }
    }

    /// Whether this is [`Error::NotFound`].
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether this is [`Error::AlreadyExists`].
    pub fn is_already_exists(&self) -> bool {
        matches!(self, Self::AlreadyExists { .. })
    }

    /// Whether this is [`Error::Conflict`].
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// Whether this is [`Error::ApplyConflict`].
    pub fn is_apply_conflict(&self) -> bool {
        matches!(self, Self::ApplyConflict { .. })
    }

    /// Whether this is [`Error::Invalid`].
    pub fn is_invalid(&self) -> bool {
        matches!(self, Self::Invalid { .. })
    }

    /// Whether this is [`Error::Expired`].
    pub fn is_expired(&self) -> bool {
        matches!(self, Self::Expired { .. })
    }

    /// Whether trying the same again may help: time-outs, the transport, the server's own failures, too many requests.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Timeout { .. }
                | Self::Transport { .. }
                | Self::Internal { .. }
                | Self::TooManyRequests { .. }
                | Self::TooLargeResourceVersion { .. }
        )
    }

    /// The object that the error is about, if it is about one.
    pub fn object(&self) -> Option<&ObjectRef> {
        match self {
            Self::NotFound { object }
            | Self::AlreadyExists { object }
            | Self::Conflict { object, .. }
            | Self::ApplyConflict { object, .. }
            | Self::Invalid { object, .. }
            | Self::Forbidden { object, .. }
            | Self::TooManyRequests { object, .. } => Some(object),
            _ => None,
        }
    }

    /// The HTTP status code.
    pub fn code(&self) -> u16 {
        match self {
            Self::BadRequest { .. } => 400,
            Self::Unauthorized { .. } => 401,
            Self::Forbidden { .. } => 403,
            Self::NotFound { .. } | Self::UnknownKind { .. } => 404,
            Self::Unsupported { .. } => 405,
            Self::TooLarge { .. } => 413,
            Self::UnsupportedMediaType { .. } => 415,
            Self::AlreadyExists { .. } | Self::Conflict { .. } | Self::ApplyConflict { .. } => 409,
            Self::Expired { .. } => 410,
            Self::Invalid { .. } | Self::Unprocessable { .. } => 422,
            Self::TooManyRequests { .. } => 429,
            Self::Decode { .. } | Self::Transport { .. } | Self::Internal { .. } => 500,
            Self::Timeout { .. } | Self::TooLargeResourceVersion { .. } => 504,
        }
    }

    /// The reason in a `Status`, for programs.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::BadRequest { .. } => "BadRequest",
            Self::Unauthorized { .. } => "Unauthorized",
            Self::Forbidden { .. } => "Forbidden",
            Self::NotFound { .. } | Self::UnknownKind { .. } => "NotFound",
            Self::Unsupported { .. } => "MethodNotAllowed",
            Self::TooLarge { .. } => "RequestEntityTooLarge",
            Self::UnsupportedMediaType { .. } => "UnsupportedMediaType",
            Self::AlreadyExists { .. } => "AlreadyExists",
            Self::Conflict { .. } | Self::ApplyConflict { .. } => "Conflict",
            Self::Expired { .. } => "Expired",
            Self::Invalid { .. } | Self::Unprocessable { .. } => "Invalid",
            Self::TooManyRequests { .. } => "TooManyRequests",
            Self::Decode { .. } | Self::Transport { .. } | Self::Internal { .. } => "InternalError",
            Self::Timeout { .. } | Self::TooLargeResourceVersion { .. } => "Timeout",
        }
    }

    /// The error as a `Status` of `meta/v1`, as a server answers it.
    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {},
            "status": "Failure", "message": self.to_string(), "reason": self.reason(), "code": self.code(),
        });
        let mut details = serde_json::Map::new();
        if let Some(object) = self.object() {
            let kind = if matches!(self, Self::Invalid { .. }) { &object.kind } else { &object.resource };
            for (key, value) in [("name", &object.name), ("group", &object.group), ("kind", kind)] {
                if !value.is_empty() {
                    details.insert(key.into(), Value::from(value.as_str()));
                }
            }
        }
        match self {
            Self::Invalid { causes, .. } | Self::ApplyConflict { causes, .. } => {
                let causes = causes.iter().map(|cause| {
                    json!({ "reason": cause.reason.as_str(), "message": cause.message.as_str(), "field": cause.field.as_str() })
                });
                details.insert("causes".into(), causes.collect());
            }
            Self::TooLargeResourceVersion { .. } => {
                details.insert(
                    "causes".into(),
                    json!([{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }]),
                );
                details.insert("retryAfterSeconds".into(), json!(1));
            }
            Self::TooManyRequests { retry_after: Some(after), .. } => {
                details.insert("retryAfterSeconds".into(), json!(after.as_secs()));
            }
            Self::Expired { continue_, .. } if !continue_.is_empty() => {
                status["metadata"] = json!({ "continue": continue_ });
            }
            _ => {}
        }
        if !details.is_empty() {
            status["details"] = Value::Object(details);
        }
        status
    }
}

#[cfg(test)]
mod tests {
    use orlop_model::StaticKind;
    use orlop_model::apps::v1::Deployment;
    use orlop_model::core::v1::Pod;

    use super::*;

    #[test]
    fn errors_speak_as_kubernetes_does() {
        let key = ObjectKey::namespaced("default", "x");
        let causes = [
            FieldError::required("spec.containers", ""),
            FieldError::invalid("metadata.name", "X", "no capitals"),
            FieldError::required("spec.containers", ""),
        ];
        for (error, code, reason, message) in [
            (Error::not_found(Pod::KIND, &key), 404, "NotFound", "pods \"x\" not found"),
            (Error::not_found(Deployment::KIND, &key), 404, "NotFound", "deployments.apps \"x\" not found"),
            (Error::already_exists(Pod::KIND, &key), 409, "AlreadyExists", "pods \"x\" already exists"),
            (
                Error::modified(Pod::KIND, &key, "1", "2"),
                409,
                "Conflict",
                "Operation cannot be fulfilled on pods \"x\": the object has been modified; please apply your changes to the latest version and try again",
            ),
            (
                Error::invalid(Pod::KIND, &key, causes[..1].iter().cloned()),
                422,
                "Invalid",
                "Pod \"x\" is invalid: spec.containers: Required value",
            ),
            (
                Error::invalid(Deployment::KIND, &key, causes),
                422,
                "Invalid",
                "Deployment.apps \"x\" is invalid: [spec.containers: Required value, metadata.name: Invalid value: \"X\": no capitals]",
            ),
            (Error::forbidden(Pod::KIND, &key, "no"), 403, "Forbidden", "pods \"x\" is forbidden: no"),
            (
                Error::TooLargeResourceVersion { wanted: "9".into(), current: "3".into() },
                504,
                "Timeout",
                "Too large resource version: 9, current: 3",
            ),
        ] {
            assert_eq!((error.code(), error.reason(), &*error.to_string()), (code, reason, message));
            let status = error.status();
            assert_eq!((&status["message"], &status["code"]), (&json!(message), &json!(code)));
        }
    }

    #[test]
    fn a_status_has_the_details() {
        let key = ObjectKey::namespaced("default", "x");
        let status =
            Error::invalid(Deployment::KIND, &key, [FieldError::invalid("spec.replicas", -1, "too few")])
                .status();
        assert_eq!(
            status["details"],
            json!({"name": "x", "group": "apps", "kind": "Deployment", "causes": [
                {"reason": "FieldValueInvalid", "message": "Invalid value: -1: too few", "field": "spec.replicas"},
            ]})
        );
        let expired = Error::Expired { message: "too old".into(), continue_: "token".into() };
        assert_eq!((&expired.status()["metadata"]["continue"], expired.code()), (&json!("token"), 410));
        assert!(
            std::mem::size_of::<Error>() <= 88,
            "errors are passed by value: {}",
            std::mem::size_of::<Error>()
        );
    }
}
