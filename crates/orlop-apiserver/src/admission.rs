//! [`Admission`]: rules of the operator, in a chain.

use std::fmt;

use async_trait::async_trait;
use orlop_client::{AnyObject, Client, Record, Result, Subresource};
use orlop_model::core::v1::{Pod, TaintEffect, Toleration, TolerationOperator};
use orlop_model::{KindInfo, ObjectKey};

/// What is about to happen to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// It is created.
    Create,
    /// It, or what its subresource covers, is changed.
    Update,
    /// It is deleted; with [`Subresource::Eviction`]: only if nothing speaks against it.
    Delete,
    /// Something is posted to a subresource, such as a binding.
    Connect,
}

/// A request that a rule looks at.
pub struct Request<'a> {
    /// What is about to happen.
    pub operation: Operation,
    /// To objects of this kind.
    pub kind: &'a KindInfo,
    /// To this object. The name is empty before a name is made from `generateName`.
    pub key: &'a ObjectKey,
    /// To this part of it.
    pub subresource: &'a Subresource,
    /// The stored object, but for creation.
    pub old: Option<&'a Record>,
    /// Who writes.
    pub field_manager: &'a str,
    /// Whether nothing will be stored.
    pub dry_run: bool,
    /// For looking at other objects. What is read here may have changed when the request is stored.
    pub client: &'a dyn Client,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} {} {}", self.operation, self.kind.resource(), self.key, self.subresource)
    }
}

/// A rule, or a mutation, that applies to requests of any kind.
///
/// All mutations of the chain come before all validations, each in the order in which they were added. Both may be
/// called several times for one request if others write the object meanwhile; an error refuses the request and is what
/// the caller gets, so that it should be [`Error::Forbidden`](orlop_client::Error::Forbidden),
/// [`Error::Invalid`](orlop_client::Error::Invalid) or, for evictions,
/// [`Error::TooManyRequests`](orlop_client::Error::TooManyRequests).
#[async_trait]
pub trait Admission: Send + Sync + 'static {
    /// May change the object of a create or update before it is validated.
    async fn mutate(&self, request: &Request<'_>, object: &mut dyn AnyObject) -> Result<()> {
        let _ = (request, object);
        Ok(())
    }

    /// May refuse. `object` is what would be stored; for a delete what would be deleted.
    async fn validate(&self, request: &Request<'_>, object: &dyn AnyObject) -> Result<()> {
        let _ = (request, object);
        Ok(())
    }
}

/// Lets pods stay on nodes that are not ready or unreachable for five minutes, unless they say otherwise
/// (Kubernetes' `DefaultTolerationSeconds`).
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultTolerations;

const TOLERATED: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
const TOLERATED_SECONDS: i64 = 300;

#[async_trait]
impl Admission for DefaultTolerations {
    async fn mutate(&self, request: &Request<'_>, object: &mut dyn AnyObject) -> Result<()> {
        if !matches!(request.operation, Operation::Create) {
            return Ok(());
        }
        let Some(pod) = object.as_any_mut().downcast_mut::<Pod>() else {
            return Ok(());
        };
        let tolerations = &mut pod.spec.tolerations;
        for key in TOLERATED {
            let covers = |toleration: &Toleration| {
                (toleration.key == key || toleration.key.is_empty())
                    && (toleration.effect == TaintEffect::NoExecute || toleration.effect.is_empty())
            };
            if !tolerations.iter().any(covers) {
                tolerations.push(Toleration {
                    key: key.into(),
                    operator: TolerationOperator::Exists,
                    effect: TaintEffect::NoExecute,
                    toleration_seconds: Some(TOLERATED_SECONDS),
                    ..Toleration::default()
                });
            }
        }
        Ok(())
    }
}
