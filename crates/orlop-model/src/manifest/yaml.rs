//! YAML to trees.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput, Tag};

use super::tree::{Content, Entry, Fault, Node};
use super::{MAX_DEPTH, ManifestReason, Position, scalar};

impl From<&Marker> for Position {
    fn from(mark: &Marker) -> Self {
        Self { line: mark.line(), column: mark.col() + 1 }
    }
}

/// A list or map that is not complete yet.
struct Frame {
    at: Position,
    anchor: usize,
    is_map: bool,
    items: Vec<Arc<Node>>,
    entries: Vec<Entry>,
    key: Option<Key>,
    merged: Vec<Arc<Node>>,
}

enum Key {
    Name(Box<str>, Position),
    /// `<<`: entries of other maps come in.
    Merge(Position),
}

impl Frame {
    fn finish(self) -> Result<Arc<Node>, Fault> {
        if !self.is_map {
            return Node::new(self.at, Content::List(self.items));
        }
        let mut entries = self.entries;
        if !self.merged.is_empty() {
            let mut keys: BTreeSet<Box<str>> = entries.iter().map(|entry| entry.key.clone()).collect();
            for entry in self.merged.iter().flat_map(|map| map.entries()) {
                if keys.insert(entry.key.clone()) {
                    entries.push(entry.clone());
                }
            }
        }
        Node::new(self.at, Content::Map(entries))
    }
}

/// The documents of a text, and what ends the reading of them early.
pub(super) fn documents(text: &str) -> (Vec<Arc<Node>>, Option<Fault>) {
    let mut reader = Reader::default();
    let fault = reader.read(text).err();
    (reader.documents, fault)
}

#[derive(Default)]
struct Reader {
    documents: Vec<Arc<Node>>,
    frames: Vec<Frame>,
    anchors: BTreeMap<usize, Arc<Node>>,
}

impl Reader {
    fn read(&mut self, text: &str) -> Result<(), Fault> {
        let mut parser: Parser<'_, StrInput<'_>> = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| {
                let at = Position::from(error.marker());
                // The scanner looks ahead and has a limit of its own.
                match error.info() {
                    "recursion limit exceeded" => Fault { at, reason: ManifestReason::TooDeep },
                    text => Fault::syntax(at, text),
                }
            })?;
            let at = Position::from(&span.start);
            match event {
                Event::DocumentStart(_) => self.anchors.clear(),
                Event::Scalar(text, style, anchor, tag) => {
                    self.scalar(at, &text, style, anchor, tag.as_deref())?
                }
                Event::Alias(anchor) => match self.anchors.get(&anchor) {
                    Some(node) => {
                        let node = Arc::clone(node);
                        self.value(at, node)?;
                    }
                    None => return Err(Fault::syntax(at, "an alias stands inside the value it names")),
                },
                Event::SequenceStart(anchor, _) => self.open(at, anchor, false)?,
                Event::MappingStart(anchor, _) => self.open(at, anchor, true)?,
                Event::SequenceEnd | Event::MappingEnd => {
                    if let Some(frame) = self.frames.pop() {
                        let (at, anchor) = (frame.at, frame.anchor);
                        let node = frame.finish()?;
                        self.complete(at, anchor, node)?;
                    }
                }
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            }
        }
        Ok(())
    }

    fn open(&mut self, at: Position, anchor: usize, is_map: bool) -> Result<(), Fault> {
        if self.frames.len() > MAX_DEPTH {
            return Err(Fault { at, reason: ManifestReason::TooDeep });
        }
        if self.frames.last().is_some_and(|frame| frame.is_map && frame.key.is_none()) {
            return Err(Fault::syntax(at, "a key must be a text, a number or a boolean"));
        }
        self.frames.push(Frame {
            at,
            anchor,
            is_map,
            items: Vec::new(),
            entries: Vec::new(),
            key: None,
            merged: Vec::new(),
        });
        Ok(())
    }

    fn scalar(
        &mut self,
        at: Position,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), Fault> {
        let is_plain = style == ScalarStyle::Plain;
        if let Some(frame) = self.frames.last_mut()
            && frame.is_map
            && frame.key.is_none()
            && is_plain
            && tag.is_none()
            && text == "<<"
        {
            frame.key = Some(Key::Merge(at));
            return Ok(());
        }
        let content = match tag {
            Some(tag) if tag.is_yaml_core_schema() => scalar::tagged(&tag.suffix, text),
            Some(_) => Ok(Content::Text(text.into())),
            None if is_plain => scalar::plain(text),
            None => Ok(Content::Text(text.into())),
        };
        let node = Node::new(at, content.map_err(|error| Fault::syntax(at, error))?)?;
        self.complete(at, anchor, node)
    }

    fn complete(&mut self, at: Position, anchor: usize, node: Arc<Node>) -> Result<(), Fault> {
        if anchor > 0 {
            self.anchors.insert(anchor, Arc::clone(&node));
        }
        self.value(at, node)
    }

    /// Puts a complete value where it belongs.
    fn value(&mut self, at: Position, node: Arc<Node>) -> Result<(), Fault> {
        let Some(frame) = self.frames.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        if !frame.is_map {
            frame.items.push(node);
            return Ok(());
        }
        match frame.key.take() {
            None => {
                let key = scalar::key(&node.content)
                    .ok_or_else(|| Fault::syntax(at, "a key must be a text, a number or a boolean"))?;
                frame.key = Some(Key::Name(key.into(), at));
            }
            Some(Key::Name(key, at)) => frame.entries.push(Entry { key, at, value: node }),
            Some(Key::Merge(at)) => {
                let maps = match &node.content {
                    Content::List(items) => items.clone(),
                    _ => vec![node],
                };
                if maps.iter().any(|map| !matches!(map.content, Content::Map(_))) {
                    return Err(Fault::syntax(at, "only maps can be merged"));
                }
                frame.merged.extend(maps);
            }
        }
        Ok(())
    }
}
