//! What is left on this machine of any run, seen from outside: without the records of a run, and as whoever asks.

use std::fs;
use std::path::{Path, PathBuf};

use orlop_netlink::nft::{Family, Nft};

use crate::linux::FOLDER;
use crate::output::Output;
use crate::payload::ROLE;

/// Says what is left; whether nothing is.
pub(crate) fn run(output: &Output) -> bool {
    let mut left = files();
    left.extend(mounts());
    left.extend(processes());
    left.extend(cgroups());
    left.extend(links());
    match tables() {
        Ok(tables) => left.extend(tables),
        Err(why) => output.say(&format!("packet rules cannot be seen: {why}")),
    }
    left.iter().for_each(|left| output.say(&format!("left: {left}")));
    if left.is_empty() {
        output.say("no process, mount, cgroup, namespace, link, address, rule or file is left");
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
            let ours = names(&folder).into_iter().filter(|name| name.starts_with("orlop-"));
            found.extend(ours.map(|name| format!("cgroup {}", folder.join(name).display())));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// With their addresses.
fn links() -> Vec<String> {
    let alias = |name: &String| text(Path::new("/sys/class/net").join(name).join("ifalias"));
    names("/sys/class/net")
        .into_iter()
        .filter(|name| name.starts_with("orlop") || alias(name).starts_with("orlop"))
        .map(|name| format!("link {name}"))
        .collect()
}

fn tables() -> Result<Vec<String>, orlop_netlink::Error> {
    let mut nft = Nft::open()?;
    let mut found = Vec::new();
    for family in [Family::Ip4, Family::Ip6, Family::Inet] {
        let ours = nft.tables(family)?.into_iter().filter(|name| name.starts_with("orlop"));
        found.extend(ours.map(|name| format!("packet rules {name} ({family:?})")));
    }
    Ok(found)
}
