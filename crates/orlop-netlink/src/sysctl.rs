//! Kernel settings of the calling thread's network namespace, below `/proc/sys`.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::PathBuf;

use crate::Error;

fn path(name: &[&str]) -> Result<PathBuf, Error> {
    for part in name {
        if part.is_empty() || *part == "." || *part == ".." || part.contains(['/', '\0']) {
            let reason = "has a part that is no file name";
            return Err(Error::Invalid { field: "sysctl", value: name.join("/"), reason });
        }
    }
    Ok(["/proc/sys"].iter().chain(name).collect())
}

/// Reads a setting, without the line's end: `get(&["net", "ipv4", "ip_forward"])`. Parts may contain dots, as names of
/// links do. Call it inside [`Netns::run`](crate::Netns::run).
///
/// # Errors
/// If there is no such setting.
pub fn get(name: &[&str]) -> Result<String, Error> {
    let path = path(name)?;
    let failed = || Error::system("read sysctl", name.join("/"));
    let mut text = String::new();
    let file = OpenOptions::new().read(true).open(path).map_err(failed())?;
    file.take(4096).read_to_string(&mut text).map_err(failed())?;
    text.truncate(text.trim_end().len());
    Ok(text)
}

/// Writes a setting unless it has that value already. Answers whether it was written.
///
/// # Errors
/// If there is no such setting, it does not take the value, or `/proc/sys` cannot be written to.
pub fn set(name: &[&str], value: &str) -> Result<bool, Error> {
    if get(name)? == value {
        return Ok(false);
    }
    let failed = || Error::system("write sysctl", format!("{} = {value}", name.join("/")));
    let mut file = OpenOptions::new().write(true).open(path(name)?).map_err(failed())?;
    file.write_all(value.as_bytes()).map_err(failed())?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::namespace;

    #[test]
    fn a_setting_is_the_namespaces_own() {
        let Some(ns) = namespace() else { return };
        let name = ["net", "ipv4", "ip_forward"];
        let outside = get(&name).unwrap();
        let other = if outside == "1" { "0" } else { "1" };
        ns.run(|| {
            set(&name, other)?;
            assert!(!set(&name, other)?, "is so already");
            assert_eq!(get(&name)?, other);
            Ok::<_, Error>(())
        })
        .unwrap();
        assert_eq!(get(&name).unwrap(), outside);
    }

    #[test]
    fn no_way_out_of_the_folder() {
        for name in [&["net", ".."][..], &["net", "a/b"], &["", "x"]] {
            assert!(matches!(get(name), Err(Error::Invalid { .. })), "{name:?}");
        }
        assert!(get(&["net", "nonexistent"]).unwrap_err().is_not_found());
    }
}
