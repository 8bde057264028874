//! Texts that nearly every cluster is full of.

use crate::Str;

/// Texts too long to be kept inline, by their purpose: keys of labels, annotations and taints; values; API versions;
/// names of components; paths; reasons.
static TEXTS: [&str; 105] = [
    "app.kubernetes.io/component",
    "app.kubernetes.io/created-by",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/name",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/version",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/cronjob-scheduled-timestamp",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/job-name",
    "batch.kubernetes.io/job-tracking",
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type",
    "beta.kubernetes.io/os",
    "cluster-autoscaler.kubernetes.io/safe-to-evict",
    "control-plane.alpha.kubernetes.io/leader",
    "controller-revision-hash",
    "controller.kubernetes.io/pod-deletion-cost",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
    "endpoints.kubernetes.io/last-change-trigger-time",
    "endpointslice.kubernetes.io/managed-by",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "kubectl.kubernetes.io/default-container",
    "kubectl.kubernetes.io/last-applied-configuration",
    "kubectl.kubernetes.io/restartedAt",
    "kubernetes.io/arch",
    "kubernetes.io/change-cause",
    "kubernetes.io/config.hash",
    "kubernetes.io/config.mirror",
    "kubernetes.io/config.seen",
    "kubernetes.io/config.source",
    "kubernetes.io/description",
    "kubernetes.io/hostname",
    "kubernetes.io/ingress.class",
    "kubernetes.io/metadata.name",
    "kubernetes.io/service-account.name",
    "kubernetes.io/service-account.uid",
    "kubernetes.io/service-name",
    "meta.helm.sh/release-name",
    "meta.helm.sh/release-namespace",
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/worker",
    "node.alpha.kubernetes.io/ttl",
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/exclude-from-external-load-balancers",
    "node.kubernetes.io/instance-type",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/network-unavailable",
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/out-of-service",
    "node.kubernetes.io/pid-pressure",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/unschedulable",
    "pod-template-generation",
    "pod-template-hash",
    "prometheus.io/path",
    "prometheus.io/port",
    "prometheus.io/scheme",
    "prometheus.io/scrape",
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "pv.kubernetes.io/provisioned-by",
    "service.kubernetes.io/headless",
    "statefulset.kubernetes.io/pod-name",
    "storageclass.kubernetes.io/is-default-class",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "volume.kubernetes.io/selected-node",
    "volume.kubernetes.io/storage-provisioner",
    "volumes.kubernetes.io/controller-managed-attach-detach",
    "endpointslice-controller.k8s.io",
    "kubernetes.io/dockerconfigjson",
    "kubernetes.io/service-account-token",
    "kubernetes.io/tls",
    "system-cluster-critical",
    "system-node-critical",
    "admissionregistration.k8s.io/v1",
    "apiextensions.k8s.io/v1",
    "certificates.k8s.io/v1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "networking.k8s.io/v1",
    "rbac.authorization.k8s.io/v1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1",
    "default-scheduler",
    "kube-controller-manager",
    "kubectl-client-side-apply",
    "/dev/termination-log",
    "/var/run/secrets/kubernetes.io/serviceaccount",
    "metadata.namespace",
    "spec.serviceAccountName",
    "ContainerCreating",
    "ContainersNotInitialized",
    "ContainersNotReady",
    "MinimumReplicasAvailable",
    "MinimumReplicasUnavailable",
    "NewReplicaSetAvailable",
    "ReplicaSetUpdated",
];

const SLOTS: usize = 1024;

/// For each place, 1 more than the index of the text that belongs there or before.
static TABLE: [u8; SLOTS] = {
    let mut table = [0; SLOTS];
    let mut index = 0;
    while index < TEXTS.len() {
        let mut place = hash(TEXTS[index].as_bytes()) % SLOTS;
        while table[place] != 0 {
            place = (place + 1) % SLOTS;
        }
        index += 1;
        table[place] = index as u8;
    }
    table
};

/// The text, which costs nothing then, if it is one of these and has this [`hash`].
#[inline]
pub(crate) fn find(text: &[u8], hash: usize) -> Option<Str> {
    let mut place = hash;
    loop {
        let index = TABLE[place % SLOTS].checked_sub(1)?;
        let known = TEXTS[usize::from(index)];
        if known.as_bytes() == text {
            return Some(Str::from_static(known));
        }
        place = place.wrapping_add(1);
    }
}

/// Eight bytes at a time; who finds texts of one hash wins nothing but that they are not shared.
#[inline]
pub(crate) const fn hash(bytes: &[u8]) -> usize {
    const fn mix(hash: u64, word: u64) -> u64 {
        (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95)
    }
    let (words, _) = bytes.as_chunks::<8>();
    let mut hash = bytes.len() as u64;
    let mut index = 0;
    while index < words.len() {
        hash = mix(hash, u64::from_le_bytes(words[index]));
        index += 1;
    }
    // What is beyond the whole words, with some of what is before it.
    if let Some(last) = bytes.last_chunk() {
        hash = mix(hash, u64::from_le_bytes(*last));
    }
    (hash >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_texts_are_found_and_others_are_not() {
        for text in TEXTS {
            let copy = text.to_owned();
            let found = find(copy.as_bytes(), hash(copy.as_bytes())).unwrap();
            assert_eq!(found.as_ptr(), text.as_ptr(), "{text}");
            let other = format!("{text}x");
            assert_eq!(find(other.as_bytes(), hash(text.as_bytes())), None);
        }
    }

    #[test]
    fn the_table_has_only_texts_that_would_be_allocated() {
        let short: Vec<_> = TEXTS.iter().filter(|text| text.len() <= Str::MAX_INLINE).collect();
        assert!(short.is_empty(), "{short:?}");
    }
}
