//! What is there in a host: every link, address, route, table, element and file.

use std::collections::BTreeSet;
use std::path::Path;

use orlop_netlink::Rtnl;
use orlop_netlink::nft::{Family, Nft};

use crate::fixture::Host;

/// Everything, as text, so that two looks can be compared.
pub(crate) fn everything(host: &Host) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut rtnl = Rtnl::open_in(&host.netns).unwrap();
    let links = rtnl.links().unwrap();
    all.extend(links.iter().map(|link| format!("link {}", link.name)));
    all.extend(rtnl.addresses().unwrap().into_iter().map(|address| format!("address {address:?}")));
    all.extend(rtnl.routes().unwrap().into_iter().map(|route| format!("route {route:?}")));
    let mut nft = Nft::open_in(&host.netns).unwrap();
    for family in [Family::Inet, Family::Ip4, Family::Ip6, Family::Bridge] {
        for table in nft.tables(family).unwrap() {
            all.insert(format!("table {family:?} {table}"));
            for set in nft.sets(family, &table).unwrap() {
                let elements = nft.elements(family, &table, &set).unwrap();
                all.extend(
                    elements.into_iter().map(|element| format!("element {family:?} {set} {element:?}")),
                );
            }
        }
    }
    files(host.folder.path(), &mut all);
    all
}

fn files(folder: &Path, all: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, all);
        } else {
            all.insert(format!("file {}", path.display()));
        }
    }
}

/// Descriptors of this process.
pub(crate) fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}
