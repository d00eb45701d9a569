//! A wallet on the simulated Solana: its key file, its address, and its money from the faucet.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use reqwest::Client;
use serde_json::{Value, json};

/// Its address: the public half of the key in base58.
pub(crate) const ADDRESS: &str = "FVen3X669xLzsi6N2V91DoiyzHzg1uAgqiT8jZ9nS96Z";

/// The key of RFC 8032, 7.1, test 1, as Solana's command line tools keep one: the secret half, then the public one.
const KEY: [u8; 64] = [
    157, 97, 177, 157, 239, 253, 90, 96, 186, 132, 74, 244, 146, 236, 44, 196, 68, 73, 197, 105, 123, 50, 105, 25, 112,
    59, 172, 3, 28, 174, 127, 96, 215, 90, 152, 1, 130, 177, 10, 183, 213, 75, 254, 211, 201, 100, 7, 58, 14, 225, 114,
    243, 218, 166, 35, 37, 175, 2, 26, 104, 247, 7, 81, 26,
];

/// Puts the key into the folder; answers with what `--signer` takes.
pub(crate) fn signer(folder: &Path) -> String {
    let path = folder.join("wallet.json");
    write(&path, &json!(KEY.as_slice()).to_string());
    format!("file:{}", path.display())
}

/// Puts a key for Base into the folder, `evm.key`, and the token uETH as it is there; answers with what `--tokens` takes.
pub(crate) fn on_base(folder: &Path) -> String {
    write(&folder.join("evm.key"), &"11".repeat(32));
    let ether = simnet::universal::token("ETH").expect("ether").contract().to_string();
    let path = folder.join("tokens.json");
    write(&path, &json!([{"symbol": "uETH", "mint": ether, "decimals": 18}]).to_string());
    path.display().to_string()
}

/// Writes a file that its owner alone may read.
fn write(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path).expect("a file");
    file.write_all(text.as_bytes()).expect("written");
}

/// A million SOL to pay with and for, and a hundred million USDC.
pub(crate) async fn fund(client: &Client, chain: &str) {
    for body in [
        json!({"address": ADDRESS, "amount": "1000000000000000"}),
        json!({"address": ADDRESS, "token": "USDC", "amount": "100000000000000"}),
    ] {
        let answer = client.post(format!("{chain}/faucet")).json(&body).send().await.expect("the faucet");
        assert!(answer.status().is_success(), "{body}: {}", answer.text().await.unwrap_or_default());
    }
}

/// Every transaction that took effect and swapped, from the chain's own ledger.
pub(crate) async fn swaps(client: &Client, chain: &str) -> Vec<Value> {
    let (mut all, mut seen) = (Vec::new(), 0);
    loop {
        let page = client.get(format!("{chain}/solana/ledger?after={seen}&limit=5000")).send().await.expect("a ledger");
        let page: Value = serde_json::from_str(&page.text().await.expect("a ledger")).expect("JSON");
        let rows = page["transactions"].as_array().unwrap_or_else(|| panic!("no ledger: {page}"));
        if rows.is_empty() {
            assert_eq!(page["total"], seen, "the ledger is shorter than it says");
            return all;
        }
        seen += rows.len();
        all.extend(rows.iter().filter(|row| row["error"].is_null() && !row["swap"].is_null()).cloned());
    }
}
