//! Removing links of the host. The kernel waits some ten milliseconds for each, but hardly longer for many at once: so
//! whoever comes while one removal is under way is served together with all others that have come meanwhile.

use std::collections::HashMap;
use std::sync::LazyLock;

use orlop_netlink::{Batch, Error, LinkChange, Netns, Rtnl};
use parking_lot::{Condvar, Mutex};

use crate::CniError;

/// The group of links that are about to be removed. Links of other programs are in group 0 unless somebody put them into
/// another; nobody has reason to choose this one.
const GROUP: u32 = 0x6f72_6c6f;

/// Of each namespace, by its id.
static REMOVALS: LazyLock<Mutex<HashMap<(u64, u64), Removals>>> = LazyLock::new(Mutex::default);
static FINISHED: Condvar = Condvar::new();

#[derive(Default)]
struct Removals {
    /// Somebody is removing links.
    busy: bool,
    /// Links that wait for it, each with the number of who wants it gone.
    waiting: Vec<(u64, u32)>,
    results: HashMap<u64, Result<(), CniError>>,
    next: u64,
    /// Threads that have not got their result.
    users: usize,
}

/// Removes a link by its number, in the namespace of the calling thread. One that is gone is fine.
pub(super) fn remove(host: &mut Rtnl, link: u32) -> Result<(), CniError> {
    let namespace = Netns::current()?.id();
    let mut all = REMOVALS.lock();
    let removals = all.entry(namespace).or_default();
    let number = removals.next;
    removals.next += 1;
    removals.users += 1;
    removals.waiting.push((number, link));
    let result = loop {
        let removals = all.entry(namespace).or_default();
        if let Some(result) = removals.results.remove(&number) {
            break result;
        }
        if removals.busy {
            FINISHED.wait(&mut all);
            continue;
        }
        removals.busy = true;
        let batch = std::mem::take(&mut removals.waiting);
        let links: Vec<u32> = batch.iter().map(|(_, link)| *link).collect();
        let results = parking_lot::MutexGuard::unlocked(&mut all, || remove_all(host, &links));
        let removals = all.entry(namespace).or_default();
        removals.busy = false;
        removals.results.extend(batch.into_iter().map(|(number, _)| number).zip(results));
        FINISHED.notify_all();
    };
    let removals = all.entry(namespace).or_default();
    removals.users -= 1;
    if removals.users == 0 {
        all.remove(&namespace);
    }
    result
}

/// One result for each link.
fn remove_all(host: &mut Rtnl, links: &[u32]) -> Vec<Result<(), CniError>> {
    if let [_, _, ..] = links {
        let mut batch = Batch::new();
        for link in links {
            let grouped =
                batch.change_link(*link, &LinkChange { group: Some(GROUP), ..LinkChange::default() });
            debug_assert!(grouped.is_ok(), "there is no name in it");
        }
        batch.delete_group(GROUP);
        // What could not be put into the group, and is not gone, is still there.
        if host.results(batch).is_ok_and(|results| results.iter().all(is_gone)) {
            return links.iter().map(|_| Ok(())).collect();
        }
    }
    let one = |link: &u32| {
        let mut batch = Batch::new();
        batch.delete_link(*link)?;
        match host.run(batch) {
            Err(error) if !error.is_not_found() => Err(error.into()),
            _ => Ok(()),
        }
    };
    links.iter().map(one).collect()
}

fn is_gone(result: &Result<(), Error>) -> bool {
    result.as_ref().err().is_none_or(Error::is_not_found)
}
