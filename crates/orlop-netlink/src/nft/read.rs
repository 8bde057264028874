//! [`Nft`]: committing, and reading back.

use super::{Element, Family, SUBSYSTEM, Transaction, head, message};
use crate::attr::{Writer, attributes, be32, find, text};
use crate::connection::{ACK, Connection, DUMP, Label, Message, Requests};
use crate::{Error, Netns};

/// A connection to the packet rules of one namespace.
#[derive(Debug)]
pub struct Nft {
    connection: Connection,
}

impl Nft {
    /// In the namespace of the calling thread.
    ///
    /// # Errors
    /// If no socket can be opened.
    pub fn open() -> Result<Self, Error> {
        Ok(Self { connection: Connection::open(netlink_sys::protocols::NETLINK_NETFILTER)? })
    }

    /// In a namespace. It stays there, whichever thread uses it.
    ///
    /// # Errors
    /// If the namespace cannot be entered or no socket can be opened.
    pub fn open_in(netns: &Netns) -> Result<Self, Error> {
        netns.run(Self::open)
    }

    /// Does all of a transaction, or nothing.
    ///
    /// # Errors
    /// The first change that the kernel refused; then none was made.
    pub fn commit(&mut self, transaction: Transaction) -> Result<(), Error> {
        if transaction.is_empty() {
            return Ok(());
        }
        self.connection.transact(&mut transaction.finish())
    }

    fn ask<T>(
        &mut self,
        (kind, flags): (u16, u16),
        family: u8,
        operation: &'static str,
        object: String,
        fill: impl FnOnce(&mut Writer<'_>),
        read: impl Fn(&mut Vec<T>, &[u8]),
    ) -> Result<Vec<T>, Error> {
        let mut requests = Requests::default();
        requests.push(SUBSYSTEM << 8 | kind, flags, Label { operation, object }, |body| {
            body.extend_from_slice(&head(family, 0));
            fill(&mut Writer(body));
        });
        self.connection.ask(&mut requests, Vec::new, |found, message: &Message<'_>| {
            read(found, message.body.get(4..).unwrap_or_default());
            Ok(())
        })
    }

    /// Changes with every transaction that anybody commits in the namespace.
    ///
    /// # Errors
    /// If the kernel cannot be spoken to.
    pub fn generation(&mut self) -> Result<u32, Error> {
        let object = "generation of packet rules".to_owned();
        let read = |found: &mut Vec<_>, body: &[u8]| found.extend(find(body, 1).and_then(be32));
        let found = self.ask((message::GET_GENERATION, ACK), 0, "get", object, |_| (), read)?;
        found.first().copied().ok_or_else(|| Error::malformed("get generation", "no number"))
    }

    /// The names of all tables of a family.
    ///
    /// # Errors
    /// If the kernel cannot be spoken to, or the list changes all the time.
    pub fn tables(&mut self, family: Family) -> Result<Vec<String>, Error> {
        let object = "tables".to_owned();
        let read = |found: &mut Vec<_>, body: &[u8]| found.extend(find(body, 1).map(text));
        self.ask((message::GET_TABLE, DUMP), family as u8, "list", object, |_| (), read)
    }

    /// The names of all chains of a table.
    ///
    /// # Errors
    /// If the kernel cannot be spoken to, or the list changes all the time.
    pub fn chains(&mut self, family: Family, table: &str) -> Result<Vec<String>, Error> {
        self.names(message::GET_CHAIN, 3, family, table)
    }

    /// The names of all sets and maps of a table.
    ///
    /// # Errors
    /// If the kernel cannot be spoken to, or the list changes all the time.
    pub fn sets(&mut self, family: Family, table: &str) -> Result<Vec<String>, Error> {
        self.names(message::GET_SET, 2, family, table)
    }

    fn names(
        &mut self,
        kind: u16,
        attribute: u16,
        family: Family,
        table: &str,
    ) -> Result<Vec<String>, Error> {
        let read = |found: &mut Vec<_>, body: &[u8]| {
            if find(body, 1).map(text).as_deref() == Some(table) {
                found.extend(find(body, attribute).map(text));
            }
        };
        let ask = |w: &mut Writer<'_>| {
            w.str(1, table);
        };
        absent_is_empty(self.ask((kind, DUMP), family as u8, "list", table.to_owned(), ask, read))
    }

    /// How many rules each chain of a table has, and their comments: `(chain, comment)` per rule.
    ///
    /// # Errors
    /// If the kernel cannot be spoken to, or the list changes all the time.
    pub fn rules(&mut self, family: Family, table: &str) -> Result<Vec<(String, String)>, Error> {
        let read = |found: &mut Vec<_>, body: &[u8]| {
            if find(body, 1).map(text).as_deref() == Some(table) {
                let chain = find(body, 2).map(text).unwrap_or_default();
                found.push((chain, find(body, 7).and_then(comment).unwrap_or_default()));
            }
        };
        let ask = |w: &mut Writer<'_>| {
            w.str(1, table);
        };
        absent_is_empty(self.ask(
            (message::GET_RULE, DUMP),
            family as u8,
            "list rules of",
            table.to_owned(),
            ask,
            read,
        ))
    }

    /// All elements of a set or map, sorted by key; none if it or its table is not there.
    ///
    /// For a moment after thousands were added some may be missing: the kernel enlarges the set's table in the background
    /// and does not say when a reader has passed it by. What it then shows twice is here once.
    ///
    /// # Errors
    /// If the kernel cannot be spoken to, or the list changes all the time.
    pub fn elements(&mut self, family: Family, table: &str, set: &str) -> Result<Vec<Element>, Error> {
        let object = format!("{table} {set}");
        let ask = |w: &mut Writer<'_>| {
            w.str(1, table).str(2, set);
        };
        let read = |found: &mut Vec<_>, body: &[u8]| {
            for (kind, element) in attributes(find(body, 3).unwrap_or_default()) {
                if kind == 1 {
                    found.extend(read_element(element));
                }
            }
        };
        let mut elements = absent_is_empty(self.ask(
            (message::GET_ELEMENT, DUMP),
            family as u8,
            "list elements of",
            object,
            ask,
            read,
        ))?;
        elements.sort_unstable_by(|a: &Element, b| (&a.key, &a.key_end).cmp(&(&b.key, &b.key_end)));
        elements.dedup_by(|a, b| (&a.key, &a.key_end) == (&b.key, &b.key_end));
        Ok(elements)
    }
}

fn absent_is_empty<T>(answer: Result<Vec<T>, Error>) -> Result<Vec<T>, Error> {
    match answer {
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        other => other,
    }
}

fn read_element(element: &[u8]) -> Option<Element> {
    let value = |kind| find(find(element, kind)?, 1).map(<[u8]>::to_vec);
    Some(Element {
        key: value(1)?,
        key_end: value(10),
        data: value(2),
        comment: find(element, 6).and_then(comment),
    })
}

/// The comment among user data: types and lengths of a byte each.
fn comment(mut data: &[u8]) -> Option<String> {
    while let [kind, len, rest @ ..] = data {
        let value = rest.get(..usize::from(*len))?;
        if *kind == 0 {
            return Some(text(value));
        }
        data = &rest[usize::from(*len)..];
    }
    None
}
