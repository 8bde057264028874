use std::time::Duration;

use tokio::time::sleep;

use super::bench::{Bench, Dated, batch, below, events, key, quiet, text, told};
use super::cases;
use crate::{At, Change, Error, LeaseId, Txn};

/// Long enough for a loaded machine to do a few operations in half of it.
const TTL: Duration = Duration::from_secs(2);

cases!("leases":
    keys_go_with_their_lease,
    kept_alive,
    revoked,
    only_the_last_lease_counts,
    deleted_keys_leave_their_lease,
    unknown_leases,
    several_leases_end_in_order,
    last_states_have_the_revision_of_the_end,
);

async fn keys_go_with_their_lease(bench: Bench) {
    let lease = bench.store.lease(TTL).await.unwrap();
    bench.put("stays", "1").await;
    bench.put_leased("a", lease, "1").await;
    let last = bench.put_leased("b", lease, "1").await;
    assert_eq!(bench.get("a", At::Latest).await.unwrap().unwrap().lease, Some(lease));
    assert_eq!(bench.get("stays", At::Latest).await.unwrap().unwrap().lease, None);
    let mut watch = bench.store.watch(&below(""), last);
    let end = batch(&mut watch).await;
    assert_eq!(end.events.iter().map(told).collect::<Vec<_>>(), ["-a=1", "-b=1"]);
    assert_eq!(end.revision, bench.revision().await);
    assert_eq!(bench.all(At::Latest).await, ["stays=1"]);
    assert!(bench.store.commit(Txn::new().put_leased(key("c"), lease, text("1"))).await.is_err());
}

async fn kept_alive(bench: Bench) {
    let lease = bench.store.lease(TTL).await.unwrap();
    let put = bench.put_leased("a", lease, "1").await;
    for _ in 0..4 {
        sleep(TTL / 2).await;
        bench.store.keep_alive(lease).await.unwrap();
    }
    assert_eq!(bench.text("a", At::Latest).await.as_deref(), Some("1"));
    assert_eq!(events_after(&bench, put).await, ["-a=1"]);
    assert!(
        matches!(bench.store.keep_alive(lease).await, Err(Error::UnknownLease { lease: told }) if told == lease)
    );
}

async fn events_after(bench: &Bench, revision: crate::Revision) -> Vec<String> {
    let mut watch = bench.store.watch(&below(""), revision);
    batch(&mut watch).await.events.iter().map(told).collect()
}

async fn revoked(bench: Bench) {
    let lease = bench.store.lease(Duration::from_secs(3600)).await.unwrap();
    let empty = bench.store.lease(Duration::from_secs(3600)).await.unwrap();
    for name in ["a", "b", "c"] {
        bench.put_leased(name, lease, "1").await;
    }
    bench.delete("b").await;
    let before = bench.put("d", "1").await;
    let mut watch = bench.store.watch(&below(""), before);
    let done = bench.store.revoke(lease).await.unwrap();
    assert!(done.revision > before);
    assert_eq!(done.events.iter().map(told).collect::<Vec<_>>(), ["-a=1", "-c=1"]);
    assert_eq!(events(&mut watch, done.revision).await, ["-a=1", "-c=1"]);
    assert_eq!(bench.all(At::Latest).await, ["d=1"]);
    assert!(matches!(bench.store.revoke(lease).await, Err(Error::UnknownLease { .. })));
    assert_eq!(bench.store.revoke(empty).await.unwrap().revision, done.revision, "no keys, no revision");
}

async fn only_the_last_lease_counts(bench: Bench) {
    let one = bench.store.lease(Duration::from_secs(3600)).await.unwrap();
    let two = bench.store.lease(Duration::from_secs(3600)).await.unwrap();
    assert_ne!(one, two);
    for name in ["freed", "moved", "kept"] {
        bench.put_leased(name, one, "1").await;
    }
    bench.put("freed", "2").await;
    bench.put_leased("moved", two, "2").await;
    bench.put_leased("kept", one, "2").await;
    bench.store.revoke(one).await.unwrap();
    assert_eq!(bench.all(At::Latest).await, ["freed=2", "moved=2"]);
    assert_eq!(bench.get("freed", At::Latest).await.unwrap().unwrap().lease, None);
    bench.store.revoke(two).await.unwrap();
    assert_eq!(bench.all(At::Latest).await, ["freed=2"]);
}

async fn deleted_keys_leave_their_lease(bench: Bench) {
    let lease = bench.store.lease(Duration::from_secs(3600)).await.unwrap();
    bench.put_leased("a", lease, "1").await;
    bench.delete("a").await;
    let again = bench.put("a", "2").await;
    bench.store.revoke(lease).await.unwrap();
    assert_eq!((bench.all(At::Latest).await, bench.revision().await), (vec!["a=2".to_owned()], again));
}

async fn unknown_leases(bench: Bench) {
    let unknown = LeaseId(u64::MAX / 3);
    let unknown_lease = |error| matches!(error, Error::UnknownLease { lease } if lease == unknown);
    let put = bench
        .store
        .commit(Txn::new().put(key("b"), text("1")).put_leased(key("a"), unknown, text("1")))
        .await;
    assert!(put.is_err_and(unknown_lease));
    assert!(bench.store.keep_alive(unknown).await.is_err_and(unknown_lease));
    assert!(bench.store.revoke(unknown).await.is_err_and(unknown_lease));
    for ttl in [Duration::ZERO, Duration::MAX] {
        assert!(matches!(bench.store.lease(ttl).await, Err(Error::InvalidTtl { ttl: told }) if told == ttl));
    }
    assert_eq!(bench.revision().await, bench.base);
}

async fn several_leases_end_in_order(bench: Bench) {
    // The later end is made first: the end to wait for becomes an earlier one meanwhile.
    let late = bench.store.lease(TTL * 2).await.unwrap();
    tokio::task::yield_now().await;
    let soon = bench.store.lease(TTL).await.unwrap();
    bench.put_leased("late", late, "1").await;
    let last = bench.put_leased("soon", soon, "1").await;
    let mut watch = bench.store.watch(&below(""), last);
    let first = batch(&mut watch).await;
    assert_eq!(first.events.iter().map(told).collect::<Vec<_>>(), ["-soon=1"]);
    assert_eq!(bench.all(At::Latest).await, ["late=1"]);
    let second = batch(&mut watch).await;
    assert_eq!(second.events.iter().map(told).collect::<Vec<_>>(), ["-late=1"]);
    assert_eq!(quiet(&mut watch).await, second.revision);
}

async fn last_states_have_the_revision_of_the_end(bench: Bench) {
    let lease = bench.store.lease(TTL).await.unwrap();
    let put = bench
        .commit(Txn::new().put_leased(key("a"), lease, |revision| Dated::value(revision, "x")))
        .await
        .revision;
    let mut watch = bench.store.watch(&below(""), put);
    let end = batch(&mut watch).await;
    assert_eq!(end.events[0].change, Change::Deleted);
    assert_eq!(Dated::of(&end.events[0].record).revision, end.revision.0);
}
