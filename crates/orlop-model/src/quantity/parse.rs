//! Reading a quantity.

use std::str::FromStr;

use super::amount::Amount;
use super::decimal::Decimal;
use super::integer::Integer;
use super::{Format, Quantity, Repr, Worded};

/// Digits that always fit 64 bits.
const FAST_DIGITS: usize = 18;

/// Longest text that is read, in bytes.
const MAX_LENGTH: usize = 8192;

/// Why a text is not a [`Quantity`]. The first three texts are Kubernetes' own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuantityError {
    /// It does not follow the grammar.
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Grammar,
    /// It has an exponent but no digits.
    #[error("unable to parse numeric part of quantity")]
    Number,
    /// There is no such suffix.
    #[error("unable to parse quantity's suffix")]
    Suffix,
    /// Its exponent is beyond ±[`Quantity::MAX_EXPONENT`].
    #[error("the exponent of a quantity must be between -4096 and 4096")]
    Exponent,
    /// It is longer than any number within the limits.
    #[error("quantities must be no more than 8192 bytes")]
    TooLong,
}

/// A text in its parts. `number` is sign, digits and point; leading zeros are not in `whole`, which
/// is `0` rather than empty.
struct Parts<'a> {
    negative: bool,
    number: &'a str,
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

fn split(text: &str) -> Result<Parts<'_>, QuantityError> {
    let bytes = text.as_bytes();
    let run = |from: usize, accept: fn(&u8) -> bool| {
        from + bytes[from..].iter().take_while(|byte| accept(byte)).count()
    };
    let negative = bytes.first() == Some(&b'-');
    let start = usize::from(matches!(bytes.first(), Some(b'-' | b'+')));
    let nonzero = run(start, |byte| *byte == b'0');
    if nonzero == bytes.len() {
        return Ok(Parts { negative, number: "0", whole: "0", fraction: "", suffix: "" });
    }
    let whole_end = run(nonzero, u8::is_ascii_digit);
    let whole = if whole_end == nonzero { "0" } else { &text[nonzero..whole_end] };
    let (fraction, number_end) = if bytes.get(whole_end) == Some(&b'.') {
        let end = run(whole_end + 1, u8::is_ascii_digit);
        (&text[whole_end + 1..end], end)
    } else {
        ("", whole_end)
    };
    let letters_end = run(number_end, |byte| b"eEinumkKMGTP".contains(byte));
    let sign_end = letters_end + usize::from(matches!(bytes.get(letters_end), Some(b'-' | b'+')));
    if run(sign_end, u8::is_ascii_digit) != bytes.len() {
        return Err(QuantityError::Grammar);
    }
    Ok(Parts { negative, number: &text[..number_end], whole, fraction, suffix: &text[number_end..] })
}

/// Format and exponent of a suffix; the exponent is one of 2 for [`Format::BinarySi`].
fn interpret(suffix: &str) -> Result<(Format, i32), QuantityError> {
    let decimal = |exponent| Ok((Format::DecimalSi, exponent));
    let binary = |exponent| Ok((Format::BinarySi, exponent));
    match suffix {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let digits = suffix.strip_prefix(['e', 'E']).ok_or(QuantityError::Suffix)?;
            let exponent = match i64::from_str(digits) {
                Ok(exponent) => exponent,
                Err(_) => return Err(QuantityError::Suffix),
            };
            i32::try_from(exponent)
                .ok()
                .filter(|exponent| exponent.abs() <= Quantity::MAX_EXPONENT)
                .map(|exponent| (Format::DecimalExponent, exponent))
                .ok_or(QuantityError::Exponent)
        }
    }
}

pub(super) fn parse(text: &str) -> Result<Quantity, QuantityError> {
    match text.len() {
        0 => return Err(QuantityError::Grammar),
        1..=MAX_LENGTH => {}
        _ => return Err(QuantityError::TooLong),
    }
    let parts = split(text)?;
    let (format, exponent) = interpret(parts.suffix)?;
    match small(text, &parts, format, exponent) {
        Some(quantity) => Ok(quantity),
        None => wide(&parts, format, exponent),
    }
}

/// The small form, where Kubernetes uses it too: which form a number has shows in
/// [`Quantity::value`] and [`Quantity::as_i64`].
fn small(text: &str, parts: &Parts<'_>, format: Format, exponent: i32) -> Option<Quantity> {
    let digits = parts.whole.len() + parts.fraction.len();
    let (scale, factor) = if format == Format::BinarySi {
        // A power of 1024 has about three digits.
        let factor_digits = usize::try_from(exponent * 3 / 10).ok()?;
        if !parts.fraction.is_empty() || digits + factor_digits > 14 {
            return None;
        }
        (0, 1_i64 << exponent)
    } else {
        if digits > FAST_DIGITS {
            return None;
        }
        (exponent - i32::try_from(parts.fraction.len()).ok()?, 1)
    };
    if scale < -9 {
        return None;
    }
    let number = parts
        .whole
        .bytes()
        .chain(parts.fraction.bytes())
        .fold(0_i64, |number, digit| number * 10 + i64::from(digit - b'0'));
    let value = number.checked_mul(factor)?;
    let amount =
        Amount { value: if parts.negative { -value } else { value }, scale: i16::try_from(scale).ok()? };
    let quantity = Quantity::small(amount, format);
    // Where Kubernetes takes the text for canonical, it keeps it, even if it is not.
    let kept = if format == Format::BinarySi {
        number % 8 != 0
    } else {
        let ends_in_zeros = match parts.fraction {
            "" => parts.whole.ends_with("000"),
            _ => number % 1000 == 0,
        };
        scale % 3 == 0 && !ends_in_zeros && !parts.whole.starts_with('0')
    };
    if !kept || is_canonical(text, parts) || quantity.canonical() == text {
        return Some(quantity);
    }
    Some(Quantity(Repr::Worded(Box::new(Worded { amount, format, text: text.into() }))))
}

/// Whether a text that is kept is the canonical one at first sight.
fn is_canonical(text: &str, parts: &Parts<'_>) -> bool {
    parts.suffix.len() < 2
        && !text.starts_with('+')
        && parts.number.len() == parts.whole.len() + usize::from(parts.negative)
}

fn wide(parts: &Parts<'_>, format: Format, exponent: i32) -> Result<Quantity, QuantityError> {
    if !parts.number.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(QuantityError::Number);
    }
    let unscaled = Integer::from_digits(&format!("{}{}", parts.whole, parts.fraction));
    let places = i32::try_from(parts.fraction.len()).map_err(|_| QuantityError::TooLong)?;
    let mut format = format;
    let mut number = if format == Format::BinarySi {
        Decimal { unscaled: unscaled.multiplied(1_i64 << exponent), scale: places }
    } else {
        Decimal { unscaled, scale: places - exponent }
    };
    if number.sign() != 0 {
        number = number.rounded(9);
    }
    if format == Format::BinarySi {
        let largest = Decimal::from(Amount { value: i64::MAX, scale: 0 });
        let one = Decimal::from(Amount { value: 1, scale: 0 });
        if number.cmp(&largest).is_gt() {
            number = largest;
        } else if number.sign() != 0 && number.cmp(&one).is_lt() {
            format = Format::DecimalSi;
        }
    }
    Ok(Quantity::wide(if parts.negative { number.negated() } else { number }, format))
}
