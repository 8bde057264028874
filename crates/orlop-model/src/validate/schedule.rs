//! Schedules of CronJobs, and time zones.
//!
//! The form is the one of Kubernetes' parser: five fields, or a descriptor such as `@hourly`, after `TZ=` or `CRON_TZ=`
//! with a zone if need be.

use jiff::tz::TimeZoneDatabase;

use crate::quote::quoted;

/// The least and greatest value of a field, and the names of its values.
struct Field {
    bounds: (u64, u64),
    names: &'static [&'static str],
    /// The number of the first name.
    first: u64,
}

const FIELDS: [Field; 5] = [
    Field { bounds: (0, 59), names: &[], first: 0 },
    Field { bounds: (0, 23), names: &[], first: 0 },
    Field { bounds: (1, 31), names: &[], first: 0 },
    Field {
        bounds: (1, 12),
        names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
        first: 1,
    },
    Field { bounds: (0, 6), names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"], first: 0 },
];

/// What is wrong with a schedule, in the parser's words.
pub(super) fn check(schedule: &str) -> Result<(), String> {
    if schedule.is_empty() {
        return Err("empty spec string".to_owned());
    }
    let zoned = ["TZ=", "CRON_TZ="].iter().find_map(|prefix| schedule.strip_prefix(prefix));
    let schedule = match zoned {
        None => schedule,
        // Kubernetes' parser ends in a panic where nothing follows the zone.
        Some(rest) => {
            let (zone, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            check_zone(zone).map_err(|reason| format!("provided bad location {zone}: {reason}"))?;
            rest.trim()
        }
    };
    if schedule.starts_with('@') {
        return check_descriptor(schedule);
    }
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        let found = fields.len();
        return Err(format!("expected exactly 5 fields, found {found}: [{}]", fields.join(" ")));
    }
    fields.iter().zip(&FIELDS).try_for_each(|(text, field)| {
        text.split(',').filter(|range| !range.is_empty()).try_for_each(|range| check_range(range, field))
    })
}

/// What is wrong with the name of a time zone. The names are those of IANA's database, exactly as it writes them.
pub(super) fn check_zone(name: &str) -> Result<(), String> {
    if matches!(name, "" | "UTC" | "Local") {
        return Ok(());
    }
    if name.contains("..") || name.starts_with(['/', '\\']) || name.contains('\\') {
        return Err("time: invalid location name".to_owned());
    }
    match TimeZoneDatabase::bundled().get(name) {
        Ok(zone) if zone.iana_name() == Some(name) => Ok(()),
        _ => Err(format!("unknown time zone {name}")),
    }
}

fn check_descriptor(text: &str) -> Result<(), String> {
    if ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"].contains(&text) {
        return Ok(());
    }
    match text.strip_prefix("@every ") {
        None => Err(format!("unrecognized descriptor: {text}")),
        Some(duration) => check_duration(duration)
            .map_err(|reason| format!("failed to parse duration {text}: time: {reason}")),
    }
}

/// Numbers with units, such as `1h30m` or `-1.5s`.
fn check_duration(text: &str) -> Result<(), String> {
    let shown = quoted(text);
    let invalid = || format!("invalid duration {shown}");
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Ok(());
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let number_end = rest
            .find(|character: char| !character.is_ascii_digit() && character != '.')
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(number_end);
        if number.bytes().filter(|byte| *byte == b'.').count() > 1
            || !number.bytes().any(|byte| byte.is_ascii_digit())
        {
            return Err(invalid());
        }
        let unit_end = after
            .find(|character: char| character.is_ascii_digit() || character == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let nanoseconds = match unit {
            "" => return Err(format!("missing unit in duration {shown}")),
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return Err(format!("unknown unit {} in duration {shown}", quoted(unit))),
        };
        total += number.parse::<f64>().map_err(|_| invalid())? * nanoseconds;
        rest = after;
    }
    // Beyond some 292 years there are no durations.
    if total > 9.223_372_036_854_775e18 { Err(invalid()) } else { Ok(()) }
}

fn check_range(text: &str, field: &Field) -> Result<(), String> {
    let (least, most) = field.bounds;
    let mut parts = text.split('/');
    let range = parts.next().unwrap_or_default();
    let (step, more) = (parts.next(), parts.next());
    let mut bounds = range.split('-');
    let low = bounds.next().unwrap_or_default();
    let (high, beyond) = (bounds.next(), bounds.next());
    let (start, mut end) = if matches!(low, "*" | "?") {
        (least, most)
    } else {
        let start = number_or_name(low, field)?;
        let end = match high {
            None => start,
            Some(high) => {
                if beyond.is_some() {
                    return Err(format!("too many hyphens: {text}"));
                }
                number_or_name(high, field)?
            }
        };
        (start, end)
    };
    if more.is_some() {
        return Err(format!("too many slashes: {text}"));
    }
    let step = match step {
        None => 1,
        Some(step) => {
            let step = number(step)?;
            if high.is_none() {
                end = most;
            }
            step
        }
    };
    if start < least {
        return Err(format!("beginning of range ({start}) below minimum ({least}): {text}"));
    }
    if end > most {
        return Err(format!("end of range ({end}) above maximum ({most}): {text}"));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    Ok(())
}

fn number_or_name(text: &str, field: &Field) -> Result<u64, String> {
    let lower = text.to_lowercase();
    match field.names.iter().zip(field.first..).find(|(name, _)| **name == lower) {
        Some((_, number)) => Ok(number),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u64, String> {
    let failed = |reason: &str| {
        format!("failed to parse int from {text}: strconv.Atoi: parsing {}: {reason}", quoted(text))
    };
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(failed("invalid syntax"));
    }
    let number: i64 = text.parse().map_err(|_| failed("value out of range"))?;
    u64::try_from(number).map_err(|_| format!("negative number ({number}) not allowed: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_that_are_fine() {
        for good in [
            "* * * * *",
            ", * * * *",
            "1, * * * *",
            "+5 ? */2 JAN-mar sun,6",
            "@hourly",
            "@every 1h30m",
            "@every 500ms",
            "TZ=UTC 1 1 1 1 1",
            "CRON_TZ=Asia/Tokyo @daily",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn schedules_that_are_refused_in_the_parsers_words() {
        for (bad, reason) in [
            ("", "empty spec string"),
            ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("* * * * sat-sun", "beginning of range (6) beyond end of range (0): sat-sun"),
            ("a * * * *", "failed to parse int from a: strconv.Atoi: parsing \"a\": invalid syntax"),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("1/2/3 * * * *", "too many slashes: 1/2/3"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("@Hourly", "unrecognized descriptor: @Hourly"),
            ("@every x", "failed to parse duration @every x: time: invalid duration \"x\""),
            ("@every 5", "failed to parse duration @every 5: time: missing unit in duration \"5\""),
            ("@every 1d", "failed to parse duration @every 1d: time: unknown unit \"d\" in duration \"1d\""),
            ("TZ=Bad/Zone 0 5 * * *", "provided bad location Bad/Zone: unknown time zone Bad/Zone"),
            ("TZ=UTC", "expected exactly 5 fields, found 0: []"),
        ] {
            assert_eq!(check(bad).unwrap_err(), reason, "{bad}");
        }
    }

    #[test]
    fn zones_are_named_exactly() {
        assert_eq!(check_zone("Europe/Berlin"), Ok(()));
        assert_eq!(check_zone("US/Pacific"), Ok(()));
        assert!(check_zone("europe/berlin").is_err());
        assert!(check_zone("../etc/passwd").is_err());
    }
}
