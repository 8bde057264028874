//! [`Mac`].

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// A hardware address of six bytes, written `0a:58:0a:01:00:05`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for Mac {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = |reason| Error::Invalid { field: "hardware address", value: text.to_owned(), reason };
        let mut bytes = [0; 6];
        let mut parts = text.split([':', '-']);
        for byte in &mut bytes {
            let part = parts.next().filter(|part| part.len() == 2 && !part.starts_with('+'));
            *byte = part
                .and_then(|part| u8::from_str_radix(part, 16).ok())
                .ok_or_else(|| invalid("is not six bytes in hexadecimal"))?;
        }
        match parts.next() {
            Some(_) => Err(invalid("is longer than six bytes")),
            None => Ok(Self(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_and_written() {
        let mac: Mac = "0A:58:0a:01:00:05".parse().unwrap();
        assert_eq!(mac.to_string(), "0a:58:0a:01:00:05");
        for wrong in [
            "",
            "0a:58",
            "0a:58:0a:01:00:05:07",
            "0a:58:0a:01:00:0g",
            "a:58:0a:01:00:05",
            "+a:58:0a:01:00:05",
        ] {
            assert!(wrong.parse::<Mac>().is_err(), "{wrong}");
        }
    }
}
