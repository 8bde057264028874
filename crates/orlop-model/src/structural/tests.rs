use serde_json::{Value, json};

use super::Structural;

fn structural(schema: Value) -> Structural {
    Structural::new(serde_json::from_value(schema).unwrap())
}

#[test]
fn defaults_go_where_something_is_missing() {
    let schema = structural(json!({"properties": {
        "a": {"type": "object", "default": {}, "properties": {"b": {"type": "integer", "default": 1}}},
        "l": {"items": {"type": "object", "properties": {"c": {"default": "x"}}}},
        "m": {"additionalProperties": {"default": 5}},
        "n": {"type": "string", "nullable": true, "default": "n"},
        "o": {"type": "string"},
    }}));
    let mut object = json!({"l": [{}, {"c": null}], "m": {"k": null}, "n": null, "o": null});
    schema.set_defaults(&mut object);
    let wanted = json!({"a": {"b": 1}, "l": [{"c": "x"}, {"c": "x"}], "m": {"k": 5}, "n": null});
    assert_eq!(object, wanted);
    schema.set_defaults(&mut object);
    assert_eq!(object, wanted);
}

#[test]
fn what_is_not_declared_is_pruned() {
    let schema = structural(json!({"properties": {
        "spec": {"type": "object", "properties": {
            "l": {"type": "array", "items": {"type": "object", "properties": {"a": {}}}},
            "p": {"x-kubernetes-preserve-unknown-fields": true, "properties": {"q": {"type": "object"}}},
            "e": {"type": "object", "x-kubernetes-embedded-resource": true},
            "m": {"type": "object", "additionalProperties": true},
        }},
    }}));
    let mut object = json!({"kind": "K", "metadata": {"x": 1}, "other": 1, "spec": {
        "l": [{"a": 1, "b": 2}], "p": {"x": 1, "q": {"y": 1}}, "e": {"kind": "E", "z": 1}, "m": {"k": 1},
    }});
    assert_eq!(schema.prune(&mut object), ["other", "spec.e.z", "spec.l[0].b", "spec.p.q.y"]);
    assert_eq!(
        object,
        json!({"kind": "K", "metadata": {"x": 1}, "spec": {
            "l": [{"a": 1}], "p": {"x": 1, "q": {}}, "e": {"kind": "E"}, "m": {"k": 1},
        }})
    );
}

#[test]
fn faults_are_told_as_kubernetes_tells_them() {
    let schema = structural(json!({"type": "object", "required": ["metadata", "v"], "properties": {"v": {
        "type": "object",
        "properties": {
            "integer": {"type": "integer", "maximum": 5, "exclusiveMaximum": true},
            "many": {"type": "array", "maxItems": 1, "items": {"type": "string"}},
            "set": {"type": "array", "x-kubernetes-list-type": "set"},
            "map": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]},
            "text": {"type": "string", "maxLength": 3, "pattern": "^a", "enum": ["abc", "b"]},
            "time": {"type": "string", "format": "date-time"},
            "either": {"x-kubernetes-int-or-string": true},
            "one": {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        },
    }}}));
    for (value, wanted) in [
        (
            json!({"integer": "x"}),
            vec![
                r#"v.integer: Invalid value: "string": v.integer in body must be of type integer: "string""#,
            ],
        ),
        (json!({"integer": 5}), vec!["v.integer: Invalid value: 5: v.integer in body should be less than 5"]),
        (json!({"integer": 4}), vec![]),
        (json!({"many": ["a", "b"]}), vec!["v.many: Too many: 2: must have at most 1 item"]),
        (json!({"set": [1, 2, 1]}), vec!["v.set[2]: Duplicate value: 1"]),
        (json!({"map": [{"k": 1}, {"k": 1, "x": 2}]}), vec![r#"v.map[1]: Duplicate value: {"k":1}"#]),
        (json!({"text": "b"}), vec![r#"v.text: Invalid value: "b": v.text in body should match '^a'"#]),
        (json!({"text": "ac"}), vec![r#"v.text: Unsupported value: "ac": supported values: "abc", "b""#]),
        (
            json!({"time": "x"}),
            vec![r#"v.time: Invalid value: "x": v.time in body must be of type date-time: "x""#],
        ),
        (json!({"time": "2026-03-01T12:00:00Z", "either": 1}), vec![]),
        (
            json!({"either": true}),
            vec![
                r#"v.either: Invalid value: "boolean": v.either in body must be of type integer,string: "boolean""#,
            ],
        ),
        (
            json!({"one": {"a": 1, "b": 1}}),
            vec![
                r#"<nil>: Invalid value: "": "v.one" must validate one and only one schema (oneOf). Found 2 valid alternatives"#,
            ],
        ),
    ] {
        let errors = schema.validate(&json!({"v": value}));
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        texts.sort_unstable();
        assert_eq!(texts, wanted, "{value}");
    }
    assert_eq!(schema.validate(&json!({})).len(), 1);
}
