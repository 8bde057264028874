//! Logs of containers: the line format of the CRI, with rotation.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// How large logs become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLimits {
    /// Bytes of a file after which a new one is begun; 0: never.
    pub size: u64,
    /// Files kept of one instance, the one being written included. At least 2.
    pub files: usize,
}

impl Default for LogLimits {
    /// 10 MiB, 5 files: kubelet's.
    fn default() -> Self {
        Self { size: 10 << 20, files: 5 }
    }
}

/// Longest part of a line that is written as one.
pub(crate) const MAX_PART: usize = 16 << 10;

/// One of the two outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Stdout,
    Stderr,
}

impl Output {
    fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// What was read of an output and is no whole line yet.
#[derive(Debug, Default)]
pub(crate) struct Pending(Vec<u8>);

/// Formats what has come from one output, whole lines as `TIME stdout F TEXT`, parts of long ones as
/// `TIME stdout P TEXT`; what has no line end yet stays in `pending`.
pub(crate) fn format(
    out: &mut Vec<u8>,
    output: Output,
    pending: &mut Pending,
    input: &[u8],
    time: Timestamp,
) {
    let mut line = |text: &[u8], whole: bool| {
        // Writing into memory does not fail.
        let _ = write!(out, "{time:.9} {} {} ", output.name(), if whole { 'F' } else { 'P' });
        out.extend_from_slice(text);
        out.push(b'\n');
    };
    let mut rest = input;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        pending.0.extend_from_slice(&rest[..end]);
        rest = &rest[end + 1..];
        let text = std::mem::take(&mut pending.0);
        let mut parts = text.chunks(MAX_PART).peekable();
        if parts.peek().is_none() {
            line(b"", true);
        }
        while let Some(part) = parts.next() {
            line(part, parts.peek().is_none());
        }
    }
    pending.0.extend_from_slice(rest);
    // The last part of a line is always written as whole, so that something must stay for it.
    while pending.0.len() > MAX_PART {
        line(&pending.0[..MAX_PART], false);
        pending.0.drain(..MAX_PART);
    }
}

/// The output has ended: what has no line end counts as a line.
pub(crate) fn finish(out: &mut Vec<u8>, output: Output, pending: &mut Pending, time: Timestamp) {
    if !pending.0.is_empty() {
        format(out, output, pending, b"\n", time);
    }
}

/// The log file of one instance.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    /// None until something is written, and after that has failed.
    file: Option<(File, u64)>,
    limits: LogLimits,
}

impl LogFile {
    /// The log at this path, which is opened, or begun, when it is needed.
    pub(crate) fn new(path: &Path, limits: LogLimits) -> Self {
        Self { path: path.to_owned(), file: None, limits }
    }

    /// Opens the log, or begins it.
    pub(crate) fn open(path: &Path, limits: LogLimits) -> io::Result<Self> {
        let mut log = Self::new(path, limits);
        log.opened()?;
        Ok(log)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn opened(&mut self) -> io::Result<&mut (File, u64)> {
        if self.file.is_none() {
            let file = open(&self.path)?;
            let size = file.metadata()?.size();
            self.file = Some((file, size));
        }
        self.file.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Appends lines made by [`format`]; a file that has become large enough is put away first. Then it is told where,
    /// and [`Away::tidy`] is to be called, which takes its time. After an error it can be tried again.
    pub(crate) fn append(&mut self, lines: &[u8], now: Timestamp) -> io::Result<Option<Away>> {
        let limit = self.limits.size;
        let full = self.opened()?.1 >= limit && limit > 0;
        let away = if full { self.rotate(now)? } else { None };
        let (file, size) = self.opened()?;
        let done = file.write_all(lines);
        *size += lines.len() as u64;
        if done.is_err() {
            self.file = None;
        }
        done.map(|()| away)
    }

    fn rotate(&mut self, now: Timestamp) -> io::Result<Option<Away>> {
        let stamp = jiff::fmt::strtime::format("%Y%m%d-%H%M%S", now).map_err(io::Error::other)?;
        let newest = suffixed(&self.path, &stamp);
        // A second time in one second: the file becomes larger than it should.
        if newest.exists() || suffixed(&newest, "gz").exists() {
            return Ok(None);
        }
        std::fs::rename(&self.path, &newest)?;
        match open(&self.path) {
            Ok(file) => self.file = Some((file, 0)),
            Err(error) => {
                std::fs::rename(&newest, &self.path)?;
                return Err(error);
            }
        }
        Ok(Some(Away { path: self.path.clone(), newest, limits: self.limits }))
    }
}

/// Files of a log that were put away.
#[derive(Debug)]
pub(crate) struct Away {
    path: PathBuf,
    newest: PathBuf,
    limits: LogLimits,
}

impl Away {
    /// Compresses all of them but the newest, and removes the oldest.
    pub(crate) fn tidy(&self) -> io::Result<()> {
        let mut away = rotated(&self.path)?;
        away.retain(|path| *path != self.newest);
        let keep = self.limits.files.max(2) - 2;
        for old in away.drain(..away.len().saturating_sub(keep)) {
            std::fs::remove_file(old)?;
        }
        for plain in away.iter().filter(|path| path.extension().is_none_or(|extension| extension != "gz")) {
            compress(plain)?;
        }
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o640).open(path)
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// The files that were put away, oldest first. What a killed process has left half compressed is removed.
fn rotated(path: &Path) -> io::Result<Vec<PathBuf>> {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let file = entry.file_name();
        let rest =
            file.to_str().and_then(|file| file.strip_prefix(name)).and_then(|rest| rest.strip_prefix('.'));
        match rest {
            Some(rest) if rest.ends_with(".tmp") => std::fs::remove_file(entry.path())?,
            Some(_) => all.push(entry.path()),
            None => {}
        }
    }
    all.sort();
    Ok(all)
}

fn compress(path: &Path) -> io::Result<()> {
    let (packed, part) = (suffixed(path, "gz"), suffixed(path, "tmp"));
    let done = (|| {
        let mode = path.metadata()?.mode() & 0o777;
        let file = OpenOptions::new().create(true).write(true).truncate(true).mode(mode).open(&part)?;
        let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::default());
        io::copy(&mut File::open(path)?, &mut encoder)?;
        encoder.finish()?;
        std::fs::rename(&part, &packed)
    })();
    if done.is_err() {
        drop(std::fs::remove_file(&part));
        return done;
    }
    std::fs::remove_file(path)
}

/// One line of a log file, read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) time: Timestamp,
    pub(crate) stderr: bool,
    /// It ends here; otherwise it goes on in the next line of the same output.
    pub(crate) whole: bool,
    pub(crate) text: &'a [u8],
}

/// Reads a line of a log file, without its end; `None` if it is none.
pub(crate) fn parse(line: &[u8]) -> Option<Line<'_>> {
    let mut fields = line.splitn(4, |byte| *byte == b' ');
    let time = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let stderr = match fields.next()? {
        b"stdout" => false,
        b"stderr" => true,
        _ => return None,
    };
    let tags = fields.next()?;
    let whole = match tags.split(|byte| *byte == b':').next()? {
        b"F" => true,
        b"P" => false,
        _ => return None,
    };
    Some(Line { time, stderr, whole, text: fields.next()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::scratch::Scratch;

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(1_772_366_400 + second).unwrap()
    }

    #[test]
    fn lines_and_parts() {
        let (mut out, mut pending) = (Vec::new(), Pending::default());
        format(&mut out, Output::Stdout, &mut pending, b"one\n\ntw", time(0));
        format(&mut out, Output::Stdout, &mut pending, b"o\nrest", time(1));
        finish(&mut out, Output::Stdout, &mut pending, time(2));
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "2026-03-01T12:00:00.000000000Z stdout F one\n\
             2026-03-01T12:00:00.000000000Z stdout F \n\
             2026-03-01T12:00:01.000000000Z stdout F two\n\
             2026-03-01T12:00:02.000000000Z stdout F rest\n"
        );
        let line = parse(text.lines().nth(2).unwrap().as_bytes()).unwrap();
        assert_eq!(line, Line { time: time(1), stderr: false, whole: true, text: b"two" });
        for bad in ["", "x stdout F y", "2026-03-01T12:00:00Z out F y", "2026-03-01T12:00:00Z stdout X y"] {
            assert!(parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn long_lines_are_written_in_parts_and_come_back_whole() {
        for length in [MAX_PART - 1, MAX_PART, MAX_PART + 1, 3 * MAX_PART, 3 * MAX_PART + 7] {
            let (mut out, mut pending) = (Vec::new(), Pending::default());
            let text = vec![b'x'; length];
            for piece in text.chunks(1000) {
                format(&mut out, Output::Stderr, &mut pending, piece, time(0));
            }
            format(&mut out, Output::Stderr, &mut pending, b"\n", time(0));
            let lines: Vec<_> = out
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .map(|line| parse(line).unwrap())
                .collect();
            let (last, before) = lines.split_last().unwrap();
            assert!(last.whole && before.iter().all(|line| !line.whole && line.text.len() == MAX_PART));
            assert_eq!(lines.iter().map(|line| line.text.len()).sum::<usize>(), length);
        }
    }

    #[test]
    fn files_are_rotated_compressed_and_removed() {
        let scratch = Scratch::new("log");
        let path = scratch.path().join("0.log");
        let mut log = LogFile::open(&path, LogLimits { size: 100, files: 4 }).unwrap();
        for second in 0..8 {
            if let Some(away) = log.append(&[b'a'; 120], time(second)).unwrap() {
                away.tidy().unwrap();
            }
        }
        let mut names: Vec<String> = std::fs::read_dir(scratch.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            ["0.log", "0.log.20260301-120005.gz", "0.log.20260301-120006.gz", "0.log.20260301-120007"]
        );
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 120);
    }
}
