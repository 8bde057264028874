//! Kinds that no vectors reach, from manifests: `right.yaml` holds what is in order, one object of each kind.

use super::*;
use crate::fuzzing::validate_document;
use crate::manifest::documents;

fn errors(manifest: &str) -> Vec<String> {
    let documents = documents("test", manifest).unwrap();
    let errors = validate_document(&documents[0])
        .unwrap_or_else(|| panic!("there are no rules for the kind of {manifest}"));
    let mut texts: Vec<String> = errors
        .iter()
        .map(|error| {
            let detail: String = error.detail.chars().take(60).collect();
            format!("{} {}: {detail}", error.kind.as_str(), error.field)
                .trim_end_matches([':', ' '])
                .to_owned()
        })
        .collect();
    texts.sort();
    texts
}

#[test]
fn what_is_right_passes() {
    for manifest in include_str!("right.yaml").split("\n---\n") {
        assert_eq!(errors(manifest), [""; 0], "{manifest}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let cases: &[(&str, &[&str])] = &[
        (
            "{apiVersion: networking.k8s.io/v1, kind: IPAddress, metadata: {name: 10.0.0.01}, spec: {parentRef: {group: A}}}",
            &[
                "Invalid metadata.name: must not have leading 0s",
                "Invalid spec.parentRef.group: a lowercase RFC 1123 subdomain must consist of lower case al",
                "Required spec.parentRef.name",
                "Required spec.parentRef.resource",
            ],
        ),
        (
            "{apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {name: k}, spec: {cidrs: [10.0.0.0/16, 10.1.0.0/16]}}",
            &["Invalid spec.cidrs: may specify no more than one IP for each IP family, i.e 192."],
        ),
        (
            "{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: k}, spec: {controller: x, parameters: {kind: A, name: b, scope: Cluster, namespace: one}}}",
            &[
                "Forbidden spec.parameters.namespace: `parameters.scope` is set to 'Cluster'",
                "Invalid spec.controller: must be a domain-prefixed path (such as \"acme.io/foo\")",
            ],
        ),
        (
            "{apiVersion: storage.k8s.io/v1, kind: CSINode, metadata: {name: k}, spec: {drivers: [{name: a, nodeID: ''}, {name: a, nodeID: x, topologyKeys: [b, b], allocatable: {count: -1}}]}}",
            &[
                "Duplicate spec.drivers[1]",
                "Duplicate spec.drivers[1].name",
                "Invalid spec.drivers[1].allocatable.count: must be greater than or equal to 0",
                "Required spec.drivers[0].nodeID",
            ],
        ),
        (
            "{apiVersion: storage.k8s.io/v1, kind: VolumeAttachment, metadata: {name: k}, spec: {attacher: a, nodeName: one, source: {inlineVolumeSpec: {capacity: {storage: 1}, nfs: {server: s, path: p}}}}}",
            &[
                "Forbidden spec.source.inlineVolumeSpec.capacity: may not be specified in the context of inline volumes",
                "Invalid spec.source.inlineVolumeSpec.nfs.path: must be an absolute path",
                "Required spec.source.inlineVolumeSpec.accessModes",
                "Required spec.source.inlineVolumeSpec.csi: has to be specified in the context of inline volumes",
            ],
        ),
        (
            "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: a%b}, rules: [{nonResourceURLs: [/x], apiGroups: [a]}, {verbs: [get]}]}",
            &[
                "Invalid metadata.name: may not contain '%'",
                "Invalid rules[0].nonResourceURLs: namespaced rules cannot apply to non-resource URLs",
                "Invalid rules[0].nonResourceURLs: rules cannot apply to both regular resources and non-resourc",
                "Required rules[0].verbs: verbs must contain at least one value",
                "Required rules[1].apiGroups: resource rules must supply at least one api group",
                "Required rules[1].resources: resource rules must supply at least one resource",
            ],
        ),
        (
            "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: a}, roleRef: {apiGroup: x, kind: Role, name: ''}, subjects: [{kind: ServiceAccount, name: s}, {kind: X}]}",
            &[
                "NotSupported roleRef.apiGroup: supported values: \"rbac.authorization.k8s.io\"",
                "NotSupported roleRef.kind: supported values: \"ClusterRole\"",
                "NotSupported subjects[1].kind: supported values: \"ServiceAccount\", \"User\", \"Group\"",
                "Required roleRef.name",
                "Required subjects[0].namespace",
                "Required subjects[1].name",
            ],
        ),
        (
            "{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: r}, handler: A, overhead: {podFixed: {gpu: 1}}}",
            &[
                "Invalid handler: a lowercase RFC 1123 label must consist of lower case alphan",
                "Invalid overhead.limits[gpu]: must be a standard resource for containers",
                "Invalid overhead.limits[gpu]: must be a standard resource type or fully qualified",
            ],
        ),
        (
            "{apiVersion: v1, kind: Event, metadata: {name: e, namespace: x}, involvedObject: {namespace: other}}",
            &["Invalid involvedObject.namespace: does not match event.namespace"],
        ),
        (
            "{apiVersion: events.k8s.io/v1, kind: Event, metadata: {name: e}, regarding: {namespace: default}, type: X, deprecatedCount: 1, series: {count: 1}}",
            &[
                "Invalid count: needs to be unset",
                "Invalid series.count: should be at least 2",
                "Invalid type: has invalid value: X",
                "Required eventTime",
                "Required series.lastObservedTime",
            ],
        ),
        (
            "{apiVersion: v1, kind: Endpoints, metadata: {name: e}, subsets: [{}, {addresses: [{ip: 127.0.0.1}], ports: [{port: 0}, {name: a, port: 1, protocol: X}]}]}",
            &[
                "Invalid subsets[1].addresses[0].ip: may not be in the loopback range (127.0.0.0/8, ::1/128)",
                "Invalid subsets[1].ports[0].port: must be between 1 and 65535, inclusive",
                "NotSupported subsets[1].ports[1].protocol: supported values: \"SCTP\", \"TCP\", \"UDP\"",
                "Required subsets[0]: must specify `addresses` or `notReadyAddresses`",
                "Required subsets[1].ports[0].name",
            ],
        ),
        (
            "{apiVersion: certificates.k8s.io/v1, kind: CertificateSigningRequest, metadata: {name: c}, spec: {request: QQ==, signerName: a/b, usages: [x, x], expirationSeconds: 5}}",
            &[
                "Duplicate spec.usages[1]",
                "Invalid spec.expirationSeconds: may not specify a duration less than 600 seconds (10 minutes",
                "Invalid spec.request: PEM block type must be CERTIFICATE REQUEST",
                "Invalid spec.signerName: should be a domain with at least two segments separated by d",
                "NotSupported spec.usages[0]: supported values: \"any\", \"cert sign\", \"client auth\", \"code s",
                "NotSupported spec.usages[1]: supported values: \"any\", \"cert sign\", \"client auth\", \"code s",
            ],
        ),
        (
            "{apiVersion: authorization.k8s.io/v1, kind: SelfSubjectAccessReview, metadata: {name: c}, spec: {}}",
            &[
                "Invalid metadata: must be empty",
                "Invalid spec.resourceAttributes: exactly one of nonResourceAttributes or resourceAttributes m",
            ],
        ),
        (
            "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: w}, webhooks: [{name: a, clientConfig: {url: 'http://u@/x?y#z'}, rules: [{operations: [CREATE, '*'], apiGroups: ['', '*'], apiVersions: [''], resources: ['*/*', pods, '*/x', 'a/x']}], timeoutSeconds: 0}]}",
            &[
                "Invalid webhooks[0].clientConfig.url: 'https' is the only allowed URL scheme; desired format: http",
                "Invalid webhooks[0].clientConfig.url: fragments are not permitted in the URL",
                "Invalid webhooks[0].clientConfig.url: host must be specified; desired format: https://host[/path]",
                "Invalid webhooks[0].clientConfig.url: query parameters are not permitted in the URL",
                "Invalid webhooks[0].clientConfig.url: user information is not permitted in the URL",
                "Invalid webhooks[0].name: should be a domain with at least three segments separated by",
                "Invalid webhooks[0].rules[0].apiGroups: if '*' is present, must not specify other API groups",
                "Invalid webhooks[0].rules[0].operations: if '*' is present, must not specify other operations",
                "Invalid webhooks[0].rules[0].resources: if '*/*' is present, must not specify other resources",
                "Invalid webhooks[0].rules[0].resources[2]: if '*/*' is present, must not specify */x",
                "Invalid webhooks[0].rules[0].resources[3]: if '*/x' is present, must not specify a/x",
                "Invalid webhooks[0].timeoutSeconds: the timeout value must be between 1 and 30 seconds",
                "Required webhooks[0].admissionReviewVersions: must specify one of v1, v1beta1",
                "Required webhooks[0].rules[0].apiVersions[0]",
                "Required webhooks[0].sideEffects: must specify one of None, NoneOnDryRun",
            ],
        ),
        (
            "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: b}, spec: {validationActions: [Deny, Warn, Warn], paramRef: {}}}",
            &[
                "Duplicate spec.validationActions[2]",
                "Invalid spec.validationActions: must not contain both Deny and Warn (repeating the same vali",
                "Required spec.paramRef.parameterNotFoundAction",
                "Required spec.paramRef: one of name or selector must be specified",
                "Required spec.policyName",
            ],
        ),
        (
            "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: x}, spec: {group: dev, scope: X, names: {plural: a, kind: 'B!'}, versions: [{name: V1, served: true, storage: false, schema: {openAPIV3Schema: {type: string, properties: {a: {}, b: {type: array}, c: {type: object, properties: {x: {type: string}}, additionalProperties: {type: string}, uniqueItems: true, allOf: [{description: x}]}}}}}]}}",
            &[
                "Forbidden spec.versions[0].schema.openAPIV3Schema.properties[c].additionalProperties: additionalProperties and properties are mutual exclusive",
                "Forbidden spec.versions[0].schema.openAPIV3Schema.properties[c].allOf[0].description: must be empty to be structural",
                "Forbidden spec.versions[0].schema.openAPIV3Schema.properties[c].uniqueItems: uniqueItems cannot be set to true since the runtime complexi",
                "Invalid metadata.name: must be spec.names.plural+\".\"+spec.group",
                "Invalid spec.group: should be a domain with at least one dot",
                "Invalid spec.names.kind: may have mixed case, but should otherwise match: a DNS-1035",
                "Invalid spec.names.listKind: may have mixed case, but should otherwise match: a DNS-1035",
                "Invalid spec.names.singular: a DNS-1035 label must consist of lower case alphanumeric cha",
                "Invalid spec.versions: must have exactly one version marked as storage version",
                "Invalid spec.versions[0].name: a DNS-1035 label must consist of lower case alphanumeric cha",
                "Invalid spec.versions[0].schema.openAPIV3Schema.type: must be object at the root",
                "Invalid status.storedVersions: must have at least one stored version",
                "NotSupported spec.scope: supported values: \"Cluster\", \"Namespaced\"",
                "Required spec.versions[0].schema.openAPIV3Schema.properties[a].type: must not be empty for specified object fields",
                "Required spec.versions[0].schema.openAPIV3Schema.properties[b].items: must be specified",
            ],
        ),
    ];
    let misses: Vec<String> = cases
        .iter()
        .map(|(manifest, wanted)| (manifest, wanted, errors(manifest)))
        .filter(|(_, wanted, got)| got != *wanted)
        .map(|(manifest, wanted, got)| format!("{manifest}\n  wanted {wanted:#?}\n  got {got:#?}"))
        .collect();
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}

#[test]
fn services_keep_what_they_were_given() {
    use crate::core::v1::{Service, ServiceType};
    use crate::defaults::SetDefaults;
    use crate::prepare::{Prepare, complete_addresses};

    let text = r#"{"metadata": {"name": "s"}, "spec": {"type": "NodePort", "clusterIP": "10.0.0.1", "ports": [{"port": 80, "nodePort": 30080}]}}"#;
    let mut old: Service = serde_json::from_str(text).unwrap();
    old.set_defaults();
    complete_addresses(&mut old, None);
    assert_eq!(old.spec.cluster_ips, ["10.0.0.1".into()]);

    let mut new = old.clone();
    new.spec.cluster_ip = "".into();
    new.spec.cluster_ips.clear();
    new.spec.ports[0].node_port = 0;
    complete_addresses(&mut new, Some(&old));
    assert_eq!(new.spec, old.spec);

    new.spec.type_ = ServiceType::ExternalName;
    new.spec.external_name = "example.com".into();
    complete_addresses(&mut new, Some(&old));
    new.prepare_for_update(&old);
    assert_eq!((new.spec.cluster_ip.as_str(), new.spec.ports[0].node_port), ("", 0));
    assert_eq!(new.spec.external_traffic_policy.as_str(), "");
}

#[test]
fn addresses_in_other_notations_are_pointed_out() {
    let text = |check: fn(&mut Vec<String>, &str, &str), value: &str| {
        let mut warnings = Vec::new();
        check(&mut warnings, "f", value);
        warnings.join("; ")
    };
    for (value, warning) in [
        ("10.0.0.1", ""),
        ("2001:db8::1", ""),
        (
            "10.0.0.01",
            "f: non-standard IP address \"10.0.0.01\" will be considered invalid in a future Kubernetes release: use \"10.0.0.1\"",
        ),
        (
            "::ffff:10.0.0.1",
            "f: non-standard IP address \"::ffff:10.0.0.1\" will be considered invalid in a future Kubernetes release: use \"10.0.0.1\"",
        ),
        (
            "2001:DB8:0::1",
            "f: IPv6 address \"2001:DB8:0::1\" should be in RFC 5952 canonical format (\"2001:db8::1\")",
        ),
    ] {
        assert_eq!(text(address::address_warnings, value), warning);
    }
    for (value, warning) in [
        ("10.0.0.0/8", ""),
        (
            "10.0.0.1/8",
            "f: CIDR value \"10.0.0.1/8\" is ambiguous in this context (should be \"10.0.0.0/8\" or \"10.0.0.1/32\"?)",
        ),
        (
            "::ffff:10.0.0.0/104",
            "f: non-standard CIDR value \"::ffff:10.0.0.0/104\" will be considered invalid in a future Kubernetes release: use \"10.0.0.0/8\"",
        ),
        (
            "2001:DB8::/32",
            "f: IPv6 CIDR value \"2001:DB8::/32\" should be in RFC 5952 canonical format (\"2001:db8::/32\")",
        ),
    ] {
        assert_eq!(text(address::network_warnings, value), warning);
    }
}
