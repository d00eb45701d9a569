//! What an order's signature is over: a permit of Permit2 with an order of UniswapX as its witness.
//!
//! Sources: EIP-712 (`encodeType`, `encodeData`, `hashStruct`, the digest behind `0x19 0x01`); Permit2's `PermitHash.sol` and
//! `EIP712.sol` (github.com/Uniswap/permit2: `PermitWitnessTransferFrom`, a domain of name, chain and contract); UniswapX's
//! `ExclusiveDutchOrderLib.sol`, `DutchOrderLib.sol` and `OrderInfoLib.sol` (github.com/Uniswap/UniswapX: the witness). From
//! them come the names and types that are hashed, which the contracts compare byte by byte.

use sha3::{Digest, Keccak256};

use super::evm::Address;
use super::tokens::hex;

/// The contract that moves tokens by permit, the same on every chain.
pub const PERMIT2: Address = Address(hex(b"000000000022d473030f116ddee9f6b43ac78ba3"));

/// Where UniswapX's own reactor for such orders stands on Ethereum. Which one Universal uses on its chains it does not say.
pub const EXCLUSIVE_DUTCH_ORDER_REACTOR: Address = Address(hex(b"6000da47483062a0d734ba3dc7576ce6a0b645c4"));

const DOMAIN: &str = "EIP712Domain(string name,uint256 chainId,address verifyingContract)";
const PERMIT: &str = "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,\
                      ExclusiveDutchOrder witness)";
const TOKEN_PERMISSIONS: &str = "TokenPermissions(address token,uint256 amount)";
const ORDER: &str = "ExclusiveDutchOrder(OrderInfo info,uint256 decayStartTime,uint256 decayEndTime,\
                     address exclusiveFiller,uint256 exclusivityOverrideBps,address inputToken,\
                     uint256 inputStartAmount,uint256 inputEndAmount,DutchOutput[] outputs)";
const ORDER_INFO: &str = "OrderInfo(address reactor,address swapper,uint256 nonce,uint256 deadline,\
                          address additionalValidationContract,bytes additionalValidationData)";
const DUTCH_OUTPUT: &str = "DutchOutput(address token,uint256 startAmount,uint256 endAmount,address recipient)";

/// An order with one output and a fixed input. Its input is permitted to the reactor, who may take it until the deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DutchOrder {
    /// The chain's number.
    pub chain: u64,
    /// The contract that settles it.
    pub reactor: Address,
    /// Whose tokens are paid.
    pub swapper: Address,
    /// Used once per swapper.
    pub nonce: u64,
    /// Unix seconds.
    pub deadline: u64,
    /// When outputs begin to decay, in Unix seconds.
    pub decay_start: u64,
    /// When they end to.
    pub decay_end: u64,
    /// Who alone may fill it until decay starts.
    pub filler: Address,
    /// By how much anyone else must do better, in basis points.
    pub override_bps: u64,
    /// The contract of what is paid.
    pub input: Address,
    /// How much of it, in base units.
    pub input_amount: u128,
    /// What is received.
    pub output: Output,
}

/// What is received, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its contract.
    pub token: Address,
    /// How much before it decays, in base units.
    pub start: u128,
    /// How much after.
    pub end: u128,
    /// By whom.
    pub recipient: Address,
}

impl DutchOrder {
    /// What is signed.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let permitted = structure(&[TOKEN_PERMISSIONS], &[address(self.input), number(self.input_amount)]);
        let permit = structure(
            // Types that others refer to follow by their names' alphabet.
            &[PERMIT, DUTCH_OUTPUT, ORDER, ORDER_INFO, TOKEN_PERMISSIONS],
            &[
                permitted,
                address(self.reactor),
                number(self.nonce.into()),
                number(self.deadline.into()),
                self.witness(),
            ],
        );
        signed(&domain(self.chain), &permit)
    }

    /// The order's own hash, by which UniswapX names it.
    pub(super) fn witness(&self) -> [u8; 32] {
        let info = structure(
            &[ORDER_INFO],
            &[
                address(self.reactor),
                address(self.swapper),
                number(self.nonce.into()),
                number(self.deadline.into()),
                [0; 32],
                // Of no bytes.
                keccak(b""),
            ],
        );
        let Output { token, start, end, recipient } = self.output;
        let output = structure(&[DUTCH_OUTPUT], &[address(token), number(start), number(end), address(recipient)]);
        structure(
            &[ORDER, DUTCH_OUTPUT, ORDER_INFO],
            &[
                info,
                number(self.decay_start.into()),
                number(self.decay_end.into()),
                address(self.filler),
                number(self.override_bps.into()),
                address(self.input),
                number(self.input_amount),
                number(self.input_amount),
                // A list is the hash of its members' hashes in a row.
                keccak(&output),
            ],
        )
    }
}

/// What tells Permit2 on one chain from everything else that may be signed.
pub(super) fn domain(chain: u64) -> [u8; 32] {
    structure(&[DOMAIN], &[keccak(b"Permit2"), number(chain.into()), address(PERMIT2)])
}

/// `keccak256(0x19 0x01 ‖ domain ‖ message)`
pub(super) fn signed(domain: &[u8; 32], message: &[u8; 32]) -> [u8; 32] {
    keccak(&[b"\x19\x01", &domain[..], &message[..]].concat())
}

/// `keccak256(keccak256(type) ‖ value ‖ value …)`, where the type is all its parts in a row.
pub(super) fn structure(type_: &[&str], values: &[[u8; 32]]) -> [u8; 32] {
    keccak(&[&keccak(type_.concat().as_bytes())[..], values.as_flattened()].concat())
}

/// A value of 32 bytes with the number at its end.
pub(super) fn number(value: u128) -> [u8; 32] {
    let mut word = [0; 32];
    word[16..].copy_from_slice(&value.to_be_bytes());
    word
}

/// The same with an address.
pub(super) fn address(Address(value): Address) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(&value);
    word
}

pub(super) fn keccak(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}
