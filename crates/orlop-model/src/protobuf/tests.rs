use super::*;
use crate::core::v1::{ConfigMapKeySelector, Container, PodSpec, Volume};
use crate::{IntOrString, Time, list};

/// Tag, length and content of a field of bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2, u8::try_from(content.len()).unwrap()];
    bytes.extend_from_slice(content);
    bytes
}

#[test]
fn unknown_fields_come_back() {
    // Numbers 100 of the message and of the volume source embedded in it, which keeps nothing itself.
    let unknown = [0xa0, 0x06, 0x07];
    let bytes = [field(1, b"v"), field(2, &unknown), unknown.to_vec()].concat();
    let volume: Volume = message_from_slice(&bytes).unwrap();
    assert_eq!(volume.name, "v");
    let written = message_to_vec(&volume);
    assert_eq!(message_from_slice::<Volume>(&written).unwrap(), volume);
    assert!(written.ends_with(&[field(2, &unknown), unknown.to_vec()].concat()), "{written:?}");
}

#[test]
fn fields_of_a_message_of_their_own() {
    let selector = ConfigMapKeySelector { name: "n".into(), key: "k".into(), ..Default::default() };
    let bytes = message_to_vec(&selector);
    assert_eq!(bytes, [field(1, &field(1, b"n")), field(2, b"k")].concat());
    assert_eq!(message_from_slice::<ConfigMapKeySelector>(&bytes).unwrap(), selector);
}

#[test]
fn numbers_may_be_packed() {
    let security = [field(4, &[1, 0x80, 1]), vec![4 << 3, 3]].concat();
    let read: crate::core::v1::PodSecurityContext = message_from_slice(&security).unwrap();
    assert_eq!(read.supplemental_groups, [1, 128, 3]);
}

#[test]
fn errors_name_the_field() {
    let error = |bytes: &[u8]| message_from_slice::<PodSpec>(bytes).unwrap_err().to_string();
    assert_eq!(error(&field(2, &field(1, b"\xff"))), "containers.name: a text is not UTF-8 at byte 4");
    assert_eq!(error(&[2 << 3 | 2, 200]), "containers: the message ends within a value at byte 1");
    assert_eq!(error(&[0x80; 11]), "a varint is longer than 64 bits at byte 0");
    assert_eq!(error(&[0x07]), "field number 0 does not exist at byte 0");
    assert_eq!(error(&[2 << 3]), "containers: wire type 0 for a message at byte 1");
    assert_eq!(from_slice::<crate::core::v1::Pod>(b"{}").unwrap_err().reason, WireError::NoEnvelope);
    let map = to_vec(&crate::core::v1::ConfigMap::default());
    let other = from_slice::<crate::core::v1::Pod>(&map).unwrap_err();
    assert_eq!(other.to_string(), "the object is v1, Kind=ConfigMap, expected v1, Kind=Pod at byte 0");
}

#[test]
fn nesting_is_limited() {
    // A group in a group costs no stack; messages in messages are counted.
    let mut groups = vec![99 << 3 | 3; 10];
    groups.truncate(0);
    (0..100_000).for_each(|_| groups.extend([0x9b, 0x06]));
    assert!(message_from_slice::<PodSpec>(&groups).is_err());
}

#[test]
fn zero_times_and_numbers() {
    let meta = crate::ObjectMeta { creation_timestamp: Some(Time::from_seconds(-1)), ..Default::default() };
    let bytes = message_to_vec(&meta);
    assert_eq!(message_from_slice::<crate::ObjectMeta>(&bytes).unwrap(), meta);
    let none = message_to_vec(&crate::ObjectMeta::default());
    assert!(none.windows(2).any(|pair| pair == [8 << 3 | 2, 0]), "a zero time is an empty message");
    let container = Container {
        ports: list![crate::core::v1::ContainerPort { container_port: -1, ..Default::default() }],
        liveness_probe: Some(Box::new(crate::core::v1::Probe {
            handler: crate::core::v1::ProbeHandler {
                http_get: Some(Box::new(crate::core::v1::HTTPGetAction {
                    port: IntOrString::from("web"),
                    ..Default::default()
                })),
                ..Default::default()
            },
            ..Default::default()
        })),
        ..Default::default()
    };
    assert_eq!(message_from_slice::<Container>(&message_to_vec(&container)).unwrap(), container);
}

#[test]
fn maps_come_in_any_order() {
    let entry = |key: &[u8], value: &[u8]| field(11, &[field(1, key), field(2, value)].concat());
    let annotation = field(12, &[field(1, b"x"), field(2, b"y")].concat());
    let bytes =
        [entry(b"b", b"1"), annotation, entry(b"a", b"2"), entry(b"c", b"3"), entry(b"b", b"4")].concat();
    let meta: crate::ObjectMeta = message_from_slice(&bytes).unwrap();
    let wanted = [("a", "2"), ("b", "4"), ("c", "3")].map(|(key, value)| (key, Str::from(value)));
    assert_eq!(meta.labels, crate::Map::from(wanted));
    assert_eq!(meta.annotations["x"], "y");
}
