//! Computes files of test vectors: one JSON line per vector with the result, then `name: N passed, M failed`.
//!
//! `cargo run --release -p routing --example vectors -- FILE…`. The family is part of the file's name; the pools that its lines
//! refer to are looked for beside it, under the same name with `_pools`. Files ending in `.gz` are unpacked.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use flate2::read::GzDecoder;
use routing::vectors::Vectors;
use serde_json::json;

fn main() -> ExitCode {
    let files: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if files.is_empty() {
        eprintln!("usage: vectors FILE…");
        return ExitCode::from(2);
    }
    let mut failed = 0;
    for file in files.iter().filter(|file| !stem(file).0.contains("_pools")) {
        match run(file) {
            Ok(count) => failed += count,
            Err(error) => {
                eprintln!("{}: {error}", file.display());
                failed += 1;
            }
        }
    }
    ExitCode::from(u8::from(failed > 0))
}

/// Prints the file's results, and returns how many vectors failed.
fn run(file: &Path) -> io::Result<usize> {
    let (name, ending) = stem(file);
    let mut vectors = Vectors::of_file(&name).ok_or_else(|| io::Error::other("the name has no known family in it"))?;
    let family = vectors.family();
    // The pools of `family_2.jsonl` are in `family_2_pools.jsonl`, or in `family_pools_2.jsonl`.
    for pools in [format!("{name}_pools{ending}"), name.replace(family, &format!("{family}_pools")) + &ending] {
        let pools = file.with_file_name(pools);
        if pools.exists() {
            vectors.read_pools(&read(&pools)?)?;
            break;
        }
    }
    let text = read(file)?;
    let mut output = BufWriter::new(io::stdout().lock());
    let (mut passed, mut failed) = (0, 0);
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let mut checked = vectors.check(line);
        if checked.differences.is_empty() {
            passed += 1;
        } else {
            failed += 1;
        }
        if let Some(computed) = checked.computed.as_object_mut() {
            computed.insert("line".to_owned(), json!(at + 1));
            computed.insert("passed".to_owned(), json!(checked.differences.is_empty()));
            if !checked.differences.is_empty() {
                computed.insert("differences".to_owned(), json!(checked.differences));
            }
        }
        writeln!(output, "{}", checked.computed)?;
    }
    writeln!(output, "{name}: {passed} passed, {failed} failed")?;
    output.flush()?;
    Ok(failed)
}

/// The file's name before `.jsonl`, and from there on.
fn stem(file: &Path) -> (String, String) {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let (stem, _) = name.split_once(".json").unwrap_or((&name, ""));
    (stem.to_owned(), name[stem.len()..].to_owned())
}

fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    let mut bytes = File::open(file)?;
    if file.extension().is_some_and(|ending| ending == "gz") {
        GzDecoder::new(bytes).read_to_string(&mut text)?;
    } else {
        bytes.read_to_string(&mut text)?;
    }
    Ok(text)
}
