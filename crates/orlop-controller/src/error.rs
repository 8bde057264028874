use std::time::Duration;

use orlop_model::{ObjectKey, OwnerReference, Str};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a reconciler could not do what was to do.
///
/// Which kind it is decides when it is tried again: see [`Error::retry`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The API server refused, or could not be reached.
    #[error(transparent)]
    Client(#[from] orlop_client::Error),
    /// Something of the reconciler's own, which may be better next time.
    #[error("{0}")]
    Other(#[source] Source),
    /// Something of the reconciler's own, which will not be better until the object changes.
    #[error("{0}")]
    Permanent(#[source] Source),
    /// An object has a controller already, and it is another one.
    #[error("{object} is controlled by {} {} ({})", owner.kind, owner.name, owner.uid)]
    AlreadyControlled {
        /// The object.
        object: ObjectKey,
        /// Its controller.
        owner: Box<OwnerReference>,
    },
    /// An object cannot own another one in another namespace, or one of the whole cluster.
    #[error("{owner} cannot own {object}: an owner in a namespace owns only objects in the same namespace")]
    CrossNamespace {
        /// The owner.
        owner: ObjectKey,
        /// The object.
        object: ObjectKey,
    },
    /// The object that is reconciled was deleted meanwhile, or replaced by another of its name.
    #[error("{owner} ({uid}) is gone or being deleted, and adopts nothing")]
    OwnerGone {
        /// The owner.
        owner: ObjectKey,
        /// Its uid.
        uid: Str,
    },
    /// A failure with which it is known when to try again.
    #[error("{error}")]
    Judged {
        /// The failure.
        #[source]
        error: Source,
        /// When to try again.
        retry: Retry,
    },
    /// Something was asked that needs an object that is reconciled, where only a key is.
    #[error("{wanted} needs an owner, and this controller reconciles keys")]
    NoOwner {
        /// What was asked.
        wanted: &'static str,
    },
    /// It took longer than the controller allows.
    #[error("took longer than {limit:?}")]
    Timeout {
        /// The time allowed.
        limit: Duration,
    },
    /// The reconciler panicked.
    #[error("panicked: {message}")]
    Panic {
        /// What it said.
        message: String,
    },
}

/// When a failed key is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// After the back-off of the queue.
    Limited,
    /// After this time.
    After(Duration),
    /// Not before something changes.
    Never,
}

/// The wait after the second conflict in a row; it doubles up to [`LONGEST_CONFLICT`].
const FIRST_CONFLICT: Duration = Duration::from_millis(5);
const LONGEST_CONFLICT: Duration = Duration::from_secs(1);

impl Error {
    /// A failure of the reconciler's own, which may be better next time.
    pub fn other(error: impl Into<Source>) -> Self {
        Self::Other(error.into())
    }

    /// A failure of the reconciler's own, which will not be better until the object changes.
    pub fn permanent(error: impl Into<Source>) -> Self {
        Self::Permanent(error.into())
    }

    /// A failure of the reconciler's own, which is tried again as `retry` says.
    pub fn judged(error: impl Into<Source>, retry: Retry) -> Self {
        Self::Judged { error: error.into(), retry }
    }

    /// What a reconciler failed with: an error of this type or of the client as it is, and anything else as
    /// [`Error::Other`].
    ///
    /// An error that was caused by one of those ([`std::error::Error::source`]) is tried again as its cause is.
    #[must_use]
    pub fn of<E: std::error::Error + Send + Sync + 'static>(error: E) -> Self {
        let error: Source = Box::new(error);
        let error = match error.downcast::<Self>() {
            Ok(own) => return *own,
            Err(error) => error,
        };
        match error.downcast::<orlop_client::Error>() {
            Ok(client) => Self::Client(*client),
            Err(error) => Self::Other(error),
        }
    }

    /// What the client said, if that is what led to this.
    fn cause(&self) -> &Self {
        let Self::Other(error) = self else { return self };
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&**error);
        while let Some(error) = cause {
            if let Some(own) = error.downcast_ref::<Self>() {
                return own.cause();
            }
            cause = error.source();
        }
        self
    }

    fn client(&self) -> Option<&orlop_client::Error> {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = match self.cause() {
            Self::Client(error) => return Some(error),
            Self::Other(error) => Some(&**error),
            _ => None,
        };
        while let Some(error) = cause {
            if let Some(client) = error.downcast_ref() {
                return Some(client);
            }
            cause = error.source();
        }
        None
    }

    /// Whether somebody else wrote in between.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        use orlop_client::Error as Client;
        matches!(self.client(), Some(Client::Conflict { .. } | Client::AlreadyExists { .. }))
    }

    /// When the key is tried again, if it had failed `failures` times before.
    ///
    /// - A conflict at once; if that fails too after 5 ms, doubled each time up to 1 s. Nothing is wrong, somebody else
    ///   was faster; and the key waits anyway until its cache has come up with what was in the way.
    /// - Too many requests: when the server says, if it does.
    /// - A permanent error: not before something changes.
    /// - A [judged](Self::judged) one: as judged.
    /// - Anything else: after the queue's back-off.
    #[must_use]
    pub fn retry(&self, failures: u32) -> Retry {
        if let Some(orlop_client::Error::TooManyRequests { retry_after: Some(after), .. }) = self.client() {
            return Retry::After(*after);
        }
        match self.cause() {
            Self::Permanent(_) => Retry::Never,
            Self::Judged { retry, .. } => *retry,
            error if error.is_conflict() => {
                let Some(again) = failures.checked_sub(1) else { return Retry::After(Duration::ZERO) };
                let factor = 1u32.checked_shl(again).unwrap_or(u32::MAX);
                Retry::After(FIRST_CONFLICT.saturating_mul(factor).min(LONGEST_CONFLICT))
            }
            _ => Retry::Limited,
        }
    }
}

#[cfg(test)]
mod tests {
    use orlop_model::{StaticKind, core::v1::Pod};

    use super::*;

    #[test]
    fn the_kind_of_error_decides_when_to_try_again() {
        let key = ObjectKey::namespaced("default", "web");
        let conflict = Error::from(orlop_client::Error::modified(Pod::KIND, &key, "1", "2"));
        let waits: Vec<_> = [0, 1, 2, 3, 9, 40].map(|failures| conflict.retry(failures)).into();
        assert_eq!(waits, [0, 5, 10, 20, 1000, 1000].map(|ms| Retry::After(Duration::from_millis(ms))));
        assert_eq!(Error::from(orlop_client::Error::internal("broken")).retry(0), Retry::Limited);
        assert_eq!(Error::other("not yet").retry(3), Retry::Limited);
        assert_eq!(Error::permanent("cannot be").retry(0), Retry::Never);
        assert_eq!(Error::judged("cannot be", Retry::Never).retry(0), Retry::Never);

        #[derive(Debug, thiserror::Error)]
        #[error("no certificate")]
        struct Own<T: std::error::Error + 'static>(#[source] T);
        assert!(matches!(Error::of(Error::permanent("no")), Error::Permanent(_)));
        assert!(matches!(Error::of(orlop_client::Error::internal("broken")), Error::Client(_)));
        assert_eq!(Error::of(std::fmt::Error).retry(0), Retry::Limited);
        assert_eq!(Error::of(Own(Own(Error::permanent("no")))).retry(0), Retry::Never);
        let conflict = || orlop_client::Error::modified(Pod::KIND, &key, "1", "2");
        for caused in [Error::of(Own(conflict())), Error::of(Own(Error::from(conflict())))] {
            assert_eq!((caused.is_conflict(), caused.retry(0)), (true, Retry::After(Duration::ZERO)));
        }
        let busy = orlop_client::Error::TooManyRequests {
            object: Box::default(),
            message: "busy".into(),
            retry_after: Some(Duration::from_secs(7)),
        };
        assert_eq!(Error::from(busy).retry(0), Retry::After(Duration::from_secs(7)));
    }
}
