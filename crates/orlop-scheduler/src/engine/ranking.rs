//! [`Ranking`]: the nodes in order for one signature, kept up to date by what changed.

use std::ops::Range;

use hashbrown::HashMap;
use orlop_model::core::v1::Pod;
use smallvec::SmallVec;

use super::evaluate::best;
use super::heads::{Head, Heads};
use super::signature::Signature;
use super::tallies::Tallies;
use crate::cluster::{Cluster, NodeView, Touched, TrialNode, pod_id, priority};
use crate::framework::{
    ABSENT, AnyFilter, AnyPlan, AnyScore, Counts, Feasibility, Feasible, MAX_SCORE, Normalize, PreFilter,
    PreScore, Prepared, Profile, Raw, Reads, Totals, passes,
};

/// A plugin that counts, with its plan.
#[derive(Debug)]
struct Counting {
    /// Index among the profile's filters or scorers.
    plugin: usize,
    plan: Box<dyn AnyPlan>,
    /// Its tallies among those of the ranking.
    tallies: Range<usize>,
    /// Its keys among the parts of a class.
    keys: Range<usize>,
}

/// Nodes that no plugin but those of a node's own load can tell apart.
#[derive(Debug, Default)]
struct Class {
    /// Raw scores that are normalised, keys, parts of tallies.
    parts: Box<[i64]>,
    /// Nodes of the class.
    members: u32,
    /// Those of them that pass the filters of nodes.
    feasible: u32,
    heads: Heads,
}

const NO_CLASS: u32 = u32::MAX;
/// The score of a node that does not pass.
const OUT: i32 = i32::MIN;

/// Where a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    /// Its class; none if a filter of node objects turns it down.
    class: u32,
    /// The weighted sum of scores that are not normalised, or [`OUT`].
    score: i32,
}

/// The nodes for pods of one signature: in classes that differ in nothing but their nodes' own load, each
/// with its best node at hand.
///
/// What has to be looked at for a decision are the nodes that changed since the last one, and one node of
/// each class.
#[derive(Debug)]
pub(super) struct Ranking {
    /// The next touch of the log to be read.
    cursor: u64,
    neighbours: u64,
    /// Filters that look at the node object, and at its load: by index.
    static_filters: Vec<usize>,
    local_filters: Vec<usize>,
    /// The only nodes that can do.
    only: Option<std::collections::BTreeSet<orlop_model::Str>>,
    /// Scorers of nodes that are not normalised, and those that are.
    plain: Vec<usize>,
    normalized: Vec<usize>,
    /// Whether one of the latter looks at the node's load.
    moves_with_load: bool,
    filters: Vec<Counting>,
    scores: Vec<Counting>,
    tallies: Tallies,
    /// Where the parts of tallies begin among those of a class.
    first_tally: usize,
    rows: Vec<Row>,
    classes: Vec<Class>,
    by_parts: HashMap<Box<[i64]>, u32>,
    free: Vec<u32>,
    scratch: Vec<i64>,
}

/// Numbers of classes.
type Classes = SmallVec<[u32; 32]>;

/// The plugins of a profile that look at anything, ready for one pod.
pub(super) struct Free<'a> {
    pub(super) pod: &'a Pod,
    /// Filters that do not skip the pod.
    pub(super) filters: SmallVec<[(usize, Prepared); 2]>,
    /// Whether there are scorers.
    pub(super) scores: bool,
}

/// What a ranking says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Best {
    pub(super) node: u32,
    pub(super) feasible: usize,
    pub(super) total: i64,
}

/// A ranking cannot say: a plugin failed, or turned the pod down before any node was looked at. A full
/// evaluation tells which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Undecided;

/// Something changed that a ranking does not follow: it has to be made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outgrown;

impl Ranking {
    pub(super) fn new(
        signature: &Signature,
        profile: &Profile,
        cluster: &mut Cluster,
    ) -> Result<Self, Undecided> {
        let mut ranking = Self {
            cursor: 0,
            neighbours: cluster.neighbours_version(),
            static_filters: Vec::new(),
            local_filters: Vec::new(),
            only: None,
            plain: Vec::new(),
            normalized: Vec::new(),
            moves_with_load: false,
            filters: Vec::new(),
            scores: Vec::new(),
            tallies: Tallies::default(),
            first_tally: 0,
            rows: Vec::new(),
            classes: Vec::new(),
            by_parts: HashMap::new(),
            free: Vec::new(),
            scratch: Vec::new(),
        };
        let mut keys = 0;
        let mut tallies = 0;
        let mut counting = |plugin, plan: Box<dyn AnyPlan>, cluster: &mut Cluster| {
            for tally in plan.tallies() {
                cluster.topology(&tally.key);
            }
            let run = Counting {
                plugin,
                tallies: tallies..tallies + plan.tallies().len(),
                keys: keys..keys + plan.keys(),
                plan,
            };
            (tallies, keys) = (run.tallies.end, run.keys.end);
            run
        };
        for (index, filter) in profile.filters.iter().enumerate() {
            match filter {
                AnyFilter::Node(filter) => {
                    match filter.pre_filter(signature.filter(index)) {
                        PreFilter::Skip => continue,
                        PreFilter::Run(()) => {}
                        PreFilter::Only(nodes, ()) => {
                            ranking.only = Some(match ranking.only.take() {
                                None => nodes,
                                Some(before) => before.intersection(&nodes).cloned().collect(),
                            });
                        }
                        PreFilter::Reject(_) => return Err(Undecided),
                    }
                    if filter.reads() == Reads::Static {
                        ranking.static_filters.push(index);
                    } else {
                        ranking.local_filters.push(index);
                    }
                }
                AnyFilter::Domain(filter) => {
                    let plan = filter.plan(signature.filter(index), cluster.view()).map_err(|_| Undecided)?;
                    ranking.filters.push(counting(index, plan, cluster));
                }
                AnyFilter::Cluster(_) => {}
            }
        }
        for (index, score) in profile.scores.iter().enumerate() {
            match &score.plugin {
                AnyScore::Node(score) => match score.pre_score(signature.score(index)) {
                    PreScore::Skip => {}
                    PreScore::Even(_) => return Err(Undecided),
                    PreScore::Run(()) if score.normalize() == Normalize::None => ranking.plain.push(index),
                    PreScore::Run(()) => {
                        ranking.moves_with_load |= score.reads() != Reads::Static;
                        ranking.normalized.push(index);
                    }
                    PreScore::Fail(_) => return Err(Undecided),
                },
                AnyScore::Domain(score) => {
                    let plan = score.plan(signature.score(index), cluster.view()).map_err(|_| Undecided)?;
                    ranking.scores.push(counting(index, plan, cluster));
                }
                AnyScore::Cluster(_) => {}
            }
        }
        let raws = ranking.normalized.len();
        for run in ranking.filters.iter_mut().chain(&mut ranking.scores) {
            run.keys = run.keys.start + raws..run.keys.end + raws;
        }
        ranking.first_tally = raws + keys;
        let plans: Vec<&dyn AnyPlan> =
            ranking.filters.iter().chain(&ranking.scores).map(|run| &*run.plan).collect();
        ranking.tallies = Tallies::new(&plans, cluster);
        ranking.cursor = cluster.log().next_touch();
        ranking.rows = vec![Row { class: NO_CLASS, score: OUT }; cluster.view().bound()];
        for node in cluster.view().nodes() {
            ranking.place(signature, profile, cluster, node.slot_index(), Some(node), true)?;
        }
        Ok(ranking)
    }

    /// Reads what changed since the last time.
    pub(super) fn catch_up(
        &mut self,
        signature: &Signature,
        profile: &Profile,
        cluster: &Cluster,
    ) -> Result<Result<(), Outgrown>, Undecided> {
        let next = cluster.log().next_touch();
        if self.cursor == next && self.neighbours == cluster.neighbours_version() {
            return Ok(Ok(()));
        }
        if self.neighbours != cluster.neighbours_version() {
            return Ok(Err(Outgrown));
        }
        let Some(touches) = cluster.log().touches_since(self.cursor) else {
            return Ok(Err(Outgrown));
        };
        // A node costs about twice as much here as in a new ranking.
        if touches.len() > cluster.view().node_count() / 2 + 64 {
            return Ok(Err(Outgrown));
        }
        if self.rows.len() < cluster.view().bound() {
            self.rows.resize(cluster.view().bound(), Row { class: NO_CLASS, score: OUT });
        }
        // Numbers first: nodes are looked at as they are now, whichever group a number stood for then.
        let mut met: SmallVec<[u32; 8]> = SmallVec::new();
        for touch in touches.clone() {
            if let Touched::Group(group) = touch.what {
                if !self.meet(cluster, group) {
                    return Ok(Err(Outgrown));
                }
                met.push(group);
            }
        }
        let mut others = Vec::new();
        for touch in touches {
            match touch.what {
                Touched::Group(_) => {}
                Touched::Pods(group) => {
                    let counted = self.tallies.matters(group);
                    self.refresh(signature, profile, cluster, touch.node, false, counted, &mut others)?;
                }
                Touched::Object => {
                    self.refresh(signature, profile, cluster, touch.node, true, true, &mut others)?;
                }
            }
        }
        for group in met {
            self.tallies.settle(group);
        }
        self.cursor = next;
        Ok(Ok(()))
    }

    /// A number stands for another group of pods. Answers whether the plans can count it.
    fn meet(&mut self, cluster: &Cluster, number: u32) -> bool {
        let runs = self.filters.iter().chain(&self.scores);
        if let Some(group) = cluster.view().group(number as usize)
            && runs.clone().any(|run| run.plan.is_outgrown_by(group))
        {
            return false;
        }
        if self.tallies.len() > 0 {
            let plans: SmallVec<[&dyn AnyPlan; 6]> = runs.map(|run| &*run.plan).collect();
            self.tallies.weigh(&plans, cluster, number as usize);
        }
        true
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of an engine, and what is known of the change")]
    fn refresh(
        &mut self,
        signature: &Signature,
        profile: &Profile,
        cluster: &Cluster,
        index: u32,
        object: bool,
        counted: bool,
        others: &mut Vec<u32>,
    ) -> Result<(), Undecided> {
        let node = cluster.view().slot(index);
        let mut moved = object;
        if counted && self.tallies.len() > 0 {
            let plans: SmallVec<[&dyn AnyPlan; 6]> =
                self.filters.iter().chain(&self.scores).map(|run| &*run.plan).collect();
            moved |= self.tallies.update(&plans, cluster, index, node, object, others);
        }
        if moved || self.moves_with_load {
            self.place(signature, profile, cluster, index, node, object)?;
        } else if let Some(node) = node
            && let class = self.rows[index as usize].class
            && class != NO_CLASS
        {
            let score = self.score(signature, profile, node)?;
            self.set(cluster, index, Row { class, score });
        }
        while let Some(other) = others.pop() {
            let node = cluster.view().slot(other);
            self.place(signature, profile, cluster, other, node, false)?;
        }
        Ok(())
    }

    /// Finds the class of a node, and its score in it; with `object` its labels and taints may have changed.
    fn place(
        &mut self,
        signature: &Signature,
        profile: &Profile,
        cluster: &Cluster,
        index: u32,
        node: Option<NodeView<'_>>,
        object: bool,
    ) -> Result<(), Undecided> {
        let out = Row { class: NO_CLASS, score: OUT };
        if object {
            // The index may be another node's now, with another rank.
            self.set(cluster, index, out);
        }
        let before = self.rows[index as usize].class;
        let Some(node) = node else {
            self.set(cluster, index, out);
            return Ok(());
        };
        if object {
            if self.only.as_ref().is_some_and(|only| !only.contains(node.name())) {
                return Ok(());
            }
            for &filter in &self.static_filters {
                if !filter_passes(signature, profile, filter, node)? {
                    return Ok(());
                }
            }
        } else if before == NO_CLASS {
            return Ok(());
        }
        let mut parts = std::mem::take(&mut self.scratch);
        parts.clear();
        for &score in &self.normalized {
            if let AnyScore::Node(plugin) = &profile.scores[score].plugin {
                parts.push(plugin.raw(signature.score(score), node));
            }
        }
        if object {
            for run in self.filters.iter().chain(&self.scores) {
                parts.extend((0..run.keys.len()).map(|key| run.plan.key(key, node)));
            }
        } else {
            let keys = self.normalized.len()..self.first_tally;
            parts.extend_from_slice(&self.classes[before as usize].parts[keys]);
        }
        parts.extend((0..self.tallies.len()).map(|tally| self.tallies.part(tally, index)));
        let class = if before != NO_CLASS && *self.classes[before as usize].parts == *parts {
            before
        } else {
            self.class(&parts)
        };
        self.scratch = parts;
        let score = self.score(signature, profile, node)?;
        self.set(cluster, index, Row { class, score });
        Ok(())
    }

    fn class(&mut self, parts: &[i64]) -> u32 {
        if let Some(&class) = self.by_parts.get(parts) {
            return class;
        }
        let new = Class { parts: parts.into(), ..Class::default() };
        let class = match self.free.pop() {
            Some(class) => {
                self.classes[class as usize] = new;
                class
            }
            None => {
                self.classes.push(new);
                u32::try_from(self.classes.len() - 1).expect("fewer classes than nodes")
            }
        };
        self.by_parts.insert(parts.into(), class);
        class
    }

    /// The weighted sum of the scores that are not normalised, or [`OUT`].
    fn score(&self, signature: &Signature, profile: &Profile, node: NodeView<'_>) -> Result<i32, Undecided> {
        for &filter in &self.local_filters {
            if !filter_passes(signature, profile, filter, node)? {
                return Ok(OUT);
            }
        }
        let mut sum = 0;
        for &index in &self.plain {
            let score = &profile.scores[index];
            if let AnyScore::Node(plugin) = &score.plugin {
                let raw = plugin.raw(signature.score(index), node);
                if !(0..=MAX_SCORE).contains(&raw) {
                    return Err(Undecided);
                }
                sum += raw * score.weight;
            }
        }
        i32::try_from(sum).map_err(|_| Undecided)
    }

    fn set(&mut self, cluster: &Cluster, index: u32, row: Row) {
        let before = std::mem::replace(&mut self.rows[index as usize], row);
        if before == row {
            return;
        }
        if before.class != row.class {
            if row.class != NO_CLASS {
                self.classes[row.class as usize].members += 1;
            }
            if before.class != NO_CLASS {
                self.classes[before.class as usize].members -= 1;
            }
        }
        if before.score != OUT {
            self.classes[before.class as usize].feasible -= 1;
        }
        if row.score != OUT {
            let rows = &self.rows;
            let class = &mut self.classes[row.class as usize];
            class.feasible += 1;
            class.heads.push(Head { score: row.score, rank: cluster.rank(index) });
            if class.heads.len() > 2 * class.feasible as usize + 64 {
                class.heads.tidy(|head| holds(head, row.class, rows, cluster));
            }
        }
        if before.class != row.class
            && before.class != NO_CLASS
            && self.classes[before.class as usize].members == 0
        {
            let class = std::mem::take(&mut self.classes[before.class as usize]);
            self.by_parts.remove(&class.parts);
            self.free.push(before.class);
        }
    }

    /// The best node; none where no node can do. `free` are the plugins that look at anything: they are asked
    /// about each node that the others let pass. On the nodes that are `given_away`, pods that are nominated
    /// to them are given their room.
    pub(super) fn best(
        &mut self,
        signature: &Signature,
        profile: &Profile,
        cluster: &Cluster,
        free: &Free<'_>,
        given_away: &[u32],
    ) -> Result<Option<Best>, Undecided> {
        let chosen = self.passing(profile)?;
        let mut out = self.given_away(given_away, signature, profile, cluster, free)?;
        if free.filters.is_empty() && out.is_empty() {
            return self.best_of(chosen, profile, cluster, free);
        }
        let asked = if free.filters.is_empty() { Vec::new() } else { self.nodes_of(&chosen, cluster) };
        for node in asked {
            for (index, prepared) in &free.filters {
                if let AnyFilter::Cluster(filter) = &profile.filters[*index]
                    && !passes(&filter.verdict(prepared, cluster.view().at(node))).ok_or(Undecided)?
                {
                    out.push((node, self.rows[node as usize]));
                    break;
                }
            }
        }
        self.without(&out, cluster, |ranking| ranking.best_of(chosen, profile, cluster, free))
    }

    /// What `decide` says while some nodes do not pass.
    fn without<T>(
        &mut self,
        nodes: &[(u32, Row)],
        cluster: &Cluster,
        decide: impl FnOnce(&mut Self) -> T,
    ) -> T {
        for &(node, row) in nodes {
            self.set(cluster, node, Row { class: row.class, score: OUT });
        }
        let answer = decide(self);
        for &(node, row) in nodes {
            self.set(cluster, node, row);
        }
        answer
    }

    /// The nodes of some classes that pass the filters of nodes, in the cluster's order.
    fn nodes_of(&self, classes: &[u32], cluster: &Cluster) -> Vec<u32> {
        let mut chosen = vec![false; self.classes.len()];
        for &class in classes {
            chosen[class as usize] = true;
        }
        let row = |node: u32| self.rows[node as usize];
        let nodes = cluster.view().active().iter().copied();
        nodes.filter(|&node| row(node).score != OUT && chosen[row(node).class as usize]).collect()
    }

    fn totals(&self, run: &Counting) -> Totals<'_> {
        Totals { sums: &self.tallies.sums[run.tallies.clone()] }
    }

    /// The classes whose nodes pass the filters that count.
    fn passing(&self, profile: &Profile) -> Result<Classes, Undecided> {
        let mut asked: SmallVec<[&Counting; 4]> = SmallVec::new();
        for run in &self.filters {
            let AnyFilter::Domain(filter) = &profile.filters[run.plugin] else { continue };
            match filter.pre_filter(&*run.plan, self.totals(run)) {
                PreFilter::Skip => {}
                PreFilter::Run(()) => asked.push(run),
                PreFilter::Only(..) | PreFilter::Reject(_) => return Err(Undecided),
            }
        }
        let mut chosen = Classes::new();
        'classes: for (index, class) in self.classes.iter().enumerate() {
            if class.feasible == 0 {
                continue;
            }
            for run in &asked {
                if let AnyFilter::Domain(filter) = &profile.filters[run.plugin] {
                    let verdict = filter.verdict(&*run.plan, self.totals(run), self.counts(run, class));
                    if !passes(&verdict).ok_or(Undecided)? {
                        continue 'classes;
                    }
                }
            }
            chosen.push(index as u32);
        }
        Ok(chosen)
    }

    fn best_of(
        &mut self,
        mut chosen: Classes,
        profile: &Profile,
        cluster: &Cluster,
        free: &Free<'_>,
    ) -> Result<Option<Best>, Undecided> {
        chosen.retain(|class| self.classes[*class as usize].feasible > 0);
        let feasible = chosen.iter().map(|class| self.classes[*class as usize].feasible as usize).sum();
        let sums = if feasible > 1 {
            self.sums(&chosen, feasible, profile, cluster)?
        } else {
            SmallVec::from_elem(0, chosen.len())
        };
        if feasible > 1 && free.scores {
            return self.best_by_all(&chosen, &sums, profile, cluster, free.pod).map(Some);
        }
        let mut best: Option<(i64, (u32, u32))> = None;
        for (&index, &sum) in chosen.iter().zip(&sums) {
            let rows = &self.rows;
            let heads = &mut self.classes[index as usize].heads;
            let head = heads.first(|head| holds(head, index, rows, cluster)).ok_or(Undecided)?;
            best = best.max(Some((sum + i64::from(head.score), head.rank)));
        }
        Ok(best.map(|(total, (_, node))| Best { node, feasible, total }))
    }

    /// For each class the weighted sum of the scores that are equal within it.
    fn sums(
        &self,
        chosen: &[u32],
        feasible: usize,
        profile: &Profile,
        cluster: &Cluster,
    ) -> Result<SmallVec<[i64; 32]>, Undecided> {
        let mut sums: SmallVec<[i64; 32]> = SmallVec::from_elem(0, chosen.len());
        let mut raw: Raw = Vec::with_capacity(chosen.len());
        for (part, &index) in self.normalized.iter().enumerate() {
            raw.clear();
            raw.extend(chosen.iter().map(|&class| Some(self.classes[class as usize].parts[part])));
            add(&profile.scores[index], &mut raw, &mut sums)?;
        }
        for run in &self.scores {
            let score = &profile.scores[run.plugin];
            let AnyScore::Domain(plugin) = &score.plugin else { continue };
            let feasibility = self.feasibility(run, chosen, feasible);
            raw.clear();
            match plugin.pre_score(&*run.plan, self.totals(run), &feasibility, cluster.view()) {
                PreScore::Skip => continue,
                PreScore::Fail(_) => return Err(Undecided),
                PreScore::Even(even) => raw.resize(chosen.len(), Some(even)),
                PreScore::Run(state) => raw.extend(chosen.iter().map(|&class| {
                    plugin.raw(&*run.plan, &state, self.counts(run, &self.classes[class as usize]))
                })),
            }
            add(score, &mut raw, &mut sums)?;
        }
        Ok(sums)
    }

    /// The best node where some scorers look at anything.
    fn best_by_all(
        &self,
        chosen: &[u32],
        sums: &[i64],
        profile: &Profile,
        cluster: &Cluster,
        pod: &Pod,
    ) -> Result<Best, Undecided> {
        let mut of_class = vec![0; self.classes.len()];
        for (&class, &sum) in chosen.iter().zip(sums) {
            of_class[class as usize] = sum;
        }
        let nodes = self.nodes_of(chosen, cluster);
        let total = |node: &u32| {
            let row = self.rows[*node as usize];
            of_class[row.class as usize] + i64::from(row.score)
        };
        let mut totals: Vec<i64> = nodes.iter().map(total).collect();
        let mut raw: Raw = Vec::with_capacity(nodes.len());
        for score in &profile.scores {
            let AnyScore::Cluster(plugin) = &score.plugin else { continue };
            match plugin.raw_all(pod, Feasible { cluster: cluster.view(), nodes: &nodes }, &mut raw) {
                PreScore::Skip => continue,
                PreScore::Fail(_) => return Err(Undecided),
                PreScore::Even(even) => {
                    raw.clear();
                    raw.resize(nodes.len(), Some(even));
                }
                PreScore::Run(()) => {}
            }
            add(score, &mut raw, &mut totals)?;
        }
        let (node, total) = best(cluster.view(), &nodes, &totals);
        Ok(Best { node, feasible: nodes.len(), total })
    }

    /// Those of the nodes that would not let the pod in if pods nominated to them that are no less
    /// important were there.
    fn given_away(
        &mut self,
        given_away: &[u32],
        signature: &Signature,
        profile: &Profile,
        cluster: &Cluster,
        free: &Free<'_>,
    ) -> Result<Vec<(u32, Row)>, Undecided> {
        let mut out = Vec::new();
        if given_away.is_empty() {
            return Ok(out);
        }
        let (id, priority) = (pod_id(free.pod), priority(free.pod));
        let mut trial = TrialNode::new();
        for &index in given_away {
            let Some(&row) = self.rows.get(index as usize).filter(|row| row.score != OUT) else { continue };
            trial.load(cluster, index);
            let mut states: Vec<(usize, Prepared)> = Vec::new();
            for (filter, prepared) in &free.filters {
                if let AnyFilter::Cluster(plugin) = &profile.filters[*filter] {
                    states.push((*filter, plugin.copy(prepared)));
                }
            }
            for other in cluster.nominated(index) {
                if other.priority() >= priority && *other.id() != id {
                    trial.add(other);
                    for (filter, state) in &mut states {
                        if let (AnyFilter::Cluster(plugin), Some(view)) =
                            (&profile.filters[*filter], trial.view(cluster))
                        {
                            plugin.add_pod(state, other, view);
                        }
                    }
                }
            }
            if !self.lets_in(&trial, row, signature, profile, cluster, &states)? {
                out.push((index, row));
            }
        }
        Ok(out)
    }

    /// Whether a node would let the pod in if it were as in the trial; its object is the same.
    fn lets_in(
        &mut self,
        trial: &TrialNode,
        row: Row,
        signature: &Signature,
        profile: &Profile,
        cluster: &Cluster,
        states: &[(usize, Prepared)],
    ) -> Result<bool, Undecided> {
        let Some(view) = trial.view(cluster) else { return Ok(false) };
        for &filter in &self.local_filters {
            if !filter_passes(signature, profile, filter, view)? {
                return Ok(false);
            }
        }
        for (filter, state) in states {
            if let AnyFilter::Cluster(plugin) = &profile.filters[*filter]
                && !passes(&plugin.verdict(state, view)).ok_or(Undecided)?
            {
                return Ok(false);
            }
        }
        // What is asked is decided by the cluster as it is.
        let mut asked: SmallVec<[usize; 4]> = SmallVec::new();
        for (place, run) in self.filters.iter().enumerate() {
            let AnyFilter::Domain(filter) = &profile.filters[run.plugin] else { continue };
            let totals = Totals { sums: &self.tallies.sums[run.tallies.clone()] };
            match filter.pre_filter(&*run.plan, totals) {
                PreFilter::Skip => {}
                PreFilter::Run(()) => asked.push(place),
                PreFilter::Only(..) | PreFilter::Reject(_) => return Err(Undecided),
            }
        }
        if asked.is_empty() {
            return Ok(true);
        }
        let index = view.slot_index();
        let plans: SmallVec<[&dyn AnyPlan; 6]> =
            self.filters.iter().chain(&self.scores).map(|run| &*run.plan).collect();
        let others = &mut Vec::new();
        self.tallies.update(&plans, cluster, index, Some(view), false, others);
        let first = self.first_tally;
        let mut parts = self.classes[row.class as usize].parts.to_vec();
        for (tally, part) in parts[first..].iter_mut().enumerate() {
            *part = self.tallies.part(tally, index);
        }
        let mut answer = Ok(true);
        for place in asked {
            let run = &self.filters[place];
            let AnyFilter::Domain(filter) = &profile.filters[run.plugin] else { continue };
            let sums = &self.tallies.sums[run.tallies.clone()];
            let counts = Counts {
                sums,
                parts: &parts[first + run.tallies.start..first + run.tallies.end],
                keys: &parts[run.keys.clone()],
            };
            match passes(&filter.verdict(&*run.plan, Totals { sums }, counts)) {
                Some(true) => {}
                Some(false) => {
                    answer = Ok(false);
                    break;
                }
                None => {
                    answer = Err(Undecided);
                    break;
                }
            }
        }
        self.tallies.update(&plans, cluster, index, cluster.view().slot(index), false, others);
        answer
    }

    fn counts<'a>(&'a self, run: &Counting, class: &'a Class) -> Counts<'a> {
        let parts = self.first_tally + run.tallies.start..self.first_tally + run.tallies.end;
        Counts {
            sums: &self.tallies.sums[run.tallies.clone()],
            parts: &class.parts[parts],
            keys: &class.parts[run.keys.clone()],
        }
    }

    fn feasibility(&self, run: &Counting, chosen: &[u32], feasible: usize) -> Feasibility {
        let mut answer = Feasibility { nodes: feasible, complete: 0, domains: Vec::new() };
        if run.tallies.is_empty() {
            return answer;
        }
        let first = self.first_tally;
        let is_complete =
            |class: &Class| class.parts[first..][run.tallies.clone()].iter().all(|part| *part != ABSENT);
        for &index in chosen {
            let class = &self.classes[index as usize];
            if is_complete(class) {
                answer.complete += class.feasible as usize;
            }
        }
        for tally in run.tallies.clone() {
            if !self.tallies.with_domains(tally) {
                answer.domains.push((0, 0));
                continue;
            }
            let mut seen: SmallVec<[(i64, bool); 32]> = chosen
                .iter()
                .map(|&class| &self.classes[class as usize])
                .map(|class| (class.parts[first + tally], is_complete(class)))
                .collect();
            seen.sort_unstable();
            seen.dedup();
            let complete = seen.iter().filter(|(_, complete)| *complete).count();
            seen.dedup_by_key(|(value, _)| *value);
            answer.domains.push((seen.len() as u32, complete as u32));
        }
        answer
    }

    /// Bytes on the heap, as far as they grow with the cluster.
    pub(super) fn size(&self) -> usize {
        let heads: usize = self.classes.iter().map(|class| class.heads.size()).sum();
        self.rows.capacity() * size_of::<Row>() + heads + self.tallies.size()
    }
}

/// Whether an entry of a class says what is so.
fn holds(head: Head, class: u32, rows: &[Row], cluster: &Cluster) -> bool {
    rows[head.node() as usize] == Row { class, score: head.score } && cluster.rank(head.node()) == head.rank
}

fn filter_passes(
    signature: &Signature,
    profile: &Profile,
    index: usize,
    node: NodeView<'_>,
) -> Result<bool, Undecided> {
    match &profile.filters[index] {
        AnyFilter::Node(filter) => filter.passes(signature.filter(index), node).ok_or(Undecided),
        AnyFilter::Domain(_) | AnyFilter::Cluster(_) => Ok(true),
    }
}

/// Adds a scorer's weighted, normalised scores to the sums.
fn add(
    score: &crate::framework::WeightedScore,
    raw: &mut [Option<i64>],
    sums: &mut [i64],
) -> Result<(), Undecided> {
    score.plugin.normalize().apply(raw);
    for (sum, normalized) in sums.iter_mut().zip(raw) {
        let normalized = normalized.unwrap_or(0);
        if !(0..=MAX_SCORE).contains(&normalized) {
            return Err(Undecided);
        }
        *sum += normalized * score.weight;
    }
    Ok(())
}
