//! Keys from files and from a program that signs.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

fn pair() -> Vec<u8> {
    SigningKey::from_bytes(&[7; 32]).to_keypair_bytes().to_vec()
}

fn file(folder: &Path, bytes: &[u8], mode: u32) -> String {
    let path = folder.join("key.json");
    let _ = fs::remove_file(&path);
    fs::write(&path, serde_json::to_vec(bytes).unwrap()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    format!("file:{}", path.display())
}

fn command() -> String {
    format!("command:{}/src/venue/signer/test-signer.py", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test]
async fn a_key_file_signs() {
    let folder = tempfile::tempdir().unwrap();
    let signer = Signer::open(&file(folder.path(), &pair(), 0o600)).unwrap();
    let public = SigningKey::from_bytes(&[7; 32]).verifying_key();
    assert_eq!(signer.address(), bs58::encode(public.to_bytes()).into_string());
    let signature = Signature::from_bytes(&signer.sign(b"a message").await.unwrap());
    assert_eq!(public.verify_strict(b"a message", &signature).ok(), Some(()));
}

#[test]
fn keys_that_others_read_and_keys_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (good, mut halves) = (pair(), pair());
    halves[40] ^= 1;
    for (bytes, mode, says) in [
        (good.as_slice(), 0o644, "chmod 600"),
        (&good, 0o640, "chmod 600"),
        (&good, 0o620, "chmod 600"),
        (&good[..32], 0o600, "64 bytes"),
        (&[9; 3_000], 0o600, "too long"),
        (&halves, 0o600, "public half"),
    ] {
        let error = Signer::open(&file(folder.path(), bytes, mode)).unwrap_err().to_string();
        assert!(error.contains(says) && error.contains("--signer file:"), "{error}");
        assert!(!error.contains(&bytes[0].to_string().repeat(2)), "nothing of the key is shown: {error}");
    }
    for (text, says) in [
        ("file:/nowhere", "cannot be read"),
        ("file:", "expected file:"),
        ("mars", "expected file:"),
        ("command:/nowhere", "cannot be run"),
        ("command:/bin/true", "no address"),
        ("command:/bin/false", "it failed"),
    ] {
        let error = Signer::open(text).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn nothing_shows_the_key() {
    let signer = Signer::of_key(SigningKey::from_bytes(&[7; 32]));
    assert_eq!(format!("{signer:?}"), format!("Signer({}, …)", signer.address()));
}

#[tokio::test]
async fn a_command_signs_and_what_it_prints_is_verified() {
    let signer = Signer::open(&command()).unwrap();
    let key = SigningKey::from_bytes(&std::array::from_fn(|n| u8::try_from(n).unwrap()));
    assert_eq!(signer.public_key(), key.verifying_key().to_bytes());
    assert_eq!(signer.sign(b"a message").await.unwrap(), key.sign(b"a message").to_bytes());
    for (message, says) in [("fail....", "it failed"), ("garbage.", "is no signature"), ("another.", "something else")]
    {
        let error = signer.sign(message.as_bytes()).await.unwrap_err();
        assert!(error.contains(says), "{message}: {error}");
    }
    let error = signer.sign(b"hang....").await.unwrap_err();
    assert!(error.contains("within 5 s"), "{error}");
}
