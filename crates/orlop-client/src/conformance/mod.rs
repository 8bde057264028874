//! The suite that every client has to pass.
//!
//! Each case gets a [`Subject`] from the factory and a namespace of its own in it, which is deleted in the end. The
//! server may hold other objects, and serves at least the kinds Namespace, ConfigMap, Pod and Deployment with nobody
//! else acting on them: no controllers, no scheduler, no node agents. It is waited for by tokio's time.
//!
//! ```no_run
//! # async fn suite(client: std::sync::Arc<dyn orlop_client::Client>) {
//! use orlop_client::conformance::{self, Subject};
//!
//! let report = conformance::run(async || Subject::new(client.clone())).await;
//! report.assert_passed();
//! # }
//! ```

mod applies;
mod bench;
mod deletes;
mod lists;
mod patches;
mod subresources;
mod watches;
mod writes;

use std::any::Any;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, LocalBoxFuture};

use self::bench::Bench;
use crate::Client;

/// Compacts the history of the server's store up to the present.
pub type Compact = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// A client to be tried.
#[derive(Clone)]
pub struct Subject {
    client: Arc<dyn Client>,
    compact: Option<Compact>,
    keeps_unknown_fields: bool,
}

impl Subject {
    /// A client of whose server nothing is known.
    pub fn new(client: Arc<dyn Client>) -> Self {
        Self { client, compact: None, keeps_unknown_fields: false }
    }

    /// Says how to compact the server's store; otherwise the cases of expired revisions are passed over.
    #[must_use]
    pub fn with_compaction(
        mut self,
        compact: impl Fn() -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        self.compact = Some(Arc::new(compact));
        self
    }

    /// Says that the server keeps fields that it does not know, which Kubernetes does not.
    #[must_use]
    pub fn keeps_unknown_fields(mut self) -> Self {
        self.keeps_unknown_fields = true;
        self
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("compacts", &self.compact.is_some())
            .field("keeps_unknown_fields", &self.keeps_unknown_fields)
            .finish_non_exhaustive()
    }
}

/// One case: what it is called and what it does.
type Case = (&'static str, fn(Bench) -> LocalBoxFuture<'static, ()>);

/// Names each function as a case.
macro_rules! cases {
    ($subject:literal: $($case:ident),* $(,)?) => {
        pub(super) const CASES: &[super::Case] = &[
            $((concat!($subject, "/", stringify!($case)), |bench| Box::pin($case(bench)))),*
        ];
    };
}
use cases;

/// How a client did.
#[derive(Clone, Debug, Default)]
#[must_use = "a client has passed only if no case failed"]
pub struct Report {
    /// The cases that passed.
    pub passed: Vec<&'static str>,
    /// The cases that failed, each with what was found wrong.
    pub failed: Vec<(&'static str, String)>,
}

impl Report {
    /// Panics with all failures if there are any.
    ///
    /// # Panics
    /// If a case failed, or none was run.
    #[track_caller]
    pub fn assert_passed(&self) {
        assert!(self.failed.is_empty() && !self.passed.is_empty(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed.len(), self.failed.len())?;
        for (case, what) in &self.failed {
            write!(f, "\n  {case}: {what}")?;
        }
        Ok(())
    }
}

/// Runs all cases.
pub async fn run(factory: impl AsyncFn() -> Subject) -> Report {
    run_some(factory, |_| true).await
}

/// Runs the cases whose name is wanted.
pub async fn run_some(factory: impl AsyncFn() -> Subject, wanted: impl Fn(&str) -> bool) -> Report {
    let mut report = Report::default();
    let suites = [
        writes::CASES,
        applies::CASES,
        patches::CASES,
        lists::CASES,
        watches::CASES,
        subresources::CASES,
        deletes::CASES,
    ];
    for (number, &(name, case)) in
        suites.into_iter().flatten().enumerate().filter(|(_, (name, _))| wanted(name))
    {
        let subject = factory().await;
        let outcome = AssertUnwindSafe(async {
            let bench = Bench::new(subject, format!("conformance-{number}")).await;
            case(bench.clone()).await;
            bench.tidy_up().await;
        });
        match outcome.catch_unwind().await {
            Ok(()) => report.passed.push(name),
            Err(panic) => report.failed.push((name, said(&*panic))),
        }
    }
    report
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
