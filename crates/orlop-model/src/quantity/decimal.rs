//! [`Decimal`], the wide form of a quantity.

use std::cmp::Ordering;

use super::amount::Amount;
use super::integer::Integer;

/// `unscaled` × 10^-`scale`.
#[derive(Clone, Debug)]
pub(super) struct Decimal {
    pub(super) unscaled: Integer,
    pub(super) scale: i32,
}

impl Decimal {
    pub(super) fn sign(&self) -> i32 {
        self.unscaled.sign()
    }

    pub(super) fn negated(self) -> Self {
        Self { unscaled: self.unscaled.negated(), ..self }
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let scale = self.scale.max(other.scale);
        Self { unscaled: self.at(scale).plus(&other.at(scale)), scale }
    }

    pub(super) fn multiplied(&self, by: i64) -> Self {
        Self { unscaled: self.unscaled.multiplied(by), scale: self.scale }
    }

    /// Whether the digits without the point fit 64 bits.
    pub(super) fn digits_fit(&self) -> bool {
        self.unscaled.to_i64().is_some()
    }

    /// The digits at a scale that is not smaller than its own.
    fn at(&self, scale: i32) -> Integer {
        self.unscaled.shifted_up(u32::try_from(scale - self.scale).unwrap_or(0))
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.sign().cmp(&other.sign()).then_with(|| self.at(scale).cmp(&other.at(scale)))
    }

    /// With so many places behind the point, rounded away from zero.
    pub(super) fn rounded(&self, scale: i32) -> Self {
        let Ok(places @ 1..) = u32::try_from(self.scale - scale) else {
            return Self { unscaled: self.at(scale), scale };
        };
        let (cut, exact) = self.unscaled.shifted_down(places);
        let unscaled = if exact { cut } else { cut.plus(&i64::from(self.sign()).into()) };
        Self { unscaled, scale }
    }

    /// Kubernetes' `scaledValue`, mistakes included: it cuts numbers to their low 64 bits, divides
    /// negative ones after that, and adds one to negative ones with a rest.
    pub(super) fn scaled(&self, scale: i32) -> i64 {
        let places = self.scale + scale;
        let Ok(places @ 1..) = u32::try_from(places) else {
            // Go's float power of ten does not fit i64 beyond 10^18, which amd64 makes the smallest.
            let power = 10_i64.checked_pow(places.unsigned_abs()).unwrap_or(i64::MIN);
            return self.unscaled.low_bits().wrapping_mul(power);
        };
        if self.unscaled < Integer::from(i64::MAX)
            && let Some(divisor) = 10_i64.checked_pow(places)
        {
            let value = self.unscaled.low_bits();
            return value / divisor + i64::from(value % divisor != 0);
        }
        // Euclidean division.
        let (quotient, exact) = self.unscaled.shifted_down(places);
        let down = i64::from(!exact && self.sign() < 0);
        quotient.low_bits().wrapping_sub(down).wrapping_add(i64::from(!exact))
    }

    pub(super) fn scaled_saturating(&self, scale: i32) -> i64 {
        let limit = if self.sign() < 0 { i64::MIN } else { i64::MAX };
        self.rounded(-scale).unscaled.to_i64().unwrap_or(limit)
    }

    pub(super) fn to_f64(&self) -> f64 {
        // Going by text rounds once; beyond the range it is an infinity.
        format!("{}e{}", self.unscaled, -self.scale).parse().unwrap_or_default()
    }

    /// All factors of ten in the exponent; an [`Amount`] where the digits fit.
    pub(super) fn reduced(&self) -> Result<Amount, (Integer, i32)> {
        let (digits, tens) = self.unscaled.without_tens();
        let exponent = tens - if digits.sign() == 0 { 0 } else { self.scale };
        match (digits.to_i64(), i16::try_from(exponent)) {
            (Some(value), Ok(scale)) => Ok(Amount { value, scale }),
            _ => Err((digits, exponent)),
        }
    }
}

impl From<Amount> for Decimal {
    fn from(amount: Amount) -> Self {
        Self { unscaled: amount.value.into(), scale: -i32::from(amount.scale) }
    }
}
