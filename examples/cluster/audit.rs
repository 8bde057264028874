//! What is left on this machine of any run, seen from outside: without the records of a run, and as whoever asks.

use std::fs;
use std::path::{Path, PathBuf};

use orlop_netlink::nft::{Family, Nft};

use crate::linux::FOLDER;
use crate::output::Output;
use crate::payload::ROLE;

/// How the names of the nodes' networks and cgroups begin.
const NETWORK: &str = "orlop-linux-";
/// The table of packet rules.
const TABLE: &str = "orlop-cni";

/// Says what is left; whether nothing is.
pub(crate) fn run(output: &Output) -> bool {
    let mut left = files();
    left.extend(mounts());
    left.extend(processes());
    left.extend(cgroups());
    left.extend(links());
    let seen = match rules() {
        Ok(rules) => {
            left.extend(rules);
            "address, rule or file"
        }
        Err(why) => {
            output.say(&format!("packet rules cannot be seen: {why}"));
            "address or file"
        }
    };
    left.iter().for_each(|left| output.say(&format!("left: {left}")));
    if left.is_empty() {
        output.say(&format!("no process, mount, cgroup, namespace, link, {seen} is left"));
    }
    left.is_empty()
}

fn names(folder: impl AsRef<Path>) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    names
}

fn text(path: impl AsRef<Path>) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn files() -> Vec<String> {
    let folder = std::env::temp_dir();
    let ours = names(&folder).into_iter().filter(|name| name.starts_with(FOLDER));
    ours.map(|name| format!("files {}", folder.join(name).display())).collect()
}

/// Those of namespaces of network, IPC and host name are among them.
fn mounts() -> Vec<String> {
    let points = text("/proc/self/mountinfo");
    let points = points.lines().filter_map(|line| line.split(' ').nth(4));
    points
        .filter(|point| point.contains(&format!("/{FOLDER}")))
        .map(|point| format!("mount {point}"))
        .collect()
}

/// Agents, what they run in pods, and what keeps pid namespaces of pods. The environment of other users' processes can be
/// seen by root alone.
fn processes() -> Vec<String> {
    let own = std::process::id();
    let program = fs::canonicalize("/proc/self/exe").unwrap_or_default();
    let role = format!("{ROLE}=");
    let is_ours = |pid: &u32| {
        let of = |file: &str| PathBuf::from(format!("/proc/{pid}/{file}"));
        let environment = text(of("environ"));
        fs::read_link(of("exe")).is_ok_and(|exe| exe == program)
            || environment.split('\0').any(|variable| variable.starts_with(&role))
            || text(of("comm")).trim() == "orlop-pause"
    };
    let pids = names("/proc").into_iter().filter_map(|name| name.parse::<u32>().ok());
    pids.filter(|pid| *pid != own)
        .filter(is_ours)
        .map(|pid| format!("process {pid} ({})", text(format!("/proc/{pid}/comm")).trim()))
        .collect()
}

/// At the top of each hierarchy, and in the cgroup of this process.
fn cgroups() -> Vec<String> {
    let mounts = text("/proc/self/mountinfo");
    let own = text("/proc/self/cgroup");
    let own: Vec<&str> = own.lines().filter_map(|line| line.splitn(3, ':').nth(2)).collect();
    let mut found = Vec::new();
    for line in mounts.lines().filter(|line| line.contains(" - cgroup")) {
        let Some(point) = line.split(' ').nth(4).map(Path::new) else { continue };
        let below = own.iter().map(|path| point.join(path.trim_start_matches('/')));
        for folder in std::iter::once(point.to_path_buf()).chain(below) {
            let ours = names(&folder).into_iter().filter(|name| name.starts_with(NETWORK));
            found.extend(ours.map(|name| format!("cgroup {}", folder.join(name).display())));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// With their addresses. Those of networks have an alias that says of which.
fn links() -> Vec<String> {
    let ours = format!("orlop-cni:{NETWORK}");
    let alias = |name: &String| text(Path::new("/sys/class/net").join(name).join("ifalias"));
    names("/sys/class/net")
        .into_iter()
        .filter(|name| alias(name).starts_with(&ours))
        .map(|name| format!("link {name}"))
        .collect()
}

/// The table is that of all networks of the machine: ours are its elements, and the table itself if it has none.
fn rules() -> Result<Vec<String>, orlop_netlink::Error> {
    let mut nft = Nft::open()?;
    let mut found = Vec::new();
    for family in [Family::Ip4, Family::Ip6] {
        if !nft.tables(family)?.iter().any(|name| name == TABLE) {
            continue;
        }
        let mut elements = Vec::new();
        for set in nft.sets(family, TABLE)? {
            elements.extend(nft.elements(family, TABLE, &set)?);
        }
        if elements.is_empty() {
            found.push(format!("packet rules {TABLE} ({family:?})"));
        }
        let ours = elements.into_iter().filter_map(|element| element.comment);
        let ours = ours.filter(|comment| comment.starts_with(NETWORK));
        found.extend(ours.map(|comment| format!("packet rule of {comment}")));
    }
    Ok(found)
}
