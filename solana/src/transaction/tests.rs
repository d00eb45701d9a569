//! What is written reads back; what was changed on its way is found out.

use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;

use super::*;
use crate::program::{compute_budget, system};

fn signer(number: u8) -> (SigningKey, Address) {
    let key = SigningKey::from_bytes(&[number; 32]);
    let address = key.verifying_key().to_bytes().into();
    (key, address)
}

fn transfer(lamports: u64) -> (SigningKey, Transaction) {
    let (key, from) = signer(1);
    let transfer = system::transfer(system::Transfer { from, to: signer(2).1, lamports });
    (key, Transaction::unsigned(&from, &[transfer], [7; 32]).expect("it fits"))
}

fn signed(lamports: u64) -> Transaction {
    let (key, mut transaction) = transfer(lamports);
    let payer = transaction.signers()[0];
    let signature = key.sign(transaction.message()).to_bytes();
    transaction.sign_with(&payer, signature).expect("it signs");
    transaction
}

#[test]
fn a_transfer_has_the_size_it_has_on_the_chain() {
    let transaction = signed(1);
    // 215 as a legacy transaction; the version and the empty list of lookup tables are a byte each.
    assert_eq!(transaction.bytes().len(), 217);
    let legacy = solana_transaction::Transaction::new_unsigned(solana_message::Message::new(
        &[solana_message::Instruction {
            program_id: system::ID,
            accounts: vec![
                solana_message::AccountMeta::new(signer(1).1, true),
                solana_message::AccountMeta::new(signer(2).1, false),
            ],
            data: transaction.instructions()[0].data.clone(),
        }],
        Some(&signer(1).1),
    ));
    let bytes = bincode::serialize(&legacy).expect("it serializes");
    assert_eq!(bytes.len(), 215);
    let read = Transaction::read(&bytes).expect("a legacy transaction");
    assert!(!read.is_versioned() && !read.verify());
    assert_eq!((read.instructions(), read.bytes()), (transaction.instructions(), bytes));
}

#[test]
fn signatures_verify_and_nothing_else_does() {
    let transaction = signed(5);
    assert!(transaction.verify());
    assert!(!transfer(5).1.verify(), "unsigned");
    let bytes = transaction.bytes();
    for place in 1..bytes.len() {
        let mut tampered = bytes.clone();
        tampered[place] ^= 1;
        assert!(!Transaction::read(&tampered).is_ok_and(|read| read.verify()), "byte {place}");
    }
    let mut other = transfer(5).1;
    assert_eq!(other.sign_with(&signer(2).1, [1; 64]), Err(Malformed::NotASigner));
}

#[test]
fn a_transaction_reads_back_whole_or_not_at_all() {
    let transaction = signed(9);
    let bytes = transaction.bytes();
    assert_eq!(Transaction::read(&bytes).as_ref(), Ok(&transaction));
    assert_eq!(transaction.blockhash(), [7; 32]);
    assert_eq!(signature(&transaction.id()), Some(transaction.signatures()[0]));
    assert_eq!(signature("0"), None);
    assert_eq!(signature(&"1".repeat(64)), Some([0; 64]));
    for length in 0..bytes.len() {
        assert!(Transaction::read(&bytes[..length]).is_err(), "{length} bytes");
    }
    assert_eq!(Transaction::read(&[&bytes[..], &[0]].concat()), Err(Malformed::Unreadable));
    assert_eq!(Transaction::read(&[0; PACKET_BYTES + 1]), Err(Malformed::TooLong));
}

#[test]
fn a_packet_has_room_for_so_many_accounts() {
    let (_, payer) = signer(1);
    let with = |count: u8| {
        let accounts = (1..=count).map(|number| Meta::writable([number; 32].into())).collect();
        let instruction = Instruction { program: system::ID, accounts, data: Vec::new() };
        Transaction::unsigned(&payer, &[instruction], [0; 32])
    };
    assert!(with(32).is_ok());
    assert_eq!(with(33), Err(Malformed::TooLong));
    let looked_up = Instruction {
        program: system::ID,
        accounts: vec![Meta { key: None, signer: false, writable: true }],
        data: Vec::new(),
    };
    assert_eq!(Transaction::unsigned(&payer, &[looked_up], [0; 32]), Err(Malformed::Accounts));
}

fn metas() -> impl Strategy<Value = Vec<Meta>> {
    let meta = (2..20_u8, any::<bool>(), any::<bool>());
    // One account has one right in one transaction, or the message gives it the larger one everywhere.
    proptest::collection::btree_map(2..20_u8, meta, 0..6).prop_map(|metas| {
        let meta = |(number, (_, signer, writable)): (u8, (u8, bool, bool))| Meta {
            key: Some([number; 32].into()),
            signer,
            writable,
        };
        metas.into_iter().map(meta).collect()
    })
}

proptest! {
    #[test]
    fn instructions_read_back(accounts in metas(), data in proptest::collection::vec(any::<u8>(), 0..100), hash: [u8; 32]) {
        let instruction = Instruction { program: [200; 32].into(), accounts, data };
        let limit = compute_budget::set(compute_budget::Budget::Limit(5));
        let instructions = [limit, instruction];
        if let Ok(transaction) = Transaction::unsigned(&[250; 32].into(), &instructions, hash) {
            let read = Transaction::read(&transaction.bytes()).expect("what was written");
            prop_assert_eq!(read.instructions(), instructions.to_vec());
            prop_assert_eq!(read.blockhash(), hash);
            prop_assert_eq!(read, transaction);
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(read) = Transaction::read(&bytes) {
            let _ = (read.instructions(), read.verify());
            prop_assert_eq!(read.bytes(), bytes);
        }
    }
}
