//! The mounts that this process sees (`/proc/self/mountinfo`).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Mount points at or below a directory, in the order in which they were mounted.
///
/// # Errors
/// The kernel's list cannot be read.
pub(crate) fn below(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let text =
        std::fs::read("/proc/self/mountinfo").map_err(|error| format!("/proc/self/mountinfo: {error}"))?;
    Ok(points(&text).filter(|point| point.starts_with(dir)).collect())
}

/// A mount: which file system, which part of it, and where.
struct Point {
    device: Vec<u8>,
    part: PathBuf,
    at: PathBuf,
}

/// Lines `id parent device part point …` (proc_pid_mountinfo(5)).
fn all(text: &[u8]) -> impl Iterator<Item = Point> + '_ {
    text.split(|byte| *byte == b'\n').filter_map(|line| {
        let mut fields = line.split(|byte| *byte == b' ').skip(2);
        let (device, part, at) = (fields.next()?.to_vec(), fields.next()?, fields.next()?);
        let path = |field| PathBuf::from(OsString::from_vec(unescaped(field)));
        Some(Point { device, part: path(part), at: path(at) })
    })
}

/// Processes, by pid, that see something of a directory of this process's mounted in a mount namespace of their own.
///
/// # Errors
/// The kernel's list of this process's own mounts cannot be read.
pub(crate) fn users_of(dir: &Path) -> Result<Vec<u32>, String> {
    let failed = |error: std::io::Error| format!("/proc/self/mountinfo: {error}");
    let own = std::fs::read("/proc/self/mountinfo").map_err(failed)?;
    let namespace = std::fs::read_link("/proc/self/ns/mnt").map_err(failed)?;
    // The last one covers those before it.
    let holder = all(&own)
        .filter(|point| dir.starts_with(&point.at))
        .max_by_key(|point| point.at.components().count())
        .ok_or_else(|| format!("{}: on no mount", dir.display()))?;
    let part = holder.part.join(dir.strip_prefix(&holder.at).unwrap_or(Path::new("")));
    let uses = |pid: &u32| {
        let other = std::fs::read_link(format!("/proc/{pid}/ns/mnt")).is_ok_and(|other| other != namespace);
        let text = std::fs::read(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
        other && all(&text).any(|point| point.device == holder.device && point.part.starts_with(&part))
    };
    let pids = super::record::folders(Path::new("/proc"));
    Ok(pids.iter().filter_map(|name| name.parse().ok()).filter(uses).collect())
}

fn points(text: &[u8]) -> impl Iterator<Item = PathBuf> + '_ {
    text.split(|byte| *byte == b'\n')
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(4))
        .map(|field| PathBuf::from(OsString::from_vec(unescaped(field))))
}

/// Blanks and line ends are written as `\ooo`.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, after @ ..] = rest {
        let code = after.get(..3).filter(|_| *first == b'\\');
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 8).ok());
        match code {
            Some(byte) => {
                out.push(byte);
                rest = &after[3..];
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

/// Unmounts everything at or below a directory.
///
/// # Errors
/// The first mount that the kernel does not let go.
pub(crate) fn unmount_below(dir: &Path) -> Result<(), String> {
    // Several mounts may lie over each other.
    for point in below(dir)?.iter().rev() {
        orlop_fs::unmount(point).map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read() {
        let text = b"36 35 98:0 / /mnt/a\\040b rw - ext4 /dev/x rw\n37 35 98:0 /x /mnt rw,noatime shared:1 - ext4 /dev/x rw\n";
        let all: Vec<PathBuf> = points(text).collect();
        assert_eq!(all, [PathBuf::from("/mnt/a b"), PathBuf::from("/mnt")]);
        assert!(below(Path::new("/")).unwrap().contains(&PathBuf::from("/proc")));
    }

    #[test]
    fn whoever_sees_something_of_a_directory_is_found() {
        use crate::linux::scratch::Scratch;
        use orlop_container::{Id, Mount, Rootfs, Runtime, Spec, Stdio};

        if !rustix::process::geteuid().is_root() {
            assert!(std::env::var("ORLOP_REQUIRE").as_deref() != Ok("all"), "needs root");
            #[expect(clippy::print_stdout, reason = "a test says what it leaves out")]
            {
                println!("skipped: needs root");
            }
            return;
        }
        let (place, seen) = (Scratch::new("place"), Scratch::new("seen"));
        std::fs::create_dir(place.path().join("root")).unwrap();
        for link in ["bin", "lib", "lib64"] {
            if let Ok(to) = std::fs::read_link(Path::new("/").join(link)) {
                std::os::unix::fs::symlink(to, place.path().join("root").join(link)).unwrap();
            }
        }
        std::fs::write(seen.path().join("file"), "").unwrap();
        let runtime = Runtime::open(place.path().join("state")).unwrap();
        let mut spec = Spec::new(Rootfs::directory(place.path().join("root")), ["/bin/sleep", "600"]);
        spec.mounts.push(Mount::bind("/usr", "/usr"));
        spec.mounts.push(Mount::bind(seen.path().join("file"), "/file"));
        let container = runtime.create(&Id::new("c").unwrap(), spec, Stdio::default()).unwrap();
        container.start().unwrap();
        assert_eq!(users_of(seen.path()).unwrap(), [container.pid()]);
        // Also what is there no more.
        std::fs::remove_file(seen.path().join("file")).unwrap();
        assert_eq!(users_of(seen.path()).unwrap(), [container.pid()]);
        assert_eq!(users_of(&seen.path().join("elsewhere")).unwrap(), [0_u32; 0]);
        container.delete().unwrap();
        assert_eq!(users_of(seen.path()).unwrap(), [0_u32; 0]);
    }
}
