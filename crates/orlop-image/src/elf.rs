//! What an executable needs to run: its interpreter and its shared objects.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use object::read::elf::{Dyn, ElfFile32, ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, FileKind, elf};

use crate::Error;

/// The largest executable or shared object that is looked into, in bytes.
const LARGEST: u64 = 1 << 30;
/// Shared objects of one executable.
const MOST: usize = 1000;

/// What one file says it needs.
#[derive(Debug, Default, PartialEq, Eq)]
struct Needs {
    interpreter: Option<PathBuf>,
    names: Vec<String>,
    /// Where to look for them; `$ORIGIN` is the directory of the file.
    search: Vec<String>,
    /// Class and machine, which have to be the same for all.
    kind: Option<(elf::FileClass, elf::Machine)>,
}

/// The interpreter and the shared objects that an executable needs, and what they need: the path by which each is asked
/// for, and the file that is there. Empty for one that is linked statically.
///
/// They are looked for as the dynamic linker does (ld.so(8)), in the directories of the files themselves, those of
/// `/etc/ld.so.conf`, and the usual ones. The executable is not run.
///
/// # Errors
/// It is no executable of this sort, or something it needs isn't there.
pub(crate) fn closure(executable: &Path) -> Result<BTreeMap<PathBuf, PathBuf>, Error> {
    let first = read(executable)?;
    let (configured, usual) = (configured_directories(), usual_directories());
    let mut found = BTreeMap::new();
    if let Some(interpreter) = &first.interpreter {
        found.insert(interpreter.clone(), real(interpreter)?);
    }
    let kind = first.kind;
    let origin = |file: &Path| real(file).map(|file| file.parent().unwrap_or(Path::new("/")).to_owned());
    let mut waiting: VecDeque<(PathBuf, Needs)> = VecDeque::from([(origin(executable)?, first)]);
    let mut known: BTreeMap<String, ()> = BTreeMap::new();
    // A path for libraries in the executable counts for all that it needs.
    let inherited: Vec<PathBuf> =
        waiting[0].1.search.iter().map(|text| expanded(text, &waiting[0].0)).collect();
    while let Some((origin_directory, needs)) = waiting.pop_front() {
        for name in &needs.names {
            if known.insert(name.clone(), ()).is_some() {
                continue;
            }
            if known.len() > MOST {
                let problem = format!("it needs more than {MOST} shared objects");
                return Err(Error::Build { path: executable.to_owned(), problem });
            }
            let own = needs.search.iter().map(|text| expanded(text, &origin_directory));
            let candidates: Vec<PathBuf> = if name.contains('/') {
                vec![PathBuf::from(name)]
            } else {
                let known = configured.iter().chain(&usual).cloned();
                own.chain(inherited.iter().cloned()).chain(known).map(|at| at.join(name)).collect()
            };
            let fitting = candidates.into_iter().find_map(|candidate| {
                let needs = candidate.is_file().then(|| read(&candidate).ok()).flatten()?;
                (needs.kind == kind).then_some((candidate, needs))
            });
            let Some((path, needs)) = fitting else {
                let problem = format!("shared object {name} is not to be found");
                return Err(Error::Build { path: executable.to_owned(), problem });
            };
            waiting.push_back((origin(&path)?, needs));
            found.insert(path.clone(), real(&path)?);
        }
    }
    // Directories that only the linker's cache knows are not searched where there is no cache: what lies there goes to
    // where the C library is.
    let home = found
        .keys()
        .find(|path| path.ends_with("libc.so.6"))
        .and_then(|path| path.parent())
        .map(Path::to_owned);
    let only_configured = |path: &Path| {
        path.parent().is_some_and(|at| {
            configured.iter().any(|directory| directory == at)
                && !usual.iter().any(|directory| directory == at)
        })
    };
    let moved = |path: PathBuf| match (&home, path.file_name()) {
        (Some(home), Some(name)) if only_configured(&path) => home.join(name),
        _ => path,
    };
    Ok(found.into_iter().map(|(path, there)| (moved(path), there)).collect())
}

fn real(path: &Path) -> Result<PathBuf, Error> {
    std::fs::canonicalize(path).map_err(Error::io("find", path))
}

fn expanded(text: &str, origin: &Path) -> PathBuf {
    let origin = origin.to_string_lossy();
    text.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin).into()
}

fn read(path: &Path) -> Result<Needs, Error> {
    let wrong = |problem: String| Error::Build { path: path.to_owned(), problem };
    let size = std::fs::metadata(path).map_err(Error::io("stat", path))?.len();
    if size > LARGEST {
        return Err(wrong(format!("larger than {LARGEST} bytes")));
    }
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    parse(&bytes).map_err(wrong)
}

fn parse(bytes: &[u8]) -> Result<Needs, String> {
    let text = |error: object::Error| error.to_string();
    match FileKind::parse(bytes).map_err(text)? {
        FileKind::Elf64 => {
            let file = ElfFile64::<Endianness>::parse(bytes).map_err(text)?;
            needs(file.elf_header(), file.endian(), bytes).map_err(text)
        }
        FileKind::Elf32 => {
            let file = ElfFile32::<Endianness>::parse(bytes).map_err(text)?;
            needs(file.elf_header(), file.endian(), bytes).map_err(text)
        }
        _ => Err("not an executable of this system".to_owned()),
    }
}

fn needs<H: FileHeader<Endian = Endianness>>(
    header: &H,
    endian: Endianness,
    bytes: &[u8],
) -> Result<Needs, object::Error> {
    let mut needs =
        Needs { kind: Some((header.e_ident().class, header.e_machine(endian))), ..Needs::default() };
    let segments = header.program_headers(endian, bytes)?;
    for segment in segments {
        if let Some(path) = segment.interpreter(endian, bytes)? {
            needs.interpreter = Some(String::from_utf8_lossy(path).into_owned().into());
        }
    }
    for segment in segments {
        let Some(entries) = segment.dynamic(endian, bytes)? else { continue };
        let value = |tag: elf::DynamicTag| {
            entries.iter().find(|entry| entry.d_tag(endian) == tag).map(|entry| entry.d_val(endian).into())
        };
        let (Some(table), Some(size)) = (value(elf::DT_STRTAB), value(elf::DT_STRSZ)) else { continue };
        // The table is given by where it will be in memory.
        let strings = segments
            .iter()
            .find_map(|segment| segment.data_range(endian, bytes, table, size).ok().flatten())
            .unwrap_or_default();
        let string = |offset: u64| {
            let rest = strings.get(usize::try_from(offset).ok()?..)?;
            let end = rest.iter().position(|byte| *byte == 0)?;
            Some(String::from_utf8_lossy(&rest[..end]).into_owned())
        };
        for entry in entries {
            let offset: u64 = entry.d_val(endian).into();
            match entry.d_tag(endian) {
                elf::DT_NULL => break,
                elf::DT_NEEDED => needs.names.extend(string(offset)),
                elf::DT_RUNPATH | elf::DT_RPATH => {
                    let paths = string(offset).unwrap_or_default();
                    needs.search.extend(paths.split(':').filter(|path| !path.is_empty()).map(str::to_owned));
                }
                _ => {}
            }
        }
    }
    Ok(needs)
}

/// The directories of `/etc/ld.so.conf` and of the files that it includes.
fn configured_directories() -> Vec<PathBuf> {
    let mut directories = Vec::new();
    let mut files = VecDeque::from([PathBuf::from("/etc/ld.so.conf")]);
    let mut read = 0;
    while let Some(file) = files.pop_front()
        && read < 256
    {
        read += 1;
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default().trim();
            match line.strip_prefix("include").map(str::trim) {
                Some(pattern) => files.extend(matching(&file, pattern)),
                None if line.starts_with('/') => directories.push(line.into()),
                None => {}
            }
        }
    }
    directories
}

/// The directories that are searched in any case.
fn usual_directories() -> Vec<PathBuf> {
    let machine = std::env::consts::ARCH;
    let mut directories = Vec::new();
    for usual in ["/lib", "/usr/lib"] {
        directories.push(format!("{usual}/{machine}-linux-gnu").into());
    }
    directories.extend(["/lib64", "/usr/lib64", "/lib", "/usr/lib"].map(PathBuf::from));
    directories
}

/// The files that `include DIRECTORY/*.conf` means, in order.
fn matching(file: &Path, pattern: &str) -> Vec<PathBuf> {
    let pattern = file.parent().unwrap_or(Path::new("/")).join(pattern);
    let (Some(directory), Some(name)) =
        (pattern.parent(), pattern.file_name().and_then(|name| name.to_str()))
    else {
        return Vec::new();
    };
    let Some((before, after)) = name.split_once('*') else { return vec![pattern] };
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| {
            entry.file_name().to_str().is_some_and(|name| {
                name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
            })
        })
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_needs_what_it_was_linked_with() {
        let this = std::env::current_exe().unwrap();
        let all = closure(&this).unwrap();
        if cfg!(target_env = "gnu") {
            let has = |part: &str| all.keys().any(|path| path.to_string_lossy().contains(part));
            assert!(has("libc.so.6") && has("ld-linux"), "{all:?}");
        }
        for (asked, there) in &all {
            assert!(asked.is_absolute() && there.is_file(), "{}", asked.display());
        }
    }

    #[test]
    fn what_is_no_executable_is_refused() {
        for bytes in [&b""[..], b"#!/bin/sh\n", b"\x7fELF", &[0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0]] {
            parse(bytes).unwrap_err();
        }
        closure(Path::new("/nonexistent/program")).unwrap_err();
    }

    #[test]
    fn a_cut_executable_is_no_panic() {
        let bytes = std::fs::read("/usr/bin/env").unwrap();
        assert!(parse(&bytes).is_ok());
        for length in (0..bytes.len().min(2048)).chain([bytes.len() / 2]) {
            let _ = parse(&bytes[..length]);
        }
    }
}
