//! Entry points for fuzzing: each takes any bytes, must return in time bounded by their length, and
//! panics if what is read does not hold together.

mod objects;
mod rules;
#[cfg(feature = "all")]
mod table;

use serde_json::{Value, json};

#[cfg(feature = "all")]
pub use self::table::table;
use crate::apply::{self, FieldSet, Options, Target};
use crate::core::v1::Pod;
use crate::manifest::{Fields, documents, read};
use crate::scheme::Scheme;
use crate::selector::{FieldSelector, Selector};
use crate::tree::Shape;
use crate::{DynamicObject, FieldsV1, Map, Message, Object, Path, Quantity, RawJson, Str, protobuf};

#[cfg(test)]
pub(crate) use self::objects::validate_document;
pub use self::objects::{validate_any, validate_one};
pub use self::rules::validate_pod;

fn round_trip<K: Object + PartialEq>(bytes: &[u8]) {
    let Ok(object) = serde_json::from_slice::<K>(bytes) else {
        return;
    };
    let written = serde_json::to_vec(&object).expect("what was read can be written");
    let again: K = serde_json::from_slice(&written).expect("what was written can be read");
    let rewritten = serde_json::to_vec(&again).expect("what was read can be written");
    assert_eq!(written, rewritten, "writing is stable");
    Object::unknown_fields(&object, &mut Path::new(), &mut |_, _| {});
}

/// A typed object in JSON.
///
/// # Panics
/// If a pod that is read cannot be written, read and written again to the same text.
pub fn pod_json(bytes: &[u8]) {
    round_trip::<Pod>(bytes);
}

/// A typed object in protobuf, without its envelope and with it.
///
/// # Panics
/// If a pod that is read is not the same after it was written and read again, in protobuf or in JSON.
pub fn pod_protobuf(bytes: &[u8]) {
    if let Ok(pod) = protobuf::message_from_slice::<Pod>(bytes) {
        let written = protobuf::to_vec(&pod);
        let again: Pod = protobuf::from_slice(&written).expect("what was written can be read");
        assert_eq!(written, protobuf::to_vec(&again), "writing is stable");
        round_trip::<Pod>(&pod.to_json());
    }
    let _ = protobuf::from_slice::<Pod>(bytes);
}

/// Objects of any kind in the protobuf envelope.
///
/// # Panics
/// If an object that is read cannot be written and read again.
pub fn any_protobuf(bytes: &[u8]) {
    let mut scheme = Scheme::builtin();
    scheme.accept_unknown();
    let envelope = [b"k8s\0", bytes].concat();
    for bytes in [bytes, &envelope] {
        if let Ok(object) = scheme.decode_protobuf(bytes) {
            scheme.decode_protobuf(&object.to_protobuf()).expect("what was written can be read");
        }
    }
}

/// An object of any kind in JSON.
///
/// # Panics
/// As [`pod_json`].
pub fn dynamic_json(bytes: &[u8]) {
    round_trip::<DynamicObject>(bytes);
}

/// Two sets of fields as managed fields have them, a line each.
///
/// # Panics
/// If a set is not the same after it was written and read again, or the sets break a law of sets.
pub fn managed_fields(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (first, second) = text.split_once('\n').unwrap_or((text, "{}"));
    let read = |text: &str| RawJson::parse(text).ok().map(FieldsV1::from);
    let (Some(first_text), Some(second_text)) = (read(first), read(second)) else { return };
    let (Ok(first), Ok(second)) = (FieldSet::parse(&first_text), FieldSet::parse(&second_text)) else {
        return;
    };
    for set in [&first, &second] {
        assert_eq!(FieldSet::parse(&set.to_fields()).as_ref(), Ok(set), "a set comes back as it was");
    }
    let (all, both) = (first.union(&second), first.intersection(&second));
    assert_eq!(all, second.union(&first));
    assert_eq!(both, second.intersection(&first));
    assert_eq!(first.difference(&second), first.difference(&both));
    assert_eq!(first.difference(&second).union(&both), first);
    assert_eq!(all.len() + both.len(), first.len() + second.len());
    assert!(first.is_within(&all) && both.is_within(&first) && first.leaves().is_within(&first));
    assert!(first.recursive_difference(&second).is_within(&first.difference(&second)));
    assert_eq!(first.is_within(&second), first.difference(&second).is_empty());
}

/// A pod or another object that is there, and a configuration that is applied to it, in JSON, a line each.
///
/// # Panics
/// If what was applied by force changes the object when it is applied again.
pub fn apply(bytes: &[u8]) {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    let parse = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok().filter(Value::is_object);
    let (Some(live), Some(mut config)) = (parse(&bytes[..end]), parse(&bytes[end + 1..])) else { return };
    (config["apiVersion"], config["kind"]) = (json!("v1"), json!("Pod"));
    let options = Options::by("fuzz").forced();
    for shape in [Shape::Message(Pod::SCHEMA), Shape::Deduced] {
        let target = Target::new("v1", "Pod", shape);
        let Ok(applied) = apply::apply_value(&live, &config, &target, &options) else { continue };
        let applied = applied.unwrap_or_else(|| live.clone());
        // Who owned fields in a version that is not known is forgotten, and what is there then is nobody's.
        let is_known = |entry: &Value| entry["apiVersion"] == "v1";
        let entries = live["metadata"]["managedFields"].as_array();
        if entries.is_none_or(|entries| entries.iter().all(is_known)) {
            let again = apply::apply_value(&applied, &config, &target, &options);
            assert_eq!(again, Ok(None), "the second time nothing changes");
        }
        let updated = apply::update_value(&applied, &live, &target, &options);
        assert!(updated.is_ok(), "what was applied to can be written");
    }
    if let Ok(pod) = serde_json::from_value::<Pod>(live) {
        let _ = apply::apply(&pod, &config, &options);
    }
}

/// A manifest in YAML or JSON.
///
/// # Panics
/// If strict reading finds more objects than lenient reading, or an error without a text.
pub fn manifest(bytes: &[u8]) {
    let mut scheme = Scheme::builtin();
    scheme.accept_unknown();
    let strict = read("fuzz", bytes, &scheme, Fields::Strict);
    let lenient = read("fuzz", bytes, &scheme, Fields::Lenient);
    match (&strict, &lenient) {
        (Ok(strict), Ok(lenient)) => assert_eq!(strict.len(), lenient.len()),
        (Ok(_), Err(errors)) => panic!("only lenient reading fails: {errors}"),
        (Err(errors), _) => assert!(!errors.to_string().is_empty()),
    }
    for document in documents("fuzz", bytes).into_iter().flatten() {
        let _ = document.to_value();
        let _ = document.decode_as::<Pod>(Fields::Strict);
    }
}

/// Two quantities, separated by a line break.
///
/// # Panics
/// If the canonical text of a number within the suffixes is read to another number, or sums are not
/// undone by differences.
pub fn quantity(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let mut lines = text.lines();
    let mut next = || Quantity::parse(lines.next().unwrap_or_default()).ok();
    let Some(first) = next() else { return };
    let _ = (first.value(), first.milli_value(), first.as_i64(), first.to_f64());
    assert_eq!(first.to_string().parse::<Quantity>().is_ok(), !first.to_string().is_empty());
    let kept: Quantity = first.to_string().parse().expect("what is written can be read");
    if first.to_string().bytes().any(|byte| byte.is_ascii_alphabetic()) {
        assert_eq!(kept, first, "{first}");
    }
    let mut rounded = first.clone();
    rounded.round_up(0);
    assert!(rounded.sign() == first.sign());
    let Some(second) = next() else { return };
    assert_eq!(&(&first + &second) - &second, first);
    assert_eq!(first.cmp(&second), second.cmp(&first).reverse());
    assert_eq!((&first - &second).sign(), first.cmp(&second) as i32);
}

/// A label selector and a field selector.
///
/// # Panics
/// If the canonical text is not read to the same selector.
pub fn selectors(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let labels: Map<Str> = [("a", Str::from("b")), ("n", Str::from("5"))].into();
    if let Ok(selector) = Selector::parse(text) {
        let again: Selector = selector.to_string().parse().expect("the canonical text is a selector");
        assert_eq!(again.to_string(), selector.to_string());
        assert_eq!(again.matches(&labels), selector.matches(&labels));
    }
    if let Ok(selector) = FieldSelector::parse(text) {
        let again: FieldSelector = selector.to_string().parse().expect("the canonical text is a selector");
        assert_eq!(again.matches(&labels), selector.matches(&labels));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A few thousand variations of well-formed texts: bytes replaced, cut out and doubled.
    fn vary<S: AsRef<[u8]>>(seeds: &[S], target: fn(&[u8])) {
        let mut state = 1_u64;
        let mut random = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap_or(0) % below.max(1)
        };
        let letters = b"{}[]:,\"'\\ \n-+.0129eEkKiMGmun&*!|>#?%@`=<()ax\0\xff\xc3\xa9";
        for seed in seeds {
            let seed = seed.as_ref();
            target(seed);
            for _ in 0..400 {
                let mut bytes = seed.to_vec();
                for _ in 0..1 + random(4) {
                    let at = random(bytes.len() + 1);
                    match random(4) {
                        0 => bytes.insert(at, letters[random(letters.len())]),
                        1 if at < bytes.len() => bytes[at] = letters[random(letters.len())],
                        2 => bytes.truncate(at),
                        _ => {
                            let end = (at + random(9)).min(bytes.len());
                            let part = bytes[at..end].to_vec();
                            bytes.splice(at..at, part);
                        }
                    }
                }
                target(&bytes);
            }
        }
    }

    const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","labels":{"a":"b"},"creationTimestamp":"2026-03-01T12:00:00Z"},"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":"0.5","memory":1}},"ports":[{"containerPort":80}],"livenessProbe":{"httpGet":{"port":"http"}}}],"x":[null,1.5]}}"#;

    #[test]
    fn objects_hold_together() {
        vary(&[POD, r#"{"metadata":null,"status":{}}"#], pod_json);
        vary(&[POD, r#"{"apiVersion":"a/b","kind":"C","d":{"e":1}}"#], dynamic_json);
    }

    #[test]
    fn tables_hold_together() {
        let seeds = [
            POD,
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{"deletionTimestamp":"2026-03-01T12:00:00Z"},"spec":{"readinessGates":[{"conditionType":"g"}],"initContainers":[{"name":"i","restartPolicy":"Always"}],"resources":{"limits":{"cpu":"1"}},"hostNetwork":true},"status":{"phase":"Failed","initContainerStatuses":[{"name":"i","started":true,"restartCount":2,"lastState":{"terminated":{"exitCode":1,"finishedAt":"2026-03-01T11:00:00Z"}}}],"containerStatuses":[{"state":{"waiting":{"reason":"R"}}}]}}"#,
            r#"{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","spec":{"metrics":[{"type":"Pods","pods":{"target":{"averageValue":"1k"}}},{"type":"External"},{"type":"X"}],"behavior":{"scaleUp":{"policies":[]}}},"status":{"currentMetrics":[{"type":"Pods","pods":{"current":{}}}]}}"#,
            r#"{"apiVersion":"v1","kind":"Endpoints","subsets":[{"addresses":[{"ip":"::1"},{"ip":"1.2.3.4"}],"ports":[{"port":1},{"port":2}]}]}"#,
            r#"{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","spec":{"rules":[{"host":"a"},{"host":"b"},{},{"host":"c"},{"host":"d"}],"tls":[{}]}}"#,
            r#"{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","spec":{"names":{"kind":"A"},"versions":[{"name":"v1","storage":true}]}}"#,
            r#"{"apiVersion":"a/v1","kind":"C","columns":[["string",".l[?(@.a==1)].b"],["date",".metadata.creationTimestamp"],["integer","..a[-1:]"]],"l":[{"a":1,"b":[2]},{"a":1.5}],"metadata":{"creationTimestamp":"2026-03-01T12:00:00Z"}}"#,
        ];
        vary(&seeds, table);
    }

    #[test]
    fn rules_hold_together() {
        let seeds = [
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"n","labels":{"a":"b"},"annotations":{"container.apparmor.security.beta.kubernetes.io/c":"runtime/default"}},"spec":{"hostname":"h","subdomain":"s","os":{"name":"linux"},"priority":5,"schedulingGates":[{"name":"g"}],"readinessGates":[{"conditionType":"a/b"}],"securityContext":{"sysctls":[{"name":"kernel.shm_rmid_forced","value":"1"}],"seccompProfile":{"type":"Localhost","localhostProfile":"a/b"},"fsGroup":1,"supplementalGroups":[1],"appArmorProfile":{"type":"RuntimeDefault"}},"dnsPolicy":"None","dnsConfig":{"nameservers":["1.1.1.1"],"searches":["a.b"],"options":[{"name":"ndots","value":"2"}]},"hostAliases":[{"ip":"1.2.3.4","hostnames":["a"]}],"tolerations":[{"key":"a","operator":"Exists","effect":"NoExecute","tolerationSeconds":5}],"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"k","whenUnsatisfiable":"DoNotSchedule","minDomains":2,"labelSelector":{"matchLabels":{"a":"b"}},"matchLabelKeys":["x"]}],"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"a","operator":"Gt","values":["1"]}],"matchFields":[{"key":"metadata.name","operator":"In","values":["n"]}]}]}},"podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":1,"podAffinityTerm":{"topologyKey":"k","labelSelector":{"matchExpressions":[{"key":"a","operator":"In","values":["b"]}]},"mismatchLabelKeys":["z"]}}]}},"resources":{"limits":{"cpu":"4","memory":"4Gi"}},"resourceClaims":[{"name":"rc","resourceClaimName":"x"}],"volumes":[{"name":"e","emptyDir":{"sizeLimit":"1Gi","medium":"Memory"}},{"name":"h","hostPath":{"path":"/a","type":"Directory"}},{"name":"p","projected":{"defaultMode":420,"sources":[{"configMap":{"name":"c","items":[{"key":"a","path":"b/c"}]}},{"downwardAPI":{"items":[{"path":"l","fieldRef":{"fieldPath":"metadata.labels['a']"}},{"path":"r","resourceFieldRef":{"containerName":"c","resource":"limits.cpu","divisor":"1m"}}]}},{"serviceAccountToken":{"path":"t","expirationSeconds":600}}]}},{"name":"v","persistentVolumeClaim":{"claimName":"x"}},{"name":"i","image":{"reference":"r","pullPolicy":"Always"}},{"name":"x","csi":{"driver":"d.x","volumeAttributes":{"a":"b"}}},{"name":"y","ephemeral":{"volumeClaimTemplate":{"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}}}],"serviceAccountName":"s","initContainers":[{"name":"i","image":"r.io/a/b:1","restartPolicy":"Always","startupProbe":{"tcpSocket":{"port":80}}},{"name":"j","image":"r.io/a/b:1","volumeMounts":[{"name":"e","mountPath":"/e","subPath":"a/b"}]}],"containers":[{"name":"c","image":"r.io/a/b:1","ports":[{"containerPort":80,"name":"http"}],"env":[{"name":"A","value":"b"},{"name":"B","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}},{"name":"C","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}],"envFrom":[{"prefix":"p","configMapRef":{"name":"c"}}],"resources":{"limits":{"cpu":"1","memory":"1Gi","hugepages-2Mi":"2Mi"},"requests":{"cpu":"100m"},"claims":[{"name":"rc"}]},"volumeMounts":[{"name":"p","mountPath":"/p","readOnly":true,"recursiveReadOnly":"IfPossible","mountPropagation":"None"},{"name":"h","mountPath":"/h","subPathExpr":"$(A)"},{"name":"i","mountPath":"/i"}],"livenessProbe":{"httpGet":{"port":"http","path":"/","httpHeaders":[{"name":"A","value":"b"}]},"terminationGracePeriodSeconds":1},"lifecycle":{"preStop":{"sleep":{"seconds":1}}},"securityContext":{"capabilities":{"drop":["ALL"]},"allowPrivilegeEscalation":false,"runAsUser":5,"procMount":"Default"},"resizePolicy":[{"resourceName":"cpu","restartPolicy":"NotRequired"}]}]}}"#,
            r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"w","namespace":"n"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"r.io/a/b:1","ports":[{"containerPort":80}]}]}},"strategy":{"rollingUpdate":{"maxSurge":"25%","maxUnavailable":0}}}}"#,
            r#"{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"w","namespace":"n"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"r.io/a/b:1","ports":[{"containerPort":80}]}]}},"serviceName":"s","volumeClaimTemplates":[{"metadata":{"name":"d"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}],"ordinals":{"start":1},"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Delete"}}}"#,
            r#"{"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"w","namespace":"n"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"r.io/a/b:1","ports":[{"containerPort":80}]}]}},"updateStrategy":{"rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}}}"#,
            r#"{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"w","namespace":"n"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"r.io/a/b:1","ports":[{"containerPort":80}]}]}},"replicas":2}}"#,
            r#"{"apiVersion":"v1","kind":"ReplicationController","metadata":{"name":"w","namespace":"n"},"spec":{"selector":{"a":"b"},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"r.io/a/b:1","ports":[{"containerPort":80}]}]}}}}"#,
            r#"{"apiVersion":"v1","kind":"PodTemplate","metadata":{"name":"w","namespace":"n"},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"r.io/a/b:1","ports":[{"containerPort":80}]}]}}}"#,
            r#"{"apiVersion":"apps/v1","kind":"ControllerRevision","metadata":{"name":"w","namespace":"n"},"data":{"a":1},"revision":1}"#,
            r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"w","namespace":"n"},"spec":{"template":{"spec":{"containers":[{"name":"c","image":"r.io/a/b:1","ports":[{"containerPort":80}]}],"restartPolicy":"Never"}},"completions":3,"parallelism":2,"completionMode":"Indexed","backoffLimitPerIndex":1,"maxFailedIndexes":2,"podFailurePolicy":{"rules":[{"action":"FailIndex","onExitCodes":{"containerName":"c","operator":"In","values":[1,2]}},{"action":"Ignore","onPodConditions":[{"type":"DisruptionTarget","status":"True"}]}]},"successPolicy":{"rules":[{"succeededIndexes":"0,2"},{"succeededCount":1}]}}}"#,
            r#"{"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"w","namespace":"n"},"spec":{"schedule":"*/5 1-3 * jan mon","timeZone":"Europe/Berlin","concurrencyPolicy":"Forbid","jobTemplate":{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"r.io/a/b:1","ports":[{"containerPort":80}]}],"restartPolicy":"Never"}},"completions":3,"parallelism":2,"completionMode":"Indexed","backoffLimitPerIndex":1,"maxFailedIndexes":2,"podFailurePolicy":{"rules":[{"action":"FailIndex","onExitCodes":{"containerName":"c","operator":"In","values":[1,2]}},{"action":"Ignore","onPodConditions":[{"type":"DisruptionTarget","status":"True"}]}]},"successPolicy":{"rules":[{"succeededIndexes":"0,2"},{"succeededCount":1}]}}}}}"#,
            r#"{"old":{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"w","namespace":"n"},"spec":{"template":{"spec":{"containers":[{"name":"c","image":"r.io/a/b:1","ports":[{"containerPort":80}]}],"restartPolicy":"Never"}},"completions":3,"parallelism":2,"completionMode":"Indexed","backoffLimitPerIndex":1,"maxFailedIndexes":2,"podFailurePolicy":{"rules":[{"action":"FailIndex","onExitCodes":{"containerName":"c","operator":"In","values":[1,2]}},{"action":"Ignore","onPodConditions":[{"type":"DisruptionTarget","status":"True"}]}]},"successPolicy":{"rules":[{"succeededIndexes":"0,2"},{"succeededCount":1}]},"suspend":true,"selector":{"matchLabels":{"a":"b"}},"manualSelector":true}},"new":{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"w","namespace":"n"},"spec":{"template":{"spec":{"containers":[{"name":"c","image":"r.io/a/b:1","ports":[{"containerPort":80}]}],"restartPolicy":"Never"}},"completions":4,"parallelism":2,"completionMode":"Indexed","backoffLimitPerIndex":1,"maxFailedIndexes":2,"podFailurePolicy":{"rules":[{"action":"FailIndex","onExitCodes":{"containerName":"c","operator":"In","values":[1,2]}},{"action":"Ignore","onPodConditions":[{"type":"DisruptionTarget","status":"True"}]}]},"successPolicy":{"rules":[{"succeededIndexes":"0,2"},{"succeededCount":1}]},"selector":{"matchLabels":{"a":"b"}},"manualSelector":true}}}"#,
        ];
        vary(&seeds, validate_pod);
    }

    #[test]
    fn protobuf_holds_together() {
        let pod: Pod = serde_json::from_str(POD).unwrap();
        vary(&[protobuf::message_to_vec(&pod), pod.to_protobuf()], pod_protobuf);
        let kind = std::sync::Arc::new(crate::KindInfo::guess("a/b", "C"));
        vary(&[pod.to_protobuf(), DynamicObject::new(kind).to_protobuf()], any_protobuf);
    }

    #[test]
    fn manifests_hold_together() {
        let yaml = "# c\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: &n p, labels: {a: *n}}\nspec:\n  <<: &b {hostNetwork: yes}\n  containers:\n  - name: c\n    args: ['a', \"b\\n\", |-\n      c\n    ]\n    env:\n    - {name: x, value: !!str 5}\n---\n{\"kind\": \"List\", \"items\": []}\n";
        vary(&[yaml, POD], manifest);
    }

    #[test]
    fn validated_objects_hold_together() {
        let cases = include_str!("validate/tests/right.yaml");
        let seeds: Vec<&str> = cases.split("\n---\n").collect();
        vary(&seeds, validate_any);
    }

    #[test]
    fn numbers_hold_together() {
        vary(
            &[
                "1.5Gi\n250m",
                "-123456789012345678901234567890.5e-7\n1e300",
                "9223372036854775807\n1n",
                "8Ei\n-0.1Ki",
                "+007\n.5",
            ],
            quantity,
        );
    }

    #[test]
    fn selectors_hold_together() {
        vary(&["a=b,c!=d,e in (f,,g),!h,i>5", "a notin (b),c", "x=a\\,b,y!=c\\\\,z==\\="], selectors);
    }
}
