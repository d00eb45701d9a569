//! Signatures in base58, ten digits at a time: the usual way, digit by digit, costs a quarter of the signing.

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// 58¹⁰, the largest power of 58 whose remainders leave room for another word in 128 bits.
const TEN_DIGITS: u64 = 430_804_206_899_405_824;

/// Digits of the largest signature, rounded up to whole groups.
const DIGITS: usize = 90;

/// The base58 text of a signature.
pub(crate) fn encode(signature: &[u8; 64]) -> String {
    let mut words = [0_u64; 8];
    for (word, bytes) in words.iter_mut().zip(signature.as_chunks::<8>().0) {
        *word = u64::from_be_bytes(*bytes);
    }
    let mut digits = [0_u8; DIGITS];
    for group in digits.rchunks_mut(10) {
        let mut rest = divide(&mut words, TEN_DIGITS);
        for digit in group.iter_mut().rev() {
            *digit = ALPHABET[usize::try_from(rest % 58).unwrap_or(0)];
            rest /= 58;
        }
    }
    // A leading zero byte is a leading `1`; the number's own leading zeros are nothing.
    let zeros = signature.iter().take_while(|byte| **byte == 0).count();
    let padding = digits.iter().take_while(|digit| **digit == ALPHABET[0]).count();
    let number = digits[padding..].iter().map(|digit| char::from(*digit));
    std::iter::repeat_n('1', zeros).chain(number).collect()
}

/// Divides a number of words, the most significant first, in place; returns the remainder.
fn divide(words: &mut [u64; 8], by: u64) -> u64 {
    let mut rest = 0_u64;
    for word in words {
        let whole = u128::from(rest) << 64 | u128::from(*word);
        // The quotient fits: `rest` is smaller than `by`.
        *word = u64::try_from(whole / u128::from(by)).unwrap_or(u64::MAX);
        rest = u64::try_from(whole % u128::from(by)).unwrap_or(u64::MAX);
    }
    rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn equals_the_usual_way(bytes in proptest::collection::vec(any::<u8>(), 64), zeros in 0..=64_usize) {
            let mut signature: [u8; 64] = bytes.try_into().expect("64 bytes");
            prop_assert_eq!(encode(&signature), bs58::encode(signature).into_string());
            signature[..zeros].fill(0);
            prop_assert_eq!(encode(&signature), bs58::encode(signature).into_string());
        }
    }
}
