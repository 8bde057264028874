//! [`Time`] and [`MicroTime`], the points in time of the wire format.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A text that is not a time in the form a field asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a time of the form {form}")]
pub struct TimeError {
    /// The text.
    pub text: String,
    /// The form, as an example.
    pub form: &'static str,
}

/// A point in time in whole seconds, written in RFC 3339 in UTC (`2026-03-01T12:00:00Z`).
/// Fractions are cut when it is made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// From seconds since 1970-01-01T00:00:00Z, limited to what [`Timestamp`] can hold.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second()))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// The same point as a [`Timestamp`].
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_second(self.0).unwrap_or(Timestamp::MIN)
    }
}

impl From<Timestamp> for Time {
    fn from(timestamp: Timestamp) -> Self {
        // as_second truncates towards zero; before 1970 the second that contains the point is one less.
        let before = timestamp.subsec_nanosecond() < 0;
        Self::from_seconds(timestamp.as_second() - i64::from(before))
    }
}

impl From<Time> for Timestamp {
    fn from(time: Time) -> Self {
        time.timestamp()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.timestamp(), formatter)
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Time {
    type Err = TimeError;
    /// Any offset and fraction of RFC 3339 is read.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        parse(text, "2026-03-01T12:00:00Z").map(Self::from)
    }
}

/// A point in time in microseconds, written with exactly six decimals
/// (`2026-03-01T12:00:00.000000Z`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MicroTime(i64);

impl MicroTime {
    const FORM: &'static str = "2026-03-01T12:00:00.000000Z";

    /// From microseconds since 1970-01-01T00:00:00Z, limited to what [`Timestamp`] can hold.
    #[must_use]
    pub fn from_microseconds(microseconds: i64) -> Self {
        Self(microseconds.clamp(Timestamp::MIN.as_microsecond(), Timestamp::MAX.as_microsecond()))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn microseconds(self) -> i64 {
        self.0
    }

    /// The same point as a [`Timestamp`].
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::MIN)
    }
}

impl From<Timestamp> for MicroTime {
    fn from(timestamp: Timestamp) -> Self {
        Self::from_microseconds(timestamp.as_microsecond())
    }
}

impl From<MicroTime> for Timestamp {
    fn from(time: MicroTime) -> Self {
        time.timestamp()
    }
}

impl fmt::Display for MicroTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.6}", self.timestamp())
    }
}

impl fmt::Debug for MicroTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for MicroTime {
    type Err = TimeError;
    /// Exactly six decimals are asked for, as Kubernetes does.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let decimals =
            text.split_once('.').map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
        if decimals != 6 {
            return Err(TimeError { text: text.to_owned(), form: Self::FORM });
        }
        parse(text, Self::FORM).map(Self::from)
    }
}

fn parse(text: &str, form: &'static str) -> Result<Timestamp, TimeError> {
    let error = || TimeError { text: text.chars().take(64).collect(), form };
    // RFC 3339 wants a `T`; jiff also takes a space and annotations.
    let separator = text.as_bytes().get(10).is_some_and(|byte| matches!(byte, b'T' | b't'));
    if !separator || text.len() > 64 || text.contains('[') {
        return Err(error());
    }
    text.parse().map_err(|_| error())
}

macro_rules! serde_by_text {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl de::Visitor<'_> for Visitor {
                    type Value = $type;
                    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                        formatter.write_str("a time")
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }
    };
}
serde_by_text!(Time);
serde_by_text!(MicroTime);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_offsets_and_cuts_fractions() {
        let time: Time = "2026-03-01T13:00:00.9+01:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-03-01T12:00:00Z");
        let early = Time::from("1969-12-31T23:59:58.5Z".parse::<Timestamp>().unwrap());
        assert_eq!(early.to_string(), "1969-12-31T23:59:58Z");
    }

    #[test]
    fn refuses_other_forms() {
        for text in ["", "2026-03-01 12:00:00Z", "2026-03-01", "noon", "2026-03-01T12:00:00"] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
        for text in ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00.123Z", "2026-03-01T12:00:00.123456789Z"] {
            assert!(text.parse::<MicroTime>().is_err(), "{text}");
        }
    }

    #[test]
    fn micro_times_have_six_decimals() {
        let time: MicroTime = "2026-03-01T12:00:00.120000Z".parse().unwrap();
        assert_eq!(time.to_string(), "2026-03-01T12:00:00.120000Z");
    }
}
