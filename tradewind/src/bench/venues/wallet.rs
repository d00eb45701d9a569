//! The wallet that the bench trades from on simulated chains.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;

use anyhow::Context;
use serde_json::json;

use crate::bench::store::Folder;
use crate::config::Bench;

/// Its address: the public half of the key in base58.
const ADDRESS: &str = "FVen3X669xLzsi6N2V91DoiyzHzg1uAgqiT8jZ9nS96Z";

/// A key that everybody knows, that of RFC 8032, 7.1, test 1: the secret half, then the public one.
const KEY: [u8; 64] = [
    157, 97, 177, 157, 239, 253, 90, 96, 186, 132, 74, 244, 146, 236, 44, 196, 68, 73, 197, 105, 123, 50, 105, 25, 112,
    59, 172, 3, 28, 174, 127, 96, 215, 90, 152, 1, 130, 177, 10, 183, 213, 75, 254, 211, 201, 100, 7, 58, 14, 225, 114,
    243, 218, 166, 35, 37, 175, 2, 26, 104, 247, 7, 81, 26,
];

/// A key file; dropped, it is deleted.
pub(super) struct Wallet(Folder);

impl Wallet {
    /// Writes the key where temporary journals are.
    pub(super) fn make(settings: &Bench) -> anyhow::Result<Self> {
        let wallet = Self(Folder::make(settings.dir.as_deref())?);
        let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(wallet.0.path().join("key.json"));
        file.and_then(|mut file| file.write_all(json!(KEY.as_slice()).to_string().as_bytes()))
            .context("the key file")?;
        Ok(wallet)
    }

    /// What `--signer` takes.
    pub(super) fn signer(&self) -> String {
        format!("file:{}", self.0.path().join("key.json").display())
    }

    /// A million SOL from the chain's faucet.
    pub(super) async fn fund(&self, chain: SocketAddr) -> anyhow::Result<()> {
        let body = json!({"address": ADDRESS, "amount": "1000000000000000"});
        let answer = reqwest::Client::new().post(format!("http://{chain}/faucet")).json(&body).send().await?;
        answer.error_for_status().context("the faucet gives nothing")?;
        Ok(())
    }
}
