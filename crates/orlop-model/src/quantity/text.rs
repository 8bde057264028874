//! The canonical text of a quantity.

use std::fmt;

use super::Format;
use super::amount::Amount;
use super::decimal::Decimal;

pub(super) fn write_amount(amount: Amount, format: Format, out: &mut impl fmt::Write) -> fmt::Result {
    if amount.value == 0 {
        return out.write_char('0');
    }
    let mut buffer = itoa::Buffer::new();
    if format == Format::BinarySi {
        let (rounded, exact) = amount.rounded(0);
        match rounded.whole() {
            Some(whole) if exact && whole.unsigned_abs() >= 1024 => {
                let zeros = whole.trailing_zeros() / 10;
                return write_suffixed(buffer.format(whole >> (10 * zeros)), binary_suffix(zeros), out);
            }
            Some(_) => {}
            None => return write_decimal(&amount.into(), format, out),
        }
    }
    let Amount { mut value, scale } = amount.reduced();
    let mut exponent = i32::from(scale);
    while exponent % 3 != 0 {
        let Some(product) = value.checked_mul(10) else {
            return write_decimal(&amount.into(), format, out);
        };
        value = product;
        exponent -= 1;
    }
    write_decimal_parts(buffer.format(value), exponent, format, out)
}

pub(super) fn write_decimal(number: &Decimal, format: Format, out: &mut impl fmt::Write) -> fmt::Result {
    if number.sign() == 0 {
        return out.write_char('0');
    }
    if format == Format::BinarySi {
        let rounded = number.rounded(0);
        // With 1024 or more, a rest would be lost in powers of 1024.
        let is_large = rounded.unscaled.to_i64().is_none_or(|value| value.unsigned_abs() >= 1024);
        if is_large && rounded.cmp(number).is_eq() {
            let (mantissa, kibis) = rounded.unscaled.without_kibis();
            return write_suffixed(&mantissa.to_string(), binary_suffix(kibis), out);
        }
    }
    let (digits, tens) = number.unscaled.without_tens();
    let exponent = tens - number.scale;
    let surplus = exponent.rem_euclid(3);
    let digits = digits.shifted_up(surplus.unsigned_abs());
    let exponent = exponent - surplus;
    write_decimal_parts(&digits.to_string(), exponent, format, out)
}

fn write_suffixed(mantissa: &str, suffix: &str, out: &mut impl fmt::Write) -> fmt::Result {
    out.write_str(mantissa)?;
    out.write_str(suffix)
}

fn write_decimal_parts(
    mantissa: &str,
    exponent: i32,
    format: Format,
    out: &mut impl fmt::Write,
) -> fmt::Result {
    match (format, exponent) {
        (_, 0) => out.write_str(mantissa),
        (Format::DecimalExponent, _) => write!(out, "{mantissa}e{exponent}"),
        _ => write_suffixed(mantissa, decimal_suffix(exponent), out),
    }
}

/// Kubernetes leaves the suffix out where there is none: 10^24 is written `1`.
fn decimal_suffix(exponent: i32) -> &'static str {
    match exponent {
        -9 => "n",
        -6 => "u",
        -3 => "m",
        3 => "k",
        6 => "M",
        9 => "G",
        12 => "T",
        15 => "P",
        18 => "E",
        _ => "",
    }
}

/// Left out where there is none, like [`decimal_suffix`].
fn binary_suffix(power_of_1024: u32) -> &'static str {
    match power_of_1024 {
        1 => "Ki",
        2 => "Mi",
        3 => "Gi",
        4 => "Ti",
        5 => "Pi",
        6 => "Ei",
        _ => "",
    }
}
