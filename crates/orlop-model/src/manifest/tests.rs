use super::*;
use crate::core::v1::{ConfigMap, Pod};
use crate::downcast;

fn objects(text: &str) -> Vec<Arc<dyn AnyObject>> {
    read("f", text, &Scheme::builtin(), Fields::Strict).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn errors(text: &str) -> Vec<String> {
    let outcome = read("f", text, &Scheme::builtin(), Fields::Strict);
    outcome.map_or_else(|errors| errors.0.iter().map(ToString::to_string).collect(), |_| Vec::new())
}

#[test]
fn documents_of_all_forms_are_read() {
    let text = r#"
# a comment
---
apiVersion: v1
kind: Pod
metadata:
  name: &name web
  labels: {app: *name}
spec:
  containers:
  - name: c
    resources: {limits: {cpu: 0.5}}
    command: ["sh", "-c", 'exit 0']
---
---
{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": "a\u00e9"}}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: d}}
- apiVersion: v1
  kind: PodList
  items: [{metadata: {name: e}}]
"#;
    let objects = objects(text);
    let names: Vec<String> =
        objects.iter().map(|object| format!("{}/{}", object.kind().kind, object.meta().name)).collect();
    assert_eq!(names, ["Pod/web", "ConfigMap/c", "ConfigMap/d", "Pod/e"]);
    let pod = downcast::<Pod>(&objects[0]).unwrap();
    assert_eq!(pod.metadata.labels["app"], "web");
    assert_eq!(pod.spec.containers[0].resources.limits["cpu"].to_string(), "500m");
    assert_eq!(downcast::<ConfigMap>(&objects[1]).unwrap().data["k"], "aé");
}

#[test]
fn json_may_be_several_documents_too() {
    let one = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}"#;
    assert_eq!(objects(&format!("\u{feff} {one}\n{one}")).len(), 2);
    assert_eq!(objects("").len(), 0);
    assert_eq!(objects("# nothing\n").len(), 0);
    // YAML that only looks like JSON.
    assert_eq!(objects("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}").len(), 1);
}

#[test]
fn wrong_types_name_their_place() {
    let head = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w}\nspec:\n";
    assert_eq!(
        errors(&format!("{head}  replicas: three\n")),
        ["f:5:13: Deployment/w: spec.replicas: invalid type: string \"three\", expected i32"]
    );
    assert_eq!(
        errors(&format!(
            "{head}  template:\n    spec:\n      containers:\n      - name: a\n      - name: yes\n"
        )),
        [
            "f:9:15: Deployment/w: spec.template.spec.containers[1].name: invalid type: boolean `true`, expected a string"
        ]
    );
    assert_eq!(
        errors(
            "{\"apiVersion\": \"v1\", \"kind\": \"Pod\",\n \"metadata\": {\"name\": \"p\", \"labels\": []}}"
        ),
        ["f:2:38: Pod/p: metadata.labels: invalid type: sequence, expected a map"]
    );
    assert_eq!(
        errors(
            "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: p}, spec: 1}\n"
        ),
        ["f:4:58: Pod/p: items[0].spec: invalid type: integer `1`, expected an object"]
    );
}

#[test]
fn what_is_missing_or_unknown_is_named() {
    assert_eq!(errors("kind: Pod\nmetadata: {name: p}\n"), ["f:1:1: Pod/p: missing field \"apiVersion\""]);
    assert_eq!(errors("apiVersion: v1\n"), ["f:1:1: missing field \"kind\""]);
    assert_eq!(errors("apiVersion: v1\nkind: Pod\n"), ["f:1:1: Pod: missing field \"metadata.name\""]);
    assert_eq!(
        errors("apiVersion: v1\nkind: Pdo\nmetadata: {name: p}\n"),
        ["f:2:7: Pdo/p: no matches for kind \"Pdo\" in version \"v1\""]
    );
    assert_eq!(errors("- a\n"), ["f:1:1: not an object"]);
    assert_eq!(errors("text"), ["f:1:1: not an object"]);
    assert!(errors("apiVersion: v1\nkind: Pod\nmetadata: {generateName: p-}\n").is_empty());
}

#[test]
fn strict_reading_names_unknown_and_duplicate_fields() {
    let text = "apiVersion: v1
kind: Pod
metadata:
  name: p
  name: q
  labels: {a.b/c: d, a.b/c: e}
spec:
  foo: 1
  containers:
  - name: c
    imagePullPolice: Always
    resources:
      limit: {}
";
    assert_eq!(
        errors(text),
        [
            "f:5:3: Pod/q: duplicate field \"metadata.name\"",
            "f:6:22: Pod/q: duplicate field \"metadata.labels.a.b/c\"",
            "f:8:3: Pod/q: unknown field \"spec.foo\"",
            "f:11:5: Pod/q: unknown field \"spec.containers[0].imagePullPolice\"",
            "f:13:7: Pod/q: unknown field \"spec.containers[0].resources.limit\"",
        ]
    );
    let objects = read("f", text, &Scheme::builtin(), Fields::Lenient).unwrap();
    assert_eq!(objects[0].meta().name, "q");
    let value = objects[0].to_value().unwrap();
    assert_eq!(value["spec"]["foo"], 1);
}

#[test]
fn complaints_are_limited() {
    let fields: String = (0..5000).map(|number| format!("  u{number}: 1\n")).collect();
    let text = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n{fields}");
    assert_eq!(errors(&text).len(), MAX_COMPLAINTS);
}

#[test]
fn syntax_errors_have_a_place_and_do_not_hide_other_errors() {
    let found = errors("apiVersion: v1\nkind: Nope\nmetadata: {name: p}\n---\na: [1, 2\nb: }\n");
    assert_eq!(found.len(), 2);
    assert!(found[0].contains("no matches for kind"), "{found:?}");
    assert!(found[1].contains("syntax error"), "{found:?}");
    assert_eq!(errors("{\"a\": [1\n }"), ["f:2:2: syntax error: expected `,` or `]`, found '}'"]);
    let error = documents("f", b"a: \xff").unwrap_err().0.remove(0);
    assert_eq!((error.position.unwrap().column, error.reason), (4, ManifestReason::NotUtf8));
    for text in [
        "{",
        "[",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":\"",
        "{\"a\":\"\\",
        "a: *b",
        "a: &a [*a]",
        "? [a]\n: b",
        "? {}\n",
        "a: !!int x",
        "a: .nan",
        "<<: 5",
        "%",
        "---\n%YAML",
    ] {
        assert!(documents("f", text).is_err(), "{text:?}: {:?}", documents("f", text));
    }
}

#[test]
fn merges_and_tags_are_understood() {
    let text = "base: &base {a: 1, b: 2}\nmore: &more {b: 3, c: 4}\nout: {<<: [*base, *more], a: 5}\ns: !!str 5\nt: !custom x\n8: on\nyes: !!binary aGk=\n";
    let value = documents("f", text).unwrap()[0].to_value();
    assert_eq!(value["out"], serde_json::json!({"a": 5, "b": 2, "c": 4}));
    assert_eq!(
        (&value["s"], &value["t"], &value["8"], &value["true"]),
        (&"5".into(), &"x".into(), &true.into(), &"hi".into())
    );
}

#[test]
fn bombs_are_refused() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        laughs.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert_eq!(documents("f", &laughs).unwrap_err().0[0].reason, ManifestReason::TooLarge);

    let mut chain = "a0: &a0 [x]\n".to_owned();
    for level in 1..500 {
        chain.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert_eq!(documents("f", &chain).unwrap_err().0[0].reason, ManifestReason::TooDeep);

    let long = "x".repeat(100_000);
    let repeated = format!("a: &a {long}\nb: [{}]\n", vec!["*a"; 1000].join(", "));
    assert_eq!(documents("f", &repeated).unwrap_err().0[0].reason, ManifestReason::TooLarge);

    for (open, close) in [("[", "]"), ("{a: ", "}"), ("{\"a\":", "}"), ("- ", ""), ("{\"a\":[", "]}")] {
        let deep = format!("{}1{}", open.repeat(5000), close.repeat(5000));
        assert_eq!(documents("f", &deep).unwrap_err().0[0].reason, ManifestReason::TooDeep, "{open}");
    }
    assert_eq!(documents("f", "x".repeat(MAX_BYTES + 1)).unwrap_err().0[0].reason, ManifestReason::TooLarge);
}
