//! [`Signature`]: all that a profile's plugins see of a pod.

use std::hash::{BuildHasher, Hasher as _};

use orlop_model::core::v1::Pod;

use crate::framework::{PodTemplate, Profile, Signed};

/// What the plugins of one profile take from a pod; those that see the pod itself left out. Pods with equal
/// signatures have equal answers.
#[derive(Debug)]
pub(super) struct Signature {
    /// Index of the profile.
    pub(super) profile: usize,
    /// By filter.
    pub(super) filters: Vec<Option<Box<dyn Signed>>>,
    /// By scorer.
    pub(super) scores: Vec<Option<Box<dyn Signed>>>,
}

impl Signature {
    pub(super) fn of(pod: &Pod, index: usize, profile: &Profile) -> Self {
        let template = PodTemplate::of(pod);
        Self {
            profile: index,
            filters: profile.filters.iter().map(|filter| filter.sign(template)).collect(),
            scores: profile.scores.iter().map(|score| score.plugin.sign(template)).collect(),
        }
    }

    fn parts(&self) -> impl Iterator<Item = Option<&dyn Signed>> {
        self.filters.iter().chain(&self.scores).map(Option::as_deref)
    }

    pub(super) fn hash(&self, build: &impl BuildHasher) -> u64 {
        let mut hasher = build.build_hasher();
        hasher.write_usize(self.profile);
        for part in self.parts().flatten() {
            part.feed(&mut hasher);
        }
        hasher.finish()
    }

    pub(super) fn equals(&self, other: &Self) -> bool {
        self.profile == other.profile
            && self.parts().zip(other.parts()).all(|(a, b)| match (a, b) {
                (Some(a), Some(b)) => a.equals(b),
                (a, b) => a.is_none() && b.is_none(),
            })
    }

    pub(super) fn filter(&self, index: usize) -> &dyn Signed {
        self.filters[index].as_deref().expect("a filter that signs pods")
    }

    pub(super) fn score(&self, index: usize) -> &dyn Signed {
        self.scores[index].as_deref().expect("a scorer that signs pods")
    }
}
