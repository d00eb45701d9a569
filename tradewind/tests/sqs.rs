//! The SQS endpoint with boto3, unmodified: the whole life of queues, over both protocols, with and without keys.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::server::{INSTANT, Server, err, out};

/// The newest speaks AWS JSON; the other is the last that speaks the Query protocol.
const BOTO3: [(&str, &[&str]); 2] = [("json", &["boto3==1.44.5"]), ("query", &["boto3==1.28.80", "botocore==1.31.80"])];

/// Where the scripts lie.
fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sqs")
}

/// A Python that has these packages, in the folder that cargo builds into.
fn python(name: &str, packages: &[&str]) -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_tradewind")).parent().and_then(Path::parent).expect("a target folder");
    let folder = target.join("sqs").join(format!("boto3-{name}"));
    let made = Command::new(here().join("python")).arg(folder).args(packages).stdin(Stdio::null()).output();
    let made = made.expect("the script starts");
    assert!(made.status.success(), "{}", err(&made));
    PathBuf::from(out(&made).trim())
}

/// Walks to the end, or says where it was stopped.
fn walk(python: &Path, endpoint: &str, credentials: &[String]) {
    let walked = Command::new(python)
        .arg(here().join("boto3_walk.py"))
        .arg(endpoint)
        .args(credentials)
        .env_remove("AWS_PROFILE")
        .stdin(Stdio::null())
        .output()
        .expect("python starts");
    assert!(walked.status.success(), "{endpoint}: {}{}", out(&walked), err(&walked));
    println!("{}", out(&walked).trim());
}

#[test]
fn boto3_walks_through_the_life_of_queues() {
    let [json, query] = BOTO3.map(|(name, packages)| python(name, packages));
    let open = Server::start(&INSTANT);
    let closed = Server::start(&[&INSTANT[..], &["--facade", "sqs=127.0.0.1:0"]].concat());
    let made = closed.run(&["keys", "create", "--role", "admin", "--account", "ops", "--json"]);
    let admin: Value = serde_json::from_str(&out(&made)).expect("a key");
    let with = ["--key", admin["key"].as_str().expect("its text")];
    let ask = |arguments: &[&str]| {
        let answered = closed.run(&[arguments, &with].concat());
        serde_json::from_str::<Value>(&out(&answered)).unwrap_or_else(|_| panic!("{arguments:?}: {}", err(&answered)))
    };
    let shop = ask(&["keys", "create", "--role", "shop", "--account", "acme", "--json"]);
    let pair = |key: &Value| {
        ["accessKeyId", "secretAccessKey"].map(|name| key["sqs"][name].as_str().expect("a credential").to_owned())
    };
    let (of_admin, of_shop) = (pair(&admin), pair(&shop));
    let facade = closed.facade.clone().expect("its address");
    std::thread::scope(|scope| {
        scope.spawn(|| walk(&json, &format!("{}/sqs", open.url), &[]));
        scope.spawn(|| walk(&query, &format!("{}/sqs", open.url), &[]));
        scope.spawn(|| walk(&json, &facade, &of_shop));
        scope.spawn(|| walk(&query, &format!("{}/sqs", closed.url), &of_admin));
    });
    let listed = ask(&["keys", "list", "--account", "acme", "--json"]);
    assert!(listed["lastUsedAt"].is_string(), "a signature is a use: {listed}");
    ask(&["keys", "revoke", shop["id"].as_str().expect("an id"), "--json"]);
    walk(&json, &facade, &[&of_shop[..], &["InvalidClientTokenId".to_owned()]].concat());
}
