//! The README is true: its curl lines run as printed, and answer as shown.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::server::{INSTANT, Server, deaf, err, out};

/// The address that the README prints.
const PRINTED: &str = "127.0.0.1:8080";

/// A fenced block: its language, its text, and the line it begins on.
struct Block {
    language: String,
    text: String,
    line: usize,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut all = Vec::new();
    let mut open: Option<Block> = None;
    for (line, content) in (1..).zip(text.lines()) {
        match (content.strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some(Block { language: language.to_owned(), text: String::new(), line }),
            (Some(_), Some(_)) => all.extend(open.take()),
            (None, Some(block)) => block.text.extend([content, "\n"]),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "README.md: a block does not end");
    all
}

#[test]
fn the_curl_lines_work_as_printed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let blocks = blocks(&fs::read_to_string(path).expect("the README"));
    let server = Server::start(&INSTANT);
    let address = server.url.strip_prefix("http://").expect("an address");
    let mut ran = 0;
    for (at, block) in blocks.iter().enumerate() {
        if block.language != "sh" || !block.text.contains("curl") {
            continue;
        }
        ran += 1;
        let script = block.text.replace(PRINTED, address);
        let mut bash = deaf(Command::new("bash"), server.folder());
        let output = bash.args(["-euo", "pipefail", "-c", &script]).stdin(Stdio::null()).output().expect("bash");
        let (line, answer) = (block.line, out(&output));
        assert!(output.status.success(), "README.md:{line}: {}: {}", output.status, err(&output));
        assert!(!answer.trim().is_empty(), "README.md:{line}: no answer");
        let shown = blocks.get(at + 1).filter(|next| next.language == "json");
        match (serde_json::from_str::<Value>(&answer), shown) {
            (Ok(answer), Some(shown)) => {
                let shown: Value = serde_json::from_str(&shown.text).expect("the block shows JSON");
                same_shape(&answer, &shown, &format!("README.md:{}", shown_at(&blocks, at)));
            }
            (Ok(answer), None) => {
                let broken = answer["status"].as_u64().is_some_and(|status| status == 404 || status >= 500);
                assert!(!broken, "README.md:{line}: {answer}");
            }
            (Err(_), None) => assert!(answer.contains("data:"), "README.md:{line}: neither JSON nor events: {answer}"),
            (Err(error), Some(_)) => panic!("README.md:{line}: {error}: {answer}"),
        }
    }
    assert!(ran >= 5, "README.md shows only {ran} blocks with curl");
}

fn shown_at(blocks: &[Block], at: usize) -> usize {
    blocks[at + 1].line
}

/// The same keys, all the way down.
fn same_shape(answer: &Value, shown: &Value, place: &str) {
    match (answer, shown) {
        (Value::Object(answer), Value::Object(shown)) => {
            let keys = |of: &serde_json::Map<String, Value>| of.keys().cloned().collect::<BTreeSet<_>>();
            assert_eq!(keys(answer), keys(shown), "{place}: the answer has other fields than are shown");
            for (key, shown) in shown {
                same_shape(&answer[key], shown, &format!("{place}: {key}"));
            }
        }
        (Value::Array(answer), Value::Array(shown)) => {
            if let (Some(answer), Some(shown)) = (answer.first(), shown.first()) {
                same_shape(answer, shown, place);
            }
        }
        (answer, shown) => {
            let (answer, shown) = (std::mem::discriminant(answer), std::mem::discriminant(shown));
            assert_eq!(answer, shown, "{place}: the answer is of another type than is shown");
        }
    }
}
