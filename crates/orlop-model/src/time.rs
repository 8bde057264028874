//! [`Time`] and [`MicroTime`], the points in time of the wire format.

use std::fmt;
use std::num::NonZeroI64;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A text that is not a time in the form a field asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a time of the form {form}")]
pub struct TimeError {
    /// The text, cut after 64 characters.
    pub text: String,
    /// The form, as an example.
    pub form: &'static str,
}

/// 0000-01-01T00:00:00Z, the first second that four digits of a year can tell.
const FIRST: i64 = -62_167_219_200;

/// 9999-12-31T23:59:59Z, the last one.
const LAST: i64 = 253_402_300_799;

/// Longest text that is read, in bytes.
const MAX_LENGTH: usize = 64;

/// A point in time in whole seconds, from year 0 to year 9999, written in RFC 3339 in UTC (`2026-03-01T12:00:00Z`).
/// Fractions are cut when it is made. The default is 1970-01-01T00:00:00Z.
// Counted from the second before the first one, so that an `Option` of it is no larger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(NonZeroI64);

impl Time {
    /// From seconds since 1970-01-01T00:00:00Z, limited to years of four digits.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Self {
        // At least 1, after clamping.
        Self(NonZeroI64::new(seconds.clamp(FIRST, LAST) - FIRST + 1).unwrap_or(NonZeroI64::MIN))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.get() - 1 + FIRST
    }
}

impl Default for Time {
    fn default() -> Self {
        Self::from_seconds(0)
    }
}

impl Time {
    /// Writes the text of the wire format.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        write_seconds(self.seconds(), out);
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
        match parse(text) {
            Some((seconds, _)) => Ok(Self::from_seconds(seconds)),
            None => Err(TimeError::new(text, "2026-03-01T12:00:00Z")),
        }
    }
}

impl TimeError {
    fn new(text: &str, form: &'static str) -> Self {
        Self { text: text.chars().take(64).collect(), form }
    }
}

/// A point in time in microseconds, written with exactly six decimals
/// (`2026-03-01T12:00:00.000000Z`).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MicroTime(i64);

impl MicroTime {
    const FORM: &'static str = "2026-03-01T12:00:00.000000Z";

    /// From microseconds since 1970-01-01T00:00:00Z, limited to years of four digits.
    #[must_use]
    pub fn from_microseconds(microseconds: i64) -> Self {
        Self(microseconds.clamp(FIRST * 1_000_000, LAST * 1_000_000 + 999_999))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn microseconds(self) -> i64 {
        self.0
    }
}

impl MicroTime {
    /// Writes the text of the wire format.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        write_seconds(self.0.div_euclid(1_000_000), out);
        let mut fraction = *b".000000Z";
        digits(self.0.rem_euclid(1_000_000), &mut fraction[1..7]);
        out.extend_from_slice(&fraction);
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
        match parse(text) {
            Some((seconds, fraction)) if fraction.len() == 6 => {
                let microseconds = number(fraction).unwrap_or(0);
                Ok(Self::from_microseconds(seconds * 1_000_000 + microseconds))
            }
            _ => Err(TimeError::new(text, Self::FORM)),
        }
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
    let mut text = *b"0000-00-00T00:00:00";
    digits(year, &mut text[..4]);
    let parts = [(5, month), (8, day), (11, second / 3600), (14, second / 60 % 60), (17, second % 60)];
    for (place, value) in parts {
        digits(value, &mut text[place..place + 2]);
    }
    out.extend_from_slice(&text);
}

/// Digits with leading zeros.
fn digits(mut value: i64, out: &mut [u8]) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Seconds since 1970 and the digits of the fraction of a time in RFC 3339, which has no leap seconds here, as in Go.
fn parse(text: &str) -> Option<(i64, &[u8])> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let (point, rest) = text.as_bytes().split_first_chunk::<19>()?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|(place, separator)| point[*place] != *separator) {
        return None;
    }
    let (year, month, day) = (number(&point[0..4])?, number(&point[5..7])?, number(&point[8..10])?);
    let (hour, minute, second) = (number(&point[11..13])?, number(&point[14..16])?, number(&point[17..19])?);
    let is_date = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, zone) = match rest {
        [b'.', rest @ ..] => rest.split_at(rest.iter().take_while(|byte| byte.is_ascii_digit()).count()),
        rest => (&rest[..0], rest),
    };
    if fraction.is_empty() && rest.first() == Some(&b'.') {
        return None;
    }
    let offset = match zone {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), hours @ .., b':', tens, ones] if hours.len() == 2 => {
            let (hours, minutes) = (number(hours)?, number(&[*tens, *ones])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3600 + minutes * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    let seconds = days_before(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some((seconds - offset, fraction))
}

/// A number of digits alone; short ones, so that it fits.
fn number(digits: &[u8]) -> Option<i64> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    digits.iter().try_fold(0, |value, byte| Some(value * 10 + digit(byte)?))
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date; the way back is in [`write_seconds`].
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let shifted_year = year - i64::from(month <= 2);
    let (era, year_of_era) = (shifted_year.div_euclid(400), shifted_year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(feature = "jiff")]
mod timestamp {
    use jiff::Timestamp;

    use super::{MicroTime, Time};

    impl Time {
        /// The same point as a [`Timestamp`], which ends a day before the year 9999 does.
        #[must_use]
        pub fn timestamp(self) -> Timestamp {
            Timestamp::from_second(self.seconds()).unwrap_or(Timestamp::MAX)
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

    impl MicroTime {
        /// The same point as a [`Timestamp`], which ends a day before the year 9999 does.
        #[must_use]
        pub fn timestamp(self) -> Timestamp {
            Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::MAX)
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
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn reads_offsets_and_cuts_fractions() {
        let time: Time = "2026-03-01T13:00:00.9+01:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-03-01T12:00:00Z");
        let time: Time = "2026-03-01T00:30:00-05:45".parse().unwrap();
        assert_eq!(time.to_string(), "2026-03-01T06:15:00Z");
        let early = Time::from("1969-12-31T23:59:58.5Z".parse::<Timestamp>().unwrap());
        assert_eq!(early.to_string(), "1969-12-31T23:59:58Z");
        assert_eq!("2024-02-29T23:59:59Z".parse::<Time>().unwrap().seconds(), 1_709_251_199);
    }

    #[test]
    fn refuses_other_forms() {
        let long = format!("2026-03-01T12:00:00.{}Z", "0".repeat(60));
        for text in [
            "",
            "noon",
            "2026-03-01",
            "2026-03-01 12:00:00Z",
            "2026-03-01T12:00:00",
            "2026-03-01T12:00:00.Z",
            "2026-03-01T12:00:00z",
            "2026-03-01T12:00:00Z ",
            "2026-03-01T24:00:00Z",
            "2026-03-01T12:00:60Z",
            "2025-02-29T12:00:00Z",
            "1900-02-29T12:00:00Z",
            "2026-00-01T12:00:00Z",
            "2026-04-31T12:00:00Z",
            "2026-03-01T12:00:00+1:00",
            "2026-03-01T12:00:00+0100",
            "2026-03-01T12:00:00+24:00",
            "2026-03-01T12:00:00+01:00[Europe/Berlin]",
            "+026-03-01T12:00:00Z",
            "2026-03-01T12:00:é0Z",
            &long,
        ] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
        for text in ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00.123Z", "2026-03-01T12:00:00.123456789Z"] {
            assert!(text.parse::<MicroTime>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_calendar_is_that_of_jiff() {
        for seconds in (FIRST..Timestamp::MAX.as_second()).step_by(86_399 * 31) {
            let (time, wanted) = (Time::from_seconds(seconds), Timestamp::from_second(seconds).unwrap());
            assert_eq!(time.to_string(), wanted.to_string());
            assert_eq!(time.to_string().parse(), Ok(time), "{wanted}");
            assert_eq!(time.timestamp(), wanted);
        }
    }

    #[test]
    fn times_end_where_years_of_four_digits_do() {
        assert_eq!(Time::from_seconds(i64::MIN).to_string(), "0000-01-01T00:00:00Z");
        assert_eq!(Time::from_seconds(i64::MAX).to_string(), "9999-12-31T23:59:59Z");
        assert_eq!(MicroTime::from_microseconds(i64::MAX).to_string(), "9999-12-31T23:59:59.999999Z");
        assert_eq!(Time::from_seconds(i64::MAX).timestamp(), Timestamp::MAX);
        assert_eq!(Time::default().seconds(), 0);
        assert_eq!(size_of::<Option<Time>>(), 8);
    }

    #[test]
    fn micro_times_have_six_decimals() {
        let time: MicroTime = "2026-03-01T13:00:00.120000+01:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-03-01T12:00:00.120000Z");
        let early = MicroTime::from_microseconds(-1);
        assert_eq!(early.to_string(), "1969-12-31T23:59:59.999999Z");
        assert_eq!(early.to_string().parse(), Ok(early));
    }
}
