//! Pods with claims, and control planes that bind them or do not.

use orlop_model::core::v1::{PersistentVolume, PersistentVolumeClaim};
use orlop_model::storage::v1::StorageClass;

use super::*;

const SELECTED: &str = "volume.kubernetes.io/selected-node";

impl Rig {
    async fn class(&self, name: &str, provisioner: &str) {
        let class = json!({"metadata": {"name": name}, "provisioner": provisioner,
            "volumeBindingMode": "WaitForFirstConsumer"});
        self.create(StorageClass::KIND, None, class).await;
    }

    async fn volume(&self, name: &str, class: &str) {
        let volume = json!({"metadata": {"name": name}, "status": {"phase": "Available"}, "spec": {
            "storageClassName": class, "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"},
            "persistentVolumeReclaimPolicy": "Retain", "csi": {"driver": "d", "volumeHandle": name}}});
        self.create(PersistentVolume::KIND, None, volume).await;
    }

    async fn claim(&self, name: &str, class: &str) {
        let claim = json!({"metadata": {"name": name, "namespace": "default"}, "spec": {
            "storageClassName": class, "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}}}});
        self.create(PersistentVolumeClaim::KIND, Some("default"), claim).await;
    }

    async fn pod_with(&self, name: &str, claim: &str) {
        let pod = json!({"metadata": {"name": name, "namespace": "default"}, "spec": {
            "containers": [{"name": "c", "image": "i"}],
            "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]}});
        self.create(Pod::KIND, Some("default"), pod).await;
    }

    fn claims(&self) -> Api<PersistentVolumeClaim> {
        Api::namespaced(Arc::clone(&self.client), "default")
    }

    fn volumes(&self) -> Api<PersistentVolume> {
        Api::all(Arc::clone(&self.client))
    }

    /// What the control plane does with a claim whose volume is known.
    async fn finish(&self, claim: &str, volume: &str) {
        let change = |claim: &mut PersistentVolumeClaim| {
            claim.spec.volume_name = volume.into();
            claim.metadata.annotations.insert("pv.kubernetes.io/bind-completed", "yes".into());
        };
        self.claims().modify(claim, change).await.unwrap();
    }

    async fn selected(&self, claim: &str) -> Str {
        let claims = self.claims();
        until(
            async || claims.get(claim).await.unwrap().metadata.annotations.get(SELECTED).cloned(),
            || format!("{claim} has no selected node"),
        )
        .await
    }
}

#[tokio::test(start_paused = true)]
async fn claims_are_bound_before_the_pod() {
    let rig = Rig::new().await;
    rig.node("n1", "1").await;
    rig.class("local", "kubernetes.io/no-provisioner").await;
    rig.volume("pv", "local").await;
    rig.claim("data", "local").await;
    rig.pod_with("a", "data").await;
    let volumes = rig.volumes();
    let volume = until(
        async || Some(volumes.get("pv").await.unwrap()).filter(|volume| volume.spec.claim_ref.is_some()),
        || "the volume is not given to the claim".to_owned(),
    )
    .await;
    let claim = rig.claims().get("data").await.unwrap();
    assert_eq!(volume.spec.claim_ref.as_ref().unwrap().uid, claim.metadata.uid);
    assert_eq!(volume.metadata.annotations["pv.kubernetes.io/bound-by-controller"], "yes");
    assert!(!is_bound(&rig.pods.get("a").await.unwrap()), "not before the claim");
    rig.finish("data", "pv").await;
    rig.when("a", is_bound).await;
    rig.stop().await;
}

#[tokio::test(start_paused = true)]
async fn volumes_are_made_on_the_selected_node_or_tried_again() {
    let rig = Rig::new().await;
    rig.node("n1", "1").await;
    rig.class("made", "d").await;
    rig.claim("data", "made").await;
    rig.pod_with("a", "data").await;
    assert_eq!(rig.selected("data").await, "n1");
    // The provisioner gives up.
    let forget = |claim: &mut PersistentVolumeClaim| {
        claim.metadata.annotations.remove(SELECTED);
        claim.metadata.annotations.insert("x", "y".into());
    };
    rig.claims().modify("data", forget).await.unwrap();
    let a = rig.when("a", |pod| scheduled(pod).is_some()).await;
    let why =
        "running PreBind plugin \"VolumeBinding\": binding volumes: provisioning failed for PVC \"data\"";
    assert_eq!(scheduled(&a), Some(("False".into(), "SchedulerError".into(), why.into())));
    // The next time it does not.
    assert_eq!(rig.selected("data").await, "n1");
    rig.volume("made-1", "made").await;
    rig.finish("data", "made-1").await;
    rig.when("a", is_bound).await;
    rig.stop().await;
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_volumes_of_others_and_none_waits_forever() {
    let rig = Rig::new().await;
    rig.node("n1", "1").await;
    rig.class("made", "d").await;
    rig.claim("data", "made").await;
    rig.claim("gone", "made").await;
    let start = Instant::now();
    rig.pod_with("a", "data").await;
    rig.pod_with("b", "gone").await;
    rig.selected("data").await;
    rig.selected("gone").await;
    rig.pod("other", "100m").await;
    rig.when("other", is_bound).await;
    assert!(start.elapsed() < Duration::from_secs(30));
    // A pod that is deleted meanwhile takes nothing along.
    let options = orlop_client::DeleteOptions { grace: Some(0), ..Default::default() };
    rig.pods.delete_with("b", &options).await.unwrap();
    until(
        async || Some(()).filter(|()| rig.handle.metrics().pods == 2),
        || "the pod is still there".to_owned(),
    )
    .await;
    tokio::time::sleep(Duration::from_secs(560)).await;
    assert!(scheduled(&rig.pods.get("a").await.unwrap()).is_none(), "there is time left");
    let a = rig.when("a", |pod| scheduled(pod).is_some()).await;
    let why = "running PreBind plugin \"VolumeBinding\": binding volumes: context deadline exceeded";
    assert_eq!(scheduled(&a), Some(("False".into(), "SchedulerError".into(), why.into())));
    assert!(start.elapsed() >= Duration::from_secs(600));
    rig.stop().await;
}
