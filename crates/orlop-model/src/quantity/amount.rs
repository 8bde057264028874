//! [`Amount`], the small form of a quantity.

use std::cmp::Ordering;

/// `value` × 10^`scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Amount {
    pub(super) value: i64,
    pub(super) scale: i16,
}

impl Amount {
    pub(super) const ZERO: Self = Self { value: 0, scale: 0 };

    /// Kubernetes' `AsScaledInt64`, with its results beyond 64 bits: the wrapped product for some
    /// powers of ten, 0 for the others.
    pub(super) fn scaled(self, scale: i32) -> i64 {
        let difference = i32::from(self.scale) - scale;
        if difference <= 0 {
            return divided(self.value, difference.unsigned_abs()).0;
        }
        match difference {
            1 | 2 | 3 | 6 | 9 if self.value == i64::MIN => 0,
            1 | 2 | 3 | 6 | 9 => self.value.wrapping_mul(10_i64.pow(difference.unsigned_abs())),
            _ => multiplied(self.value, difference.unsigned_abs()).unwrap_or(0),
        }
    }

    pub(super) fn scaled_saturating(self, scale: i32) -> i64 {
        let difference = i32::from(self.scale) - scale;
        if difference <= 0 {
            return divided(self.value, difference.unsigned_abs()).0;
        }
        multiplied(self.value, difference.unsigned_abs()).unwrap_or(if self.value < 0 {
            i64::MIN
        } else {
            i64::MAX
        })
    }

    /// The whole number; `None` with a negative scale or beyond 64 bits.
    pub(super) fn whole(self) -> Option<i64> {
        multiplied(self.value, u32::try_from(self.scale).ok()?)
    }

    /// Rounded away from zero to whole 10^`scale`, and whether that changed nothing.
    pub(super) fn rounded(self, scale: i32) -> (Self, bool) {
        let difference = scale - i32::from(self.scale);
        match (u32::try_from(difference), i16::try_from(scale)) {
            (Ok(places), Ok(scale)) if places > 0 => {
                let (value, exact) = divided(self.value, places);
                (Self { value, scale }, exact)
            }
            _ => (self, true),
        }
    }

    pub(super) fn negated(self) -> Option<Self> {
        let value = self.value.checked_neg()?;
        Some(Self { value, ..self })
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        if other.value == 0 {
            return Some(self);
        }
        if self.value == 0 {
            return Some(other);
        }
        let (coarse, fine) = if self.scale > other.scale { (self, other) } else { (other, self) };
        let places = u32::from(coarse.scale.abs_diff(fine.scale));
        let value = multiplied(coarse.value, places)?.checked_add(fine.value)?;
        Some(Self { value, scale: fine.scale })
    }

    /// The product, if its digits and, with a positive scale, the whole of it fit 64 bits.
    pub(super) fn multiplied(self, by: i64) -> Option<Self> {
        if self.value == 0 {
            return Some(self);
        }
        if by == 0 {
            return Some(Self::ZERO);
        }
        let product = Self { value: self.value.checked_mul(by)?, scale: self.scale };
        if product.scale > 0 {
            product.whole()?;
        }
        Some(product)
    }

    pub(super) fn compare(self, other: Self) -> Ordering {
        if self.scale == other.scale {
            return self.value.cmp(&other.value);
        }
        let signs = self.value.signum().cmp(&other.value.signum());
        if signs.is_ne() || self.value == 0 {
            return signs;
        }
        // Same sign, not zero. Beyond 10^19 the larger power of ten alone decides.
        let places = u32::from(self.scale.abs_diff(other.scale));
        let magnitude = |value: i64| u128::from(value.unsigned_abs());
        let (left, right) = (magnitude(self.value), magnitude(other.value));
        let by_magnitude = match (self.scale > other.scale, places) {
            (true, 20..) => Ordering::Greater,
            (false, 20..) => Ordering::Less,
            (true, _) => (left * 10_u128.pow(places)).cmp(&right),
            (false, _) => left.cmp(&(right * 10_u128.pow(places))),
        };
        if self.value < 0 { by_magnitude.reverse() } else { by_magnitude }
    }

    /// All factors of ten in the scale; zero is `ZERO`.
    pub(super) fn reduced(self) -> Self {
        if self.value == 0 {
            return Self::ZERO;
        }
        let Self { mut value, mut scale } = self;
        while value % 10 == 0 {
            value /= 10;
            scale += 1;
        }
        Self { value, scale }
    }
}

fn multiplied(value: i64, places: u32) -> Option<i64> {
    if value == 0 {
        return Some(0);
    }
    value.checked_mul(10_i64.checked_pow(places)?)
}

/// `value` / 10^`places` rounded away from zero, and whether there was no rest.
fn divided(value: i64, places: u32) -> (i64, bool) {
    match 10_i64.checked_pow(places) {
        Some(divisor) => {
            let rest = value % divisor;
            (value / divisor + rest.signum(), rest == 0)
        }
        None => (value.signum(), value == 0),
    }
}
