//! A pod makes way for a more important one.

use orlop_model::core::v1::PodConditionType;
use serde_json::json;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_pod_makes_way_and_its_room_is_kept() {
    let rig = Rig::new().await;
    rig.node("n1", "1").await;
    rig.pod("small", "700m").await;
    rig.when("small", is_bound).await;
    let pod = |name: &str, cpu: &str, priority: i32| {
        json!({"metadata": {"name": name, "namespace": "default"}, "spec": {"priority": priority, "containers": [
            {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}]}})
    };
    rig.create(Pod::KIND, Some("default"), pod("urgent", "600m", 10)).await;

    let urgent = rig.when("urgent", |pod| !pod.status.nominated_node_name.is_empty()).await;
    assert_eq!(urgent.status.nominated_node_name, "n1");
    let (status, reason, message) = scheduled(&urgent).unwrap();
    assert_eq!((status.as_str(), reason.as_str()), ("False", "Unschedulable"));
    assert_eq!(message, "0/1 nodes are available: 1 Insufficient cpu.");
    let small = rig.when("small", |pod| pod.metadata.deletion_timestamp.is_some()).await;
    let target =
        small.status.conditions.iter().find(|c| c.type_ == PodConditionType::DisruptionTarget).unwrap();
    assert_eq!((target.status.as_str(), target.reason.as_str()), ("True", "PreemptionByScheduler"));
    let wanted = format!("small Preempted: Preempted by pod {} on node n1", urgent.metadata.uid);
    until(async || Some(rig.events().await).filter(|events| events.contains(&wanted)), || wanted.clone())
        .await;

    // While the victim takes its time, a less important pod cannot have what it leaves free.
    rig.pod("late", "500m").await;
    let late = rig.when("late", |pod| scheduled(pod).is_some()).await;
    assert!(scheduled(&late).unwrap().2.contains("Insufficient cpu"));
    let options = orlop_client::DeleteOptions { grace: Some(0), ..Default::default() };
    rig.pods.delete_with("small", &options).await.unwrap();
    let urgent = rig.when("urgent", is_bound).await;
    assert_eq!(urgent.spec.node_name, "n1");
    assert!(!is_bound(&rig.pods.get("late").await.unwrap()));
    assert_eq!(rig.handle.metrics().preemption_victims, 1);

    // A more important one still takes the room, and the nomination of the one before is not needed.
    rig.create(Pod::KIND, Some("default"), pod("first", "900m", 20)).await;
    rig.create(Pod::KIND, Some("default"), pod("second", "900m", 15)).await;
    rig.when("urgent", |pod| pod.metadata.deletion_timestamp.is_some()).await;
    rig.pods.delete_with("urgent", &options).await.unwrap();
    rig.when("first", is_bound).await;
    let second = rig.pods.get("second").await.unwrap();
    assert!(!is_bound(&second) && second.status.nominated_node_name.is_empty());
    rig.stop().await;
}
