//! The crates: which may know which, what each may depend on, and that every dependency has a use.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use super::tree::{Source, root, sources};

/// The servers for tests: every crate's tests may use it, no crate may.
const TESTBED: &str = "testbed";

/// Every edge between our crates. Arrows point down only.
const EDGES: [(&str, &[&str]); 10] = [
    (TESTBED, &[]),
    ("routing", &[]),
    ("domain", &[]),
    ("solana", &[]),
    ("simnet", &["routing", "solana"]),
    ("svm", &["routing", "simnet", "solana"]),
    ("drivers", &["domain", "routing", "simnet", "solana"]),
    ("engine", &["domain", "routing", "drivers"]),
    ("api", &["domain", "drivers", "engine"]),
    ("tradewind", &["api", "domain", "drivers", "engine", "routing", "simnet", "svm"]),
];

/// What the pure crates may use: nothing that waits, draws or reaches outside.
const PURE: [(&str, &[&str]); 2] = [
    (
        "domain",
        &[
            "base64",
            "crc32fast",
            "hmac",
            "iso_currency",
            "jiff",
            "serde",
            "serde_json",
            "sha2",
            "subtle",
            "thiserror",
            "uuid",
            "http",
            "insta",
            "proptest",
            "standardwebhooks",
        ],
    ),
    (
        "routing",
        &["ruint", "serde", "serde_json", "serde_path_to_error", "thiserror", "criterion", "flate2", "proptest"],
    ),
];

/// Ours and theirs, by crate: every dependency of every sort, but for what only tests take of the testbed.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["metadata", "--no-deps", "--locked", "--offline", "--format-version", "1"];
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().expect("cargo");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let names = |package: &Value| {
        let all = package["dependencies"].as_array().expect("dependencies").iter();
        let for_tests = |d: &&Value| d["name"] == TESTBED && d["kind"] == "dev";
        all.filter(|d| !for_tests(d)).map(|d| d["name"].as_str().expect("a name").to_owned()).collect()
    };
    let packages = metadata["packages"].as_array().expect("packages").iter();
    packages.map(|package| (package["name"].as_str().expect("a name").to_owned(), names(package))).collect()
}

#[test]
fn arrows_point_down() {
    let found = dependencies();
    let ours: BTreeSet<&str> = EDGES.iter().map(|(name, _)| *name).collect();
    assert_eq!(found.keys().map(String::as_str).collect::<BTreeSet<_>>(), ours, "the crates of the workspace");
    for (name, allowed) in EDGES {
        let edges = found[name].iter().map(String::as_str).filter(|d| ours.contains(d));
        let wrong: Vec<_> = edges.filter(|d| !allowed.contains(d)).collect();
        assert!(wrong.is_empty(), "{name} must not know {wrong:?}");
    }
}

#[test]
fn the_pure_crates_are_pure() {
    let found = dependencies();
    for (name, allowed) in PURE {
        let wrong: Vec<_> = found[name].iter().filter(|d| !allowed.contains(&d.as_str())).collect();
        assert!(wrong.is_empty(), "{name} depends on {wrong:?}");
    }
    let words = ["async fn", ".await", "SystemTime", "Instant::now", "std::fs", "std::net", "std::thread", "now_v7"];
    for source in sources() {
        if PURE.iter().any(|(name, _)| source.crate_name() == *name) {
            let found: Vec<_> = words.iter().filter(|word| source.product().contains(**word)).collect();
            assert!(found.is_empty(), "{}: {found:?} in a pure crate", source.path);
        }
    }
}

#[test]
fn only_the_binary_has_anyhow_the_environment_and_the_exit() {
    let found = dependencies();
    let with_anyhow: Vec<_> = found.iter().filter(|(_, all)| all.contains("anyhow")).map(|(name, _)| name).collect();
    assert_eq!(with_anyhow, ["tradewind"]);
    let ours = sources();
    for source in ours.iter().filter(|s| s.is_rust() && !["tradewind", TESTBED].contains(&s.crate_name())) {
        for word in ["std::env", "env::var", "process::exit"] {
            assert!(!source.product().contains(word), "{}: {word} belongs into the binary", source.path);
        }
    }
}

/// The lines of one section of a manifest, without comments.
fn section<'a>(manifest: &'a str, name: &str) -> Vec<&'a str> {
    let lines = manifest.lines().skip_while(|line| *line != format!("[{name}]")).skip(1);
    lines.take_while(|line| !line.starts_with('[')).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

fn manifest<'a>(sources: &'a [Source], path: &str) -> &'a str {
    let source = sources.iter().find(|source| source.path == path);
    &source.unwrap_or_else(|| panic!("{path} is missing")).text
}

#[test]
fn every_dependency_stands_once_and_is_used() {
    let sources = sources();
    let table = section(manifest(&sources, "Cargo.toml"), "workspace.dependencies");
    let mut unused: BTreeSet<&str> = table.iter().filter_map(|line| line.split([' ', '=']).next()).collect();
    for (name, _) in EDGES {
        let text = manifest(&sources, &format!("{name}/Cargo.toml"));
        let code: String = sources
            .iter()
            .filter(|source| source.is_rust() && source.crate_name() == name)
            .map(|source| source.text.as_str())
            .collect();
        for line in ["dependencies", "dev-dependencies"].iter().flat_map(|part| section(text, part)) {
            let optional = || line.strip_suffix(" = { workspace = true, optional = true }");
            let dependency = line.strip_suffix(".workspace = true").or_else(optional);
            let dependency =
                dependency.unwrap_or_else(|| panic!("{name}/Cargo.toml: {line}: take it from the workspace"));
            unused.remove(dependency);
            let word = dependency.replace('-', "_");
            let used = code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word);
            assert!(used, "{name} does not use {dependency}");
        }
    }
    assert!(unused.is_empty(), "nobody uses {unused:?} of the workspace table");
}

#[test]
fn folders_are_crates() {
    // What lies deeper is a program of a test, outside the workspace.
    let crates = |source: &&Source| source.path.strip_suffix("/Cargo.toml").is_some_and(|folder| !folder.contains('/'));
    for source in sources().iter().filter(crates) {
        let folder = source.crate_name();
        assert!(source.text.contains(&format!("\nname = \"{folder}\"\n")), "{}: not the folder's name", source.path);
    }
}
