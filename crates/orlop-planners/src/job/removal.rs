//! Which of a Job's active pods go when there are too many.

use std::cmp::Reverse;

use orlop_model::Time;
use orlop_model::core::v1::{ContainerStatus, Pod, PodPhase};

use super::tracked::Tracked;
use crate::pod;

/// Picks at least `at_least` of the active pods, and of an indexed Job (`completions`) all that have
/// no valid index or share one. Those that matter least go first.
pub(super) fn choose<'a, 'b>(
    active: &[&'b Tracked<'a>],
    completions: Option<i32>,
    at_least: usize,
) -> Vec<&'b Tracked<'a>> {
    let mut chosen = Vec::new();
    let mut left: Vec<&Tracked<'a>> = active.to_vec();
    if let Some(completions) = completions {
        left.sort_by_cached_key(|tracked| (tracked.index, importance(tracked.pod)));
        let sorted = std::mem::take(&mut left);
        let (valid, invalid): (Vec<_>, Vec<_>) =
            sorted.into_iter().partition(|tracked| tracked.index_below(completions).is_some());
        let (unknown, beyond): (Vec<_>, Vec<_>) =
            invalid.into_iter().partition(|tracked| tracked.index.is_none());
        chosen.extend(unknown);
        for same in valid.chunk_by(|a, b| a.index == b.index) {
            let (last, others) = same.split_last().map_or((None, same), |(last, rest)| (Some(last), rest));
            chosen.extend(others);
            left.extend(last);
        }
        chosen.extend(beyond);
    }
    if chosen.len() < at_least {
        left.sort_by_cached_key(|tracked| importance(tracked.pod));
        left.truncate(at_least - chosen.len());
        chosen.append(&mut left);
    }
    chosen
}

/// Sorts pods by how much would be lost with them: unassigned before assigned, pending before running, unready
/// before ready, ready for a short time before long, often restarted before rarely, young before old; then by name.
fn importance(pod: &Pod) -> impl Ord + use<> {
    let phase = match pod.status.phase {
        PodPhase::Unknown => 1,
        PodPhase::Running => 2,
        _ => 0,
    };
    let ready = pod::ready(pod);
    let since = ready.and_then(|condition| condition.last_transition_time);
    let sidecars = pod.spec.init_containers.iter().filter(|container| {
        container.restart_policy.as_ref().is_some_and(|policy| policy.as_str() == "Always")
    });
    let sidecars: Vec<_> = sidecars.map(|container| &container.name).collect();
    let restarts = |status: &ContainerStatus| status.restart_count;
    let regular = pod.status.container_statuses.iter().map(restarts).max();
    let of_sidecars = pod.status.init_container_statuses.iter();
    let of_sidecars = of_sidecars.filter(|status| sidecars.contains(&&status.name)).map(restarts).max();
    (
        !pod.spec.node_name.is_empty(),
        phase,
        ready.is_some(),
        youngest_first(since),
        Reverse(regular.unwrap_or_default()),
        Reverse(of_sidecars.unwrap_or_default()),
        youngest_first(pod.metadata.creation_timestamp),
        pod.metadata.name.clone(),
    )
}

/// An unknown time comes first.
fn youngest_first(time: Option<Time>) -> (bool, Reverse<Option<Time>>) {
    (time.is_some(), Reverse(time))
}
