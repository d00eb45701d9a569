//! The file itself: what a crash leaves, what is not ours, and the suite.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::export::conformance::{self, Stage, event};

fn stage() -> (TempDir, Stage) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("events.jsonl");
    let read = path.clone();
    let stage = Stage {
        url: format!("file:{}", path.display()),
        arrived: Box::new(move || {
            let text = fs::read_to_string(&read).expect("the file");
            text.lines().map(|line| serde_json::from_str::<Numbered>(line).expect("a line").seq).collect()
        }),
    };
    (folder, stage)
}

#[tokio::test]
async fn passes_the_suite() {
    conformance::begins_with_nothing(&stage().1).await;
    conformance::keeps_order_and_position(&stage().1).await;
    conformance::passes_over_what_is_there(&stage().1).await;
    conformance::remembers_over_restarts(&stage().1).await;
}

#[tokio::test]
async fn a_line_that_a_crash_cut_short_is_sent_again() {
    let (_folder, stage) = stage();
    let path = stage.url.strip_prefix("file:").expect("a path").to_owned();
    let all: Vec<Event> = (1..=3).map(event).collect();
    super::super::open(&stage.url).await.expect("a file").send(&all).await.expect("sent");
    let whole = fs::read(&path).expect("the file");
    for cut in (0..whole.len()).step_by(7) {
        fs::write(&path, &whole[..cut]).expect("written");
        let export = super::super::open(&stage.url).await.unwrap_or_else(|fault| panic!("cut at {cut}: {fault}"));
        let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(export.position().await, Ok(lines as u64), "cut at {cut}");
        export.send(&all).await.expect("sent");
        assert_eq!(fs::read(&path).expect("the file"), whole, "cut at {cut}");
    }
}

#[tokio::test]
async fn other_files_are_left_alone() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("notes.txt");
    for text in ["my notes", "my\nnotes\n", "{\"seq\":\"x\"}\n", "\n"] {
        fs::write(&path, text).expect("written");
        let refused = open(&path.display().to_string()).await.err().map(|fault| fault.to_string());
        assert!(refused.is_some_and(|why| why.contains("something else")), "{text:?}");
        assert_eq!(fs::read_to_string(&path).expect("the file"), text);
    }
    assert!(open("").await.is_err());
    assert!(open(&folder.path().display().to_string()).await.is_err());
}
