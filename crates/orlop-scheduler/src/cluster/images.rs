//! [`Images`]: which node has which image.

use std::collections::{BTreeSet, HashMap};

use orlop_model::core::v1::Node;
use orlop_model::Str;

/// An image that some node has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub(super) size: i64,
    pub(super) nodes: BTreeSet<u32>,
}

impl Image {
    /// Bytes, as the first node said that reported the image.
    #[must_use]
    pub fn size(&self) -> i64 {
        self.size
    }

    /// [Indices](super::NodeView::index) of the nodes that have it.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = usize> {
        self.nodes.iter().map(|&index| index as usize)
    }
}

/// The images of all nodes by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Images(HashMap<Str, Image>);

impl Images {
    /// The image of that exact name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Image> {
        self.0.get(name)
    }

    pub(super) fn add(&mut self, index: u32, node: &Node) {
        for image in &node.status.images {
            for name in &image.names {
                self.0
                    .entry(name.clone())
                    .or_insert_with(|| Image { size: image.size_bytes, nodes: BTreeSet::new() })
                    .nodes
                    .insert(index);
            }
        }
    }

    pub(super) fn remove(&mut self, index: u32, node: &Node) {
        for name in node.status.images.iter().flat_map(|image| &image.names) {
            if let Some(image) = self.0.get_mut(name.as_str()) {
                image.nodes.remove(&index);
                if image.nodes.is_empty() {
                    self.0.remove(name.as_str());
                }
            }
        }
    }
}
