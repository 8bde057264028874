//! The plugin `host-local`: hands out addresses of ranges, and keeps which are taken in a folder.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::net::IpAddr;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, flock};
use serde::Deserialize;

use super::Rollback;
use crate::error::code;
use crate::plugin::{Call, NetworkCall, Plugin};
use crate::result::{Dns, IpConfig, Route};
use crate::{CniError, CniResult, Owned, OwnedKind, Owner};

/// Hands out addresses of ranges, one after the other, so that an address that was just released is not used again at
/// once.
///
/// Each address that is taken is a file of its name in the folder of the network, with the container's id and the
/// interface's name in it: the layout of CNI's own plugin, which can be used on the same folder. A file is complete
/// from the moment when it is there; one that is empty, as a crash of other programs leaves them, is taken over.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostLocal;

/// Configuration of [`HostLocal`]: the key `ipam` of a plugin that asks for addresses.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostLocalConfig {
    /// The key `ipam`.
    #[serde(default)]
    pub ipam: Ipam,
    /// What the runtime says.
    #[serde(default)]
    pub runtime_config: IpamRuntime,
    /// Arguments in the configuration itself.
    #[serde(default)]
    pub args: Option<Args>,
}

/// Arguments in a configuration.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Args {
    /// Those of CNI.
    #[serde(default)]
    pub cni: IpamRuntime,
}

/// The key `ipam`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ipam {
    /// Sets of ranges; the container gets an address of each set.
    #[serde(default)]
    pub ranges: Vec<Vec<Range>>,
    /// A set of one range, before the others.
    #[serde(flatten)]
    pub single: Range,
    /// Routes of the container.
    #[serde(default)]
    pub routes: Vec<RouteConfig>,
    /// Where to keep which addresses are taken; a folder of the runtime's where this is not set.
    #[serde(default)]
    pub data_dir: Option<PathBuf>,
    /// A file to take name servers from.
    #[serde(default)]
    pub resolv_conf: Option<PathBuf>,
}

/// A route in a configuration.
#[derive(Clone, Debug, Deserialize)]
pub struct RouteConfig {
    /// Where to.
    pub dst: IpNet,
    /// By whom; none for the range's gateway.
    #[serde(default)]
    pub gw: Option<IpAddr>,
    /// Largest packet, in bytes; 0 for the link's.
    #[serde(default)]
    pub mtu: u32,
    /// Largest TCP segment to announce, in bytes; 0 for what follows from the mtu.
    #[serde(default)]
    pub advmss: u32,
    /// Of several routes the smallest counts.
    #[serde(default)]
    pub priority: u32,
    /// Number of the table.
    #[serde(default)]
    pub table: Option<u32>,
    /// Scope.
    #[serde(default)]
    pub scope: Option<u32>,
}

/// Addresses of a network to choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Range {
    /// The network.
    #[serde(default)]
    pub subnet: Option<IpNet>,
    /// The first address; the network's first where this is not set.
    #[serde(default)]
    pub range_start: Option<IpAddr>,
    /// The last address; the network's last but the broadcast address where this is not set.
    #[serde(default)]
    pub range_end: Option<IpAddr>,
    /// The way out, which is not handed out; the network's first address where this is not set.
    #[serde(default)]
    pub gateway: Option<IpAddr>,
}

/// What the runtime says to [`HostLocal`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IpamRuntime {
    /// Sets of ranges, before those of the configuration: capability `ipRanges`.
    #[serde(default)]
    pub ip_ranges: Vec<Vec<Range>>,
    /// Addresses that the container is to have: capability `ips`. A length after a slash is passed over.
    #[serde(default)]
    pub ips: Vec<String>,
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u32::from(ip).into(),
        IpAddr::V6(ip) => ip.into(),
    }
}

fn address(like: IpAddr, number: u128) -> IpAddr {
    match like {
        #[expect(clippy::cast_possible_truncation, reason = "numbers of IPv4 addresses have 32 bits")]
        IpAddr::V4(_) => std::net::Ipv4Addr::from(number as u32).into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::from(number).into(),
    }
}

/// A range with nothing left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    net: IpNet,
    first: u128,
    last: u128,
    gateway: IpAddr,
}

impl Span {
    fn of(range: &Range) -> Result<Self, CniError> {
        let invalid = |what: String| Err(CniError::config(format!("range: {what}")));
        let Some(subnet) = range.subnet else { return invalid("missing field subnet".to_owned()) };
        if subnet.addr() != subnet.network() {
            let network = subnet.trunc();
            return invalid(format!("{subnet} has host bits set; the network is {network}"));
        }
        if subnet.max_prefix_len() - subnet.prefix_len() < 2 {
            return invalid(format!("{subnet} is too small to allocate from"));
        }
        let base = subnet.network();
        let inside = |what: &str, ip: IpAddr| {
            if subnet.contains(&ip) {
                Ok(number(ip))
            } else {
                Err(CniError::config(format!("range: {what} {ip} is not in {subnet}")))
            }
        };
        let top = number(subnet.broadcast()) - u128::from(base.is_ipv4());
        let first = range.range_start.map_or(Ok(number(base) + 1), |ip| inside("rangeStart", ip))?;
        let last = range.range_end.map_or(Ok(top), |ip| inside("rangeEnd", ip))?;
        if first > last {
            return invalid(format!("{} comes after {}", address(base, first), address(base, last)));
        }
        let gateway = range.gateway.unwrap_or_else(|| address(base, number(base) + 1));
        Ok(Self { net: subnet, first, last, gateway })
    }

    fn holds(&self, ip: IpAddr) -> bool {
        ip.is_ipv4() == self.gateway.is_ipv4() && (self.first..=self.last).contains(&number(ip))
    }

    /// How many addresses there are to hand out.
    fn size(&self) -> u128 {
        (self.last - self.first).saturating_add(1) - u128::from(self.holds(self.gateway))
    }

    fn net(&self, ip: IpAddr) -> Option<IpNet> {
        IpNet::new(ip, self.net.prefix_len()).ok()
    }
}

/// The sets of ranges, one address of each of which the container gets.
fn sets(config: &HostLocalConfig) -> Result<Vec<Vec<Span>>, CniError> {
    let single = config.ipam.single.subnet.is_some().then(|| vec![config.ipam.single.clone()]);
    let all = config.runtime_config.ip_ranges.iter().chain(single.as_ref()).chain(&config.ipam.ranges);
    let mut sets: Vec<Vec<Span>> = Vec::new();
    for set in all {
        let spans = set.iter().map(Span::of).collect::<Result<Vec<_>, _>>()?;
        let Some(first) = spans.first() else { return Err(CniError::config("range: an empty set")) };
        if spans.iter().any(|span| span.gateway.is_ipv4() != first.gateway.is_ipv4()) {
            return Err(CniError::config("range: a set of both families"));
        }
        for span in &spans {
            let others = sets.iter().flatten();
            if let Some(other) = others.into_iter().find(|other| overlap(span, other)) {
                return Err(CniError::config(format!("range: {} and {} overlap", span.net, other.net)));
            }
        }
        for (i, span) in spans.iter().enumerate() {
            if spans[..i].iter().any(|other| overlap(span, other)) {
                return Err(CniError::config(format!("range: {} overlaps with another", span.net)));
            }
        }
        sets.push(spans);
    }
    if sets.is_empty() {
        return Err(CniError::config("no IP ranges specified"));
    }
    Ok(sets)
}

fn overlap(one: &Span, other: &Span) -> bool {
    one.gateway.is_ipv4() == other.gateway.is_ipv4() && one.first <= other.last && other.first <= one.last
}

/// Addresses that the container is to have.
fn requested(call: &Call<'_>, config: &HostLocalConfig) -> Result<Vec<IpAddr>, CniError> {
    let read = |text: &str| {
        let ip = text.split_once('/').map_or(text, |(ip, _)| ip);
        ip.parse::<IpAddr>().map_err(|_| CniError::config(format!("requested address {text:?} is none")))
    };
    let from_args = call.args.split(';').filter_map(|pair| pair.strip_prefix("IP="));
    let from_config = config.args.iter().flat_map(|args| &args.cni.ips);
    let texts = config.runtime_config.ips.iter().chain(from_config).map(String::as_str);
    let mut requested: Vec<IpAddr> = Vec::new();
    for ip in from_args.chain(texts).map(read) {
        let ip = ip?;
        if !requested.contains(&ip) {
            requested.push(ip);
        }
    }
    Ok(requested)
}

/// The folder of one network's addresses, and nobody else working on it.
struct Store {
    folder: PathBuf,
    /// Holds the lock for as long as it is open.
    _lock: File,
}

const LOCK: &str = "lock";
const LAST: &str = "last_reserved_ip.";
const LINE: &str = "\r\n";

fn io(doing: &str, path: &Path) -> impl FnOnce(std::io::Error) -> CniError {
    let doing = format!("{doing} {}", path.display());
    move |error| CniError::io(doing, error)
}

fn folder(network: &NetworkCall<'_>, config: &HostLocalConfig) -> PathBuf {
    let base = config.ipam.data_dir.clone().unwrap_or_else(|| network.state.join("addresses"));
    base.join(network.network)
}

impl Store {
    /// Waits for the lock. None if the folder is not there and is not to be made.
    fn open(folder: PathBuf, create: bool) -> Result<Option<Self>, CniError> {
        let path = folder.join(LOCK);
        loop {
            if create {
                let made = fs::DirBuilder::new().recursive(true).mode(0o755).create(&folder);
                made.map_err(io("create folder", &folder))?;
            }
            let lock = match OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&path)
            {
                Ok(lock) => lock,
                Err(error) if error.kind() == ErrorKind::NotFound && !create => return Ok(None),
                // It was removed meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(io("open", &path)(error)),
            };
            while let Err(errno) = flock(&lock, FlockOperation::LockExclusive) {
                if errno != rustix::io::Errno::INTR {
                    return Err(io("lock", &path)(errno.into()));
                }
            }
            // Whoever removed the network held the lock of a file that is not there any more.
            let same = |status: &rustix::fs::Stat| {
                rustix::fs::stat(&path)
                    .is_ok_and(|now| (now.st_dev, now.st_ino) == (status.st_dev, status.st_ino))
            };
            if rustix::fs::fstat(&lock).is_ok_and(|status| same(&status)) {
                return Ok(Some(Self { folder, _lock: lock }));
            }
        }
    }

    /// Takes an address unless it is taken. Answers whether it was.
    fn reserve(&self, ip: IpAddr, owner: &Owner) -> Result<bool, CniError> {
        let path = self.folder.join(ip.to_string());
        if fs::symlink_metadata(&path).is_ok() {
            // Nobody is writing, for we have the lock: an empty file is what a crash left.
            if self.holder(&path)?.is_some() {
                return Ok(false);
            }
            fs::remove_file(&path).map_err(io("remove", &path))?;
        }
        let content = format!("{}{LINE}{}", owner.container_id, owner.ifname);
        appear(&self.folder, &path, content.as_bytes()).map_err(io("reserve", &path))
    }

    /// Container and interface in a file; none if it is empty. Old files have no interface.
    fn holder(&self, path: &Path) -> Result<Option<(String, Option<String>)>, CniError> {
        let mut text = String::new();
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io("read", path)(error)),
        };
        file.take(4096).read_to_string(&mut text).map_err(io("read", path))?;
        let mut lines = text.trim().lines().map(str::trim);
        let container = lines.next().filter(|line| !line.is_empty()).map(ToOwned::to_owned);
        Ok(container.map(|container| (container, lines.next().map(ToOwned::to_owned))))
    }

    fn is_held_by(&self, path: &Path, owner: &Owner) -> Result<bool, CniError> {
        Ok(self.holder(path)?.is_some_and(|(container, ifname)| {
            container == owner.container_id && ifname.is_none_or(|ifname| ifname == owner.ifname)
        }))
    }

    fn release(&self, path: &Path) -> Result<(), CniError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(io("release", path)(error)),
            _ => Ok(()),
        }
    }

    /// Releases what an attachment has. With its addresses known, no other file is read.
    fn release_all(&self, owner: &Owner, known: &[IpAddr]) -> Result<(), CniError> {
        let mut found = false;
        for path in known.iter().map(|ip| self.folder.join(ip.to_string())) {
            if self.is_held_by(&path, owner)? {
                self.release(&path)?;
                found = true;
            }
        }
        if found {
            return Ok(());
        }
        for (_, path) in self.reservations()? {
            if self.is_held_by(&path, owner)? {
                self.release(&path)?;
            }
        }
        Ok(())
    }

    fn reservations(&self) -> Result<Vec<(IpAddr, PathBuf)>, CniError> {
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(io("list", &self.folder))? {
            let entry = entry.map_err(io("list", &self.folder))?;
            if let Some(ip) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
                all.push((ip, entry.path()));
            }
        }
        Ok(all)
    }

    fn last(&self, set: usize) -> Option<IpAddr> {
        fs::read_to_string(self.folder.join(format!("{LAST}{set}"))).ok()?.trim().parse().ok()
    }

    /// Where to begin next time. It is no more than a hint, so nothing is made of an error.
    fn remember(&self, set: usize, ip: IpAddr) {
        let path = self.folder.join(format!("{LAST}{set}"));
        let open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
        let _ = open.and_then(|mut file| file.write_all(ip.to_string().as_bytes()));
    }

    /// The next free address of a set, after the last that was handed out.
    fn next(
        &self,
        number_of_set: usize,
        set: &[Span],
        owner: &Owner,
    ) -> Result<Option<(IpAddr, Span)>, CniError> {
        let last = self.last(number_of_set);
        let begin = last.and_then(|ip| set.iter().position(|span| span.holds(ip)).map(|i| (i, number(ip))));
        let (start, after) = begin.unwrap_or((0, 0));
        // The range of the last address from there on, the other ranges, and that range again up to there.
        let rest = (1..set.len()).map(|i| (set[(start + i) % set.len()], None));
        let spans =
            begin.map(|_| (set[start], Some((after.saturating_add(1), u128::MAX)))).into_iter().chain(rest);
        let again = (set[start], begin.map(|_| (0, after)));
        for (span, part) in spans.chain([again]) {
            let (from, to) = part.unwrap_or((0, u128::MAX));
            let (from, to) = (from.max(span.first), to.min(span.last));
            for candidate in from..=to {
                let ip = address(span.gateway, candidate);
                if ip != span.gateway && self.reserve(ip, owner)? {
                    self.remember(number_of_set, ip);
                    return Ok(Some((ip, span)));
                }
            }
        }
        Ok(None)
    }
}

/// Makes a file that is there with all of its content at once. Answers false if there is one of that name.
fn appear(folder: &Path, path: &Path, content: &[u8]) -> std::io::Result<bool> {
    let mode = Mode::from_raw_mode(0o600);
    let exists = |error: &std::io::Error| error.kind() == ErrorKind::AlreadyExists;
    match rustix::fs::open(folder, OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC, mode) {
        Ok(file) => {
            let mut file = File::from(file);
            file.write_all(content)?;
            let nameless = format!("/proc/self/fd/{}", file.as_raw_fd());
            match rustix::fs::linkat(CWD, nameless, CWD, path, AtFlags::SYMLINK_FOLLOW) {
                Ok(()) => Ok(true),
                Err(rustix::io::Errno::EXIST) => Ok(false),
                Err(errno) => Err(errno.into()),
            }
        }
        // A file system without nameless files.
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::ISDIR) => {
            let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            if made.as_ref().is_err_and(exists) {
                return Ok(false);
            }
            made?.write_all(content).map(|()| true).inspect_err(|_| {
                let _ = fs::remove_file(path);
            })
        }
        Err(errno) => Err(errno.into()),
    }
}

impl HostLocal {
    fn allocate(
        call: &Call<'_>,
        store: &Store,
        sets: &[Vec<Span>],
        mut wanted: Vec<IpAddr>,
    ) -> Result<Vec<(IpAddr, Span)>, CniError> {
        let mut got: Vec<(IpAddr, Span)> = Vec::new();
        let taken = std::cell::RefCell::new(Vec::new());
        let mut rollback = Rollback::default();
        rollback.push(|| {
            let release = |ip: &IpAddr| store.release(&store.folder.join(ip.to_string()));
            crate::plugin::first_error(taken.borrow().iter().map(release))
        });
        for (i, set) in sets.iter().enumerate() {
            call.network.faults.step("reserve address")?;
            let asked = wanted.iter().position(|ip| set.iter().any(|span| span.holds(*ip)));
            let found = match asked.map(|position| wanted.remove(position)) {
                Some(ip) => {
                    let span = set.iter().find(|span| span.holds(ip)).copied();
                    let span = span.filter(|span| span.gateway != ip).ok_or_else(|| {
                        CniError::config(format!("requested address {ip} is the gateway's"))
                    })?;
                    let msg = format!("requested address {ip} is taken");
                    let free = store.reserve(ip, call.owner)?;
                    free.then_some((ip, span)).ok_or_else(|| CniError::new(code::NOT_AVAILABLE, msg))?
                }
                None => store.next(i, set, call.owner)?.ok_or_else(|| {
                    let nets: Vec<_> = set.iter().map(|span| span.net.to_string()).collect();
                    CniError::new(code::NOT_AVAILABLE, format!("no free address in {}", nets.join(", ")))
                })?,
            };
            taken.borrow_mut().push(found.0);
            got.push(found);
        }
        if let Some(ip) = wanted.first() {
            return Err(CniError::config(format!("requested address {ip} is in none of the ranges")));
        }
        rollback.disarm();
        Ok(got)
    }
}

impl Plugin for HostLocal {
    type Config = HostLocalConfig;

    fn plugin_type(&self) -> &'static str {
        "host-local"
    }

    fn add(&self, call: &Call<'_>, config: &HostLocalConfig) -> Result<CniResult, CniError> {
        let sets = sets(config)?;
        let wanted = requested(call, config)?;
        let mut result = CniResult::new();
        if let Some(path) = &config.ipam.resolv_conf {
            result.dns = resolv_conf(path)?;
        }
        for route in &config.ipam.routes {
            result.routes.push(Route {
                dst: Some(route.dst),
                gw: route.gw,
                mtu: route.mtu,
                advmss: route.advmss,
                priority: route.priority,
                table: route.table,
                scope: route.scope,
            });
        }
        call.network.faults.step("open address store")?;
        let folder = folder(&call.network, config);
        let store = Store::open(folder, true)?
            .ok_or_else(|| CniError::internal("the folder of addresses is not there"))?;
        for (ip, span) in Self::allocate(call, &store, &sets, wanted)? {
            result.ips.push(IpConfig { interface: None, address: span.net(ip), gateway: Some(span.gateway) });
        }
        Ok(result)
    }

    fn del(&self, call: &Call<'_>, config: &HostLocalConfig) -> Result<(), CniError> {
        let Some(store) = Store::open(folder(&call.network, config), false)? else { return Ok(()) };
        let known: Option<Vec<_>> =
            call.previous.map(|result| result.addresses().map(|net| net.addr()).collect());
        store.release_all(call.owner, &known.unwrap_or_default())
    }

    fn check(&self, call: &Call<'_>, config: &HostLocalConfig) -> Result<(), CniError> {
        let missing = || CniError::internal(format!("no address is reserved for {}", call.owner));
        let store = Store::open(folder(&call.network, config), false)?.ok_or_else(missing)?;
        let Some(previous) = call.previous else { return Ok(()) };
        for ip in previous.addresses().map(|net| net.addr()) {
            let path = store.folder.join(ip.to_string());
            if sets(config)?.iter().flatten().any(|span| span.holds(ip))
                && !store.is_held_by(&path, call.owner)?
            {
                return Err(CniError::internal(format!("{ip} is not reserved for {}", call.owner)));
            }
        }
        Ok(())
    }

    fn owned(&self, network: &NetworkCall<'_>, config: &HostLocalConfig) -> Result<Vec<Owned>, CniError> {
        let Some(store) = Store::open(folder(network, config), false)? else { return Ok(Vec::new()) };
        let mut owned = Vec::new();
        for (ip, path) in store.reservations()? {
            let owner = store.holder(&path)?.map(|(container_id, ifname)| Owner {
                network: network.network.to_owned(),
                container_id,
                ifname: ifname.unwrap_or_default(),
            });
            owned.push(Owned { owner, kind: OwnedKind::Reservation, name: ip.to_string() });
        }
        let name = store.folder.display().to_string();
        owned.push(Owned { owner: None, kind: OwnedKind::File, name });
        Ok(owned)
    }

    fn release(
        &self,
        network: &NetworkCall<'_>,
        config: &HostLocalConfig,
        owner: &Owner,
    ) -> Result<(), CniError> {
        match Store::open(folder(network, config), false)? {
            Some(store) => store.release_all(owner, &[]),
            None => Ok(()),
        }
    }

    fn remove(&self, network: &NetworkCall<'_>, config: &HostLocalConfig) -> Result<(), CniError> {
        let Some(store) = Store::open(folder(network, config), false)? else { return Ok(()) };
        for (ip, path) in store.reservations()? {
            match store.holder(&path)? {
                Some((container, _)) => {
                    return Err(CniError::internal(format!("{ip} is still reserved for {container}")));
                }
                // What a crash left.
                None => store.release(&path)?,
            }
        }
        let hints = fs::read_dir(&store.folder).map_err(io("list", &store.folder))?.flatten();
        for hint in hints.filter(|entry| entry.file_name().to_string_lossy().starts_with(LAST)) {
            store.release(&hint.path())?;
        }
        // The lock last: whoever waits for it looks whether its file is still there.
        store.release(&store.folder.join(LOCK))?;
        match fs::remove_dir(&store.folder) {
            // Somebody begins anew.
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(io("remove", &store.folder)(error)),
            _ => Ok(()),
        }
    }

    fn status(&self, network: &NetworkCall<'_>, config: &HostLocalConfig) -> Result<(), CniError> {
        let sets = sets(config)?;
        let Some(store) = Store::open(folder(network, config), false)? else { return Ok(()) };
        let taken = store.reservations()?;
        for set in sets {
            let size = set.iter().fold(0_u128, |size, span| size.saturating_add(span.size()));
            let used = taken.iter().filter(|(ip, _)| set.iter().any(|span| span.holds(*ip))).count();
            if used as u128 >= size {
                let nets: Vec<_> = set.iter().map(|span| span.net.to_string()).collect();
                let msg = format!("all addresses of {} are taken", nets.join(", "));
                return Err(CniError::new(code::NOT_AVAILABLE, msg));
            }
        }
        Ok(())
    }
}

/// Name servers of a file in the form of `resolv.conf(5)`.
fn resolv_conf(path: &Path) -> Result<Dns, CniError> {
    let mut text = String::new();
    let file = File::open(path).map_err(io("open", path))?;
    file.take(64 << 10).read_to_string(&mut text).map_err(io("read", path))?;
    let mut dns = Dns::default();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        let mut words = line.split_whitespace().map(ToOwned::to_owned);
        match words.next().as_deref() {
            Some("nameserver") => dns.nameservers.extend(words.next()),
            Some("domain") => dns.domain = words.next().unwrap_or_default(),
            Some("search") => dns.search.extend(words),
            Some("options") => dns.options.extend(words),
            _ => {}
        }
    }
    Ok(dns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Result<Span, CniError> {
        Span::of(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn what_is_left_open_is_filled_in() {
        let span = range(r#"{"subnet": "10.1.0.0/24"}"#).unwrap();
        assert_eq!(span.gateway.to_string(), "10.1.0.1");
        assert_eq!(
            (address(span.gateway, span.first), address(span.gateway, span.last)),
            ([10, 1, 0, 1].into(), [10, 1, 0, 254].into())
        );
        assert_eq!(span.size(), 253);
        let span =
            range(r#"{"subnet": "fd00::/64", "rangeStart": "fd00::10", "rangeEnd": "fd00::1f"}"#).unwrap();
        assert_eq!((span.gateway.to_string().as_str(), span.size()), ("fd00::1", 16));
    }

    #[test]
    fn ranges_that_make_no_sense_are_refused() {
        for (text, why) in [
            (r"{}", "missing field subnet"),
            (r#"{"subnet": "10.1.0.1/24"}"#, "host bits"),
            (r#"{"subnet": "10.1.0.0/31"}"#, "too small"),
            (r#"{"subnet": "10.1.0.0/24", "rangeStart": "10.2.0.1"}"#, "rangeStart 10.2.0.1 is not in"),
            (r#"{"subnet": "10.1.0.0/24", "rangeEnd": "fd00::1"}"#, "rangeEnd fd00::1 is not in"),
            (r#"{"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.9", "rangeEnd": "10.1.0.8"}"#, "comes after"),
        ] {
            let error = range(text).unwrap_err();
            assert!(error.code == code::INVALID_CONFIG && error.msg.contains(why), "{text}: {error}");
        }
        let config = |text| serde_json::from_str::<HostLocalConfig>(text).unwrap();
        assert!(sets(&config("{}")).unwrap_err().msg.contains("no IP ranges"));
        let double = r#"{"ipam": {"ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.1.0.0/25"}]]}}"#;
        assert!(sets(&config(double)).unwrap_err().msg.contains("overlap"));
    }

    /// A folder of the test's own.
    fn store() -> (PathBuf, Store) {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("orlop-cni-addresses-{}-{number}", std::process::id()));
        (folder.clone(), Store::open(folder, true).unwrap().unwrap())
    }

    fn owner(i: u8) -> Owner {
        Owner { network: "n".into(), container_id: format!("c{i}"), ifname: "eth0".into() }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

        /// Against a model that is a map: every address belongs to one container, none is the gateway's, and only when
        /// all are taken is there none.
        #[test]
        fn addresses_are_handed_out_once(steps in proptest::collection::vec((0_u8..12, proptest::bool::ANY), 1..80)) {
            let (folder, store) = store();
            let set = [
                range(r#"{"subnet": "10.1.0.0/29"}"#).unwrap(),
                range(r#"{"subnet": "10.2.0.0/24", "rangeStart": "10.2.0.1", "rangeEnd": "10.2.0.3"}"#).unwrap(),
            ];
            let size: u128 = set.iter().map(Span::size).sum();
            let mut model = std::collections::BTreeMap::<IpAddr, u8>::new();
            let mut before = None;
            for (who, add) in steps {
                if !add {
                    let known: Vec<IpAddr> =
                        model.iter().filter(|(_, owner)| **owner == who).map(|(ip, _)| *ip).take(usize::from(who) % 2).collect();
                    // With or without knowing the addresses, unless more than one is held.
                    let held = model.values().filter(|owner| **owner == who).count();
                    store.release_all(&owner(who), if held == 1 { &known } else { &[] }).unwrap();
                    model.retain(|_, owner| *owner != who);
                    continue;
                }
                match store.next(0, &set, &owner(who)).unwrap() {
                    Some((ip, span)) => {
                        assert!(span.holds(ip) && ip != span.gateway);
                        assert_eq!(model.insert(ip, who), None, "{ip} was taken");
                        assert!(model.len() as u128 == size || before != Some(ip), "{ip} twice in a row");
                        before = Some(ip);
                    }
                    None => assert_eq!(model.len() as u128, size),
                }
                let mut there: Vec<IpAddr> = store.reservations().unwrap().into_iter().map(|(ip, _)| ip).collect();
                there.sort();
                assert_eq!(there, model.keys().copied().collect::<Vec<_>>());
            }
            fs::remove_dir_all(folder).unwrap();
        }
    }

    #[test]
    fn the_very_last_addresses_are_handed_out() {
        let (folder, store) = store();
        let set = [range(r#"{"subnet": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffc/126"}"#).unwrap()];
        let next = || store.next(0, &set, &owner(1)).unwrap().map(|(ip, _)| ip.to_string());
        assert_eq!(next().as_deref(), Some("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"));
        assert_eq!(next().as_deref(), Some("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
        assert_eq!(next(), None);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn whoever_waited_for_a_folder_that_was_removed_gets_a_new_one() {
        let (folder, store) = store();
        let waiting = std::thread::spawn({
            let folder = folder.clone();
            move || {
                let store = Store::open(folder, true).unwrap().unwrap();
                assert!(store.reserve([10, 1, 0, 2].into(), &owner(1)).unwrap());
            }
        });
        std::thread::yield_now();
        fs::remove_file(folder.join(LOCK)).unwrap();
        let _ = fs::remove_dir(&folder);
        drop(store);
        waiting.join().unwrap();
        assert!(folder.join("10.1.0.2").exists() && folder.join(LOCK).exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
