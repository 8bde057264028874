//! Reading logs of containers.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio::sync::watch;

use super::log::parse;
use crate::runtime::{LogLine, LogOptions};

/// Bytes of one line at most; a longer one is cut into several.
const MAX_LINE: usize = 1 << 20;
/// Bytes read at once.
const CHUNK: usize = 64 << 10;

/// What a log's writer tells its readers: how much it has written, and whether it has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Counts up with every piece written.
    pub(crate) written: u64,
    /// Nothing will be written any more.
    pub(crate) ended: bool,
}

/// Reads a log to its end, and on.
pub(crate) struct Follower {
    path: PathBuf,
    file: Option<File>,
    /// Bytes that are no whole line of the file yet.
    bytes: Vec<u8>,
    /// What came before of a line in parts, by output.
    parts: [Option<LogLine>; 2],
    progress: watch::Receiver<Progress>,
    ready: VecDeque<LogLine>,
    options: LogOptions,
    /// All that was there has been read once.
    caught_up: bool,
}

impl Follower {
    pub(crate) fn new(path: PathBuf, progress: watch::Receiver<Progress>, options: LogOptions) -> Self {
        Self {
            path,
            file: None,
            bytes: Vec::new(),
            parts: [None, None],
            progress,
            ready: VecDeque::new(),
            options,
            caught_up: false,
        }
    }

    /// The next line; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<LogLine> {
        loop {
            if (self.caught_up || self.options.tail.is_none())
                && let Some(line) = self.ready.pop_front()
            {
                return Some(line);
            }
            // What was told before reading is in the file by now.
            let seen = *self.progress.borrow_and_update();
            match self.read() {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(path = %self.path.display(), %error, "a log could not be read");
                    return None;
                }
            }
            if !self.caught_up {
                self.caught_up = true;
                if let Some(tail) = self.options.tail {
                    self.ready.drain(..self.ready.len().saturating_sub(tail));
                }
                continue;
            }
            if !self.options.follow || seen.ended || self.progress.changed().await.is_err() {
                // A last line without an end is none of ours, but a part may wait for the rest that never came.
                return self.parts.iter_mut().find_map(Option::take);
            }
        }
    }

    /// Reads a piece; `false` at the end of all that is there.
    fn read(&mut self) -> io::Result<bool> {
        if self.file.is_none() {
            match File::open(&self.path) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        let Some(file) = &mut self.file else { return Ok(false) };
        let before = self.bytes.len();
        self.bytes.resize(before + CHUNK, 0);
        let count = file.read(&mut self.bytes[before..])?;
        self.bytes.truncate(before + count);
        if count == 0 {
            // It may have been put away meanwhile; then what follows is in a new one.
            let replaced = match self.path.metadata() {
                Ok(now) => now.ino() != file.metadata()?.ino(),
                Err(_) => false,
            };
            if replaced {
                // What was written between reading and looking is still to be read.
                let position = file.stream_position()?;
                if file.metadata()?.len() > position {
                    file.seek(SeekFrom::Start(position))?;
                    return Ok(true);
                }
                self.file = None;
            }
            return Ok(replaced);
        }
        self.take_lines();
        Ok(true)
    }

    fn take_lines(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut rest = &bytes[..];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.take(&rest[..end]);
            rest = &rest[end + 1..];
        }
        // More than the writer ever puts into one line is none of its lines.
        if rest.len() <= MAX_LINE {
            self.bytes = rest.to_vec();
        }
    }

    fn take(&mut self, line: &[u8]) {
        let Some(line) = parse(line) else { return };
        if self.options.since.is_some_and(|since| line.time < since) {
            return;
        }
        let part = &mut self.parts[usize::from(line.stderr)];
        let joined =
            part.get_or_insert_with(|| LogLine { time: line.time, stderr: line.stderr, text: Vec::new() });
        joined.text.extend_from_slice(line.text);
        if line.whole || joined.text.len() >= MAX_LINE {
            self.ready.extend(part.take());
        }
        if let Some(tail) = self.options.tail.filter(|_| !self.caught_up) {
            let surplus = self.ready.len().saturating_sub(tail);
            self.ready.drain(..surplus);
        }
    }
}

/// The end of a log as one text, for the message of a container that has failed: at most so many lines and bytes.
pub(crate) fn tail_text(path: &Path, lines: usize, bytes: usize) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    // Times and tags take less than 48 bytes of each line.
    let window = (bytes + 48 * lines) as u64;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(window)))?;
    let mut content = Vec::new();
    file.take(window).read_to_end(&mut content)?;
    let mut text: Vec<u8> = Vec::new();
    let all: Vec<_> = content.split(|byte| *byte == b'\n').filter_map(parse).collect();
    for line in &all[all.len().saturating_sub(lines)..] {
        text.extend_from_slice(line.text);
        if line.whole {
            text.push(b'\n');
        }
    }
    text.drain(..text.len().saturating_sub(bytes));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::log::{LogFile, LogLimits, Output, Pending, format};
    use super::*;
    use crate::linux::scratch::Scratch;

    fn append(log: &mut LogFile, text: &str, second: i64) {
        let time = jiff::Timestamp::from_second(1_772_366_400 + second).unwrap();
        let mut out = Vec::new();
        format(&mut out, Output::Stdout, &mut Pending::default(), text.as_bytes(), time);
        log.append(&out, time).unwrap();
    }

    async fn all(follower: &mut Follower) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(line) = follower.next().await {
            lines.push(String::from_utf8(line.text).unwrap());
        }
        lines
    }

    #[tokio::test]
    async fn what_is_there_and_what_comes() {
        let scratch = Scratch::new("follow");
        let path = scratch.path().join("0.log");
        let mut log = LogFile::open(&path, LogLimits { size: 60, files: 3 }).unwrap();
        for second in 0..5 {
            append(&mut log, &format!("line {second}\n"), 0);
        }
        let (tell, progress) = watch::channel(Progress::default());
        let options = |tail, follow| LogOptions { tail, follow, since: None };
        let mut last = Follower::new(path.clone(), progress.clone(), options(Some(1), false));
        assert_eq!(all(&mut last).await, ["line 4"]);

        let mut follower = Follower::new(path.clone(), progress, options(Some(0), true));
        let reader = tokio::spawn(async move { all(&mut follower).await });
        tokio::task::yield_now().await;
        for second in 5..9 {
            append(&mut log, &format!("line {second}\n"), second);
            tell.send_modify(|progress| progress.written += 1);
            tokio::task::yield_now().await;
        }
        tell.send_modify(|progress| progress.ended = true);
        // The log was rotated meanwhile; nothing is lost.
        assert_eq!(reader.await.unwrap(), ["line 5", "line 6", "line 7", "line 8"]);
        assert_eq!(tail_text(&path, 1, 100).unwrap(), b"line 8\n");
    }

    #[tokio::test]
    async fn parts_are_joined() {
        let scratch = Scratch::new("parts");
        let path = scratch.path().join("0.log");
        let mut log = LogFile::open(&path, LogLimits::default()).unwrap();
        let long = "y".repeat(40_000);
        append(&mut log, &format!("{long}\nshort\n"), 0);
        let (_tell, progress) = watch::channel(Progress::default());
        let mut follower = Follower::new(path, progress, LogOptions::default());
        assert_eq!(all(&mut follower).await, [long.as_str(), "short"]);
    }
}
