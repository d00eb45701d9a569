//! Fees, rents and rollbacks, to the lamport.

use ed25519_dalek::{Signer as _, SigningKey};
use solana::program::compute_budget::Budget;
use solana::program::token::{ACCOUNT_RENT, NATIVE_MINT, Order};
use solana::program::{associated_token, compute_budget, memo, system as lamports, token};

use super::*;

const FUNDS: u64 = 1_000_000_000;

fn wallet() -> (SigningKey, Address) {
    let key = SigningKey::from_bytes(&[1; 32]);
    let address = key.verifying_key().to_bytes().into();
    (key, address)
}

fn bank() -> Plain {
    let mut bank = Plain::default();
    let account = |lamports, owner, data| Some(Account { lamports, owner, data });
    bank.set_account(&wallet().1, account(FUNDS, lamports::ID, Vec::new()));
    let mint = token::Mint { authority: None, supply: 0, decimals: 9, freeze_authority: None }.pack();
    bank.set_account(&NATIVE_MINT, account(1_461_600, token::ID, mint));
    bank
}

fn executed(bank: &mut Plain, instructions: &[Instruction]) -> (Result<(), TransactionError>, u64) {
    let (key, payer) = wallet();
    let mut transaction = Transaction::unsigned(&payer, instructions, [0; 32]).expect("it fits");
    let signature = key.sign(transaction.message()).to_bytes();
    transaction.sign_with(&payer, signature).expect("it signs");
    let executed = bank.execute(&transaction.bytes(), 1, Pools::default());
    (executed.result, executed.fee)
}

fn held(bank: &Plain, address: &Address) -> u64 {
    bank.account(address).map_or(0, |account| account.lamports)
}

fn transfer(to: u8, amount: u64) -> Instruction {
    lamports::transfer(lamports::Transfer { from: wallet().1, to: [to; 32].into(), lamports: amount })
}

#[test]
fn a_transfer_costs_its_signature_and_what_its_units_are_offered() {
    let mut bank = bank();
    assert_eq!(executed(&mut bank, &[transfer(8, 1_000_000)]), (Ok(()), 5_000));
    assert_eq!(held(&bank, &wallet().1), FUNDS - 1_005_000);
    let budget = [Budget::Limit(100_001), Budget::Price(10)].map(compute_budget::set);
    let instructions = [&budget[..], &[transfer(8, 1)]].concat();
    assert_eq!(executed(&mut bank, &instructions), (Ok(()), 5_002), "rounded up");
    let unlimited = [compute_budget::set(Budget::Price(1_000_000)), memo::note("x")];
    assert_eq!(executed(&mut bank, &unlimited), (Ok(()), 5_000 + 203_000));
    let twice = [Budget::Limit(1), Budget::Limit(1)].map(compute_budget::set);
    assert_eq!(executed(&mut bank, &twice), (Err(TransactionError::DuplicateInstruction(1)), 0));
}

#[test]
fn what_fails_undoes_everything_but_its_fee() {
    let mut bank = bank();
    let (result, fee) = executed(&mut bank, &[transfer(8, 1_000_000), transfer(9, FUNDS)]);
    assert_eq!(result, Err(TransactionError::InstructionError(1, InstructionError::Custom(1))));
    assert_eq!((held(&bank, &[8; 32].into()), held(&bank, &wallet().1)), (0, FUNDS - fee));
}

#[test]
fn nobody_is_left_below_the_rent() {
    let mut bank = bank();
    let (result, _) = executed(&mut bank, &[transfer(8, 1)]);
    assert_eq!(result, Err(TransactionError::InsufficientFundsForRent { account_index: 1 }));
    assert_eq!(rent::least(0), 890_880);
    assert_eq!(rent::least(token::ACCOUNT_BYTES), ACCOUNT_RENT);
    let left = held(&bank, &wallet().1) - 5_000;
    let (result, _) = executed(&mut bank, &[transfer(8, left - 1)]);
    assert_eq!(result, Err(TransactionError::InsufficientFundsForRent { account_index: 0 }));
    let left = held(&bank, &wallet().1) - 5_000;
    assert_eq!(executed(&mut bank, &[transfer(8, left)]), (Ok(()), 5_000), "all of it");
    assert_eq!(bank.account(&wallet().1), None);
    let (result, fee) = executed(&mut bank, &[transfer(8, 1)]);
    assert_eq!((result, fee), (Err(TransactionError::AccountNotFound), 0));
}

#[test]
fn sol_is_wrapped_and_unwrapped_without_loss() {
    let mut bank = bank();
    let owner = wallet().1;
    let account = associated_token::address(&owner, &NATIVE_MINT, &token::ID);
    let create = associated_token::create_idempotent(owner, owner, NATIVE_MINT, token::ID);
    let paid = lamports::transfer(lamports::Transfer { from: owner, to: account, lamports: 5_000_000 });
    let sync = token::order(token::ID, Order::SyncNative { account });
    let wrap = [create.clone(), create, paid, sync];
    assert_eq!(executed(&mut bank, &wrap).0, Ok(()));
    let wrapped = bank.account(&account).expect("made");
    assert_eq!(wrapped.lamports, ACCOUNT_RENT + 5_000_000);
    assert_eq!(wrapped.data, token::Account::new(NATIVE_MINT, owner, 5_000_000, ACCOUNT_RENT).pack());
    let close = token::order(token::ID, Order::Close { account, destination: owner, owner });
    assert_eq!(executed(&mut bank, &[close]).0, Ok(()));
    assert_eq!(bank.account(&account), None);
    assert_eq!(held(&bank, &owner), FUNDS - 10_000);
}

#[test]
fn only_what_is_signed_as_it_is_executes() {
    let mut bank = bank();
    let (key, payer) = wallet();
    let mut transaction = Transaction::unsigned(&payer, &[transfer(8, 1_000_000)], [0; 32]).expect("it fits");
    let unsigned = bank.execute(&transaction.bytes(), 1, Pools::default());
    assert_eq!(unsigned.result, Err(TransactionError::SignatureFailure));
    let signature = key.sign(transaction.message()).to_bytes();
    transaction.sign_with(&payer, signature).expect("it signs");
    let mut bytes = transaction.bytes();
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    assert!(bank.execute(&bytes, 1, Pools::default()).result.is_err());
    let stranger = Instruction { program: [7; 32].into(), accounts: Vec::new(), data: Vec::new() };
    assert_eq!(executed(&mut bank, &[stranger]).0, Err(TransactionError::InvalidProgramForExecution));
    assert_eq!(held(&bank, &payer), FUNDS);
}
