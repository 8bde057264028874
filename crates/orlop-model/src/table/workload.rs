//! Rows of Deployments, ReplicaSets, ReplicationControllers, StatefulSets, DaemonSets, ControllerRevisions and PodTemplates.

use jiff::Timestamp;

use super::{Cell, Column, NONE, Row, Tabular, age, joined, labels};
use crate::LabelSelector;
use crate::apps::v1::{ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet};
use crate::core::v1::{PodSpec, PodTemplate, ReplicationController};

pub(super) const CONTAINERS: Column =
    Column::text("Containers", "Names of the template's containers.").wide();
pub(super) const IMAGES: Column = Column::text("Images", "Images of the template's containers.").wide();
pub(super) const SELECTOR: Column = Column::text("Selector", "Labels of the pods that belong to it.").wide();
const DESIRED: Column = Column::integer("Desired", "How many pods there should be.");
const CURRENT: Column = Column::integer("Current", "How many pods there are.");
const READY: Column = Column::integer("Ready", "How many pods are ready.");

impl Tabular for Deployment {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Ready", "How many pods are ready, of how many."),
        Column::text("Up-to-date", "How many pods have the present template."),
        Column::text("Available", "How many pods have been ready for long enough."),
        Column::AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ];

    fn row(&self, now: Timestamp) -> Row {
        let status = &self.status;
        let pod = &self.spec.template.spec;
        Row::new([
            (&self.metadata.name).into(),
            format!("{}/{}", status.ready_replicas, self.spec.replicas.unwrap_or_default()).into(),
            Cell::count(status.updated_replicas),
            Cell::count(status.available_replicas),
            age(self, now),
            containers(pod),
            images(pod),
            LabelSelector::display(self.spec.selector.as_deref()).into(),
        ])
    }
}

impl Tabular for ReplicaSet {
    const COLUMNS: &'static [Column] =
        &[Column::NAME, DESIRED, CURRENT, READY, Column::AGE, CONTAINERS, IMAGES, SELECTOR];

    fn row(&self, now: Timestamp) -> Row {
        let pod = &self.spec.template.spec;
        Row::new([
            (&self.metadata.name).into(),
            Cell::count(self.spec.replicas.unwrap_or_default()),
            Cell::count(self.status.replicas),
            Cell::count(self.status.ready_replicas),
            age(self, now),
            containers(pod),
            images(pod),
            LabelSelector::display(self.spec.selector.as_deref()).into(),
        ])
    }
}

impl Tabular for ReplicationController {
    const COLUMNS: &'static [Column] =
        &[Column::NAME, DESIRED, CURRENT, READY, Column::AGE, CONTAINERS, IMAGES, SELECTOR];

    fn row(&self, now: Timestamp) -> Row {
        let pod = self.spec.template.as_ref().map(|template| &template.spec);
        Row::new([
            (&self.metadata.name).into(),
            Cell::count(self.spec.replicas.unwrap_or_default()),
            Cell::count(self.status.replicas),
            Cell::count(self.status.ready_replicas),
            age(self, now),
            pod.map_or_else(|| "".into(), containers),
            pod.map_or_else(|| "".into(), images),
            labels(&self.spec.selector).into(),
        ])
    }
}

impl Tabular for StatefulSet {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Ready", "How many pods are ready, of how many."),
        Column::AGE,
        CONTAINERS,
        IMAGES,
    ];

    fn row(&self, now: Timestamp) -> Row {
        let pod = &self.spec.template.spec;
        Row::new([
            (&self.metadata.name).into(),
            format!("{}/{}", self.status.ready_replicas, self.spec.replicas.unwrap_or_default()).into(),
            age(self, now),
            containers(pod),
            images(pod),
        ])
    }
}

impl Tabular for DaemonSet {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::integer("Desired", "How many nodes should have a pod."),
        Column::integer("Current", "How many of them have one."),
        Column::integer("Ready", "How many nodes have a pod that is ready."),
        Column::integer("Up-to-date", "How many nodes have a pod of the present template."),
        Column::integer("Available", "How many nodes have a pod that has been ready for long enough."),
        Column::text("Node Selector", "Labels of the nodes that should have a pod."),
        Column::AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ];

    fn row(&self, now: Timestamp) -> Row {
        let status = &self.status;
        let pod = &self.spec.template.spec;
        Row::new([
            (&self.metadata.name).into(),
            Cell::count(status.desired_number_scheduled),
            Cell::count(status.current_number_scheduled),
            Cell::count(status.number_ready),
            Cell::count(status.updated_number_scheduled),
            Cell::count(status.number_available),
            labels(&pod.node_selector).into(),
            age(self, now),
            containers(pod),
            images(pod),
            LabelSelector::display(self.spec.selector.as_deref()).into(),
        ])
    }
}

impl Tabular for ControllerRevision {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Controller", "Kind, group and name of what it is a revision of."),
        Column::text("Revision", "Its number."),
        Column::AGE,
    ];

    fn row(&self, now: Timestamp) -> Row {
        let controller = self.metadata.controller().map_or_else(
            || NONE.to_owned(),
            |owner| match owner.api_version.split_once('/') {
                Some((group, _)) => {
                    format!("{}.{}/{}", owner.kind.to_lowercase(), group.to_lowercase(), owner.name)
                }
                None => format!("{}/{}", owner.kind.to_lowercase(), owner.name),
            },
        );
        Row::new([
            (&self.metadata.name).into(),
            controller.into(),
            Cell::Integer(self.revision),
            age(self, now),
        ])
    }
}

impl Tabular for PodTemplate {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column { priority: 0, ..CONTAINERS },
        Column { priority: 0, ..IMAGES },
        Column::text("Pod Labels", "Labels that the pods get."),
    ];

    fn row(&self, _: Timestamp) -> Row {
        let pod = &self.template.spec;
        let labels = labels(&self.template.metadata.labels);
        Row::new([(&self.metadata.name).into(), containers(pod), images(pod), labels.into()])
    }
}

pub(super) fn containers(pod: &PodSpec) -> Cell {
    joined(pod.containers.iter().map(|container| &container.name), ",").into()
}

pub(super) fn images(pod: &PodSpec) -> Cell {
    joined(pod.containers.iter().map(|container| &container.image), ",").into()
}
