//! [`Profile`]: plugins, their order and their weights, under a scheduler's name.

use orlop_model::Str;
use thiserror::Error;

use super::{
    AnyFilter, AnyScore, BindPlugins, ClusterFilter, ClusterScore, DomainFilter, DomainScore, Filter, Permit,
    PostFilter, PreEnqueue, Reads, Reserve, Score,
};
use crate::plugins::{
    DefaultPreemption, ImageLocality, InterPodAffinity, NodeAffinity, NodeName, NodePorts,
    NodeResourcesBalancedAllocation, NodeResourcesFit, NodeUnschedulable, NodeVolumeLimits,
    PodTopologySpread, SchedulingGates, TaintToleration, VolumeBinding, VolumeRestrictions, VolumeZone,
};

/// The name of the scheduler that pods without `spec.schedulerName` mean.
pub(crate) const DEFAULT_SCHEDULER: &str = "default-scheduler";

/// A score plugin and its weight.
#[derive(Debug)]
pub(crate) struct WeightedScore {
    pub(crate) plugin: AnyScore,
    pub(crate) weight: i64,
}

/// The plugins that decide for the pods of one scheduler name, in order and with their weights.
///
/// ```
/// use orlop_scheduler::Profile;
/// use orlop_scheduler::plugins::{NodeResourcesFit, NodeUnschedulable};
///
/// let profile = Profile::builder("packed")
///     .filter(NodeUnschedulable)
///     .filter(NodeResourcesFit::most_allocated())
///     .score(NodeResourcesFit::most_allocated(), 1)
///     .build()?;
/// assert_eq!(profile.name(), "packed");
/// # Ok::<(), orlop_scheduler::ProfileError>(())
/// ```
#[derive(Debug)]
pub struct Profile {
    name: Str,
    pub(crate) pre_enqueue: Vec<Box<dyn PreEnqueue>>,
    pub(crate) filters: Vec<AnyFilter>,
    pub(crate) post_filters: Vec<Box<dyn PostFilter>>,
    pub(crate) scores: Vec<WeightedScore>,
    pub(crate) reserve: Vec<Box<dyn Reserve>>,
    pub(crate) permit: Vec<Box<dyn Permit>>,
    pub(crate) binding: BindPlugins,
}

impl Profile {
    /// An empty profile for pods whose `spec.schedulerName` is `name`.
    #[must_use]
    pub fn builder(name: impl Into<Str>) -> ProfileBuilder {
        ProfileBuilder {
            profile: Self {
                name: name.into(),
                pre_enqueue: Vec::new(),
                filters: Vec::new(),
                post_filters: Vec::new(),
                scores: Vec::new(),
                reserve: Vec::new(),
                permit: Vec::new(),
                binding: BindPlugins::default(),
            },
        }
    }

    /// The builder of [`kubernetes`](Self::kubernetes), to add plugins of one's own to.
    #[must_use]
    pub fn kubernetes_builder() -> ProfileBuilder {
        Self::builder(DEFAULT_SCHEDULER)
            .pre_enqueue(SchedulingGates)
            .filter(NodeUnschedulable)
            .filter(NodeName)
            .filter(TaintToleration)
            .filter(NodeAffinity::default())
            .filter(NodePorts)
            .filter(NodeResourcesFit::default())
            .cluster_filter(VolumeRestrictions)
            .cluster_filter(NodeVolumeLimits)
            .cluster_filter(VolumeBinding)
            .cluster_filter(VolumeZone)
            .domain_filter(PodTopologySpread::default())
            .domain_filter(InterPodAffinity::default())
            .post_filter(DefaultPreemption::default())
            .score(TaintToleration, 3)
            .score(NodeAffinity::default(), 2)
            .score(NodeResourcesFit::default(), 1)
            .domain_score(PodTopologySpread::default(), 2)
            .domain_score(InterPodAffinity::default(), 2)
            .score(NodeResourcesBalancedAllocation::default(), 1)
            .domain_score(ImageLocality, 1)
    }

    /// kube-scheduler's default profile with its order and weights, as far as the plugins exist here
    /// (those of devices do not yet).
    #[must_use]
    pub fn kubernetes() -> Self {
        Self::kubernetes_builder().profile
    }

    /// The scheduler's name: pods choose it by `spec.schedulerName`.
    #[must_use]
    pub fn name(&self) -> &Str {
        &self.name
    }

    /// The filters in order: name, and what its answers depend on.
    pub fn filters(&self) -> impl Iterator<Item = (&str, Reads)> {
        self.filters.iter().map(|filter| (filter.name(), filter.reads()))
    }

    /// The scorers in order: name and weight.
    pub fn scores(&self) -> impl Iterator<Item = (&str, i64)> {
        self.scores.iter().map(|score| (score.plugin.name(), score.weight))
    }

    pub(crate) fn filter_named(&self, name: &str) -> Option<&AnyFilter> {
        self.filters.iter().find(|filter| filter.name() == name)
    }
}

/// Builds a [`Profile`]. Plugins of one extension point are called in the order of addition.
#[derive(Debug)]
pub struct ProfileBuilder {
    pub(super) profile: Profile,
}

impl ProfileBuilder {
    /// Adds a plugin that keeps pods out of the queue.
    #[must_use]
    pub fn pre_enqueue(mut self, plugin: impl PreEnqueue) -> Self {
        self.profile.pre_enqueue.push(Box::new(plugin));
        self
    }

    /// Adds a filter that looks at nodes alone.
    #[must_use]
    pub fn filter(mut self, plugin: impl Filter) -> Self {
        self.profile.filters.push(AnyFilter::Node(Box::new(plugin)));
        self
    }

    /// Adds a filter that looks at counts of pods by place.
    #[must_use]
    pub fn domain_filter(mut self, plugin: impl DomainFilter) -> Self {
        self.profile.filters.push(AnyFilter::Domain(Box::new(plugin)));
        self
    }

    /// Adds a filter that looks at anything.
    #[must_use]
    pub fn cluster_filter(mut self, plugin: impl ClusterFilter) -> Self {
        self.profile.filters.push(AnyFilter::Cluster(Box::new(plugin)));
        self
    }

    /// Adds a plugin that looks for a way out where a pod fits nowhere.
    #[must_use]
    pub fn post_filter(mut self, plugin: impl PostFilter) -> Self {
        self.profile.post_filters.push(Box::new(plugin));
        self
    }

    /// Adds a scorer that looks at nodes alone; its scores of 0 to 100 count `weight` times.
    #[must_use]
    pub fn score(self, plugin: impl Score, weight: i64) -> Self {
        self.any_score(AnyScore::Node(Box::new(plugin)), weight)
    }

    /// Adds a scorer that looks at counts of pods by place; its scores of 0 to 100 count `weight` times.
    #[must_use]
    pub fn domain_score(self, plugin: impl DomainScore, weight: i64) -> Self {
        self.any_score(AnyScore::Domain(Box::new(plugin)), weight)
    }

    /// Adds a scorer that looks at anything; its scores of 0 to 100 count `weight` times.
    #[must_use]
    pub fn cluster_score(self, plugin: impl ClusterScore, weight: i64) -> Self {
        self.any_score(AnyScore::Cluster(Box::new(plugin)), weight)
    }

    fn any_score(mut self, plugin: AnyScore, weight: i64) -> Self {
        self.profile.scores.push(WeightedScore { plugin, weight });
        self
    }

    /// Adds a plugin that keeps account of decisions.
    #[must_use]
    pub fn reserve(mut self, plugin: impl Reserve) -> Self {
        self.profile.reserve.push(Box::new(plugin));
        self
    }

    /// Adds a plugin that has the last word before binding.
    #[must_use]
    pub fn permit(mut self, plugin: impl Permit) -> Self {
        self.profile.permit.push(Box::new(plugin));
        self
    }

    /// Takes a plugin of this name out of every extension point.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        let profile = &mut self.profile;
        profile.pre_enqueue.retain(|plugin| plugin.name() != name);
        profile.filters.retain(|plugin| plugin.name() != name);
        profile.post_filters.retain(|plugin| plugin.name() != name);
        profile.scores.retain(|score| score.plugin.name() != name);
        profile.reserve.retain(|plugin| plugin.name() != name);
        profile.permit.retain(|plugin| plugin.name() != name);
        profile.binding.without(name);
        self
    }

    /// The profile.
    ///
    /// # Errors
    /// [`ProfileError`] for an empty name, a plugin added twice at one extension point, or a weight
    /// outside 1 to 1,000,000.
    pub fn build(self) -> Result<Profile, ProfileError> {
        let profile = self.profile;
        if profile.name.is_empty() {
            return Err(ProfileError::NoName);
        }
        for score in &profile.scores {
            if !(1..=1_000_000).contains(&score.weight) {
                return Err(ProfileError::Weight {
                    profile: profile.name.clone(),
                    plugin: score.plugin.name().into(),
                    weight: score.weight,
                });
            }
        }
        let points: [(&'static str, Vec<&str>); 6] = [
            ("preEnqueue", profile.pre_enqueue.iter().map(|plugin| plugin.name()).collect()),
            ("filter", profile.filters.iter().map(|plugin| plugin.name()).collect()),
            ("postFilter", profile.post_filters.iter().map(|plugin| plugin.name()).collect()),
            ("score", profile.scores.iter().map(|score| score.plugin.name()).collect()),
            ("reserve", profile.reserve.iter().map(|plugin| plugin.name()).collect()),
            ("permit", profile.permit.iter().map(|plugin| plugin.name()).collect()),
        ];
        for (point, mut names) in points.into_iter().chain(profile.binding.names()) {
            names.sort_unstable();
            if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(ProfileError::Twice {
                    profile: profile.name.clone(),
                    point,
                    plugin: pair[0].into(),
                });
            }
        }
        Ok(profile)
    }
}

/// A profile that cannot be.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfileError {
    /// A profile without a name.
    #[error("a profile has no name")]
    NoName,
    /// The same plugin twice at one extension point.
    #[error("profile {profile:?}: plugin {plugin:?} is in {point} twice")]
    Twice {
        /// Name of the profile.
        profile: Str,
        /// Extension point.
        point: &'static str,
        /// Name of the plugin.
        plugin: Str,
    },
    /// A weight out of range.
    #[error("profile {profile:?}: weight {weight} of plugin {plugin:?} is not from 1 to 1000000")]
    Weight {
        /// Name of the profile.
        profile: Str,
        /// Name of the plugin.
        plugin: Str,
        /// The weight given.
        weight: i64,
    },
    /// Two profiles of one name.
    #[error("profile {profile:?} is there twice")]
    TwoOfAName {
        /// Name of the profiles.
        profile: Str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_profiles_are_refused() {
        let twice = Profile::builder("p").filter(NodeName).filter(NodeName).build();
        assert_eq!(
            twice.unwrap_err(),
            ProfileError::Twice { profile: "p".into(), point: "filter", plugin: "NodeName".into() }
        );
        let heavy = Profile::builder("p").domain_score(ImageLocality, 0).build();
        assert!(matches!(heavy, Err(ProfileError::Weight { weight: 0, .. })));
        assert_eq!(Profile::builder("").build().unwrap_err(), ProfileError::NoName);
        assert!(Profile::kubernetes_builder().build().is_ok());
    }
}
