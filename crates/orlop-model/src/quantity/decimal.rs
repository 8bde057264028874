//! [`Decimal`], the wide form of a quantity.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};

use super::amount::Amount;

/// `unscaled` × 10^-`scale`.
#[derive(Clone, Debug)]
pub(super) struct Decimal {
    pub(super) unscaled: BigInt,
    pub(super) scale: i32,
}

impl Decimal {
    pub(super) fn sign(&self) -> i32 {
        match self.unscaled.sign() {
            Sign::Minus => -1,
            Sign::NoSign => 0,
            Sign::Plus => 1,
        }
    }

    pub(super) fn negated(self) -> Self {
        Self { unscaled: -self.unscaled, ..self }
    }

    pub(super) fn plus(self, other: &Self) -> Self {
        let scale = self.scale.max(other.scale);
        let unscaled = self.at(scale) + other.at(scale);
        Self { unscaled, scale }
    }

    pub(super) fn multiplied(self, by: i64) -> Self {
        Self { unscaled: self.unscaled * by, ..self }
    }

    /// Whether the digits without the point fit 64 bits.
    pub(super) fn digits_fit(&self) -> bool {
        i64::try_from(&self.unscaled).is_ok()
    }

    /// The digits at a scale that is not smaller than its own.
    fn at(&self, scale: i32) -> BigInt {
        &self.unscaled * power_of_ten(scale - self.scale)
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.sign().cmp(&other.sign()).then_with(|| self.at(scale).cmp(&other.at(scale)))
    }

    /// With so many places behind the point, rounded away from zero.
    pub(super) fn rounded(&self, scale: i32) -> Self {
        if scale >= self.scale {
            return Self { unscaled: self.at(scale), scale };
        }
        let divisor = power_of_ten(self.scale - scale);
        let mut unscaled = &self.unscaled / &divisor;
        if (&self.unscaled % &divisor).sign() != Sign::NoSign {
            unscaled += self.sign();
        }
        Self { unscaled, scale }
    }

    /// Kubernetes' `scaledValue`, mistakes included: it cuts numbers to their low 64 bits, divides
    /// negative ones after that, and adds one to negative ones with a rest.
    pub(super) fn scaled(&self, scale: i32) -> i64 {
        let places = self.scale + scale;
        let Ok(places @ 1..) = u32::try_from(places) else {
            // Go's float power of ten does not fit i64 beyond 10^18, which amd64 makes the smallest.
            let power = 10_i64.checked_pow(places.unsigned_abs()).unwrap_or(i64::MIN);
            return low_bits(&self.unscaled).wrapping_mul(power);
        };
        if self.unscaled < BigInt::from(i64::MAX)
            && let Some(divisor) = 10_i64.checked_pow(places)
        {
            let value = low_bits(&self.unscaled);
            return value / divisor + i64::from(value % divisor != 0);
        }
        let divisor = power_of_ten(self.scale + scale);
        // Euclidean division.
        let mut quotient = &self.unscaled / &divisor;
        let rest = &self.unscaled % &divisor;
        if rest.sign() == Sign::Minus {
            quotient -= 1;
        }
        low_bits(&quotient).wrapping_add(i64::from(rest.sign() != Sign::NoSign))
    }

    pub(super) fn scaled_saturating(&self, scale: i32) -> i64 {
        let limit = if self.sign() < 0 { i64::MIN } else { i64::MAX };
        i64::try_from(self.rounded(-scale).unscaled).unwrap_or(limit)
    }

    pub(super) fn to_f64(&self) -> f64 {
        // Going by text rounds once; beyond the range it is an infinity.
        format!("{}e{}", self.unscaled, -self.scale).parse().unwrap_or_default()
    }

    /// All factors of ten in the exponent; an [`Amount`] where the digits fit.
    pub(super) fn reduced(&self) -> Result<Amount, (BigInt, i32)> {
        let (digits, exponent) = without_factors(self.unscaled.clone(), 10);
        let exponent = exponent - if digits.sign() == Sign::NoSign { 0 } else { self.scale };
        match (i64::try_from(&digits), i16::try_from(exponent)) {
            (Ok(value), Ok(scale)) => Ok(Amount { value, scale }),
            _ => Err((digits, exponent)),
        }
    }
}

impl From<Amount> for Decimal {
    fn from(amount: Amount) -> Self {
        Self { unscaled: amount.value.into(), scale: -i32::from(amount.scale) }
    }
}

/// 10^`places`; 1 where that is negative.
pub(super) fn power_of_ten(places: i32) -> BigInt {
    BigInt::from(10).pow(u32::try_from(places).unwrap_or(0))
}

/// The number without its factors of `base`, and how many there were.
pub(super) fn without_factors(mut number: BigInt, base: u32) -> (BigInt, i32) {
    let mut count = 0;
    if number.sign() == Sign::NoSign {
        return (number, count);
    }
    // Large powers first: division by small ones is quadratic in the length.
    let mut step: i32 = 64;
    while step > 0 {
        let divisor = BigInt::from(base).pow(step.unsigned_abs());
        let rest = &number % &divisor;
        if rest.sign() == Sign::NoSign {
            number /= &divisor;
            count += step;
        } else {
            step /= 2;
        }
    }
    (number, count)
}

/// The low 64 bits in two's complement.
fn low_bits(number: &BigInt) -> i64 {
    let magnitude = number.iter_u64_digits().next().unwrap_or(0).cast_signed();
    if number.sign() == Sign::Minus { magnitude.wrapping_neg() } else { magnitude }
}
