//! The suite on the file driver, and what that has to show beyond it.

use std::io::Write;

use super::{Arc, EPOCH, Export, Fault, Harness, async_trait, events, suite};

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::TempDir::new().unwrap())
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("made/events.jsonl")
    }

    fn write(&self, text: &str) {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(self.path()).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }
}

#[async_trait]
impl Harness for Files {
    async fn open_at(&self, epoch: u64) -> Result<Arc<dyn Export>, Fault> {
        crate::export::open(&format!("file:{}", self.path().display()), epoch).await
    }

    async fn sent(&self) -> Vec<u64> {
        let text = std::fs::read_to_string(self.path()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.map(|line| line["seq"].as_u64().unwrap()).collect()
    }
}

suite!(Files::new());

#[tokio::test]
async fn torn_line_is_cut_off() {
    for torn in ["{", r#"{"seq":3,"kind":"sw"#, r#"{"seq":3,"data":{}}"#] {
        let files = Files::new();
        files.open().await.send(&events(1..=2)).await.unwrap();
        files.write(torn);
        let export = files.open().await;
        assert_eq!(export.position().await, Ok(Some(2)), "{torn}");
        export.send(&events(1..=4)).await.unwrap();
        assert_eq!(files.sent().await, [1, 2, 3, 4]);
    }
}

#[tokio::test]
async fn other_files_are_left_alone() {
    for text in [
        "{\"seq\":1}\n",
        "{\"seq\":1,\"position\":\"7-2\"}\n",
        "my diary\n",
        "my diary",
        "[1]\n",
        "{\"seq\":1}\nmy diary",
    ] {
        let files = Files::new();
        drop(files.open().await);
        files.write(text);
        let refused = files.open_at(EPOCH).await.map(drop);
        assert!(matches!(refused, Err(Fault::Unavailable(said)) if said.contains("no exported event")), "{text}");
        assert_eq!(std::fs::read_to_string(files.path()).unwrap(), text);
    }
}

#[tokio::test]
async fn line_has_every_field() {
    let files = Files::new();
    files.open().await.send(&events([7])).await.unwrap();
    let text = std::fs::read_to_string(files.path()).unwrap();
    let expected = concat!(
        r#"{"seq":7,"position":"9223372036854775807-7","kind":"swap","id":"id-7","version":1,"type":"swap.pending","owner":"alice","#,
        r#""at":"2026-11-18T11:06:40.123456Z","data":{"n":7, "text":"a\nb"}}"#,
        "\n"
    );
    assert_eq!(text, expected);
}
