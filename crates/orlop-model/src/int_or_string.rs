//! [`IntOrString`]: a port by number or name, an amount or a percentage.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Str;

/// A number or a text, as ports (`80`, `http`) and rollout bounds (`1`, `25%`) have it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntOrString {
    /// A number.
    Int(i32),
    /// A text.
    String(Str),
}

/// A text that should be a percentage and is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid value for IntOrString: invalid type: string is not a percentage")]
pub struct NotAPercentage;

impl IntOrString {
    /// The number, or the given share of `total` for a text such as `25%`, rounded up or down.
    /// (`GetScaledValueFromIntOrPercent` of Kubernetes' apimachinery.)
    ///
    /// # Errors
    /// If it is a text that is not a percentage of whole per cent.
    pub fn scaled(&self, total: i32, round_up: bool) -> Result<i32, NotAPercentage> {
        match self {
            Self::Int(value) => Ok(*value),
            Self::String(text) => {
                let percent: i64 =
                    text.strip_suffix('%').and_then(|digits| digits.parse().ok()).ok_or(NotAPercentage)?;
                let product = percent.saturating_mul(i64::from(total));
                let whole = product.div_euclid(100) + i64::from(round_up && product.rem_euclid(100) != 0);
                Ok(whole.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32)
            }
        }
    }
}

impl Default for IntOrString {
    fn default() -> Self {
        Self::Int(0)
    }
}

impl From<i32> for IntOrString {
    fn from(value: i32) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for IntOrString {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl fmt::Display for IntOrString {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => fmt::Display::fmt(value, formatter),
            Self::String(text) => fmt::Display::fmt(text, formatter),
        }
    }
}

impl fmt::Debug for IntOrString {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => fmt::Debug::fmt(value, formatter),
            Self::String(text) => fmt::Debug::fmt(text, formatter),
        }
    }
}

impl Serialize for IntOrString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Int(value) => serializer.serialize_i32(*value),
            Self::String(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for IntOrString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = IntOrString;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a 32-bit integer or a string")
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<IntOrString, E> {
                i32::try_from(value)
                    .map(IntOrString::Int)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<IntOrString, E> {
                i32::try_from(value)
                    .map(IntOrString::Int)
                    .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<IntOrString, E> {
                Ok(IntOrString::String(text.into()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_rounded_as_asked() {
        let quarter = IntOrString::from("25%");
        assert_eq!(quarter.scaled(10, true), Ok(3));
        assert_eq!(quarter.scaled(10, false), Ok(2));
        assert_eq!(IntOrString::from(4).scaled(10, false), Ok(4));
        assert_eq!(IntOrString::from("4").scaled(10, false), Err(NotAPercentage));
    }
}
