//! How the repository is written: lengths, first lines, names, words that must not be there, fail points.

mod crates;
mod event_types;
mod lifecycle;
mod tree;

use std::collections::BTreeSet;

use drivers::failpoint;

use self::tree::{Source, functions, sources};

/// The most lines of a file, and from where on a note is printed.
const FILE_LINES: usize = 500;
const FILE_LINES_NOTED: usize = 300;
const FUNCTION_LINES: usize = 70;
const MAP_LINES: usize = 250;

/// Functions that are longer, `file: name`. This list may only shrink.
const LONG_FUNCTIONS: [&str; 0] = [];

/// Names that say nothing.
const EMPTY_NAMES: [&str; 8] = ["utils", "util", "helpers", "helper", "common", "shared", "misc", "manager"];

fn rust() -> impl Iterator<Item = Source> {
    sources().into_iter().filter(Source::is_rust)
}

#[test]
fn files_say_what_they_are_for() {
    let without: Vec<_> = rust().filter(|s| !s.text.starts_with("//! ")).map(|s| s.path).collect();
    assert!(without.is_empty(), "no line of purpose: {without:?}");
}

#[test]
fn files_are_short() {
    let lengths: Vec<_> = rust().map(|source| (source.text.lines().count(), source.path)).collect();
    for (lines, path) in lengths.iter().filter(|(lines, _)| *lines > FILE_LINES_NOTED) {
        println!("note: {path} has {lines} lines");
    }
    let long: Vec<_> = lengths.iter().filter(|(lines, _)| *lines > FILE_LINES).collect();
    assert!(long.is_empty(), "more than {FILE_LINES} lines: {long:?}");
    let map = sources().into_iter().find(|s| s.path == "ARCHITECTURE.md").expect("ARCHITECTURE.md");
    assert!(map.text.lines().count() <= MAP_LINES, "ARCHITECTURE.md: more than {MAP_LINES} lines is no map");
}

#[test]
fn functions_are_short() {
    let mut long = BTreeSet::new();
    for source in rust() {
        for function in functions(&source.text).iter().filter(|function| function.lines > FUNCTION_LINES) {
            println!("{}:{}: {} has {} lines", source.path, function.line, function.name, function.lines);
            long.insert(format!("{}: {}", source.path, function.name));
        }
    }
    let excepted: BTreeSet<String> = LONG_FUNCTIONS.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(long, excepted, "functions of more than {FUNCTION_LINES} lines; the list of exceptions only shrinks");
}

#[test]
fn names_mean_something() {
    let empty = |name: &str| name.split(['_', '-']).any(|word| EMPTY_NAMES.contains(&word));
    for source in rust() {
        let path = source.path.trim_end_matches(".rs");
        assert!(!path.split('/').any(empty), "{}: a name that says nothing", source.path);
        for line in source.text.lines() {
            let module = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            let module = module.strip_prefix("mod ").and_then(|name| name.split([' ', ';']).next());
            assert!(!module.is_some_and(empty), "{}: {line}", source.path);
        }
    }
}

#[test]
fn nothing_is_left_undone_or_hushed() {
    // In halves, so that this file does not find itself.
    let banned = [
        (concat!("TO", "DO"), "do it or leave it"),
        (concat!("FIX", "ME"), "do it or leave it"),
        (concat!("to", "do!("), "do it or leave it"),
        (concat!("unimpl", "emented!("), "do it or leave it"),
        (concat!("#[al", "low("), "say #[expect(lint, reason = \"…\")]"),
        (concat!("#![al", "low("), "say #[expect(lint, reason = \"…\")]"),
    ];
    for source in rust() {
        for (line, text) in (1..).zip(source.text.lines()) {
            for (word, instead) in banned {
                assert!(!text.contains(word), "{}:{line}: {word}: {instead}", source.path);
            }
        }
        let unwraps = source.product().contains(concat!(".unw", "rap()"));
        assert!(!unwraps, "{}: unwrap outside tests: name the error", source.path);
    }
}

#[test]
fn nothing_knows_where_it_was_written() {
    let places = [concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/")];
    for source in sources() {
        for (line, text) in (1..).zip(source.text.lines()) {
            let found: Vec<_> = places.iter().filter(|place| text.contains(**place)).collect();
            assert!(found.is_empty(), "{}:{line}: {found:?}: a place on one machine", source.path);
        }
    }
}

#[test]
fn fail_points_are_where_they_are_named() {
    let mut hit = BTreeSet::new();
    for source in rust().filter(|source| !source.path.starts_with("tradewind/tests/")) {
        for call in source.product().split("failpoint::hit(\"").skip(1) {
            hit.insert(call.split('"').next().unwrap_or_default().to_owned());
        }
    }
    let named: BTreeSet<String> = failpoint::NAMES.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(hit, named, "fail points in the source, and in failpoint::NAMES");
    assert_eq!(named.len(), failpoint::NAMES.len(), "a fail point is named twice");
}

#[test]
fn migrations_are_twins() {
    let names = |driver: &str| {
        let folder = tree::root().join("drivers/migrations").join(driver);
        let files = std::fs::read_dir(folder).expect("migrations").map(|file| file.expect("a file").file_name());
        files.collect::<BTreeSet<_>>()
    };
    assert_eq!(names("sqlite"), names("postgres"), "every schema change is made in both, under one name");
}
