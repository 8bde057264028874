//! The natural logarithm as kube-scheduler computes it, to the last bit.

const LN2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);
/// Coefficients of the polynomial for log(1+f), as in FreeBSD's e_log.c.
const L: [f64; 7] = [
    f64::from_bits(0x3fe5_5555_5555_5593),
    f64::from_bits(0x3fd9_9999_9997_fa04),
    f64::from_bits(0x3fd2_4924_9422_9359),
    f64::from_bits(0x3fcc_71c5_1d8e_78af),
    f64::from_bits(0x3fc7_4664_96cb_03de),
    f64::from_bits(0x3fc3_9a09_d078_c69f),
    f64::from_bits(0x3fc2_f112_df3e_5244),
];

/// ln(n), by FreeBSD's algorithm (the one that Go uses) without fused operations. The platform's own
/// logarithm differs in the last bit for one integer in a hundred, 3 among them.
pub(super) fn ln(n: u32) -> f64 {
    if n == 0 {
        return f64::NEG_INFINITY;
    }
    // n = fraction · 2^exponent, fraction from √½ to √2.
    let mut exponent = i32::try_from(32 - n.leading_zeros()).unwrap_or(32);
    let mut fraction = f64::from(n) / (1_u64 << exponent) as f64;
    if fraction < std::f64::consts::SQRT_2 / 2.0 {
        fraction *= 2.0;
        exponent -= 1;
    }
    let f = fraction - 1.0;
    let k = f64::from(exponent);
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let odd = s2 * (L[0] + s4 * (L[2] + s4 * (L[4] + s4 * L[6])));
    let even = s4 * (L[1] + s4 * (L[3] + s4 * L[5]));
    let rest = odd + even;
    let half = 0.5 * f * f;
    k * LN2_HIGH - ((half - (s * (half + rest) + k * LN2_LOW)) - f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_equal_to_the_last_bit() {
        for (n, bits) in
            [(3, 0x3ff1_93ea_7aad_030a_u64), (5_002, 0x4021_0901_f6dc_84b9), (100_002, 0x4027_06a0_c9b7_a3ab)]
        {
            assert_eq!(ln(n).to_bits(), bits, "ln {n}");
        }
        assert!((2..10_000).all(|n| (ln(n) - f64::from(n).ln()).abs() < 1e-14));
    }
}
