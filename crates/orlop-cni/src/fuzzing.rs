//! What the fuzz targets run: any input at all, and properties that hold for what is understood.

use crate::name::ArgumentNames;
use crate::skel::{Skeleton, dispatch};
use crate::version::{self, Version};
use crate::{NetworkList, VersionedResult};

/// The first line chooses a parser, the rest is its input: configuration lists, results of all versions, the plugin's
/// side of the protocol, versions and arguments.
///
/// # Panics
/// If what was read is not what is read after it was written, or a conversion gives what cannot be read.
pub fn cni(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    match first {
        "conflist" => conflist(rest),
        "skel" => skel(rest),
        "names" => names(rest),
        version if version::ALL.contains(&version) => result(version, rest),
        _ => {
            conflist(text);
            names(text);
        }
    }
}

fn conflist(text: &str) {
    let Ok(list) = NetworkList::parse(text) else { return };
    if list.plugins.is_empty() {
        return;
    }
    let again = NetworkList::parse(&list.to_json().to_string()).expect("what was read can be read again");
    assert_eq!(again.plugins, list.plugins);
    assert_eq!((&again.name, &again.cni_version), (&list.name, &list.cni_version));
    assert_eq!((again.disable_check, again.disable_gc), (list.disable_check, list.disable_gc));
    for plugin in &list.plugins {
        let config = list.config_for(plugin, &serde_json::Map::new(), None);
        assert_eq!(config["name"], list.name);
    }
}

fn result(version: &str, text: &str) {
    let Ok(result) = VersionedResult::parse(version, text) else { return };
    for target in version::ALL {
        // Below 0.3.0 there has to be an address.
        let Ok(converted) = result.clone().convert(target) else { continue };
        assert_eq!(converted.version(), target);
        let written = converted.to_json().to_string();
        // An address that is missing is written as nothing that can be read.
        if !written.contains("<nil>") {
            let again = VersionedResult::parse(target, &written).expect("what was converted can be read");
            assert_eq!(again.to_json(), converted.to_json());
        }
    }
    let current = result.into_current().expect("every version can be made the newest");
    let _ = current.addresses().count();
}

/// The first line is the command, the second the container, the third the interface, the rest standard input.
fn skel(text: &str) {
    let mut lines = text.splitn(4, '\n');
    let mut next = || lines.next().unwrap_or_default().to_owned();
    let (command, container, interface, stdin) = (next(), next(), next(), next());
    let env = |name: &str| match name {
        "CNI_COMMAND" => Some(command.clone()),
        "CNI_CONTAINERID" => Some(container.clone()),
        "CNI_IFNAME" => Some(interface.clone()),
        "CNI_NETNS" | "CNI_PATH" => Some("/x".to_owned()),
        _ => None,
    };
    let plugin = Skeleton {
        about: "a plugin",
        supported: &version::ALL,
        add: None,
        del: None,
        check: None,
        gc: None,
        status: None,
    };
    let served = dispatch(&plugin, env, stdin.as_bytes(), |_| false);
    if let Err(error) = served {
        assert!(error.code != 0 && !error.msg.is_empty());
    }
}

fn names(text: &str) {
    let (name, other) = text.split_once('\n').unwrap_or((text, ""));
    if crate::name::container_id(name).is_ok() {
        assert!(!name.contains(['/', ':', '\0']) && !name.starts_with('.'));
    }
    if crate::name::interface(name).is_ok() {
        assert!(name.len() < 16 && !name.contains(['/', ':']));
    }
    let _ = crate::name::network(name);
    let _ = ArgumentNames::new().text("A").flag("B").read(text);
    let _ = version::supported_by(text);
    if let (Ok(one), Ok(two)) = (Version::parse(name), Version::parse(other)) {
        assert_eq!(version::greater_than(name, other), Ok(one > two));
        assert_eq!(version::at_least(name, other), Ok(one >= two));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, proptest};

    use super::cni;

    fn seeds() -> Vec<Vec<u8>> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/cni");
        // A published crate comes without them.
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| std::fs::read(entry.path()).unwrap()).collect()
    }

    #[test]
    fn the_seeds_hold() {
        seeds().iter().for_each(|seed| cni(seed));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn so_do_their_mutations(which in any::<usize>(), changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6)) {
            let seeds = seeds();
            if let Some(seed) = seeds.get(which % seeds.len().max(1)) {
                let mut bytes = seed.clone();
                for (at, to) in changes {
                    let at = at % bytes.len();
                    match to {
                        0..64 => { bytes.remove(at); }
                        64..128 => bytes.insert(at, to),
                        _ => bytes[at] = to & 0x7f,
                    }
                    if bytes.is_empty() { break; }
                }
                cni(&bytes);
            }
        }
    }
}
