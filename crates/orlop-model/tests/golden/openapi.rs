//! OpenAPI schemas and discovery documents against Kubernetes' types and kinds.

use std::collections::BTreeMap;

use orlop_model::json;
use orlop_model::scheme::Scheme;
use serde_json::{Value, json};

use crate::facts;

/// The schemas of all groups and versions, by name.
fn ours(scheme: &Scheme) -> BTreeMap<String, Value> {
    let mut versions: Vec<String> = scheme.kinds().map(|kind| kind.api_version().into_owned()).collect();
    versions.dedup();
    let mut schemas = BTreeMap::new();
    for version in versions {
        let components = scheme.openapi(&version).expect("the version has kinds");
        for (name, schema) in components.schemas() {
            let before = schemas.insert(name.clone(), schema.clone());
            assert!(before.is_none_or(|before| before == *schema), "{name} differs between documents");
        }
    }
    schemas
}

/// What the schema of a field says, as far as the table tells.
struct Wanted<'a> {
    types: &'a Value,
    packages: &'a Value,
}

impl Wanted<'_> {
    fn name(&self, ty: &str) -> String {
        let (package, name) = ty.rsplit_once('.').unwrap_or(("", ty));
        format!("{}.{name}", self.packages[package]["openapi"].as_str().unwrap_or(package))
    }

    /// Type, format, reference or elements.
    fn of_type(&self, ty: &str, format: Option<&str>) -> Value {
        if let Some(item) = ty.strip_prefix("[]") {
            return json!({"type": "array", "items": self.of_type(item, format)});
        }
        if let Some(item) = ty.strip_prefix("map[string]") {
            return json!({"type": "object", "additionalProperties": self.of_type(item, format)});
        }
        let known = &self.types[ty];
        match (ty, known["k"].as_str()) {
            ("string", _) => with_format("string", format),
            ("bool", _) => with_format("boolean", format),
            ("int32" | "int64" | "uint8", _) => with_format("integer", Some(format.unwrap_or(ty))),
            ("float64", _) => with_format("number", Some("double")),
            ("bytes", _) => with_format("string", Some("byte")),
            (_, Some("alias")) => {
                let mut wanted = self.of_type(known["t"].as_str().unwrap_or_default(), format);
                if known["closed"] == true {
                    let mut values: Vec<_> = known["enum"].as_array().cloned().unwrap_or_default();
                    values.sort_by(|left, right| left.as_str().cmp(&right.as_str()));
                    wanted["enum"] = values.into();
                }
                wanted
            }
            _ => json!({"$ref": format!("#/components/schemas/{}", self.name(ty))}),
        }
    }

    fn property(&self, field: &Value) -> Value {
        let text = |key: &str| field[key].as_str();
        let format = text("fmt").or(text("itemfmt"));
        let mut wanted = self.of_type(text("t").unwrap_or_default(), format);
        for (key, name) in [
            ("def", "default"),
            ("lt", "x-kubernetes-list-type"),
            ("lk", "x-kubernetes-list-map-keys"),
            ("mt", "x-kubernetes-map-type"),
            ("ps", "x-kubernetes-patch-strategy"),
            ("mk", "x-kubernetes-patch-merge-key"),
        ] {
            if !field[key].is_null() {
                wanted[name] = field[key].clone();
            }
        }
        wanted
    }

    /// Adds the properties of a struct and of those embedded in it.
    fn properties(&self, ty: &str, found: &mut BTreeMap<String, Value>, required: &mut Vec<String>) {
        for (name, field) in self.types[ty]["f"].as_object().into_iter().flatten() {
            if let Some(embedded) = name.strip_prefix('<') {
                let inner = match field["t"].as_str().unwrap_or(embedded.trim_end_matches('>')) {
                    // Has no schema of its own, so the table tells less of it; its fields are those of containers.
                    "core/v1.EphemeralContainerCommon" => "core/v1.Container",
                    inner => inner,
                };
                self.properties(inner, found, required);
                continue;
            }
            if field["json"] == false {
                continue;
            }
            found.insert(name.clone(), self.property(field));
            if field["req"] == true {
                required.push(name.clone());
            }
        }
    }
}

fn with_format(ty: &str, format: Option<&str>) -> Value {
    match format {
        Some(format) => json!({"type": ty, "format": format}),
        None => json!({"type": ty}),
    }
}

/// The parts of our schema that the table tells of: no descriptions, no defaults of elements, no wrapping.
fn compared(schema: &Value, is_item: bool) -> Value {
    let mut kept = serde_json::Map::new();
    for (key, value) in schema.as_object().into_iter().flatten() {
        match key.as_str() {
            "description" => {}
            "default" if is_item => {}
            "allOf" => drop(kept.insert("$ref".to_owned(), value[0]["$ref"].clone())),
            "items" | "additionalProperties" => drop(kept.insert(key.clone(), compared(value, true))),
            _ => drop(kept.insert(key.clone(), value.clone())),
        }
    }
    Value::Object(kept)
}

#[test]
fn schemas_are_those_of_kubernetes() {
    let Some(facts) = facts::schema() else {
        return;
    };
    let wanted = Wanted { types: &facts["types"], packages: &facts["packages"] };
    let ours = ours(&Scheme::builtin());
    let by_name: BTreeMap<String, &String> =
        facts["types"].as_object().into_iter().flatten().map(|(ty, _)| (wanted.name(ty), ty)).collect();
    let (mut misses, mut checked) = (Vec::new(), 0);
    for (name, schema) in &ours {
        let Some(ty) = by_name.get(name).filter(|ty| facts["types"][ty.as_str()]["k"] == "struct") else {
            continue;
        };
        if schema["description"].as_str().is_none_or(str::is_empty) {
            misses.push(format!("{name}: no description"));
        }
        let (mut properties, mut required) = (BTreeMap::new(), Vec::new());
        wanted.properties(ty, &mut properties, &mut required);
        let empty = serde_json::Map::new();
        let got = schema["properties"].as_object().unwrap_or(&empty);
        for (field, want) in &properties {
            checked += 1;
            match got.get(field) {
                None => misses.push(format!("{name}.{field}: missing")),
                Some(got) if compared(got, false) != *want => {
                    misses.push(format!("{name}.{field}: wanted {want}, got {}", compared(got, false)));
                }
                Some(got) if got["description"].as_str().is_none_or(str::is_empty) => {
                    misses.push(format!("{name}.{field}: no description"));
                }
                Some(_) => {}
            }
        }
        misses.extend(
            got.keys()
                .filter(|key| !properties.contains_key(*key))
                .map(|key| format!("{name}.{key}: too much")),
        );
        let mut got: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        got.sort_unstable();
        required.sort();
        if got != required {
            misses.push(format!("{name}: wanted required {required:?}, got {got:?}"));
        }
        let facts = &facts["types"][ty.as_str()];
        if schema["x-kubernetes-map-type"] != facts["mt"] || schema["x-kubernetes-unions"] != facts["unions"]
        {
            misses.push(format!("{name}: map type or unions differ"));
        }
    }
    println!("{checked} properties of {} schemas", ours.len());
    assert!(misses.is_empty(), "{} misses\n{}", misses.len(), misses.join("\n"));
    assert!(checked > 1500, "only {checked} properties were compared");
}

#[test]
fn resources_are_those_of_kubernetes() {
    let Some(facts) = facts::schema() else {
        return;
    };
    let scheme = Scheme::builtin();
    // Stored by Kubernetes in an older version than the one that is served.
    let older = ["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "CustomResourceDefinition"];
    let mut misses = Vec::new();
    for kind in facts["kinds"].as_array().expect("kinds") {
        let text = |key: &str| kind[key].as_str().unwrap_or_default();
        let api_version = match text("group") {
            "" => text("version").to_owned(),
            group => format!("{group}/{}", text("version")),
        };
        let Some(list) = scheme.api_resources(&api_version) else {
            continue;
        };
        let list: Value = serde_json::from_slice(&json::to_vec(&list)).expect("JSON");
        let find = |name: &str| {
            list["resources"]
                .as_array()
                .into_iter()
                .flatten()
                .find(|resource| resource["name"] == name)
                .cloned()
        };
        let absent_if_empty = |value: &Value| {
            if value.as_array().is_some_and(Vec::is_empty) { Value::Null } else { value.clone() }
        };
        let mut wanted = json!({
            "name": kind["plural"], "singularName": kind["singular"], "namespaced": kind["namespaced"],
            "kind": kind["kind"], "verbs": kind["verbs"], "shortNames": absent_if_empty(&kind["short"]),
            "categories": absent_if_empty(&kind["categories"]), "storageVersionHash": kind["hash"],
        });
        let mut got = find(text("plural")).unwrap_or_default();
        for document in [&mut wanted, &mut got] {
            let fields = document.as_object_mut().into_iter().flat_map(|fields| fields.iter_mut());
            for (key, value) in fields {
                if key == "storageVersionHash" && older.contains(&text("kind")) {
                    *value = Value::Null;
                }
            }
            if let Some(fields) = document.as_object_mut() {
                fields.retain(|_, value| !value.is_null());
            }
        }
        if wanted != got {
            misses.push(format!("{}: wanted {wanted}, got {got}", text("kind")));
        }
        for (name, sub) in kind["sub"].as_object().into_iter().flatten() {
            let mut wanted = json!({
                "name": format!("{}/{name}", text("plural")), "singularName": "",
                "namespaced": kind["namespaced"], "kind": sub["kind"], "verbs": sub["verbs"],
            });
            for key in ["group", "version"] {
                if !sub[key].is_null() {
                    wanted[key] = sub[key].clone();
                }
            }
            let got = find(&format!("{}/{name}", text("plural"))).unwrap_or_default();
            if wanted != got {
                misses.push(format!("{}/{name}: wanted {wanted}, got {got}", text("kind")));
            }
        }
    }
    let groups: Vec<String> = scheme.api_groups().groups.iter().map(|group| group.name.to_string()).collect();
    assert!(groups.contains(&"apps".to_owned()) && !groups.contains(&String::new()), "{groups:?}");
    assert_eq!(scheme.api_versions().versions, ["v1".into()]);
    assert_eq!(scheme.api_group("autoscaling").preferred_version.version, "v2");
    let aggregated = scheme.discovery(true);
    let pods = aggregated.items[0].versions[0].resources.iter().find(|resource| resource.resource == "pods");
    let log = pods.and_then(|pods| pods.subresources.iter().find(|sub| sub.subresource == "log"));
    assert_eq!(log.map(|log| log.verbs.len()), Some(1));
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}
