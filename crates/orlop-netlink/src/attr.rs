//! Netlink attributes: a length, a type and a value, padded to four bytes, nested at will.

/// The value is a list of attributes itself.
const NESTED: u16 = 0x8000;
const TYPE_MASK: u16 = 0x3fff;

/// Writes attributes to the end of a buffer. Numbers are in network order, as nfnetlink wants them.
pub(crate) struct Writer<'a>(pub(crate) &'a mut Vec<u8>);

impl Writer<'_> {
    pub(crate) fn bytes(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        let len = u16::try_from(value.len() + 4).expect("values are checked where they come in");
        self.0.extend_from_slice(&len.to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(value);
        self.pad();
        self
    }

    pub(crate) fn u32(&mut self, kind: u16, value: u32) -> &mut Self {
        self.bytes(kind, &value.to_be_bytes())
    }

    /// Text with the zero at its end that the kernel wants.
    pub(crate) fn str(&mut self, kind: u16, value: &str) -> &mut Self {
        let len = u16::try_from(value.len() + 5).expect("names are checked where they come in");
        self.0.extend_from_slice(&len.to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(value.as_bytes());
        self.0.push(0);
        self.pad();
        self
    }

    pub(crate) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Writer<'_>)) -> &mut Self {
        let start = self.0.len();
        self.0.extend_from_slice(&[0, 0]);
        self.0.extend_from_slice(&(kind | NESTED).to_ne_bytes());
        fill(&mut Writer(self.0));
        let len = u16::try_from(self.0.len() - start).expect("lists are split before they grow too long");
        self.0[start..start + 2].copy_from_slice(&len.to_ne_bytes());
        self
    }

    fn pad(&mut self) {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }
}

/// The attributes in a buffer, as far as they are whole.
pub(crate) fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let header = rest.first_chunk::<4>()?;
        let len = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let kind = u16::from_ne_bytes([header[2], header[3]]) & TYPE_MASK;
        let value = rest.get(4..len)?;
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// The value of the first attribute of a type.
pub(crate) fn find(buffer: &[u8], wanted: u16) -> Option<&[u8]> {
    attributes(buffer).find_map(|(kind, value)| (kind == wanted).then_some(value))
}

/// A number in network order.
pub(crate) fn be32(value: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(*value.first_chunk()?))
}

/// Text without the zero at its end.
pub(crate) fn text(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut buffer = Vec::new();
        Writer(&mut buffer).str(1, "name").nest(2, |list| {
            list.u32(3, 7).bytes(4, &[1, 2, 3]);
        });
        assert_eq!(buffer.len() % 4, 0);
        assert_eq!(text(find(&buffer, 1).unwrap()), "name");
        let inner = find(&buffer, 2).unwrap();
        assert_eq!(be32(find(inner, 3).unwrap()), Some(7));
        assert_eq!(find(inner, 4), Some(&[1_u8, 2, 3][..]));
    }

    #[test]
    fn halves_end_the_list() {
        for bytes in [&[][..], &[8, 0], &[8, 0, 1, 0, 1], &[3, 0, 1, 0], &[0; 4], &[0xff; 7]] {
            assert_eq!(attributes(bytes).count(), 0, "{bytes:?}");
        }
    }
}
