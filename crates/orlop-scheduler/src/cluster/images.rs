//! [`Images`]: which node has which image.

use std::collections::{BTreeMap, HashMap};

use orlop_model::Str;
use orlop_model::core::v1::Node;

/// An image that some node has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image(BTreeMap<u32, i64>);

impl Image {
    /// [Indices](super::NodeView::index) of the nodes that have it, with the size in bytes that each
    /// reports.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (usize, i64)> {
        self.0.iter().map(|(&index, &size)| (index as usize, size))
    }

    pub(super) fn size_on(&self, index: u32) -> Option<i64> {
        self.0.get(&index).copied()
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
                self.0.entry(name.clone()).or_default().0.insert(index, image.size_bytes);
            }
        }
    }

    pub(super) fn remove(&mut self, index: u32, node: &Node) {
        for name in node.status.images.iter().flat_map(|image| &image.names) {
            if let Some(image) = self.0.get_mut(name.as_str()) {
                image.0.remove(&index);
                if image.0.is_empty() {
                    self.0.remove(name.as_str());
                }
            }
        }
    }
}
