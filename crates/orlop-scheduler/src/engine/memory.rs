//! [`Memory`]: what an engine has learned about pods: their templates, signatures and rankings.

use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap};
use orlop_model::core::v1::Pod;
use smallvec::SmallVec;

use super::Decision;
use super::ranking::Ranking;
use super::signature::Signature;
use crate::cluster::{Load, PodGroup};
use crate::framework::{PodTemplate, Profile};

/// Templates and signatures beyond this number make the memory forget those without a ranking.
const MOST: usize = 4_096;
/// Templates of one hash that are compared.
const MOST_ALIKE: usize = 4;
/// Bytes that rankings may take together; there are always at least [`FEWEST_RANKINGS`].
const BUDGET: usize = 1 << 30;
const FEWEST_RANKINGS: usize = 16;
/// Failures with a reason for each node that are kept.
const MOST_FAILURES: usize = 8;

/// What pods of one template have in common.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pod: Arc<Pod>,
    /// Index among the signatures.
    pub(super) signature: usize,
    pub(super) group: Arc<PodGroup>,
    pub(super) load: Arc<Load>,
}

/// A signature, and what is kept for it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) signature: Arc<Signature>,
    hash: u64,
    /// How often it was asked for.
    pub(super) uses: u64,
    last_use: u64,
    pub(super) ranking: Option<Box<Ranking>>,
}

/// What an engine has learned about pods. Nothing in it can be seen from outside but by speed.
#[derive(Debug, Default)]
pub(super) struct Memory {
    hasher: DefaultHashBuilder,
    templates: Vec<Template>,
    by_hash: HashMap<u64, SmallVec<[u32; MOST_ALIKE]>>,
    pub(super) known: Vec<Known>,
    by_signature: HashMap<u64, SmallVec<[u32; 1]>>,
    clock: u64,
    rankings: usize,
    /// That no node can do, and what would help, in one state of the cluster.
    failures: (State, HashMap<FailureKey, Decision>),
}

/// Index of the signature, the pod's priority, and whether it must not have others evicted.
pub(super) type FailureKey = (usize, i32, bool);

/// All of the cluster that it depends on whether pods fit, and what would help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) touches: u64,
    /// Of namespaces, services and workloads.
    pub(super) neighbours: u64,
    /// Of nominations, and of budgets for evictions.
    pub(super) claims: (u64, u64),
}

impl Memory {
    /// The pod's template.
    pub(super) fn template(&mut self, pod: &Arc<Pod>, index: usize, profile: &Profile) -> Template {
        let hash = self.hash(pod);
        let new = PodTemplate::of(pod);
        for &known in self.by_hash.get(&hash).into_iter().flatten() {
            let known = &self.templates[known as usize];
            if self.known[known.signature].signature.profile == index
                && PodTemplate::of(&known.pod).is_same(new)
            {
                return known.clone();
            }
        }
        if self.templates.len() >= MOST || self.known.len() >= MOST {
            self.forget();
        }
        let template = Template {
            pod: Arc::clone(pod),
            signature: self.signature(Signature::of(pod, index, profile)),
            group: Arc::new(PodGroup::of(pod)),
            load: Arc::new(Load::of(pod)),
        };
        let alike = self.by_hash.entry(hash).or_default();
        let number = self.templates.len() as u32;
        if alike.len() < MOST_ALIKE {
            alike.push(number);
            self.templates.push(template.clone());
        }
        template
    }

    /// Of what differs between templates most often.
    fn hash(&self, pod: &Pod) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        pod.metadata.namespace.hash(&mut hasher);
        for (key, value) in &pod.metadata.labels {
            key.hash(&mut hasher);
            value.hash(&mut hasher);
        }
        for container in &pod.spec.containers {
            container.image.hash(&mut hasher);
            for (name, quantity) in &container.resources.requests {
                name.hash(&mut hasher);
                hasher.write_i64(quantity.milli_value());
            }
        }
        hasher.finish()
    }

    fn signature(&mut self, signature: Signature) -> usize {
        let hash = signature.hash(&self.hasher);
        let alike = self.by_signature.entry(hash).or_default();
        for &known in alike.iter() {
            if self.known[known as usize].signature.equals(&signature) {
                return known as usize;
            }
        }
        alike.push(self.known.len() as u32);
        self.known.push(Known { signature: Arc::new(signature), hash, uses: 0, last_use: 0, ranking: None });
        self.known.len() - 1
    }

    /// Forgets everything but signatures with rankings.
    fn forget(&mut self) {
        self.templates.clear();
        self.by_hash.clear();
        self.by_signature.clear();
        self.failures.1.clear();
        self.known.retain(|known| known.ranking.is_some());
        for (index, known) in self.known.iter().enumerate() {
            self.by_signature.entry(known.hash).or_default().push(index as u32);
        }
    }

    pub(super) fn used(&mut self, index: usize) -> &mut Known {
        self.clock += 1;
        let known = &mut self.known[index];
        known.uses += 1;
        known.last_use = self.clock;
        known
    }

    /// Keeps a new ranking, instead of those that were not used for longest where they get too many.
    pub(super) fn keep(&mut self, index: usize, ranking: Ranking) {
        let most = (BUDGET / ranking.size().max(1)).max(FEWEST_RANKINGS);
        if self.known[index].ranking.replace(Box::new(ranking)).is_none() {
            self.rankings += 1;
        }
        while self.rankings > most {
            let oldest = self
                .known
                .iter_mut()
                .filter(|known| known.ranking.is_some())
                .min_by_key(|known| known.last_use);
            let Some(oldest) = oldest else { break };
            oldest.ranking = None;
            self.rankings -= 1;
        }
    }

    /// That no node could do for pods of a signature, if that was found in this state of the cluster.
    pub(super) fn failure(&self, key: FailureKey, state: State) -> Option<&Decision> {
        let (known, failures) = &self.failures;
        failures.get(&key).filter(|_| *known == state)
    }

    pub(super) fn keep_failure(&mut self, key: FailureKey, state: State, decision: Decision) {
        let (known, failures) = &mut self.failures;
        if *known != state || failures.len() >= MOST_FAILURES {
            failures.clear();
            *known = state;
        }
        failures.insert(key, decision);
    }

    pub(super) fn drop_ranking(&mut self, index: usize) {
        if self.known[index].ranking.take().is_some() {
            self.rankings -= 1;
        }
    }

    /// Bytes that the rankings take.
    pub(super) fn size(&self) -> usize {
        self.known.iter().filter_map(|known| known.ranking.as_ref()).map(|ranking| ranking.size()).sum()
    }
}
