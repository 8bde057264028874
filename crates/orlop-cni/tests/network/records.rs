//! Records on disk.

use crate::fixture::{bridge, host, pod};

#[test]
fn a_record_is_in_the_format_of_the_reference_implementation() {
    let Some(host) = host() else { return };
    let (cni, list) = (host.cni(), bridge(""));
    let a = pod(&cni, &list, "a");
    let path = host.folder.path().join("state/results/pods:a:eth0");
    let record: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for (key, value) in
        [("kind", "cniCacheV1"), ("containerId", "a"), ("ifName", "eth0"), ("networkName", "pods")]
    {
        assert_eq!(record[key], value, "{key}");
    }
    assert_eq!(record["result"]["ips"][0]["address"], format!("{}/24", a.ip()));
    assert!(record["config"].as_str().unwrap().len() > 100);
    // A process that starts later knows it.
    let later = host.cni();
    assert_eq!(later.recorded().unwrap().len(), 1);
    later.check(&list, &a.attachment).unwrap();
    later.del(&list, &a.attachment).unwrap();
    assert!(!path.exists());
}
