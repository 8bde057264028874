use super::*;
use crate::core::v1::{Affinity, NodeAffinity, NodeSelector, NodeSelectorTerm, PodSpec};

fn labels(pairs: &[(&str, &str)]) -> Map<Str> {
    pairs.iter().map(|(key, value)| (*key, Str::from(*value))).collect()
}

#[test]
fn any_text_is_refused_or_read_and_read_again() {
    for text in
        ["", "a", "!a", "a=b", "a==b,c!=d", "a in (x,,y)", "a notin (,)", "a>5,b<7", "in in (in)", "notin"]
    {
        let selector: Selector = text.parse().unwrap();
        assert_eq!(
            selector.to_string().parse::<Selector>().unwrap().to_string(),
            selector.to_string(),
            "{text}"
        );
    }
    for text in [
        "!", "!!a", "a,", ",", "a in", "a in (", "a in (b", "a in b", "a=b=c", "(", "a\0b", "=", "a=>1",
        "\u{e9}",
    ] {
        assert!(text.parse::<Selector>().is_err(), "{text:?}");
    }
    assert_eq!("a".repeat(2 << 20).parse::<Selector>(), Err(SelectorError::TooLong));
}

#[test]
fn nothing_is_not_everything() {
    let none = labels(&[]);
    assert!(Selector::everything().matches(&none) && !Selector::nothing().matches(&none));
    assert!(Selector::from_object(None).unwrap().is_nothing());
    assert!(
        Selector::nothing().and([Requirement::new("a", Operator::DoesNotExist, []).unwrap()]).is_nothing()
    );
}

#[test]
fn selectors_know_their_only_value() {
    let selector: Selector = "app in (web),tier in (a,b)".parse().unwrap();
    assert_eq!(selector.only_value("app").unwrap(), "web");
    assert_eq!(selector.only_value("tier"), None);
    let fields: FieldSelector = "metadata.name=a\\,b,status.phase!=Failed".parse().unwrap();
    assert_eq!(fields.only_value("metadata.name").unwrap(), "a,b");
    assert_eq!(fields.to_string(), "metadata.name=a\\,b,status.phase!=Failed");
}

#[test]
fn a_pod_requires_both_selector_and_affinity() {
    let term: NodeSelectorTerm = serde_json::from_value(serde_json::json!({
        "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}],
    }))
    .unwrap();
    let affinity = NodeAffinity {
        required_during_scheduling_ignored_during_execution: Some(Box::new(NodeSelector {
            node_selector_terms: [NodeSelectorTerm::default(), term].into_iter().collect(),
            ..NodeSelector::default()
        })),
        ..NodeAffinity::default()
    };
    let pod = PodSpec {
        node_selector: labels(&[("disk", "ssd")]),
        affinity: Some(Box::new(Affinity { node_affinity: Some(Box::new(affinity)), ..Affinity::default() })),
        ..PodSpec::default()
    };
    let required = RequiredNodeAffinity::new(&pod);
    assert_eq!(required.affinity().unwrap().only_names().unwrap(), ["n1"]);
    assert!(required.matches_labels("n1", &labels(&[("disk", "ssd")])).unwrap());
    assert!(!required.matches_labels("n1", &labels(&[])).unwrap());
    assert!(!required.matches_labels("n2", &labels(&[("disk", "ssd")])).unwrap());
    assert!(RequiredNodeAffinity::new(&PodSpec::default()).matches_labels("any", &labels(&[])).unwrap());
}
