//! Keys: their text, who may make which, and what is never shown.

use proptest::prelude::*;

use super::*;
use crate::{Entity, Kind, Owner, Timestamp, view};

const NOW: Timestamp = Timestamp(1_795_000_000_000_000);

fn entropy(byte: u8) -> Entropy {
    Entropy { id: [byte; 16], secret: [byte; 32] }
}

fn owner(name: &str) -> Owner {
    Owner::parse(name).unwrap()
}

fn asked(account: &str, role: Role) -> Create {
    let material = Material::New(Env::default(), entropy(7));
    Create { account: owner(account), role, scopes: None, name: None, expires_at: None, material }
}

fn holder(scopes: &[Scope], expires_at: Option<Timestamp>) -> Creator {
    Creator::Holder { account: owner("acme"), scopes: scopes.to_vec(), expires_at }
}

#[test]
fn a_key_has_the_documented_form() {
    let minted = mint(&Env::parse("test").unwrap(), &Entropy { id: [0; 16], secret: [255; 32] });
    // Worked out with another program: 2^256 - 1 in base 62, and zlib's CRC-32 of what stands before the last six.
    let expected = concat!("tw_test_0000000000000000000000_", "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp14KJGc6");
    assert_eq!(minted.text, expected);
    assert_eq!(Presented::parse(&minted.text), Some(minted.presented));
}

proptest! {
    #[test]
    fn every_key_reads_back_and_no_typo_does(id: [u8; 16], secret: [u8; 32], at in 0_usize..83, other in 33_u8..127) {
        let minted = mint(&Env::default(), &Entropy { id, secret });
        prop_assert_eq!(Presented::parse(&minted.text), Some(minted.presented));
        let mut typo = minted.text.clone().into_bytes();
        let at = at % typo.len();
        prop_assume!(typo[at] != other);
        typo[at] = other;
        let typo = String::from_utf8(typo).unwrap();
        // A text that does not begin as ours do could be another system's: it is another key then.
        if typo.starts_with("tw_") {
            prop_assert_eq!(Presented::parse(&typo), None);
        } else {
            prop_assert_ne!(Presented::parse(&typo).unwrap().id, Presented::parse(&minted.text).unwrap().id);
        }
    }

    #[test]
    fn no_text_breaks_the_reader(text in ".{0,120}", tail in "tw_.{0,100}") {
        let _ = (Presented::parse(&text), Presented::parse(&tail));
    }
}

#[test]
fn keys_of_other_systems_are_found_by_their_text() {
    let one = Presented::parse("some-secret-api-key").unwrap();
    assert_eq!(Some(&one), Presented::import("some-secret-api-key").as_ref());
    assert_ne!(one.id, Presented::import("some-secret-api-kez").unwrap().id);
    assert!(Presented::import("90d57fe0-0fa1-4dae-a51c-917cc82bcddc").is_some());
    for bad in ["", "short", "has a space in it, has it", "tw_live_looks-like-one-of-ours", "ümläuts-are-not-ascii"] {
        assert_eq!(Presented::import(bad), None, "{bad:?}");
    }
    assert_eq!(Presented::import(&"x".repeat(201)), None);
}

#[test]
fn environments_are_short_plain_names() {
    for (name, good) in [("live", true), ("a1", true), ("", false), ("Live", false), ("a_b", false)] {
        assert_eq!(Env::parse(name).is_some(), good, "{name:?}");
    }
    assert!(Env::parse(&"a".repeat(16)).is_some() && Env::parse(&"a".repeat(17)).is_none());
}

#[test]
fn who_may_make_which() {
    let (first, admin) = (Creator::First(owner("default")), Creator::Admin(owner("ops")));
    let manager = holder(&[Scope::DealsRead, Scope::KeysManage], None);
    let with = |scopes: &[Scope]| Create { scopes: Some(scopes.to_vec()), ..asked("acme", Role::Seller) };
    for (what, create, by, refused) in [
        ("the first is an admin's", asked("ops", Role::Admin), &first, None),
        ("and nobody else's", asked("acme", Role::Seller), &first, Some("FIRST_KEY_NOT_ADMIN")),
        (
            "with the scope",
            Create { scopes: Some(vec![Scope::DealsRead]), ..asked("ops", Role::Admin) },
            &first,
            Some("FIRST_KEY_NOT_ADMIN"),
        ),
        ("an admin makes any", asked("acme", Role::Seller), &admin, None),
        ("with less than the role's", with(&[Scope::DealsRead]), &admin, None),
        ("but not with more", with(&[Scope::SwapsWrite]), &admin, Some("SCOPE_NOT_OF_ROLE")),
        ("nor with nothing", with(&[]), &admin, Some("SCOPES_EMPTY")),
        ("a holder gives what it has", asked("acme", Role::Seller), &manager, None),
        ("and no more", with(&[Scope::DealsWrite]), &manager, Some("SCOPE_NOT_YOURS")),
        ("for itself", asked("other", Role::Seller), &manager, Some("ACCOUNT_NOT_YOURS")),
        (
            "never an admin's",
            Create { scopes: Some(vec![Scope::Admin]), ..asked("acme", Role::Admin) },
            &manager,
            Some("SCOPE_NOT_YOURS"),
        ),
    ] {
        let code = super::create(create, by, NOW).err().map(|refusal| refusal.code);
        assert_eq!(code, refused, "{what}");
    }
    let made = super::create(asked("acme", Role::Seller), &manager, NOW).ok().unwrap();
    assert_eq!(made.key.scopes, [Scope::DealsRead, Scope::KeysManage]);
}

#[test]
fn a_key_never_outlives_the_one_it_was_made_with() {
    let (soon, later) = (NOW.plus_millis(1_000), NOW.plus_millis(2_000));
    let by = holder(&[Scope::KeysManage], Some(soon));
    let until = |expires_at| super::create(Create { expires_at, ..asked("acme", Role::Seller) }, &by, NOW);
    assert_eq!(until(None).ok().unwrap().key.expires_at, Some(soon));
    assert_eq!(until(Some(later)).err().unwrap().code, "EXPIRE_TIME_TOO_LATE");
    assert_eq!(until(Some(NOW)).err().unwrap().code, "EXPIRE_TIME_IN_PAST");
}

#[test]
fn what_is_kept_comes_back_and_what_is_shown_has_no_secret() {
    let create = Create {
        name: Some("robot".to_owned()),
        expires_at: Some(NOW.plus_millis(5_000)),
        ..asked("acme", Role::Seller)
    };
    let Choice { key, change, text } = super::create(create, &Creator::Admin(owner("ops")), NOW).ok().unwrap();
    let text = text.unwrap();
    let write = &change.entities[0];
    let event = write.event.as_ref().unwrap();
    let entity = Entity {
        kind: Kind::Key,
        id: write.id.clone(),
        version: 1,
        status: write.status.to_owned(),
        owner: write.owner.clone(),
        party: None,
        parent: None,
        body: write.body.clone(),
        created_seq: 1,
        created_at: NOW,
        updated_at: NOW,
    };
    assert_eq!(Key::from_entity(&entity).unwrap(), key);
    let shown = view::of_entity(&entity).unwrap().unwrap();
    assert_eq!(view::of_event(&event.body), shown);
    assert!(key.fits(&Presented::parse(&text).unwrap()));
    let hash: serde_json::Value = serde_json::from_str(&write.body).unwrap();
    let secret = &text[31..74];
    for (what, text) in [("view", &shown), ("event", &event.body), ("debug", &format!("{key:?}"))] {
        assert!(!text.contains(secret) && !text.contains(hash["hash"].as_str().unwrap()), "{what}: {text}");
    }
    assert!(!write.body.contains(secret));
    assert!(text.ends_with(&key.last4));
    insta::assert_json_snapshot!("a_key", serde_json::from_str::<serde_json::Value>(&event.body).unwrap());
}

#[test]
fn a_key_is_good_until_it_ends_or_is_withdrawn() {
    let end = NOW.plus_millis(10);
    let create = Create { expires_at: Some(end), ..asked("acme", Role::Seller) };
    let key = super::create(create, &Creator::Admin(owner("ops")), NOW).ok().unwrap().key;
    assert!(key.is_good(NOW) && key.is_good(end.plus_micros(-1)) && !key.is_good(end));
    let revoked = revoke(&key, &owner("ops"), NOW).ok().unwrap();
    assert!(!revoked.key.is_good(NOW));
    assert_eq!(revoked.change.entities[0].event.as_ref().unwrap().type_, "key.revoked");
    assert_eq!(revoke(&revoked.key, &owner("ops"), NOW).err().unwrap().code, "WRONG_STATE");
}

#[test]
fn what_was_withdrawn_stays_so() {
    assert_eq!(next(Status::Active, Happening::Revoke), Some(Status::Revoked));
    assert_eq!(next(Status::Revoked, Happening::Revoke), None);
}
