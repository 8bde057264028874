//! Attacks that have hit container runtimes, one test for each row that concerns what there is here.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use orlop_container::{Error, ExitStatus, Mount, ProcessSpec, Rootfs, Spec, Stdio};
use rustix::fs::RenameFlags;

use crate::support::{Place, in_root, output, program, root_or_skip, rootfs_directory, run, sh};

/// A place with a root directory that an attacker has filled, and something beside it to protect.
struct Scene {
    place: Place,
    root: PathBuf,
    outside: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let place = Place::new();
        let (root, outside) = (place.dir.join("root"), place.dir.join("outside"));
        std::fs::create_dir(&root).expect("a directory");
        std::fs::create_dir(&outside).expect("a directory");
        std::fs::write(outside.join("secret"), "untouched").expect("a file");
        rootfs_directory(&root);
        Self { place, root, outside }
    }

    fn spec(&self, script: &str) -> Spec {
        in_root(Rootfs::directory(&self.root), &["sh", "-c", script])
    }

    fn untouched(&self) {
        let names: Vec<_> = std::fs::read_dir(&self.outside)
            .expect("there")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(names, ["secret"]);
        assert_eq!(std::fs::read_to_string(self.outside.join("secret")).expect("there"), "untouched");
        self.place.audit();
    }

    fn refused(&self, spec: Spec, object: &str, errno: i32) {
        let error = self.place.runtime.create(&self.place.id("c"), spec, Stdio::default()).expect_err(object);
        assert!(matches!(&error, Error::Step { object: at, .. } if at == object), "{error}");
        assert_eq!(error.raw_os_error(), Some(errno), "{error}");
        self.untouched();
    }
}

const ELOOP: i32 = 40;

/// CVE-2019-16884, 2019-19921, 2023-27561, 2023-28642, 2019-18837, 2026-41579, 2026-47766: the places of the kernel's file
/// systems and of the devices are links.
#[test]
fn places_of_the_kernel_may_not_be_links() {
    if !root_or_skip() {
        return;
    }
    for (name, target, object) in [
        ("proc", "/tmp", "/proc"),
        ("proc", "../outside", "/proc"),
        ("sys", "tmp", "/sys"),
        ("dev", "../../outside", "/dev"),
        ("dev", "/tmp", "/dev"),
    ] {
        let scene = Scene::new();
        symlink(target, scene.root.join(name)).expect("a link");
        scene.refused(scene.spec("true"), object, ELOOP);
    }
}

/// 2019-18837: links where something is mounted lead nowhere but inside.
#[test]
fn targets_of_mounts_stay_inside() {
    if !root_or_skip() {
        return;
    }
    let scene = Scene::new();
    let volume = scene.place.dir.join("volume");
    std::fs::create_dir(&volume).expect("a directory");
    std::fs::write(volume.join("v"), "v").expect("a file");
    symlink(&scene.outside, scene.root.join("absolute")).expect("a link");
    symlink("../../../../outside", scene.root.join("relative")).expect("a link");
    symlink("/proc/self/root/tmp", scene.root.join("magic")).expect("a link");
    symlink("real", scene.root.join("inside")).expect("a link");
    std::fs::create_dir(scene.root.join("real")).expect("a directory");
    for target in ["/absolute", "/relative", "/absolute/x/y", "/relative/x"] {
        let mut spec = scene.spec("true");
        spec.mounts.push(Mount::bind(&volume, target));
        // Nothing of that name is inside, and nothing is made for the sake of a link.
        match scene.place.runtime.create(&scene.place.id("c"), spec, Stdio::default()) {
            Ok(container) => container.delete().expect("deleted"),
            Err(error) => assert!(matches!(error, Error::Step { .. }), "{error}"),
        }
        scene.untouched();
    }
    let mut spec = scene.spec("true");
    spec.mounts.push(Mount::bind(&volume, "/magic/x"));
    scene.refused(spec, "/magic/x", ELOOP);
    let mut spec = scene.spec("cat /real/v");
    spec.mounts.push(Mount::bind(&volume, "/inside"));
    assert_eq!(run(&scene.place, spec).1, "v");
    scene.untouched();
}

/// CVE-2021-30465, 2024-45310: on a volume that several containers share, a directory is exchanged with a link while
/// something is mounted below it.
#[test]
fn exchanging_a_mount_point_leads_nowhere() {
    if !root_or_skip() {
        return;
    }
    let scene = Scene::new();
    let shared = scene.place.dir.join("shared");
    std::fs::create_dir_all(shared.join("a")).expect("a directory");
    symlink("../../../../../../../..", shared.join("b")).expect("a link");
    let volume = scene.place.dir.join("volume");
    std::fs::create_dir(&volume).expect("a directory");
    let stop = AtomicBool::new(false);
    let target = Path::new("/s/a").join(scene.outside.strip_prefix("/").expect("absolute"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let dir = std::fs::File::open(&shared).expect("there");
            while !stop.load(Ordering::Relaxed) {
                rustix::fs::renameat_with(&dir, "a", &dir, "b", RenameFlags::EXCHANGE)
                    .expect("both are there");
            }
        });
        let mut made = 0;
        for number in 0..60 {
            let mut spec = scene.spec("true");
            spec.mounts.push(Mount::bind(&shared, "/s"));
            spec.mounts.push(Mount::bind(&volume, target.join(format!("new{number}"))));
            if let Ok(container) =
                scene.place.runtime.create(&scene.place.id(&format!("c{number}")), spec, Stdio::default())
            {
                made += 1;
                container.delete().expect("deleted");
            }
        }
        stop.store(true, Ordering::Relaxed);
        assert!(made > 0, "some have hit the directory");
    });
    scene.untouched();
}

/// CVE-2024-21626, GHSA-xr7r-f8xq-vfvv: a working directory by way of a descriptor that was left open.
#[test]
fn no_descriptor_is_a_working_directory() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    for number in 3..20 {
        let mut spec = sh("pwd; ls");
        spec.process.cwd = format!("/proc/self/fd/{number}").into();
        place.runtime.create(&place.id("c"), spec, Stdio::default()).expect_err("refused");
    }
    for path in ["/proc/self/cwd", "/proc/1/root", "/proc/self/root/../.."] {
        let mut spec = sh("true");
        spec.process.cwd = path.into();
        place.runtime.create(&place.id("c"), spec, Stdio::default()).expect_err(path);
    }
    let container =
        place.runtime.create(&place.id("c"), program(&["sleep", "600"]), Stdio::default()).expect("created");
    container.start().expect("started");
    for number in 3..20 {
        let mut further = ProcessSpec::new(["pwd"]);
        further.cwd = format!("/proc/self/fd/{number}").into();
        container.exec(&further, Stdio::default()).expect_err("refused");
    }
    container.delete().expect("deleted");
    place.audit();
}

/// CVE-2019-5736: the image names the runtime itself as interpreter, or as program, to overwrite it later.
#[test]
fn the_caller_cannot_be_executed() {
    if !root_or_skip() {
        return;
    }
    let scene = Scene::new();
    let script = scene.root.join("tmp/script");
    std::fs::write(&script, "#!/proc/self/exe\n").expect("a file");
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a mode");
    symlink("/proc/self/exe", scene.root.join("tmp/link")).expect("a link");
    let run_it = |args: &[&str]| {
        let spec = in_root(Rootfs::directory(&scene.root), args);
        let container = scene.place.runtime.create(&scene.place.id("c"), spec, Stdio::default())?;
        let started = container.start();
        // Our program of a few instructions, executed without what it needs, ends.
        let exit = container.wait().expect("waited");
        container.delete().expect("deleted");
        started.map(|()| exit)
    };
    for path in ["/tmp/link", "/proc/self/exe"] {
        let error = run_it(&[path]).expect_err("refused");
        assert!(matches!(error, Error::NotExecutable { .. }), "{error}");
    }
    if cfg!(target_arch = "x86_64") {
        assert_eq!(run_it(&["/tmp/script"]).expect("executed").status, ExitStatus::Code(1));
    }

    // From inside: whatever process is entering, none can be opened for writing or looked into.
    let mut spec = scene.spec(
        "while :; do for p in /proc/[0-9]*; do case $(readlink $p/exe) in
            /usr/*|/bin/*|'') ;; /memfd:orlop-exec*) (echo x > $p/exe) 2> /dev/null && echo written ;;
            *) echo seen $(readlink $p/exe) ;; esac; done; done",
    );
    let (mut read, stdout) = crate::support::pipe();
    spec.process.env.push(("LC_ALL".to_owned(), "C".to_owned()));
    let container = scene
        .place
        .runtime
        .create(&scene.place.id("c"), spec, Stdio { stdout, ..Stdio::default() })
        .expect("created");
    container.start().expect("started");
    for _ in 0..100 {
        let (exit, _) = output(|stdio| container.exec(&ProcessSpec::new(["true"]), stdio).expect("executed"));
        assert_eq!(exit.status, ExitStatus::Code(0));
    }
    container.delete().expect("deleted");
    let mut out = String::new();
    std::io::Read::read_to_string(&mut read, &mut out).expect("read");
    assert_eq!(out, "");
    scene.untouched();
}

/// CVE-2022-29162, 2022-27650: further processes with inheritable capabilities.
#[test]
fn further_processes_inherit_no_capabilities() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let container =
        place.runtime.create(&place.id("c"), program(&["sleep", "600"]), Stdio::default()).expect("created");
    container.start().expect("started");
    for uid in [0, 1_000] {
        let mut further = ProcessSpec::new(["grep", "CapInh", "/proc/self/status"]);
        further.user.uid = uid;
        let (_, out) = output(|stdio| container.exec(&further, stdio).expect("executed"));
        assert_eq!(out, "CapInh:\t0000000000000000\n");
    }
    container.delete().expect("deleted");
}

/// CVE-2025-31133: what masks a path is taken from the container, where it is something else.
#[test]
fn what_masks_is_not_the_containers() {
    if !root_or_skip() {
        return;
    }
    let scene = Scene::new();
    // No `/dev` of ours: all there is, is what the image has.
    std::fs::create_dir(scene.root.join("dev")).expect("a directory");
    symlink("/tmp/fake", scene.root.join("dev/null")).expect("a link");
    std::fs::write(scene.root.join("tmp/fake"), "fake").expect("a file");
    let mut spec = scene.spec("cat /proc/interrupts; echo $?; stat -c %t:%T /proc/interrupts");
    spec.mounts.retain(|mount| !mount.target.starts_with("/dev"));
    spec.devices.clear();
    spec.links.clear();
    let (_, out) = run(&scene.place, spec);
    assert_eq!(out, "0\n1:3\n");
    scene.untouched();
}

/// CVE-2025-52881: parameters are written where somebody has mounted something else.
#[test]
fn parameters_are_written_where_they_belong() {
    if !root_or_skip() {
        return;
    }
    let scene = Scene::new();
    let fake = scene.place.dir.join("fake");
    std::fs::create_dir_all(fake.join("ipv4")).expect("a directory");
    symlink(scene.outside.join("secret"), fake.join("ipv4/ip_default_ttl")).expect("a link");
    let mut spec =
        scene.spec("ls -l /proc/sys/net/ipv4; cat /proc/self/net/snmp | grep ^Ip: | tail -1 | cut -d' ' -f3");
    spec.mounts.push(Mount::bind(&fake, "/proc/sys/net"));
    spec.sysctls.insert("net.ipv4.ip_default_ttl".to_owned(), "77".to_owned());
    let (_, out) = run(&scene.place, spec);
    assert!(out.contains("->"), "the fake is there: {out}");
    assert!(out.ends_with("\n77\n"), "and the parameter is set: {out}");
    scene.untouched();
}

/// Parameters of a namespace that is the machine's, which would change the machine.
#[test]
fn parameters_of_the_machine_are_refused() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let refused = |result: Result<(), orlop_container::Error>| {
        let error = result.expect_err("refused").to_string();
        assert!(error.starts_with("sysctls[") && error.contains("the machine's"), "{error}");
    };
    for (name, network) in [("net/ipv4/ip_default_ttl", true), ("kernel/shmmax", false)] {
        let mut spec = program(&["true"]);
        if network {
            spec.namespaces.network = orlop_container::Namespace::Host;
        } else {
            spec.namespaces.ipc = orlop_container::Namespace::Host;
        }
        // What it is already, in case it is set after all.
        let now = std::fs::read_to_string(Path::new("/proc/sys").join(name)).expect("readable");
        let sysctls = std::collections::BTreeMap::from([(name.to_owned(), now.trim().to_owned())]);
        spec.sysctls.clone_from(&sysctls);
        refused(place.runtime.create(&place.id("c"), spec, Stdio::default()).map(drop));
        let pod = orlop_container::SandboxSpec {
            network: !network,
            ipc: network,
            sysctls,
            ..orlop_container::SandboxSpec::default()
        };
        refused(place.runtime.sandbox(&place.id("pod"), &pod).map(drop));
    }
    place.audit();
}

/// A regression of crun 1.29: modes of the mount points were copied onto the roots of what was mounted.
#[test]
fn roots_of_mounts_keep_their_modes() {
    if !root_or_skip() {
        return;
    }
    let scene = Scene::new();
    for name in ["proc", "sys", "dev"] {
        std::fs::create_dir(scene.root.join(name)).expect("a directory");
        std::fs::set_permissions(scene.root.join(name), std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .expect("a mode");
    }
    let (_, out) = run(
        &scene.place,
        scene.spec("stat -c %a /proc /sys /dev /dev/shm; grep -E '^[^ ]+ /(proc|sys|dev/shm) ' /proc/mounts | cut -d' ' -f4 | cut -d, -f1-4"),
    );
    assert_eq!(
        out,
        "555\n555\n755\n1777\nrw,nosuid,nodev,noexec\nrw,nosuid,nodev,noexec\nro,nosuid,nodev,noexec\n"
    );
}

/// What waits to be started, or is just entering, cannot be looked into: it has a copy of the caller's memory.
#[test]
fn what_enters_cannot_be_looked_into() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let sandbox = place
        .runtime
        .sandbox(&place.id("pod"), &orlop_container::SandboxSpec { shared_pid: true, ..Default::default() })
        .expect("made");
    let mut waits = program(&["sleep", "600"]);
    waits.namespaces = sandbox.namespaces();
    let waits = place.runtime.create(&place.id("waits"), waits, Stdio::default()).expect("created");
    let mut look = sh(
        "for p in /proc/[0-9]*; do [ $p = /proc/1 ] || [ $p = /proc/$$ ] || ls $p/root $p/fd > /dev/null 2>&1 && [ -d $p ] && echo seen $p $(cat $p/comm); done; echo done",
    );
    look.namespaces = sandbox.namespaces();
    let (_, out) = run(&place, look);
    let seen: Vec<_> =
        out.lines().filter(|line| line.starts_with("seen") && !line.ends_with(" sh")).collect();
    let allowed = |line: &&&str| line.contains("/proc/1 ") || line.ends_with("orlop-pau");
    assert!(seen.iter().all(|line| allowed(&line)), "{out}");
    waits.delete().expect("deleted");
    sandbox.delete().expect("deleted");
    place.audit();
}
