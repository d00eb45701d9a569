//! Square roots of prices at ticks and back: `√1.0001^tick` in Q64.64, bit for bit as Raydium's program computes it.

/// The lowest tick.
pub const MIN_TICK: i32 = -443_636;
/// The highest tick.
pub const MAX_TICK: i32 = 443_636;
/// The square root of the price at [`MIN_TICK`], Q64.64.
pub const MIN_SQRT_PRICE_X64: u128 = 4_295_048_016;
/// The square root of the price at [`MAX_TICK`], Q64.64; no pool ever reaches it.
pub const MAX_SQRT_PRICE_X64: u128 = 79_226_673_521_066_979_257_578_248_091;

/// `2^64 / √1.0001^(2^i)` as the program rounds it: a number of the protocol, not one that could be computed better.
const FACTORS: [u64; 19] = [
    0xfffc_b933_bd6f_b800,
    0xfff9_7272_373d_4000,
    0xfff2_e50f_5f65_7000,
    0xffe5_caca_7e10_f000,
    0xffcb_9843_d60f_7000,
    0xff97_3b41_fa98_e800,
    0xff2e_a164_66c9_b000,
    0xfe5d_ee04_6a9a_3800,
    0xfcbe_86c7_900b_b000,
    0xf987_a725_3ac6_5800,
    0xf339_2b08_22bb_6000,
    0xe715_9475_a2ca_f000,
    0xd097_f3bd_fd2f_2000,
    0xa9f7_4646_2d9f_8000,
    0x70d8_69a1_56f3_1c00,
    0x31be_135f_97ed_3200,
    0x09aa_508b_5b85_a500,
    0x005d_6af8_dedc_582c,
    0x0000_2216_e584_f5fa,
];

/// The product of the factors for the lowest bits of a tick, each product rounded down as the program does it one by one:
/// the prices of neighbouring ticks then differ in this look-up and share the rest of their way.
const LOW_BITS: usize = 8;
const LOW_PRODUCTS: [u128; 1 << LOW_BITS] = low_products();

const fn low_products() -> [u128; 1 << LOW_BITS] {
    let mut products = [1_u128 << 64; 1 << LOW_BITS];
    let mut bits = 0;
    while bits < products.len() {
        let mut bit = 0;
        while bit < LOW_BITS {
            if bits >> bit & 1 == 1 {
                products[bits] = (products[bits] * FACTORS[bit] as u128) >> 64;
            }
            bit += 1;
        }
        bits += 1;
    }
    products
}

/// Ticks per doubling of the square root of the price, `1 / log2(√1.0001)`, times 2^32.
const TICKS_PER_DOUBLING_X32: i128 = 59_543_866_431_248;
/// Bits of the logarithm after the point: sixteen leave an error of less than 0.22 ticks, always downwards.
const FRACTION_BITS: u32 = 16;

/// The square root of the price (`b` per `a`, base units) at a tick, Q64.64; `None` beyond [`MIN_TICK`] and [`MAX_TICK`].
///
/// Source: the Raydium CLMM program, `tick_math`: the product of one factor per bit of the tick, turned over above zero.
#[must_use]
pub fn sqrt_price_at_tick(tick: i32) -> Option<u128> {
    if !(MIN_TICK..=MAX_TICK).contains(&tick) {
        return None;
    }
    let distance = tick.unsigned_abs();
    let low = usize::try_from(distance).ok()? % LOW_PRODUCTS.len();
    let mut bits = distance >> LOW_BITS;
    let mut ratio = *LOW_PRODUCTS.get(low)?;
    for factor in FACTORS.iter().skip(LOW_BITS) {
        if bits & 1 == 1 {
            // At most 2^64 · (2^64 − 1): the product fits.
            ratio = (ratio * u128::from(*factor)) >> 64;
        }
        bits >>= 1;
    }
    if tick > 0 { u128::MAX.checked_div(ratio) } else { Some(ratio) }
}

/// The highest tick whose price is no higher; `None` unless the price lies from [`MIN_SQRT_PRICE_X64`] to below
/// [`MAX_SQRT_PRICE_X64`].
#[must_use]
pub fn tick_at_sqrt_price(sqrt_price_x64: u128) -> Option<i32> {
    if !(MIN_SQRT_PRICE_X64..MAX_SQRT_PRICE_X64).contains(&sqrt_price_x64) {
        return None;
    }
    let estimate = log2_x32(sqrt_price_x64) * TICKS_PER_DOUBLING_X32;
    // A quarter of a tick more than the estimate is never too low, and at most one tick too high.
    let highest = i32::try_from((estimate + (1 << 62)) >> 64).ok()?.min(MAX_TICK);
    (MIN_TICK..=highest).rev().find(|tick| sqrt_price_at_tick(*tick).is_some_and(|price| price <= sqrt_price_x64))
}

/// The binary logarithm of a positive Q64.64 number with 32 bits after the point, of which the first sixteen are right.
fn log2_x32(value: u128) -> i128 {
    let whole = 127 - i128::from(value.leading_zeros());
    let mut mantissa = (value << value.leading_zeros()) >> 64;
    let mut fraction = 0_i128;
    for _ in 0..FRACTION_BITS {
        // The mantissa is in [2^63, 2^64): its square has 127 or 128 bits, and the 128th is the next bit of the logarithm.
        let square = mantissa * mantissa;
        let bit = square >> 127;
        mantissa = square >> (63 + bit);
        fraction = (fraction << 1) | i128::from(bit == 1);
    }
    ((whole - 64) << 32) + (fraction << (32 - FRACTION_BITS))
}
