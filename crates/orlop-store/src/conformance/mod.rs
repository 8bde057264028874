//! The suite that every backend has to pass.
//!
//! ```
//! # use std::sync::Arc;
//! # use orlop_store::{MemoryStore, Store, conformance};
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
//! let report = conformance::run(async || Arc::new(MemoryStore::new()) as Arc<dyn Store>).await;
//! report.assert_passed();
//! # });
//! ```
//!
//! Each case gets a store of its own from the factory. The store need not be empty, nor at revision
//! 0, but nobody else may write below `/conformance/`. Leases are waited for by tokio's time: a
//! backend in memory passes in no time where that is paused.

mod bench;
mod compaction;
mod leases;
mod reads;
mod txns;
mod watches;

use std::any::Any;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::LocalBoxFuture;

use self::bench::Bench;
use crate::Store;

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

/// How a backend did.
#[derive(Clone, Debug, Default)]
#[must_use = "a backend has passed only if no case failed"]
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

/// Runs all cases, each on a store that the factory makes.
pub async fn run(factory: impl AsyncFn() -> Arc<dyn Store>) -> Report {
    run_some(factory, |_| true).await
}

/// Runs the cases whose name is wanted.
pub async fn run_some(factory: impl AsyncFn() -> Arc<dyn Store>, wanted: impl Fn(&str) -> bool) -> Report {
    let mut report = Report::default();
    let subjects = [reads::CASES, txns::CASES, watches::CASES, compaction::CASES, leases::CASES];
    for &(name, case) in subjects.into_iter().flatten().filter(|(name, _)| wanted(name)) {
        let bench = Bench::new(factory().await).await;
        match AssertUnwindSafe(case(bench)).catch_unwind().await {
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
