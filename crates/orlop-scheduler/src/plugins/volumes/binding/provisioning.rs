//! [`Provisioning`]: whether a volume can be made for a claim.

use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::{PersistentVolumeClaim, TopologySelectorTerm, resource_name};
use orlop_model::selector::{Operator, Requirement, Selector};
use orlop_model::storage::v1::StorageClass;

use super::label_index::LabelIndex;
use crate::cluster::{NodeView, Volumes};

/// The provisioner of classes that none makes volumes for.
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// Whether a volume can be made for a claim, by node.
#[derive(Clone, Debug)]
pub(super) struct Provisioning {
    /// Topologies that are allowed; `None`: nobody makes volumes of the class.
    topologies: Option<Topologies>,
    /// Room for the claim; `None`: enough everywhere.
    room: Option<Room>,
}

#[derive(Clone, Debug)]
enum Topologies {
    All,
    /// One of these; a malformed or empty one matches no node.
    OneOf(Arc<[Selector]>),
}

/// Nodes for which the driver has room for the claim.
#[derive(Clone, Debug, Default)]
struct Room {
    nodes: Vec<Arc<Selector>>,
    by_node: LabelIndex,
}

fn topology(term: &TopologySelectorTerm) -> Option<Selector> {
    if term.match_label_expressions.is_empty() {
        return None;
    }
    let requirements: Result<Vec<Requirement>, _> = term
        .match_label_expressions
        .iter()
        .map(|one| Requirement::new(one.key.clone(), Operator::In, one.values.iter().cloned()))
        .collect();
    requirements.ok().map(Selector::new)
}

impl Provisioning {
    pub(super) fn of(claim: &PersistentVolumeClaim, class: &StorageClass, volumes: &Volumes) -> Self {
        let provisioner = &class.provisioner;
        if provisioner.is_empty() || *provisioner == *NO_PROVISIONER {
            return Self { topologies: None, room: None };
        }
        let topologies = if class.allowed_topologies.is_empty() {
            Topologies::All
        } else {
            Topologies::OneOf(class.allowed_topologies.iter().filter_map(topology).collect())
        };
        let tells_capacity =
            volumes.driver(provisioner).is_some_and(|driver| driver.spec.storage_capacity == Some(true));
        let size = claim.spec.resources.requests.get(resource_name::STORAGE).filter(|_| tells_capacity);
        let room = size.map(|size| Room::of(volumes, &class.metadata.name, size.value()));
        Self { topologies: Some(topologies), room }
    }

    /// Whether volumes of the class can be made for the node.
    pub(super) fn is_possible(&self, node: NodeView<'_>) -> bool {
        match &self.topologies {
            None => false,
            Some(Topologies::All) => true,
            Some(Topologies::OneOf(terms)) => terms.iter().any(|term| term.matches(node.labels())),
        }
    }

    /// Whether there is room for the claim.
    pub(super) fn has_room(&self, node: NodeView<'_>) -> bool {
        self.room.as_ref().is_none_or(|room| {
            room.by_node
                .first(node.labels(), |number| room.nodes[number as usize].matches(node.labels()))
                .is_some()
        })
    }
}

impl Room {
    fn of(volumes: &Volumes, class: &str, size: i64) -> Self {
        let mut room = Self::default();
        let nodes = volumes.capacity_slots(class).filter_map(|capacity| capacity.room_for(size));
        for (number, nodes) in (0_u32..).zip(nodes) {
            let label = nodes.requirements().iter().find_map(|one| Some((one.key(), [one.only_value()?])));
            room.by_node.push(number, label.map(|(key, values): (&Str, [&Str; 1])| (key, values)));
            room.nodes.push(Arc::clone(nodes));
        }
        room
    }
}
