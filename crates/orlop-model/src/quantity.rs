//! [`Quantity`], the exact number of cpu, memory and every other resource.

mod amount;
mod decimal;
mod integer;
mod parse;
mod text;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::amount::Amount;
use self::decimal::Decimal;
pub use self::parse::QuantityError;

/// An exact decimal number with Kubernetes' notation: `100m`, `1.5Gi`, `2e3`.
///
/// - The smallest unit is 10⁻⁹; anything finer is rounded away from zero when it is read.
/// - Up to 18 digits are kept inline (16 bytes, no allocation); larger numbers are boxed and exact.
///   Exponents are limited to ±[`MAX_EXPONENT`](Self::MAX_EXPONENT).
/// - The text as given is kept where Kubernetes keeps it (`+1`, `1E3`, `007`); any arithmetic drops it.
/// - Comparison, equality and hashing are by value: `1000m` equals `1`.
///
/// The default is zero.
///
/// ```
/// use orlop_model::Quantity;
///
/// let cpu: Quantity = "1.5".parse()?;
/// assert_eq!(cpu.to_string(), "1500m");
/// assert_eq!(cpu.milli_value(), 1500);
/// assert_eq!(cpu.value(), 2);
/// assert_eq!(&cpu + &"500m".parse()?, Quantity::from_units(2));
/// # Ok::<(), orlop_model::QuantityError>(())
/// ```
#[derive(Clone)]
pub struct Quantity(Repr);

#[derive(Clone)]
enum Repr {
    Small {
        value: i64,
        scale: i16,
        format: Format,
    },
    /// Small, with a text that is not the canonical one.
    Worded(Box<Worded>),
    Wide(Box<Wide>),
}

#[derive(Clone)]
struct Worded {
    amount: Amount,
    format: Format,
    text: Box<str>,
}

#[derive(Clone)]
struct Wide {
    number: Decimal,
    format: Format,
}

/// How a quantity is written. It survives arithmetic, from the left operand unless that is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Powers of 1000 by suffix: `n`, `u`, `m`, none, `k`, `M`, `G`, `T`, `P`, `E`.
    #[default]
    DecimalSi,
    /// Powers of 1000 by exponent: `12e6`.
    DecimalExponent,
    /// Powers of 1024 by suffix: `Ki`, `Mi`, `Gi`, `Ti`, `Pi`, `Ei`.
    BinarySi,
}

impl Format {
    /// Kubernetes' name of the format.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DecimalSi => "DecimalSI",
            Self::DecimalExponent => "DecimalExponent",
            Self::BinarySi => "BinarySI",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Quantity {
    /// Zero.
    pub const ZERO: Self = Self::small(Amount::ZERO, Format::DecimalSi);

    /// Largest exponent that is read, and smallest when negative. Kubernetes has no limit and can
    /// be kept busy for minutes by a few bytes.
    pub const MAX_EXPONENT: i32 = 4096;

    const fn small(amount: Amount, format: Format) -> Self {
        Self(Repr::Small { value: amount.value, scale: amount.scale, format })
    }

    fn wide(number: Decimal, format: Format) -> Self {
        Self(Repr::Wide(Box::new(Wide { number, format })))
    }

    /// `value` × 10^`scale`.
    ///
    /// A `scale` beyond ±[`MAX_EXPONENT`](Self::MAX_EXPONENT) is taken as that limit, one below -9
    /// is rounded away from zero to whole 10⁻⁹.
    #[must_use]
    pub fn new(value: i64, scale: i32, format: Format) -> Self {
        let scale = scale.clamp(-Self::MAX_EXPONENT, Self::MAX_EXPONENT);
        #[expect(clippy::cast_possible_truncation, reason = "clamped to fit")]
        let amount = Amount { value, scale: scale as i16 };
        Self::small(amount.rounded(-9).0, format)
    }

    /// So many whole units.
    #[must_use]
    pub const fn from_units(units: i64) -> Self {
        Self::small(Amount { value: units, scale: 0 }, Format::DecimalSi)
    }

    /// So many thousandths, as cpu is counted.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self::small(Amount { value: millis, scale: -3 }, Format::DecimalSi)
    }

    /// So many bytes, written in powers of 1024.
    #[must_use]
    pub const fn from_bytes(bytes: i64) -> Self {
        Self::small(Amount { value: bytes, scale: 0 }, Format::BinarySi)
    }

    /// Reads a quantity.
    ///
    /// # Errors
    /// If the text does not follow the grammar, or its exponent or length is beyond the limit.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        parse::parse(text)
    }

    fn amount(&self) -> Result<Amount, &Decimal> {
        match &self.0 {
            Repr::Small { value, scale, .. } => Ok(Amount { value: *value, scale: *scale }),
            Repr::Worded(worded) => Ok(worded.amount),
            Repr::Wide(wide) => Err(&wide.number),
        }
    }

    fn decimal(&self) -> Decimal {
        match self.amount() {
            Ok(amount) => Decimal::from(amount),
            Err(number) => number.clone(),
        }
    }

    /// How it is written.
    #[must_use]
    pub fn format(&self) -> Format {
        match &self.0 {
            Repr::Small { format, .. } => *format,
            Repr::Worded(worded) => worded.format,
            Repr::Wide(wide) => wide.format,
        }
    }

    /// The same number, written in another way.
    #[must_use]
    pub fn with_format(&self, format: Format) -> Self {
        match self.amount() {
            Ok(amount) => Self::small(amount, format),
            Err(number) => Self::wide(number.clone(), format),
        }
    }

    /// The canonical text, whatever text it was read from. [`Display`](fmt::Display) prefers the
    /// text that is kept.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = self.write_canonical(&mut text);
        text
    }

    /// Writes the text of the wire format.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        struct Bytes<'a>(&'a mut Vec<u8>);
        impl fmt::Write for Bytes<'_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.extend_from_slice(text.as_bytes());
                Ok(())
            }
        }
        // Writing to memory does not fail.
        let _ = self.write_text(&mut Bytes(out));
    }

    fn write_text(&self, out: &mut impl fmt::Write) -> fmt::Result {
        match &self.0 {
            Repr::Worded(worded) => out.write_str(&worded.text),
            _ => self.write_canonical(out),
        }
    }

    fn write_canonical(&self, out: &mut impl fmt::Write) -> fmt::Result {
        match self.amount() {
            Ok(amount) => text::write_amount(amount, self.format(), out),
            Err(number) => text::write_decimal(number, self.format(), out),
        }
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.sign() == 0
    }

    /// -1, 0 or 1.
    #[must_use]
    pub fn sign(&self) -> i32 {
        match self.amount() {
            Ok(amount) => i32::from(amount.value > 0) - i32::from(amount.value < 0),
            Err(number) => number.sign(),
        }
    }

    /// Whole units, rounded away from zero.
    ///
    /// Exactly what Kubernetes computes, also where that is not the number: beyond 64 bits it wraps
    /// or is 0, and large or boxed negative numbers are off.
    /// [`value_saturating`](Self::value_saturating) is the number.
    #[must_use]
    pub fn value(&self) -> i64 {
        self.scaled_value(0)
    }

    /// Thousandths, rounded away from zero; as exact or not as [`value`](Self::value).
    #[must_use]
    pub fn milli_value(&self) -> i64 {
        self.scaled_value(-3)
    }

    /// Units of 10^`scale`, rounded away from zero; as exact or not as [`value`](Self::value).
    #[must_use]
    pub fn scaled_value(&self, scale: i32) -> i64 {
        match self.amount() {
            Ok(amount) => amount.scaled(scale),
            Err(number) => number.scaled(scale),
        }
    }

    /// Whole units, rounded away from zero, and the nearest `i64` where it does not fit.
    #[must_use]
    pub fn value_saturating(&self) -> i64 {
        self.scaled_saturating(0)
    }

    /// Thousandths, rounded away from zero, and the nearest `i64` where they do not fit.
    #[must_use]
    pub fn milli_saturating(&self) -> i64 {
        self.scaled_saturating(-3)
    }

    /// Units of 10^`scale`, rounded away from zero, and the nearest `i64` where they do not fit.
    #[must_use]
    pub fn scaled_saturating(&self, scale: i32) -> i64 {
        match self.amount() {
            Ok(amount) => amount.scaled_saturating(scale),
            Err(number) => number.scaled_saturating(scale),
        }
    }

    /// The number, if it is whole and small, as Kubernetes' `AsInt64` judges: `None` for every
    /// number with a fraction in its notation (`1.0` too) and for boxed ones.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.amount().ok()?.whole()
    }

    /// The nearest floating-point number.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        match self.amount() {
            #[expect(clippy::cast_precision_loss, reason = "the nearest is asked for")]
            Ok(Amount { value, scale: 0 }) => value as f64,
            // Going by text rounds once.
            Ok(Amount { value, scale }) => format!("{value}e{scale}").parse().unwrap_or_default(),
            Err(number) => number.to_f64(),
        }
    }

    /// Rounds away from zero to whole 10^`scale`; whether that changed nothing.
    pub fn round_up(&mut self, scale: i32) -> bool {
        let (rounded, exact) = match self.amount() {
            Ok(amount) if i32::from(amount.scale) >= scale => return true,
            Ok(amount) => {
                let (amount, exact) = amount.rounded(scale);
                (Self::small(amount, self.format()), exact)
            }
            Err(number) => {
                let rounded = number.rounded(-scale);
                let exact = rounded.cmp(number) == Ordering::Equal;
                (Self::wide(rounded, self.format()), exact)
            }
        };
        *self = rounded;
        exact
    }

    /// Multiplies; `false` if the digits of the product do not fit `i64`. The product is right in
    /// any case.
    pub fn multiply(&mut self, by: i64) -> bool {
        let format = self.format();
        if let Some(product) = self.amount().ok().and_then(|amount| amount.multiplied(by)) {
            *self = Self::small(product, format);
            return true;
        }
        let product = self.decimal().multiplied(by);
        let fits = product.digits_fit();
        *self = Self::wide(product, format);
        fits
    }

    fn plus(&self, other: &Self) -> Self {
        let format = if self.is_zero() { other.format() } else { self.format() };
        if let (Ok(left), Ok(right)) = (self.amount(), other.amount())
            && let Some(sum) = left.plus(right)
        {
            return Self::small(sum, format);
        }
        Self::wide(self.decimal().plus(&other.decimal()), format)
    }

    fn minus(&self, other: &Self) -> Self {
        let format = if self.is_zero() { other.format() } else { self.format() };
        if let (Ok(left), Ok(right)) = (self.amount(), other.amount())
            && let Some(difference) = right.negated().and_then(|right| left.plus(right))
        {
            return Self::small(difference, format);
        }
        Self::wide(self.decimal().plus(&other.decimal().negated()), format)
    }
}

impl Default for Quantity {
    fn default() -> Self {
        Self::ZERO
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Quantity({self})")
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if formatter.width().is_some() || formatter.precision().is_some() {
            return formatter.pad(&match &self.0 {
                Repr::Worded(worded) => worded.text.to_string(),
                _ => self.canonical(),
            });
        }
        self.write_text(formatter)
    }
}

impl std::str::FromStr for Quantity {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        parse::parse(text)
    }
}

impl TryFrom<&str> for Quantity {
    type Error = QuantityError;
    fn try_from(text: &str) -> Result<Self, QuantityError> {
        parse::parse(text)
    }
}

impl From<i64> for Quantity {
    fn from(units: i64) -> Self {
        Self::from_units(units)
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.amount(), other.amount()) {
            (Ok(left), Ok(right)) => left.compare(right),
            _ => self.decimal().cmp(&other.decimal()),
        }
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Quantity {}

impl Hash for Quantity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Equal numbers have equal digits once all factors of ten are in the exponent.
        match self.amount() {
            Ok(amount) => amount.reduced().hash(state),
            Err(number) => match number.reduced() {
                Ok(reduced) => reduced.hash(state),
                Err(reduced) => reduced.hash(state),
            },
        }
    }
}

impl Add<&Quantity> for &Quantity {
    type Output = Quantity;
    fn add(self, other: &Quantity) -> Quantity {
        self.plus(other)
    }
}

impl Sub<&Quantity> for &Quantity {
    type Output = Quantity;
    fn sub(self, other: &Quantity) -> Quantity {
        self.minus(other)
    }
}

impl Add for Quantity {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.plus(&other)
    }
}

impl Sub for Quantity {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.minus(&other)
    }
}

impl AddAssign<&Self> for Quantity {
    fn add_assign(&mut self, other: &Self) {
        *self = self.plus(other);
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        *self = self.plus(&other);
    }
}

impl SubAssign<&Self> for Quantity {
    fn sub_assign(&mut self, other: &Self) {
        *self = self.minus(other);
    }
}

impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Self) {
        *self = self.minus(&other);
    }
}

impl Neg for &Quantity {
    type Output = Quantity;
    fn neg(self) -> Quantity {
        match self.amount().map(Amount::negated) {
            Ok(Some(amount)) => Quantity::small(amount, self.format()),
            _ => Quantity::wide(self.decimal().negated(), self.format()),
        }
    }
}

impl Neg for Quantity {
    type Output = Self;
    fn neg(self) -> Self {
        -&self
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(quantities: I) -> Self {
        quantities.fold(Self::ZERO, |sum, quantity| sum.plus(&quantity))
    }
}

impl<'a> Sum<&'a Self> for Quantity {
    fn sum<I: Iterator<Item = &'a Self>>(quantities: I) -> Self {
        quantities.fold(Self::ZERO, |sum, quantity| sum.plus(quantity))
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Repr::Worded(worded) => serializer.serialize_str(&worded.text),
            _ => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Quantity {
    /// From a string (spaces around it are ignored) or a number; `null` is zero.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Quantity;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a quantity such as \"500m\" or 1")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Quantity, E> {
                parse::parse(text.trim())
                    .map_err(|error| E::custom(format_args!("invalid quantity {text:?}: {error}")))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Quantity, E> {
                Ok(Quantity::from_units(number))
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Quantity, E> {
                match i64::try_from(number) {
                    Ok(number) => Ok(Quantity::from_units(number)),
                    Err(_) => self.visit_str(&number.to_string()),
                }
            }
            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Quantity, E> {
                // Scientific where the plain notation would be long.
                let text = number.to_string();
                if text.len() > 24 { self.visit_str(&format!("{number:e}")) } else { self.visit_str(&text) }
            }
            fn visit_unit<E>(self) -> Result<Quantity, E> {
                Ok(Quantity::ZERO)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests;
