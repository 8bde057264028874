use std::sync::atomic::{AtomicBool, Ordering};

use orlop_image::{Builder, Error, Faults, Reference, Store, StoreOptions};

use crate::support::Place;

fn name(text: &str) -> Reference {
    text.parse().unwrap()
}

fn image(number: usize) -> Builder {
    Builder::new().file("number", number.to_string(), 0o644).directory("d", 0o755).symlink("l", "d")
}

/// Makes an image, unpacks it, makes a snapshot of it.
fn all_of_it(store: &Store) -> Result<(), Error> {
    let made = image(1).build(store, &name("x:1"))?;
    store.unpack(&made)?;
    store.create_snapshot("one", &made)?;
    Ok(())
}

#[test]
fn a_failure_at_any_step_leaves_nothing_half_made() {
    let mut steps = 0;
    for step in 0.. {
        let place = Place::new();
        let mut options = StoreOptions::default();
        options.faults = Faults::at(step);
        let faults = options.faults.clone();
        let store = match Store::open(place.path().join("store"), options) {
            Ok(store) => store,
            Err(_) => {
                assert!(faults.fired());
                continue;
            }
        };
        let outcome = all_of_it(&store);
        assert_eq!(outcome.is_err(), faults.fired(), "step {step}: {outcome:?}");
        place.assert_clean();
        // What is there is whole: it can be used, and what is missing made.
        drop(store);
        let store = place.store();
        for image in store.images().unwrap() {
            store.unpack(&image).unwrap();
        }
        if store.snapshot("one").unwrap().is_none() {
            all_of_it(&store).unwrap();
        }
        store.remove(&name("x:1")).unwrap();
        store.remove_snapshot("one").unwrap();
        store.gc().unwrap();
        assert!(place.names("blobs/sha256").is_empty(), "step {step}");
        assert_eq!(place.names("layers"), ["empty"], "step {step}");
        if !faults.fired() {
            steps = step;
            break;
        }
    }
    assert!(steps > 25, "only {steps} steps");
}

#[test]
fn what_is_used_is_never_collected() {
    let place = Place::new();
    let store = place.store();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let collector = scope.spawn(|| {
            let mut collected = 0;
            while !done.load(Ordering::Relaxed) {
                collected += store.gc().unwrap().blobs;
            }
            collected
        });
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let store = &store;
                scope.spawn(move || {
                    for round in 0..12 {
                        // Two and two make the same images.
                        let number = worker / 2 * 100 + round % 3;
                        let name = name(&format!("x:{worker}"));
                        let made = image(number).build(store, &name).unwrap();
                        let layers = store.unpack(&made).unwrap();
                        assert_eq!(
                            std::fs::read_to_string(layers.lower()[0].join("number")).unwrap(),
                            number.to_string()
                        );
                        let found = store.get(&name).unwrap().unwrap();
                        assert_eq!(found.id(), made.id());
                        store.remove(&name).unwrap();
                        // Without a name, but held.
                        let layers = store.unpack(&found).unwrap();
                        assert!(layers.lower()[0].join("number").exists());
                        let key = format!("w{worker}");
                        let snapshot = store.create_snapshot(&key, &found).unwrap();
                        drop((made, found, layers));
                        // Only the snapshot is left of it.
                        std::thread::yield_now();
                        assert!(snapshot.lower()[0].join("number").exists());
                        assert!(store.remove_snapshot(&key).unwrap());
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        assert!(collector.join().unwrap() > 0);
    });
    store.gc().unwrap();
    assert!(place.names("blobs/sha256").is_empty());
    assert_eq!(place.names("layers"), ["empty"]);
    place.assert_clean();
}

#[test]
fn many_who_unpack_one_image_unpack_it_once() {
    let place = Place::new();
    let store = place.store();
    let made = image(5).build(&store, &name("x:1")).unwrap();
    let inodes: Vec<u64> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    use std::os::unix::fs::MetadataExt;
                    let layers = store.unpack(&made).unwrap();
                    std::fs::metadata(&layers.lower()[0]).unwrap().ino()
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(inodes.iter().all(|inode| *inode == inodes[0]));
    place.assert_clean();
}

#[test]
fn a_name_that_was_not_removed_in_the_end_can_be_removed_again() {
    for step in 0.. {
        let place = Place::new();
        let mut options = StoreOptions::default();
        options.faults = Faults::at(step);
        let faults = options.faults.clone();
        let Ok(store) = Store::open(place.path().join("store"), options) else { continue };
        if image(1).build(&store, &name("x:1")).is_err() {
            continue;
        }
        assert!(!faults.fired());
        if store.remove(&name("x:1")).is_ok() {
            assert!(!faults.fired() && step > 0);
            break;
        }
        assert!(store.remove(&name("x:1")).unwrap());
        assert!(store.get(&name("x:1")).unwrap().is_none() && place.names("images").is_empty());
    }
}

#[test]
fn nothing_is_collected_of_an_image_that_cannot_be_read_now() {
    let place = Place::new();
    let store = place.store();
    let made = image(1).build(&store, &name("x:1")).unwrap();
    store.unpack(&made).unwrap();
    let config = place.path().join("store/blobs/sha256").join(made.id().hex());
    drop(made);
    // A link to itself, which can be removed, but not read.
    let text = std::fs::read(&config).unwrap();
    std::fs::remove_file(&config).unwrap();
    std::os::unix::fs::symlink(config.file_name().unwrap(), &config).unwrap();
    let before = (place.names("blobs/sha256"), place.names("layers"));
    store.gc().unwrap_err();
    assert_eq!((place.names("blobs/sha256"), place.names("layers")), before);
    std::fs::remove_file(&config).unwrap();
    std::fs::write(&config, text).unwrap();
    store.gc().unwrap();
    assert_eq!((place.names("blobs/sha256"), place.names("layers")), before);
}
