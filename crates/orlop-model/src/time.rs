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

/// Seconds of the first moment that four digits of a year can tell.
const YEAR_ZERO: i64 = -62_167_219_200;

/// A point in time in whole seconds, written in RFC 3339 in UTC (`2026-03-01T12:00:00Z`).
/// Fractions are cut when it is made.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// From seconds since 1970-01-01T00:00:00Z, limited to what [`Timestamp`] can hold.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.clamp(YEAR_ZERO, Timestamp::MAX.as_second()))
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

impl Time {
    /// Writes the text of the wire format.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        write_seconds(self.0, out);
        out.push(b'Z');
    }
}

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::with_capacity(32);
        self.write(&mut out);
        formatter.write_str(&String::from_utf8_lossy(&out))
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
        match plain_seconds(text) {
            Some(seconds) => Ok(Self(seconds)),
            None => parse(text, "2026-03-01T12:00:00Z").map(Self::from),
        }
    }
}

/// A point in time in microseconds, written with exactly six decimals
/// (`2026-03-01T12:00:00.000000Z`).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MicroTime(i64);

impl MicroTime {
    const FORM: &'static str = "2026-03-01T12:00:00.000000Z";

    /// From microseconds since 1970-01-01T00:00:00Z, limited to what [`Timestamp`] can hold.
    #[must_use]
    pub fn from_microseconds(microseconds: i64) -> Self {
        Self(microseconds.clamp(YEAR_ZERO * 1_000_000, Timestamp::MAX.as_microsecond()))
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

impl MicroTime {
    /// Writes the text of the wire format.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        write_seconds(self.0.div_euclid(1_000_000), out);
        out.push(b'.');
        digits(self.0.rem_euclid(1_000_000), 6, out);
        out.push(b'Z');
    }
}

impl fmt::Display for MicroTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::with_capacity(32);
        self.write(&mut out);
        formatter.write_str(&String::from_utf8_lossy(&out))
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

/// `2026-03-01T12:00:00`, as RFC 3339 has it, of seconds since 1970.
fn write_seconds(seconds: i64, out: &mut Vec<u8>) {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years from March, so that the leap day comes last: H. Hinnant, chrono-compatible date algorithms.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    digits(year, 4, out);
    let parts =
        [(b'-', month), (b'-', day), (b'T', second / 3600), (b':', second / 60 % 60), (b':', second % 60)];
    for (separator, value) in parts {
        out.push(separator);
        digits(value, 2, out);
    }
}

/// Digits with leading zeros.
fn digits(value: i64, width: u32, out: &mut Vec<u8>) {
    for place in (0..width).rev() {
        out.push(b'0' + (value / 10_i64.pow(place) % 10) as u8);
    }
}

/// Seconds of the text that nearly all times have: `2026-03-01T12:00:00Z`.
fn plain_seconds(text: &str) -> Option<i64> {
    let bytes: &[u8; 20] = text.as_bytes().try_into().ok()?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
    if separators.iter().any(|(place, separator)| bytes[*place] != *separator) {
        return None;
    }
    let number = |from: usize, to: usize| {
        bytes[from..to]
            .iter()
            .try_fold(0_i64, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    // What is not plainly valid is left to those who know the calendar.
    if !(1..=12).contains(&month) || !(1..=28).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let shifted_year = year - i64::from(month <= 2);
    let (era, year_of_era) = (shifted_year.div_euclid(400), shifted_year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
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
                crate::Str::deserialize(deserializer)?.parse().map_err(de::Error::custom)
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
    fn the_calendar_is_that_of_jiff() {
        for seconds in (YEAR_ZERO..Timestamp::MAX.as_second()).step_by(86_399 * 31) {
            let (time, wanted) = (Time(seconds), Timestamp::from_second(seconds).unwrap());
            assert_eq!(time.to_string(), wanted.to_string());
            assert_eq!(time.to_string().parse(), Ok(time), "{wanted}");
        }
    }

    #[test]
    fn micro_times_have_six_decimals() {
        let time: MicroTime = "2026-03-01T12:00:00.120000Z".parse().unwrap();
        assert_eq!(time.to_string(), "2026-03-01T12:00:00.120000Z");
    }
}
