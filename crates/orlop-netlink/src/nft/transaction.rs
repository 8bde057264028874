//! [`Transaction`].

use super::{Expr, SUBSYSTEM, head, message};
use crate::Error;
use crate::attr::Writer;
use crate::connection::{ACK, APPEND, CREATE, EXCL, Label, Requests};

/// Which packets a table sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Family {
    /// IPv4 and IPv6.
    Inet = 1,
    /// IPv4.
    Ip4 = 2,
    /// What bridges pass on.
    Bridge = 7,
    /// IPv6.
    Ip6 = 10,
}

/// Where in the kernel a chain is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum HookKind {
    /// A packet came in.
    Prerouting = 0,
    /// It is for this host.
    Input = 1,
    /// It is for another.
    Forward = 2,
    /// This host sends it.
    Output = 3,
    /// It is about to go out.
    Postrouting = 4,
}

/// When and for what a chain is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Where.
    pub kind: HookKind,
    /// Before chains of greater numbers: −300 raw, −100 dnat, 0 filter, 100 snat.
    pub priority: i32,
    /// `filter`, `nat` or `route`.
    pub chain_type: &'static str,
}

/// A chain of rules.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a> {
    /// Its name in the table.
    pub name: &'a str,
    /// When it is called; none if only from other chains.
    pub hook: Option<Hook>,
}

/// Where a packet goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// Away.
    Drop,
    /// On, as far as this hook and priority are concerned.
    Accept,
    /// Through another chain, then on here.
    Jump(&'a str),
    /// Through another chain instead of this.
    Goto(&'a str),
    /// Back to where the chain was called.
    Return,
}

impl Verdict<'_> {
    pub(crate) fn write(&self, data: &mut Writer<'_>) {
        let (code, chain) = match self {
            Self::Drop => (0, None),
            Self::Accept => (1, None),
            Self::Jump(chain) => (-3, Some(chain)),
            Self::Goto(chain) => (-4, Some(chain)),
            Self::Return => (-5_i32, None),
        };
        // NFTA_DATA_VERDICT { NFTA_VERDICT_CODE, NFTA_VERDICT_CHAIN }
        data.nest(2, |verdict| {
            verdict.bytes(1, &code.to_be_bytes());
            if let Some(chain) = chain {
                verdict.str(2, chain);
            }
        });
    }
}

/// A set, or a map when it has data.
#[derive(Clone, Debug)]
pub struct Set<'a> {
    /// Its name in the table.
    pub name: &'a str,
    /// The fields of a key.
    pub key: Vec<Field>,
    /// The fields of what a key is mapped to; none makes it a set.
    pub data: Vec<Field>,
    /// Whether keys are mapped to verdicts.
    pub verdicts: bool,
    /// Whether elements are ranges rather than single keys.
    pub ranges: bool,
}

/// One field of a key: its length, and what tools are told that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    kind: u32,
    len: u32,
}

impl<'a> Set<'a> {
    /// An IPv4 address.
    pub const IP4: Field = Field { kind: 7, len: 4 };
    /// An IPv6 address.
    pub const IP6: Field = Field { kind: 8, len: 16 };
    /// A transport protocol.
    pub const PROTOCOL: Field = Field { kind: 12, len: 1 };
    /// A port.
    pub const PORT: Field = Field { kind: 13, len: 2 };
    /// A mark.
    pub const MARK: Field = Field { kind: 19, len: 4 };

    /// A set of keys of these fields.
    #[must_use]
    pub fn new(name: &'a str, key: &[Field]) -> Self {
        Self { name, key: key.to_vec(), data: Vec::new(), verdicts: false, ranges: false }
    }

    /// Makes it a map to data of these fields.
    #[must_use]
    pub fn to(mut self, data: &[Field]) -> Self {
        self.data = data.to_vec();
        self
    }

    /// Makes it a map to verdicts.
    #[must_use]
    pub fn to_verdicts(mut self) -> Self {
        self.verdicts = true;
        self
    }

    /// Makes its elements ranges.
    #[must_use]
    pub fn of_ranges(mut self) -> Self {
        self.ranges = true;
        self
    }
}

/// In the kernel, and for tools: length in bytes and kind of some fields put together.
fn together(fields: &[Field]) -> (u32, u32) {
    let kind = fields.iter().fold(0, |kind, field| kind << 6 | field.kind);
    match fields {
        [one] => (one.len, kind),
        _ => (fields.iter().map(|field| field.len.next_multiple_of(4)).sum(), kind),
    }
}

/// An element of a set or map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// The fields of the key put together, each filled up to four bytes.
    pub key: Vec<u8>,
    /// The last key of a range.
    pub key_end: Option<Vec<u8>>,
    /// What it is mapped to.
    pub data: Option<Vec<u8>>,
    /// Free text, of at most 250 bytes.
    pub comment: Option<String>,
}

impl Element {
    /// With a key of one field.
    #[must_use]
    pub fn key(key: impl AsRef<[u8]>) -> Self {
        Self { key: key.as_ref().to_vec(), ..Self::default() }
    }

    /// Puts fields together into a key or data.
    #[must_use]
    pub fn concat(fields: &[&[u8]]) -> Vec<u8> {
        let mut all = Vec::new();
        for field in fields {
            all.extend_from_slice(field);
            all.resize(all.len().next_multiple_of(4), 0);
        }
        all
    }

    fn write(&self, list: &mut Writer<'_>) {
        list.nest(1, |element| {
            element.nest(1, |key| {
                key.bytes(1, &self.key);
            });
            if let Some(end) = &self.key_end {
                element.nest(10, |key| {
                    key.bytes(1, end);
                });
            }
            if let Some(data) = &self.data {
                element.nest(2, |value| {
                    value.bytes(1, data);
                });
            }
            if let Some(comment) = &self.comment {
                element.bytes(6, &user_data(comment));
            }
        });
    }
}

/// A comment in the form that `nft` shows: a type of 0, a length, the text and a zero.
fn user_data(comment: &str) -> Vec<u8> {
    let mut text = comment.as_bytes();
    text = &text[..text.len().min(COMMENT_MAX)];
    let mut data = Vec::with_capacity(text.len() + 3);
    #[expect(clippy::cast_possible_truncation, reason = "it was cut above")]
    data.extend_from_slice(&[0, text.len() as u8 + 1]);
    data.extend_from_slice(text);
    data.push(0);
    data
}

pub(crate) const COMMENT_MAX: usize = 250;

/// Longest key and longest data of an element, in bytes: all registers together.
const VALUE_MAX: usize = 64;

/// Bytes of elements in one message: the length of a list is a number of 16 bits.
const IN_ONE_LIST: usize = 32 << 10;

/// Changes that are made at once: all of them, or none when one is refused.
#[derive(Clone, Debug)]
pub struct Transaction {
    requests: Requests,
}

impl Default for Transaction {
    fn default() -> Self {
        Self::new()
    }
}

fn name(what: &'static str, name: &str) -> Result<String, Error> {
    let reason = if name.is_empty() {
        "is empty"
    } else if name.len() > 127 || name.contains('\0') {
        "is longer than 127 bytes or has a zero in it"
    } else {
        return Ok(name.to_owned());
    };
    Err(Error::Invalid { field: what, value: name.to_owned(), reason })
}

impl Transaction {
    /// Nothing as yet.
    #[must_use]
    pub fn new() -> Self {
        Self::begin(None)
    }

    /// Nothing as yet, to be done only if nobody has changed any rule of the namespace since
    /// [`Nft::generation`](super::Nft::generation) answered so: else the error number is 85 (`ERESTART`).
    #[must_use]
    pub fn at(generation: u32) -> Self {
        Self::begin(Some(generation))
    }

    fn begin(generation: Option<u32>) -> Self {
        let mut requests = Requests::default();
        let label = Label { operation: "change", object: "packet rules".to_owned() };
        requests.push(16, 0, label, |body| {
            body.extend_from_slice(&head(0, SUBSYSTEM));
            if let Some(generation) = generation {
                Writer(body).u32(1, generation);
            }
        });
        Self { requests }
    }

    /// Whether nothing is to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.len() == 1
    }

    fn push(
        &mut self,
        (kind, flags): (u16, u16),
        family: Family,
        operation: &'static str,
        object: String,
        fill: impl FnOnce(&mut Writer<'_>),
    ) -> &mut Self {
        self.requests.push(SUBSYSTEM << 8 | kind, flags, Label { operation, object }, |body| {
            body.extend_from_slice(&head(family as u8, 0));
            fill(&mut Writer(body));
        });
        self
    }

    /// Closes the batch and asks for an acknowledgement of what is last in it.
    pub(crate) fn finish(mut self) -> Requests {
        self.requests.acknowledge_last(ACK);
        let label = Label { operation: "change", object: "packet rules".to_owned() };
        self.requests.push(17, 0, label, |body| body.extend_from_slice(&head(0, SUBSYSTEM)));
        self.requests
    }

    /// Adds a table; one that is there already stays as it is.
    ///
    /// # Errors
    /// If the name cannot be a table's.
    pub fn add_table(&mut self, family: Family, table: &str) -> Result<&mut Self, Error> {
        let table = name("table", table)?;
        Ok(self.push((message::NEW_TABLE, CREATE), family, "add table", table.clone(), |w| {
            w.str(1, &table);
        }))
    }

    /// Adds a table; refused with `EEXIST` if there is one of the name.
    ///
    /// # Errors
    /// If the name cannot be a table's.
    pub fn create_table(&mut self, family: Family, table: &str) -> Result<&mut Self, Error> {
        let table = name("table", table)?;
        Ok(self.push((message::NEW_TABLE, CREATE | EXCL), family, "create table", table.clone(), |w| {
            w.str(1, &table).u32(2, 0);
        }))
    }

    /// Removes a table with all that is in it.
    ///
    /// # Errors
    /// If the name cannot be a table's.
    pub fn delete_table(&mut self, family: Family, table: &str) -> Result<&mut Self, Error> {
        let table = name("table", table)?;
        Ok(self.push((message::DEL_TABLE, 0), family, "delete table", table.clone(), |w| {
            w.str(1, &table);
        }))
    }

    /// Adds a chain; one that is there already with the same hook stays as it is.
    ///
    /// # Errors
    /// If a name cannot be a chain's.
    pub fn add_chain(&mut self, family: Family, table: &str, chain: &Chain<'_>) -> Result<&mut Self, Error> {
        let table = name("table", table)?;
        let named = name("chain", chain.name)?;
        let object = format!("{table} {named}");
        Ok(self.push((message::NEW_CHAIN, CREATE), family, "add chain", object, |w| {
            w.str(1, &table).str(3, &named);
            if let Some(hook) = chain.hook {
                w.nest(4, |h| {
                    h.u32(1, hook.kind as u32).bytes(2, &hook.priority.to_be_bytes());
                });
                w.str(7, hook.chain_type);
            }
        }))
    }

    /// Removes a chain, which nothing must refer to.
    ///
    /// # Errors
    /// If a name cannot be a chain's.
    pub fn delete_chain(&mut self, family: Family, table: &str, chain: &str) -> Result<&mut Self, Error> {
        let (table, chain) = (name("table", table)?, name("chain", chain)?);
        let object = format!("{table} {chain}");
        Ok(self.push((message::DEL_CHAIN, 0), family, "delete chain", object, |w| {
            w.str(1, &table).str(3, &chain);
        }))
    }

    /// Removes all rules of a chain.
    ///
    /// # Errors
    /// If a name cannot be a chain's.
    pub fn flush_chain(&mut self, family: Family, table: &str, chain: &str) -> Result<&mut Self, Error> {
        let (table, chain) = (name("table", table)?, name("chain", chain)?);
        let object = format!("{table} {chain}");
        Ok(self.push((message::DEL_RULE, 0), family, "flush chain", object, |w| {
            w.str(1, &table).str(2, &chain);
        }))
    }

    /// Adds a rule at the end of a chain, whether or not there is one like it.
    ///
    /// # Errors
    /// If a name cannot be a chain's.
    pub fn add_rule(
        &mut self,
        family: Family,
        table: &str,
        chain: &str,
        rule: &[Expr],
        comment: &str,
    ) -> Result<&mut Self, Error> {
        let (table, chain) = (name("table", table)?, name("chain", chain)?);
        let object = format!("{table} {chain}: {comment}");
        Ok(self.push((message::NEW_RULE, CREATE | APPEND), family, "add rule", object, |w| {
            w.str(1, &table).str(2, &chain);
            w.nest(4, |list| rule.iter().for_each(|expr| expr.write(list)));
            if !comment.is_empty() {
                w.bytes(7, &user_data(comment));
            }
        }))
    }

    /// Adds a set or map; one that is there already with the same types stays as it is.
    ///
    /// # Errors
    /// If a name cannot be a set's.
    pub fn add_set(&mut self, family: Family, table: &str, set: &Set<'_>) -> Result<&mut Self, Error> {
        let table = name("table", table)?;
        let named = name("set", set.name)?;
        let (key_len, key_kind) = together(&set.key);
        let (data_len, data_kind) = together(&set.data);
        let map = set.verdicts || !set.data.is_empty();
        let concatenated = set.key.len() > 1;
        // NFT_SET_INTERVAL, NFT_SET_MAP, NFT_SET_CONCAT
        let flags = u32::from(set.ranges) << 2 | u32::from(map) << 3 | u32::from(concatenated) << 7;
        let object = format!("{table} {named}");
        // Sets have a number in the transaction, so that rules of the same can refer to them.
        let id = u32::try_from(self.requests.len()).unwrap_or(u32::MAX);
        Ok(self.push((message::NEW_SET, CREATE), family, "add set", object, |w| {
            w.str(1, &table).str(2, &named).u32(3, flags).u32(4, key_kind).u32(5, key_len);
            if set.verdicts {
                w.u32(6, 0xffff_ff00);
            } else if map {
                w.u32(6, data_kind).u32(7, data_len);
            }
            if concatenated {
                // NFTA_SET_DESC { NFTA_SET_DESC_CONCAT { element { NFTA_SET_FIELD_LEN } … } }
                w.nest(9, |description| {
                    description.nest(2, |fields| {
                        for field in &set.key {
                            fields.nest(1, |one| {
                                one.u32(1, field.len);
                            });
                        }
                    });
                });
            }
            w.u32(10, id);
        }))
    }

    /// Removes a set, which nothing must refer to.
    ///
    /// # Errors
    /// If a name cannot be a set's.
    pub fn delete_set(&mut self, family: Family, table: &str, set: &str) -> Result<&mut Self, Error> {
        let (table, set) = (name("table", table)?, name("set", set)?);
        let object = format!("{table} {set}");
        Ok(self.push((message::DEL_SET, 0), family, "delete set", object, |w| {
            w.str(1, &table).str(2, &set);
        }))
    }

    /// Adds elements; refused with `EEXIST` if one of the keys is there already.
    ///
    /// # Errors
    /// If a name cannot be a set's, or a key, data or a comment is too long.
    pub fn add_elements(
        &mut self,
        family: Family,
        table: &str,
        set: &str,
        elements: &[Element],
    ) -> Result<&mut Self, Error> {
        for comment in elements.iter().filter_map(|element| element.comment.as_ref()) {
            if comment.len() > COMMENT_MAX || comment.contains('\0') {
                let reason = "is longer than 250 bytes or has a zero in it";
                return Err(Error::Invalid { field: "comment", value: comment.clone(), reason });
            }
        }
        self.elements((message::NEW_ELEMENT, CREATE | EXCL), "add elements to", family, table, set, elements)
    }

    /// Removes elements; refused with `ENOENT` if one is not there.
    ///
    /// # Errors
    /// If a name cannot be a set's, or a key or data is too long.
    pub fn delete_elements(
        &mut self,
        family: Family,
        table: &str,
        set: &str,
        elements: &[Element],
    ) -> Result<&mut Self, Error> {
        self.elements((message::DEL_ELEMENT, 0), "delete elements of", family, table, set, elements)
    }

    fn elements(
        &mut self,
        what: (u16, u16),
        operation: &'static str,
        family: Family,
        table: &str,
        set: &str,
        elements: &[Element],
    ) -> Result<&mut Self, Error> {
        let (table, set) = (name("table", table)?, name("set", set)?);
        for element in elements {
            let values = [Some(&element.key), element.key_end.as_ref(), element.data.as_ref()];
            if let Some(value) = values.into_iter().flatten().find(|value| value.len() > VALUE_MAX) {
                let reason = "is longer than 64 bytes";
                return Err(Error::Invalid { field: "element", value: format!("{value:02x?}"), reason });
            }
        }
        let mut rest = elements;
        while !rest.is_empty() {
            let object = format!("{table} {set}");
            let mut size = 0;
            let fit = rest.iter().take_while(|element| {
                size += 400 + element.key.len() * 2 + element.data.as_ref().map_or(0, Vec::len);
                size < IN_ONE_LIST
            });
            let (now, later) = rest.split_at(fit.count().max(1));
            self.push(what, family, operation, object, |w| {
                w.str(1, &table).str(2, &set);
                w.nest(3, |list| now.iter().for_each(|element| element.write(list)));
            });
            rest = later;
        }
        Ok(self)
    }
}
