//! Slots, expiry, replays and forks, with a clock that jumps.

use ed25519_dalek::{Signer as _, SigningKey};
use solana::Transaction;
use solana::program::system;

use super::*;
use crate::SLOT_MILLIS;
use crate::faults::{Fault, Front, Often};
use crate::fronts::tests::chain;

const NOW: u64 = 1_800_000_000_000;
const FUNDS: u64 = 10_000_000_000;

fn later(slots: u64) -> u64 {
    NOW + slots * SLOT_MILLIS
}

fn wallet() -> (SigningKey, Address) {
    let key = SigningKey::from_bytes(&[3; 32]);
    let address = key.verifying_key().to_bytes().into();
    (key, address)
}

fn begun(options: &str, faults: &str) -> Arc<Chain> {
    let chain = chain(options, faults);
    chain.give(wallet().1, None, FUNDS, NOW).expect("given");
    chain
}

/// A transfer of that many lamports to a fresh account, with the newest blockhash.
fn transfer(chain: &Chain, lamports: u64, now: u64) -> (Vec<u8>, Signature) {
    let (key, from) = wallet();
    let order = system::Transfer { from, to: [77; 32].into(), lamports };
    let recent = chain.blockhash(Commitment::Processed, now);
    let mut transaction = Transaction::unsigned(&from, &[system::transfer(order)], recent.hash).expect("it fits");
    let signature = key.sign(transaction.message()).to_bytes();
    transaction.sign_with(&from, signature).expect("it signs");
    (transaction.bytes(), signature)
}

fn lamports(chain: &Chain, now: u64) -> u64 {
    chain.account(&wallet().1, now).map_or(0, |account| account.lamports)
}

fn status(chain: &Chain, signature: Signature, now: u64) -> Option<Status> {
    chain.statuses(&[Some(signature)], now).remove(0)
}

#[test]
fn the_same_bytes_execute_once() {
    let chain = begun("pace=real", "");
    let (bytes, signature) = transfer(&chain, 1_000_000, NOW);
    for _ in 0..3 {
        assert_eq!(chain.send(Front::Rpc, &bytes, false, NOW), Ok(signature));
    }
    for slots in 1..5 {
        chain.send(Front::Rpc, &bytes, false, later(slots)).expect("passed on");
    }
    assert_eq!(lamports(&chain, later(9)), FUNDS - 1_005_000);
    assert_eq!(chain.executed(0, 10, later(9)).1, 1);
}

#[test]
fn a_blockhash_is_good_for_150_slots() {
    for (slots, lands) in [(148, true), (149, true), (150, false), (151, false)] {
        let chain = begun("pace=real", "");
        let (bytes, signature) = transfer(&chain, 1_000_000, NOW);
        chain.send(Front::Rpc, &bytes, false, later(slots)).expect("passed on");
        // It would be in the next slot.
        assert_eq!(status(&chain, signature, later(slots + 1)).is_some(), lands, "{slots}");
    }
    let chain = begun("pace=real", "");
    let (bytes, _) = transfer(&chain, 1_000_000, NOW);
    let expired = chain.send(Front::Rpc, &bytes, true, later(151)).expect_err("expired");
    assert_eq!(expired, Unsent::Failed { error: TransactionError::BlockhashNotFound, logs: Vec::new() });
}

#[test]
fn a_fork_undoes_the_newest_slot_and_no_other() {
    let mut again = 0;
    for number in 0..40 {
        let chain = begun("pace=real", "");
        let (first, confirmed) = transfer(&chain, 2_000_000, NOW);
        chain.send(Front::Rpc, &first, false, NOW).expect("sent");
        let (bytes, signature) = transfer(&chain, 1_000_000 + number, later(3));
        chain.send(Front::Rpc, &bytes, false, later(3)).expect("sent");
        assert_eq!(status(&chain, signature, later(4)).expect("processed").commitment, Commitment::Processed);
        chain.faults().set(Front::Rpc, Fault::Fork, Often::Count(1));
        // What is given between is not taken back.
        chain.give(wallet().1, None, 5, later(4)).expect("given");
        let after = status(&chain, signature, later(5));
        let left = FUNDS + 5 - 2_005_000;
        match after {
            Some(status) => {
                again += 1;
                assert_eq!((status.slot, status.commitment), (slot_of(later(5)), Commitment::Processed));
                assert_eq!(lamports(&chain, later(5)), left - 1_005_000 - number);
            }
            None => {
                assert_eq!(lamports(&chain, later(5)), left);
                assert!(chain.account(&[77; 32].into(), later(5)).is_some_and(|account| account.lamports == 2_000_000));
                chain.send(Front::Rpc, &bytes, true, later(5)).expect("it may be sent again");
                assert!(status(&chain, signature, later(6)).is_some());
            }
        }
        assert_eq!(lamports(&chain, later(50)), left - 1_005_000 - number, "once in the end");
        assert_eq!(status(&chain, confirmed, later(50)).expect("final").slot, slot_of(later(1)));
    }
    assert!((8..32).contains(&again), "{again} of 40 are included again by themselves");
}

#[test]
fn what_cannot_pay_its_fee_lands_in_no_slot() {
    let chain = chain("pace=instant", "");
    let (bytes, signature) = transfer(&chain, 1, NOW);
    chain.send(Front::Rpc, &bytes, false, NOW).expect("passed on");
    assert_eq!(status(&chain, signature, NOW), None);
    let refused = chain.send(Front::Rpc, &bytes, true, NOW).expect_err("no account");
    assert!(matches!(refused, Unsent::Failed { error: TransactionError::AccountNotFound, .. }), "{refused:?}");
}

#[test]
fn what_fails_in_its_slot_pays_its_fee() {
    let chain = begun("pace=instant", "");
    let (bytes, signature) = transfer(&chain, FUNDS, NOW);
    chain.send(Front::Rpc, &bytes, false, NOW).expect("passed on");
    let failed = status(&chain, signature, NOW).expect("included");
    let error = TransactionError::InstructionError(0, solana::InstructionError::Custom(1));
    assert_eq!((failed.result, failed.commitment), (Err(error), Commitment::Finalized));
    assert_eq!(lamports(&chain, NOW), FUNDS - 5_000);
}

#[test]
fn a_faucet_gives_tokens_and_refuses_what_does_not_fit() {
    let chain = begun("pace=real", "");
    let wallet = wallet().1;
    let account = chain.give(wallet, Some("USDC"), 7, NOW).expect("given");
    assert_eq!(chain.give(wallet, Some("USDC"), 8, NOW), Ok(account));
    let held = chain.account(&account, NOW).expect("made");
    let held = solana::program::token::Account::unpack(&held.data).expect("a token account");
    assert_eq!((held.amount, held.owner), (15, wallet));
    assert_eq!(chain.give(wallet, Some("USDC"), u64::MAX, NOW), Err(NotGiven::TooMuch));
    assert_eq!(chain.give(wallet, Some("GOLD"), 1, NOW), Err(NotGiven::UnknownToken("GOLD".to_owned())));
    let wrapped = chain.give(wallet, Some("wSOL"), 100, NOW).expect("given");
    assert_eq!(chain.account(&wrapped, NOW).expect("made").lamports, 2_039_380);
}
