//! Reading tar archives: every form of header that images have, and nothing that costs more than its limits.
//!
//! The headers are those of the `tar` crate. Long names and extended attributes are put together here, because they are
//! bounded here.

use std::io::{self, Read};

use base64::Engine as _;

use crate::Limits;

const BLOCK: usize = 512;

/// What an entry makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    HardLink,
    Symlink,
    CharDevice,
    BlockDevice,
    Directory,
    Fifo,
}

/// One entry: all that its headers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    /// As it stands in the archive.
    pub(crate) path: Vec<u8>,
    /// What a link points to.
    pub(crate) link: Vec<u8>,
    /// Permission bits with set-uid, set-gid, sticky.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Seconds since 1970 and nanoseconds.
    pub(crate) modified: (i64, u32),
    /// Bytes of content that follow.
    pub(crate) size: u64,
    /// Major and minor number.
    pub(crate) device: (u32, u32),
    pub(crate) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What is wrong with an archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TarError {
    /// It cannot be read, or not be decompressed.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It ends in the middle of an entry.
    #[error("cut off at byte {at}")]
    Truncated {
        /// Bytes that were there.
        at: u64,
    },
    /// A header's checksum is not that of its bytes.
    #[error("no header at byte {at}")]
    Header {
        /// Where it begins.
        at: u64,
    },
    /// A field of a header is none, or out of range.
    #[error("{field} of the header at byte {at}: {value:?}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What it holds.
        value: String,
        /// Where the header begins.
        at: u64,
    },
    /// The kind of an entry that nothing can be made of.
    #[error("entry of type {kind:?} at byte {at} is not supported")]
    Kind {
        /// The type flag, or what it means.
        kind: String,
        /// Where its header begins.
        at: u64,
    },
    /// It holds more than is allowed.
    #[error("more than {limit} {what}")]
    Limit {
        /// Of what there is too much.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
    },
}

/// The entries of an archive, one after the other.
pub(crate) struct Archive<R> {
    source: R,
    limits: Limits,
    at: u64,
    entries: u64,
    /// Content of the present entry that nobody has read.
    content: u64,
    /// What follows it up to the next block.
    padding: u64,
    ended: bool,
}

/// What the headers in front of an entry say of it.
#[derive(Default)]
struct Records {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    modified: Option<(i64, u32)>,
    xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    bytes: u64,
}

impl<R: Read> Archive<R> {
    pub(crate) fn new(source: R, limits: &Limits) -> Self {
        Self { source, limits: limits.clone(), at: 0, entries: 0, content: 0, padding: 0, ended: false }
    }

    /// The next entry; what is left of the content of the last one is passed over. Nothing comes after the end marker.
    pub(crate) fn next_entry(&mut self) -> Result<Option<Entry>, TarError> {
        let mut records = Records::default();
        loop {
            self.skip_content()?;
            if self.ended {
                return Ok(None);
            }
            let at = self.at;
            let Some(block) = self.block()? else {
                return Ok(None);
            };
            if block.iter().all(|byte| *byte == 0) {
                // The end are two such blocks; writers that leave out the second are forgiven.
                return match self.block()? {
                    Some(second) if second.iter().any(|byte| *byte != 0) => {
                        Err(TarError::Header { at: at + 512 })
                    }
                    _ => {
                        self.ended = true;
                        Ok(None)
                    }
                };
            }
            let header = tar::Header::from_byte_slice(&block[..]);
            if !checksum_fits(header) {
                return Err(TarError::Header { at });
            }
            self.entries += 1;
            if self.entries > self.limits.entries {
                return Err(TarError::Limit { what: "entries", limit: self.limits.entries });
            }
            let old = header.as_old();
            let declared = number("size", &old.size, at)?;
            let flag = old.linkflag[0];
            match flag {
                b'L' | b'K' => {
                    let mut name = self.record(declared, &mut records)?;
                    name.truncate(name.iter().position(|byte| *byte == 0).unwrap_or(name.len()));
                    *(if flag == b'L' { &mut records.path } else { &mut records.link }) = Some(name);
                }
                b'x' | b'X' => {
                    let text = self.record(declared, &mut records)?;
                    records.read_pax(&text, at)?;
                }
                // What is said of the whole archive are comments.
                b'g' => {
                    self.record(declared, &mut records)?;
                }
                _ => return self.entry(header, records, declared, at).map(Some),
            }
        }
    }

    fn entry(
        &mut self,
        header: &tar::Header,
        records: Records,
        declared: u64,
        at: u64,
    ) -> Result<Entry, TarError> {
        let old = header.as_old();
        let path = records.path.unwrap_or_else(|| header.path_bytes().into_owned());
        let mut kind = match old.linkflag[0] {
            b'0' | b'\0' | b'7' => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::Symlink,
            b'3' => Kind::CharDevice,
            b'4' => Kind::BlockDevice,
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            b'S' => return Err(TarError::Kind { kind: "sparse file".to_owned(), at }),
            other => return Err(TarError::Kind { kind: char::from(other).to_string(), at }),
        };
        // Archives from before there were directories mark them so.
        if kind == Kind::File && path.ends_with(b"/") {
            kind = Kind::Directory;
        }
        let link = records.link.unwrap_or_else(|| header.link_name_bytes().unwrap_or_default().into_owned());
        for (what, text) in [("bytes of a path", &path), ("bytes of the target of a link", &link)] {
            if text.len() > self.limits.path {
                return Err(TarError::Limit { what, limit: self.limits.path as u64 });
            }
        }
        let id = |field, raw: Option<u64>, text: &[u8]| {
            let raw = raw.map_or_else(|| number(field, text, at), Ok)?;
            // The highest one means "leave it as it is" to the kernel.
            match u32::try_from(raw) {
                Ok(id) if id != u32::MAX => Ok(id),
                _ => Err(TarError::Field { field, value: raw.to_string(), at }),
            }
        };
        let size = match kind {
            Kind::File => records.size.unwrap_or(declared),
            // Some writers give the size of what a link leads to; no content follows.
            Kind::HardLink | Kind::Symlink | Kind::CharDevice | Kind::BlockDevice | Kind::Fifo => 0,
            Kind::Directory => records.size.unwrap_or(declared),
        };
        if size > self.limits.layer {
            return Err(TarError::Limit { what: "bytes of a file", limit: self.limits.layer });
        }
        let major_minor = match (kind, header.as_ustar(), header.as_gnu()) {
            (Kind::CharDevice | Kind::BlockDevice, Some(ustar), _) => {
                (number("devmajor", &ustar.dev_major, at)?, number("devminor", &ustar.dev_minor, at)?)
            }
            (Kind::CharDevice | Kind::BlockDevice, _, Some(gnu)) => {
                (number("devmajor", &gnu.dev_major, at)?, number("devminor", &gnu.dev_minor, at)?)
            }
            _ => (0, 0),
        };
        let device_part = |field, value: u64| {
            u32::try_from(value).map_err(|_| TarError::Field { field, value: value.to_string(), at })
        };
        self.content = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
        Ok(Entry {
            kind,
            path,
            link,
            mode: u32::try_from(number("mode", &old.mode, at)? & 0o7777).unwrap_or(0),
            uid: id("uid", records.uid, &old.uid)?,
            gid: id("gid", records.gid, &old.gid)?,
            modified: match records.modified {
                Some(modified) => modified,
                None => (signed_number("mtime", &old.mtime, at)?, 0),
            },
            size,
            device: (device_part("devmajor", major_minor.0)?, device_part("devminor", major_minor.1)?),
            xattrs: records.xattrs,
        })
    }

    /// The content of a record in front of an entry.
    fn record(&mut self, size: u64, records: &mut Records) -> Result<Vec<u8>, TarError> {
        records.bytes = records.bytes.saturating_add(size);
        if records.bytes > self.limits.records {
            return Err(TarError::Limit { what: "bytes of records of an entry", limit: self.limits.records });
        }
        self.content = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
        let mut bytes = Vec::new();
        self.content().read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < size {
            return Err(TarError::Truncated { at: self.at });
        }
        Ok(bytes)
    }

    /// The content of the present entry. A stream that ends before it does is an error.
    pub(crate) fn content(&mut self) -> Content<'_, R> {
        Content(self)
    }

    /// Reads what follows the end, which belongs to the stream as well.
    pub(crate) fn drain(&mut self) -> Result<(), TarError> {
        self.skip_content()?;
        self.at += io::copy(&mut self.source, &mut io::sink())?;
        Ok(())
    }

    /// What the archive was read from.
    pub(crate) fn into_source(self) -> R {
        self.source
    }

    fn skip_content(&mut self) -> Result<(), TarError> {
        let rest = self.content + self.padding;
        (self.content, self.padding) = (0, 0);
        let skipped = io::copy(&mut self.source.by_ref().take(rest), &mut io::sink())?;
        self.at += skipped;
        if skipped < rest { Err(TarError::Truncated { at: self.at }) } else { Ok(()) }
    }

    /// The next block; nothing if the archive ends before it.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, TarError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.source.read(&mut block[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.at += filled as u64;
        match filled {
            0 => Ok(None),
            BLOCK => Ok(Some(block)),
            _ => Err(TarError::Truncated { at: self.at }),
        }
    }
}

/// See [`Archive::content`].
pub(crate) struct Content<'a, R>(&'a mut Archive<R>);

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let archive = &mut *self.0;
        let wanted = buffer.len().min(usize::try_from(archive.content).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let read = archive.source.read(&mut buffer[..wanted])?;
        if read == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("cut off at byte {}", archive.at),
            ));
        }
        archive.content -= read as u64;
        archive.at += read as u64;
        Ok(read)
    }
}

impl Records {
    /// Lines `LENGTH KEY=VALUE`, where the length counts itself and the line's end (pax, POSIX.1-2017).
    fn read_pax(&mut self, text: &[u8], at: u64) -> Result<(), TarError> {
        let wrong = |text: &[u8]| TarError::Field {
            field: "pax record",
            value: String::from_utf8_lossy(&text[..text.len().min(64)]).into_owned(),
            at,
        };
        let mut rest = text;
        while !rest.is_empty() {
            // Zeros may follow the last line.
            if rest.iter().all(|byte| *byte == 0) {
                break;
            }
            let space = rest.iter().take(20).position(|byte| *byte == b' ').ok_or_else(|| wrong(rest))?;
            let length: usize = std::str::from_utf8(&rest[..space])
                .ok()
                .and_then(|length| length.parse().ok())
                .ok_or_else(|| wrong(rest))?;
            if length < space + 4 || length > rest.len() || rest[length - 1] != b'\n' {
                return Err(wrong(rest));
            }
            let line = &rest[space + 1..length - 1];
            let equals = line.iter().position(|byte| *byte == b'=').ok_or_else(|| wrong(rest))?;
            self.add(&line[..equals], &line[equals + 1..]).ok_or_else(|| wrong(rest))?;
            rest = &rest[length..];
        }
        if self.xattrs.iter().any(|(name, _)| name == b"\0sparse") {
            return Err(TarError::Kind { kind: "sparse file".to_owned(), at });
        }
        Ok(())
    }

    fn add(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let text = || std::str::from_utf8(value).ok();
        match key {
            b"path" => self.path = Some(value.to_vec()),
            b"linkpath" => self.link = Some(value.to_vec()),
            b"size" => self.size = Some(text()?.parse().ok()?),
            b"uid" => self.uid = Some(text()?.parse().ok()?),
            b"gid" => self.gid = Some(text()?.parse().ok()?),
            b"mtime" => self.modified = Some(moment(text()?)?),
            _ => {
                if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                    self.set_xattr(name.to_vec(), value.to_vec());
                } else if let Some(name) = key.strip_prefix(b"LIBARCHIVE.xattr.") {
                    const ENGINE: base64::engine::GeneralPurpose = base64::engine::GeneralPurpose::new(
                        &base64::alphabet::STANDARD,
                        base64::engine::GeneralPurposeConfig::new()
                            .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
                    );
                    let value = ENGINE.decode(value).ok()?;
                    self.set_xattr(percent_decoded(name), value);
                } else if key.starts_with(b"GNU.sparse.") {
                    // What follows is not the file's content; read_pax refuses it.
                    self.set_xattr(b"\0sparse".to_vec(), Vec::new());
                }
            }
        }
        Some(())
    }

    fn set_xattr(&mut self, name: Vec<u8>, value: Vec<u8>) {
        match self.xattrs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.xattrs.push((name, value)),
        }
    }
}

fn percent_decoded(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((first, tail)) = rest.split_first() {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        match tail {
            [high, low, tail @ ..] if *first == b'%' => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    out.push((high * 16 + low) as u8);
                    rest = tail;
                    continue;
                }
                _ => out.push(*first),
            },
            _ => out.push(*first),
        }
        rest = tail;
    }
    out
}

/// Seconds with a fraction, perhaps negative: `-1.25` is 1969-12-31T23:59:58.75Z.
fn moment(text: &str) -> Option<(i64, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let digits = &fraction[..fraction.len().min(9)];
    let nanos = if digits.is_empty() {
        0
    } else {
        digits.parse::<u32>().ok()? * 10_u32.pow(9 - u32::try_from(digits.len()).ok()?)
    };
    if whole.starts_with('-') && nanos > 0 {
        return Some((seconds.checked_sub(1)?, 1_000_000_000 - nanos));
    }
    Some((seconds, nanos))
}

/// The sum of the header's bytes, its own field taken as blanks. Some writers sum signed bytes.
fn checksum_fits(header: &tar::Header) -> bool {
    let Ok(said) = header.cksum() else { return false };
    let bytes = header.as_bytes().iter().enumerate();
    let blanked = bytes.map(|(at, byte)| if (148..156).contains(&at) { b' ' } else { *byte });
    let unsigned: u32 = blanked.clone().map(u32::from).sum();
    let signed: i32 = blanked.map(|byte| i32::from(byte.cast_signed())).sum();
    said == unsigned || i64::from(said) == i64::from(signed)
}

fn number(field: &'static str, text: &[u8], at: u64) -> Result<u64, TarError> {
    let read = signed_number(field, text, at)?;
    u64::try_from(read).map_err(|_| TarError::Field { field, value: read.to_string(), at })
}

/// Octal digits, or a number to the base of 256 if the first bit is set.
fn signed_number(field: &'static str, text: &[u8], at: u64) -> Result<i64, TarError> {
    let wrong = || TarError::Field { field, value: String::from_utf8_lossy(text).into_owned(), at };
    match text.first() {
        Some(first) if first & 0x80 != 0 => {
            let mut value: i128 = if first & 0x40 != 0 { -1 } else { 0 };
            for (index, byte) in text.iter().enumerate() {
                let byte = if index == 0 && value == 0 { byte & 0x7f } else { *byte };
                value = (value << 8) | i128::from(byte);
                if i64::try_from(value).is_err() {
                    return Err(wrong());
                }
            }
            i64::try_from(value).map_err(|_| wrong())
        }
        _ => {
            let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
            let digits = text[..end].trim_ascii();
            if digits.is_empty() {
                return Ok(0);
            }
            let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
            if !digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
                return Err(wrong());
            }
            i64::from_str_radix(digits, 8).map_err(|_| wrong())
        }
    }
}

/// Writing entries, for the tests and for images made here.
pub(crate) mod write {
    use super::{BLOCK, Entry, Kind};

    /// The headers of an entry; its content and [`padding`] follow.
    pub(crate) fn headers(entry: &Entry) -> Vec<u8> {
        let mut out = Vec::new();
        let mut records = Vec::new();
        let mut add = |key: &[u8], value: &[u8]| {
            let body = key.len() + value.len() + 3;
            let mut length = body + 1;
            while length != body + length.to_string().len() {
                length = body + length.to_string().len();
            }
            records.extend_from_slice(format!("{length} ").as_bytes());
            records.extend_from_slice(key);
            records.push(b'=');
            records.extend_from_slice(value);
            records.push(b'\n');
        };
        if entry.path.len() > 100 {
            add(b"path", &entry.path);
        }
        if entry.link.len() > 100 {
            add(b"linkpath", &entry.link);
        }
        for (name, value) in &entry.xattrs {
            add(&[b"SCHILY.xattr.", &name[..]].concat(), value);
        }
        if entry.modified.1 > 0 || entry.modified.0 < 0 {
            let (seconds, nanos) = entry.modified;
            let text = match (seconds < 0, nanos) {
                (true, 1..) => format!("-{}.{:09}", -(seconds + 1), 1_000_000_000 - nanos),
                _ => format!("{seconds}.{nanos:09}"),
            };
            add(b"mtime", text.as_bytes());
        }
        if !records.is_empty() {
            let about = Entry {
                kind: Kind::File,
                path: b"pax".to_vec(),
                link: Vec::new(),
                mode: 0o644,
                uid: 0,
                gid: 0,
                modified: (0, 0),
                size: records.len() as u64,
                device: (0, 0),
                xattrs: Vec::new(),
            };
            out.extend_from_slice(header(&about, b'x').as_bytes());
            let padding = padding(about.size);
            out.extend_from_slice(&records);
            out.extend_from_slice(padding);
        }
        let flag = match entry.kind {
            Kind::File => b'0',
            Kind::HardLink => b'1',
            Kind::Symlink => b'2',
            Kind::CharDevice => b'3',
            Kind::BlockDevice => b'4',
            Kind::Directory => b'5',
            Kind::Fifo => b'6',
        };
        out.extend_from_slice(header(entry, flag).as_bytes());
        out
    }

    /// What follows content of this size.
    pub(crate) fn padding(size: u64) -> &'static [u8] {
        let rest = usize::try_from(size % BLOCK as u64).unwrap_or(0);
        &END[..(BLOCK - rest) % BLOCK]
    }

    /// What an archive ends with.
    pub(crate) const END: &[u8] = &[0; 2 * BLOCK];

    fn header(entry: &Entry, flag: u8) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        let fill = |field: &mut [u8], text: &[u8]| {
            let length = text.len().min(field.len());
            field[..length].copy_from_slice(&text[..length]);
        };
        let old = header.as_old_mut();
        fill(&mut old.name, &entry.path);
        fill(&mut old.linkname, &entry.link);
        old.linkflag[0] = flag;
        header.set_mode(entry.mode);
        header.set_uid(entry.uid.into());
        header.set_gid(entry.gid.into());
        header.set_mtime(u64::try_from(entry.modified.0).unwrap_or(0));
        header.set_size(entry.size);
        if let Some(gnu) = header.as_gnu_mut() {
            gnu.set_device_major(entry.device.0);
            gnu.set_device_minor(entry.device.1);
        }
        header.set_cksum();
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: Kind, path: &str) -> Entry {
        Entry {
            kind,
            path: path.into(),
            link: Vec::new(),
            mode: 0o755,
            uid: 1,
            gid: 2,
            modified: (5, 0),
            size: 0,
            device: (0, 0),
            xattrs: Vec::new(),
        }
    }

    fn written(entries: &[(Entry, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (entry, content) in entries {
            out.extend(write::headers(entry));
            out.extend_from_slice(content);
            out.extend_from_slice(write::padding(content.len() as u64));
        }
        out.extend_from_slice(write::END);
        out
    }

    fn read(bytes: &[u8], limits: &Limits) -> Result<Vec<(Entry, Vec<u8>)>, TarError> {
        let mut archive = Archive::new(bytes, limits);
        let mut out = Vec::new();
        while let Some(entry) = archive.next_entry()? {
            let mut content = Vec::new();
            archive.content().read_to_end(&mut content)?;
            out.push((entry, content));
        }
        archive.drain()?;
        Ok(out)
    }

    #[test]
    fn what_is_written_is_read() {
        let long = "directory/".repeat(40) + "file";
        let mut file = Entry { size: 3, modified: (-2, 750_000_000), ..entry(Kind::File, &long) };
        file.xattrs = vec![(b"user.x".to_vec(), b"a=b\n\0".to_vec())];
        let link = Entry { link: long.clone().into_bytes(), ..entry(Kind::Symlink, "link") };
        let device = Entry { device: (1, 3), ..entry(Kind::CharDevice, "null") };
        let entries = [(file, &b"abc"[..]), (link, b""), (device, b""), (entry(Kind::Directory, "d/"), b"")];
        let back = read(&written(&entries), &Limits::default()).unwrap();
        let want: Vec<_> = entries.iter().map(|(entry, content)| (entry.clone(), content.to_vec())).collect();
        assert_eq!(back, want);
    }

    #[test]
    fn archives_that_are_cut_off_are_refused() {
        let whole = written(&[(Entry { size: 700, ..entry(Kind::File, "f") }, &[7; 700])]);
        let end = whole.len() - write::END.len();
        for length in 1..end {
            let error = read(&whole[..length], &Limits::default()).unwrap_err();
            assert!(matches!(error, TarError::Truncated { .. } | TarError::Io(_)), "{length}: {error}");
        }
        // Writers that forget the end, or half of it, are forgiven.
        for length in [end, end + 512, whole.len()] {
            assert_eq!(read(&whole[..length], &Limits::default()).unwrap().len(), 1);
        }
        let trailing = [&whole[..], b"something else"].concat();
        assert_eq!(read(&trailing, &Limits::default()).unwrap().len(), 1);
        let behind_half_an_end = [&whole[..end + 512], &whole[..512]].concat();
        assert!(matches!(read(&behind_half_an_end, &Limits::default()), Err(TarError::Header { .. })));
    }

    #[test]
    fn limits_hold() {
        let whole = written(&[
            (Entry { size: 3, ..entry(Kind::File, &"x/".repeat(200)) }, b"abc"),
            (entry(Kind::Directory, "d"), b""),
        ]);
        let refused = |change: fn(&mut Limits)| {
            let mut limits = Limits::default();
            change(&mut limits);
            match read(&whole, &limits) {
                Err(TarError::Limit { what, .. }) => what,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(refused(|limits| limits.entries = 2), "entries");
        assert_eq!(refused(|limits| limits.path = 300), "bytes of a path");
        assert_eq!(refused(|limits| limits.records = 100), "bytes of records of an entry");
        assert_eq!(refused(|limits| limits.layer = 2), "bytes of a file");
    }

    #[test]
    fn a_huge_record_is_refused_before_it_is_read() {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().linkflag[0] = b'x';
        header.set_size(1 << 40);
        header.set_cksum();
        let error = read(header.as_bytes(), &Limits::default()).unwrap_err();
        assert!(matches!(error, TarError::Limit { .. }), "{error}");
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let changed = |change: fn(&mut tar::Header)| {
            let mut header = tar::Header::new_gnu();
            header.as_old_mut().name[0] = b'f';
            header.as_old_mut().linkflag[0] = b'0';
            header.set_size(0);
            change(&mut header);
            header.set_cksum();
            read(header.as_bytes(), &Limits::default())
        };
        assert!(changed(|_| ()).is_ok());
        for change in [
            (|header: &mut tar::Header| header.as_old_mut().uid = [0xff; 8]) as fn(&mut tar::Header),
            |header| header.set_uid(u64::from(u32::MAX)),
            |header| header.set_gid(1 << 33),
            |header| header.as_old_mut().size = [0xff; 12],
            |header| header.as_old_mut().size = *b"99999999999\0",
            |header| {
                header.as_old_mut().mtime =
                    [0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
            },
        ] {
            assert!(matches!(changed(change), Err(TarError::Field { .. })));
        }
        assert!(matches!(
            changed(|header| header.as_old_mut().linkflag[0] = b'S'),
            Err(TarError::Kind { .. })
        ));
        assert!(matches!(
            changed(|header| header.as_old_mut().linkflag[0] = b'Z'),
            Err(TarError::Kind { .. })
        ));
        let negative = changed(|header| header.as_old_mut().mtime = [0xff; 12]).unwrap();
        assert_eq!(negative[0].0.modified, (-1, 0));
    }

    #[test]
    fn pax_records_are_read_whole_or_refused() {
        let mut records = Records::default();
        records.read_pax(b"12 path=a=b\n14 size=99999\n15 mtime=-1.25\n", 0).unwrap();
        assert_eq!(records.path.as_deref(), Some(&b"a=b"[..]));
        assert_eq!((records.size, records.modified), (Some(99999), Some((-2, 750_000_000))));
        records.read_pax(b"34 LIBARCHIVE.xattr.user.%41=aGkh\n\0\0", 0).unwrap();
        assert_eq!(records.xattrs, [(b"user.A".to_vec(), b"hi!".to_vec())]);
        for text in [
            "",
            "x",
            "5",
            "99 path=a\n",
            "8 path=a\n",
            "10 path=a\nx",
            "0 \n",
            "11 size=-1\n",
            "11 mtime=x\n",
        ] {
            let outcome = Records::default().read_pax(text.as_bytes(), 0);
            assert_eq!(outcome.is_err(), !text.is_empty(), "{text:?}");
        }
        let sparse = b"22 GNU.sparse.major=1\n";
        assert!(matches!(Records::default().read_pax(sparse, 0), Err(TarError::Kind { .. })));
    }
}
