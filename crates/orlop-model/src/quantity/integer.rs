//! [`Integer`], whole numbers of any size.

use std::cmp::Ordering;
use std::fmt;

/// What a limb counts to: the powers of ten that quantities are scaled by are shifts then.
const BASE: u64 = 1_000_000_000;

/// Decimal digits of a limb.
const DIGITS: usize = 9;

/// A whole number, in limbs of nine decimal digits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Integer {
    /// Zero is not negative.
    negative: bool,
    /// The smallest first; the last one is not zero.
    limbs: Vec<u32>,
}

impl Integer {
    /// The number of some decimal digits; anything else in `digits` is passed over.
    pub(super) fn from_digits(digits: &str) -> Self {
        let digits: Vec<u32> =
            digits.bytes().filter(u8::is_ascii_digit).map(|digit| u32::from(digit - b'0')).collect();
        let limb = |chunk: &[u32]| chunk.iter().fold(0, |limb, digit| limb * 10 + digit);
        Self::new(false, digits.rchunks(DIGITS).map(limb).collect())
    }

    fn new(negative: bool, mut limbs: Vec<u32>) -> Self {
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        Self { negative: negative && !limbs.is_empty(), limbs }
    }

    /// -1, 0 or 1.
    pub(super) fn sign(&self) -> i32 {
        match (self.negative, self.limbs.is_empty()) {
            (true, _) => -1,
            (_, true) => 0,
            _ => 1,
        }
    }

    pub(super) fn negated(mut self) -> Self {
        self.negative = !self.negative && !self.limbs.is_empty();
        self
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        if self.negative == other.negative {
            return Self::new(self.negative, sum(&self.limbs, &other.limbs));
        }
        match compare(&self.limbs, &other.limbs) {
            Ordering::Less => Self::new(other.negative, difference(&other.limbs, &self.limbs)),
            _ => Self::new(self.negative, difference(&self.limbs, &other.limbs)),
        }
    }

    pub(super) fn multiplied(&self, by: i64) -> Self {
        let mut limbs = vec![0; self.limbs.len() + 3];
        for (place, factor) in Self::from(by).limbs.iter().enumerate() {
            let mut carry = 0;
            for (index, limb) in self.limbs.iter().enumerate() {
                let value = u64::from(*limb) * u64::from(*factor) + u64::from(limbs[place + index]) + carry;
                limbs[place + index] = (value % BASE) as u32;
                carry = value / BASE;
            }
            // Below `BASE`, and nothing has been here yet.
            limbs[place + self.limbs.len()] = carry as u32;
        }
        Self::new(self.negative != (by < 0), limbs)
    }

    /// Times 10^`places`.
    pub(super) fn shifted_up(&self, places: u32) -> Self {
        let (whole, rest) = split(places);
        let mut shifted = self.multiplied(10_i64.pow(rest));
        if !shifted.limbs.is_empty() {
            shifted.limbs.splice(..0, std::iter::repeat_n(0, whole));
        }
        shifted
    }

    /// Divided by 10^`places`, cut towards zero, and whether that left no rest.
    pub(super) fn shifted_down(&self, places: u32) -> (Self, bool) {
        let (whole, rest) = split(places);
        let (dropped, kept) = self.limbs.split_at(whole.min(self.limbs.len()));
        let (limbs, remainder) = quotient(kept, 10_u32.pow(rest));
        (Self::new(self.negative, limbs), remainder == 0 && dropped.iter().all(|limb| *limb == 0))
    }

    /// The number without its factors of ten, and how many there were.
    pub(super) fn without_tens(&self) -> (Self, i32) {
        let zeros = self.limbs.iter().take_while(|limb| **limb == 0).count();
        let Some(first) = self.limbs.get(zeros) else { return (self.clone(), 0) };
        let mut tens = (zeros * DIGITS) as u32;
        let mut first = *first;
        while first.is_multiple_of(10) {
            first /= 10;
            tens += 1;
        }
        (self.shifted_down(tens).0, tens.cast_signed())
    }

    /// The number without its factors of 1024, and how many there were.
    pub(super) fn without_kibis(mut self) -> (Self, u32) {
        let mut count = 0;
        while !self.limbs.is_empty() {
            let (limbs, remainder) = quotient(&self.limbs, 1024);
            if remainder != 0 {
                break;
            }
            self = Self::new(self.negative, limbs);
            count += 1;
        }
        (self, count)
    }

    /// The low 64 bits in two's complement.
    pub(super) fn low_bits(&self) -> i64 {
        let bits = self
            .limbs
            .iter()
            .rev()
            .fold(0_u64, |bits, limb| bits.wrapping_mul(BASE).wrapping_add(u64::from(*limb)));
        if self.negative { bits.wrapping_neg().cast_signed() } else { bits.cast_signed() }
    }

    /// The number, if 64 bits hold it.
    pub(super) fn to_i64(&self) -> Option<i64> {
        let bits = self.low_bits();
        (Self::from(bits) == *self).then_some(bits)
    }
}

/// Limbs and digits of a power of ten.
fn split(places: u32) -> (usize, u32) {
    let digits = DIGITS as u32;
    ((places / digits) as usize, places % digits)
}

fn compare(left: &[u32], right: &[u32]) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| left.iter().rev().cmp(right.iter().rev()))
}

fn sum(left: &[u32], right: &[u32]) -> Vec<u32> {
    let (long, short) = if left.len() < right.len() { (right, left) } else { (left, right) };
    let mut carry = 0;
    let mut limbs: Vec<u32> = Vec::with_capacity(long.len() + 1);
    for (index, limb) in long.iter().enumerate() {
        let value = limb + short.get(index).unwrap_or(&0) + carry;
        carry = u32::from(u64::from(value) >= BASE);
        limbs.push(value - carry * BASE as u32);
    }
    limbs.push(carry);
    limbs
}

/// `large` is not the smaller one.
fn difference(large: &[u32], small: &[u32]) -> Vec<u32> {
    let mut borrow = 0;
    let mut limbs = Vec::with_capacity(large.len());
    for (index, limb) in large.iter().enumerate() {
        let taken = small.get(index).unwrap_or(&0) + borrow;
        borrow = u32::from(*limb < taken);
        limbs.push(limb + borrow * BASE as u32 - taken);
    }
    limbs
}

fn quotient(limbs: &[u32], divisor: u32) -> (Vec<u32>, u64) {
    let mut result = vec![0; limbs.len()];
    let mut remainder = 0;
    for (index, limb) in limbs.iter().enumerate().rev() {
        let value = remainder * BASE + u64::from(*limb);
        result[index] = (value / u64::from(divisor)) as u32;
        remainder = value % u64::from(divisor);
    }
    (result, remainder)
}

impl From<i64> for Integer {
    fn from(value: i64) -> Self {
        let mut rest = value.unsigned_abs();
        let mut limbs = Vec::with_capacity(3);
        while rest > 0 {
            limbs.push((rest % BASE) as u32);
            rest /= BASE;
        }
        Self::new(value < 0, limbs)
    }
}

impl PartialOrd for Integer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Integer {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => compare(&self.limbs, &other.limbs),
            (true, true) => compare(&other.limbs, &self.limbs),
            (negative, _) => {
                if negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, rest)) = self.limbs.split_last() else { return formatter.write_str("0") };
        if self.negative {
            formatter.write_str("-")?;
        }
        write!(formatter, "{first}")?;
        rest.iter().rev().try_for_each(|limb| write!(formatter, "{limb:09}"))
    }
}

impl fmt::Debug for Integer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;

    use super::*;

    /// Numbers around every edge of limbs and words.
    fn numbers() -> Vec<BigInt> {
        let mut numbers = vec![BigInt::from(0), BigInt::from(i64::MIN), BigInt::from(i64::MAX)];
        for power in [0_u32, 1, 8, 9, 10, 17, 18, 19, 20, 27, 30, 60] {
            for base in [2_u32, 10, 1024] {
                let number = BigInt::from(base).pow(power);
                numbers.extend([number.clone() - 1, number.clone(), number.clone() + 1, -number]);
            }
        }
        numbers
    }

    fn ours(number: &BigInt) -> Integer {
        let text = number.to_string();
        let integer = Integer::from_digits(&text);
        let integer = if text.starts_with('-') { integer.negated() } else { integer };
        assert_eq!(integer.to_string(), text);
        integer
    }

    #[test]
    fn arithmetic_is_that_of_num_bigint() {
        let numbers = numbers();
        for left in &numbers {
            let integer = ours(left);
            assert_eq!(integer.to_i64(), i64::try_from(left).ok(), "{left}");
            let modulus = BigInt::from(1_u8) << 64;
            let bits = ((left % &modulus) + &modulus) % &modulus;
            assert_eq!(integer.low_bits(), u64::try_from(&bits).unwrap().cast_signed(), "{left}");
            for right in &numbers {
                let other = ours(right);
                assert_eq!(integer.plus(&other), ours(&(left + right)), "{left} + {right}");
                assert_eq!(integer.cmp(&other), left.cmp(right), "{left} <=> {right}");
                if let Ok(factor) = i64::try_from(right) {
                    assert_eq!(integer.multiplied(factor), ours(&(left * factor)), "{left} * {right}");
                }
            }
        }
    }

    #[test]
    fn powers_of_ten_are_those_of_num_bigint() {
        for number in numbers() {
            let integer = ours(&number);
            for places in [0, 1, 8, 9, 10, 18, 19, 40, 100] {
                let power = BigInt::from(10).pow(places);
                assert_eq!(integer.shifted_up(places), ours(&(&number * &power)), "{number}e{places}");
                let (cut, exact) = integer.shifted_down(places);
                assert_eq!(cut, ours(&(&number / &power)), "{number}e-{places}");
                assert_eq!(exact, &number % &power == BigInt::from(0), "{number}e-{places}");
            }
            let (rest, tens) = integer.without_tens();
            assert_eq!(rest.shifted_up(tens.unsigned_abs()), integer);
            assert!(!rest.to_string().ends_with('0') || rest.sign() == 0, "{number}");
            let (rest, kibis) = integer.clone().without_kibis();
            assert_eq!(
                ours(&(BigInt::from(1024).pow(kibis) * rest.to_string().parse::<BigInt>().unwrap())),
                integer
            );
            assert!(rest.low_bits() % 1024 != 0 || rest.sign() == 0, "{number}");
        }
    }
}
