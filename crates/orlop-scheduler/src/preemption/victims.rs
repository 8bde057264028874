//! [`Search`]: the least important pods whose eviction makes room on one node.

use std::cmp::{Ordering, Reverse};

use orlop_model::Time;

use super::Candidate;
use crate::cluster::{Account, PlacedPod};
use crate::engine::Trials;
use crate::framework::Status;

/// When a pod began, for comparisons: one that has not begun comes after all that have.
pub(super) fn began(pod: &PlacedPod) -> (bool, Option<Time>) {
    (pod.started().is_none(), pod.started())
}

/// The more important pod first: greater priority, then the earlier start. Of equally important ones the
/// id decides: in kube-scheduler, chance.
fn by_importance(a: &PlacedPod, b: &PlacedPod) -> Ordering {
    (Reverse(a.priority()), began(a), a.id()).cmp(&(Reverse(b.priority()), began(b), b.id()))
}

/// Looks for victims on one node after the other, in the memory of the first.
#[derive(Debug, Default)]
pub(super) struct Search<'a> {
    victims: Vec<&'a PlacedPod>,
    protected: Vec<&'a PlacedPod>,
    others: Vec<&'a PlacedPod>,
}

impl<'a> Search<'a> {
    /// The pods to be evicted from the node so that the pod fits, as few and as unimportant as they can
    /// be if those come last which a budget protects; or why that does not help.
    ///
    /// All less important pods are taken away; if the pod fits then, each is put back if the pod still
    /// fits, first those that a budget protects, the more important ones before others.
    pub(super) fn on(
        &mut self,
        trials: &mut Trials<'a>,
        budgets: &mut Account<'_>,
        node: u32,
    ) -> Result<Candidate<'a>, Status> {
        let Self { victims, protected, others } = self;
        let view = trials.cluster().at(node);
        let priority = trials.priority();
        others.clear();
        others.extend(view.pods().filter(|pod| pod.priority() < priority));
        if others.is_empty() {
            return Err(Status::unresolvable("No preemption victims found for incoming pod"));
        }
        trials.begin(node);
        for pod in others.iter() {
            trials.remove(pod);
        }
        if let Some((_, status)) = trials.verdict() {
            return Err(status);
        }
        others.sort_unstable_by(|a, b| by_importance(a, b));
        protected.clear();
        budgets.reset();
        others.retain(|pod| {
            let is_protected = !budgets.is_empty() && budgets.overdraws(pod.object());
            if is_protected {
                protected.push(pod);
            }
            !is_protected
        });
        victims.clear();
        let mut spare = |pods: &[&'a PlacedPod]| {
            for &pod in pods {
                trials.add(pod);
                if !trials.still_fits() {
                    trials.remove(pod);
                    victims.push(pod);
                }
            }
            victims.len()
        };
        let violations = spare(protected);
        spare(others);
        if victims.is_empty() {
            let name = view.name();
            return Err(Status::error(format!("expected at least one victim pod on node {name:?}")));
        }
        if !protected.is_empty() && !others.is_empty() {
            victims.sort_unstable_by(|a, b| by_importance(a, b));
        }
        Ok(Candidate { node: view, victims: victims.clone(), violations })
    }
}
