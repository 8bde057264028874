//! What a YAML scalar means: the rules of YAML 1.1 as Kubernetes' tools read them, where `yes`, `on`
//! and `y` are true and `0644` is octal.

use base64::Engine as _;
use serde_json::Number;

use super::tree::Content;

/// The value of a plain scalar without a tag.
pub(super) fn plain(text: &str) -> Result<Content, String> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Content::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Content::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Content::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf"
        | "-.Inf" | "-.INF" => return Err(format!("{text} cannot be written as JSON")),
        _ => number(text).map_or_else(|| Content::Text(text.into()), Content::Number),
    })
}

/// The value of a scalar with a tag of YAML itself (`!!int`), given without the marks.
pub(super) fn tagged(tag: &str, text: &str) -> Result<Content, String> {
    let wrong = || format!("cannot decode !!{tag} `{text}`");
    match (tag, plain(text)) {
        ("int", Ok(Content::Number(value))) if !value.is_f64() => Ok(Content::Number(value)),
        ("float", Ok(Content::Number(value))) => Ok(Content::Number(value)),
        ("bool", Ok(Content::Bool(value))) => Ok(Content::Bool(value)),
        ("null", Ok(Content::Null)) => Ok(Content::Null),
        ("int" | "float" | "bool" | "null", _) => Err(wrong()),
        ("binary", _) => {
            let packed: String = text.split_whitespace().collect();
            let bytes = base64::engine::general_purpose::STANDARD.decode(packed).map_err(|_| wrong())?;
            String::from_utf8(bytes).map(|text| Content::Text(text.into())).map_err(|_| wrong())
        }
        _ => Ok(Content::Text(text.into())),
    }
}

/// The text of a value that is used as a key.
pub(super) fn key(content: &Content) -> Option<String> {
    match content {
        Content::Text(text) => Some(text.to_string()),
        Content::Bool(value) => Some(value.to_string()),
        Content::Number(number) => Some(number.to_string()),
        Content::Null | Content::List(_) | Content::Map(_) => None,
    }
}

fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return None;
    }
    let text = text.replace('_', "");
    integer(&text).or_else(|| float(&text))
}

/// An integer with a sign and the prefix `0x`, `0o`, `0b`, or `0` for octal.
fn integer(text: &str) -> Option<Number> {
    let (negative, signed, magnitude) = match text.as_bytes().first()? {
        b'-' => (true, true, &text[1..]),
        b'+' => (false, true, &text[1..]),
        _ => (false, false, text),
    };
    let (radix, digits) = match magnitude.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &magnitude[2..]),
        [b'0', b'o' | b'O', ..] => (8, &magnitude[2..]),
        [b'0', b'b' | b'B', ..] => (2, &magnitude[2..]),
        [b'0', _, ..] => (8, &magnitude[1..]),
        _ => (10, magnitude),
    };
    if !digits.starts_with(|first: char| first.is_digit(radix)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match (i64::try_from(magnitude), negative) {
        (Ok(value), false) => Some(value.into()),
        (Ok(value), true) => Some((-value).into()),
        (Err(_), true) if magnitude == i64::MIN.unsigned_abs() => Some(i64::MIN.into()),
        (Err(_), false) if !signed => Some(magnitude.into()),
        _ => None,
    }
}

/// A decimal number with a point or an exponent, or one too large for an integer. Whole ones are
/// integers, as Go writes them.
fn float(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mantissa_end = unsigned.find(['e', 'E']).unwrap_or(unsigned.len());
    let (mantissa, exponent) = unsigned.split_at(mantissa_end);
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if mantissa.is_empty() || mantissa == "." || !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    if let Some(power) = exponent.strip_prefix(['e', 'E']) {
        let digits = power.strip_prefix(['-', '+']).unwrap_or(power);
        if digits.is_empty() || !are_digits(digits) {
            return None;
        }
    }
    let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite())?;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within the range")]
    if value.fract() == 0.0 && value.abs() < 9.2e18 {
        return Some((value as i64).into());
    }
    Number::from_f64(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match plain(text) {
            Ok(Content::Text(text)) => format!("{text:?}"),
            Ok(other) => key(&other).unwrap_or_else(|| "null".to_owned()),
            Err(error) => error,
        }
    }

    #[test]
    fn plain_scalars_follow_yaml_1_1() {
        for (text, want) in [
            ("yes", "true"),
            ("Off", "false"),
            ("y", "true"),
            ("tRUE", "\"tRUE\""),
            ("~", "null"),
            ("0644", "420"),
            ("0o17", "15"),
            ("0x1F", "31"),
            ("-0b11", "-3"),
            ("08", "8"),
            ("1_000", "1000"),
            ("+12", "12"),
            ("1.0", "1"),
            ("1e3", "1000"),
            ("1.5", "1.5"),
            (".5", "0.5"),
            ("1e1000", "\"1e1000\""),
            ("18446744073709551615", "18446744073709551615"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("1:30", "\"1:30\""),
            ("2001-01-01", "\"2001-01-01\""),
            ("10.0.0.1", "\"10.0.0.1\""),
            ("-", "\"-\""),
            ("0x", "\"0x\""),
            ("1e", "\"1e\""),
            ("é", "\"é\""),
            ("500m", "\"500m\""),
            (".inf", ".inf cannot be written as JSON"),
        ] {
            assert_eq!(shown(text), want, "{text}");
        }
    }
}
