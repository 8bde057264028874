use std::sync::Arc;

use async_trait::async_trait;
use orlop_client::{Answer, Client, Error, Forward, Request, Result, Verb};
use orlop_model::{KindInfo, Str};
use parking_lot::Mutex;

/// What a reconciler has written, so that its key can wait until its caches have it.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    /// The last of each kind and namespace.
    last: Mutex<Vec<Write>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) kind: KindInfo,
    pub(crate) namespace: Str,
    pub(crate) revision: Str,
}

impl Writes {
    fn note(&self, kind: &KindInfo, namespace: &str, revision: Str) {
        let mut last = self.last.lock();
        match last.iter_mut().find(|write| write.kind.is(kind) && write.namespace == *namespace) {
            // Writes at the same time may be answered in any order.
            Some(write) => match (write.revision.parse::<u64>(), revision.parse::<u64>()) {
                (Ok(old), Ok(new)) if new < old => {}
                _ => write.revision = revision,
            },
            None => last.push(Write { kind: kind.clone(), namespace: namespace.into(), revision }),
        }
    }

    pub(crate) fn take(&self) -> Vec<Write> {
        std::mem::take(&mut self.last.lock())
    }
}

/// Remembers what a client wrote.
pub(crate) struct Tracked {
    pub(crate) client: Arc<dyn Client>,
    pub(crate) writes: Arc<Writes>,
}

#[async_trait]
impl Forward for Tracked {
    fn inner(&self) -> &dyn Client {
        &*self.client
    }

    async fn after(&self, request: &Request<'_>, answer: Answer<'_>) -> Result<()> {
        if !request.verb.writes() || request.dry_run {
            return Ok(());
        }
        match answer {
            // A subresource of another kind (`Scale`) stands for its object; what is answered to a post may not be one.
            Ok(Some(record)) if request.verb != Verb::Post || record.kind().is(request.kind) => {
                self.writes.note(request.kind, &record.meta().namespace, record.resource_version());
            }
            // What was in the way of a write is a reason to wait too: trying again without seeing it fails again.
            Err(Error::Conflict { stored: Some(stored), sent: Some(sent), .. })
                if [stored, sent].iter().all(|version| version.parse::<u64>().is_ok()) =>
            {
                self.writes.note(request.kind, request.namespace.unwrap_or_default(), stored.clone());
            }
            Ok(_) | Err(_) => {}
        }
        Ok(())
    }
}
