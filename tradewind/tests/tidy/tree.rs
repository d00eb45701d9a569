//! The repository's files as the tidy test reads them.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file.
pub(super) struct Source {
    /// From the repository's root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// Only tests compile it.
    tests: bool,
}

const FOR_TESTS: &str = "#[cfg(test)]\n";

/// Folders and files that are for tests and measurements wherever they lie.
const TEST_NAMES: [&str; 5] = ["tests", "benches", "examples", "conformance", "conformance.rs"];

impl Source {
    /// The text without what only tests compile: files of tests are nothing, and modules of tests end a file.
    pub(super) fn product(&self) -> &str {
        let begins = |at: usize| {
            let module = self.text[at..].lines().nth(1);
            module.is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
        };
        let module = self.text.match_indices(FOR_TESTS).map(|(at, _)| at).find(|at| begins(*at));
        let end = if self.tests { 0 } else { module.unwrap_or(self.text.len()) };
        &self.text[..end]
    }

    /// Where the modules lie that this file declares for tests alone.
    fn test_modules(&self) -> Vec<String> {
        let (folder, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        let inside = match name {
            "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
            other => format!("{folder}/{}", other.trim_end_matches(".rs")),
        };
        let declared = self.text.split(FOR_TESTS).skip(1).filter_map(|rest| rest.lines().next());
        let names = declared.filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
        names.map(|name| format!("{inside}/{name}")).collect()
    }

    /// The crate that it is part of.
    pub(super) fn crate_name(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository")
}

/// Every text file of the repository; what is built, and what belongs to git or to a run, is left out.
pub(super) fn sources() -> Vec<Source> {
    let root = root();
    let mut all = Vec::new();
    visit(&root, &root, &mut all);
    assert!(all.len() > 50, "only {} files: is this the repository?", all.len());
    let modules: Vec<String> = all.iter().filter(|s| s.is_rust()).flat_map(Source::test_modules).collect();
    for source in &mut all {
        let within = |module: &String| {
            source.path.strip_prefix(module.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        source.tests = source.path.split('/').any(|part| TEST_NAMES.contains(&part)) || modules.iter().any(within);
    }
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}

fn visit(root: &Path, folder: &Path, all: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        if ["target", ".git", "data"].contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            visit(root, &path, all);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let path = path.strip_prefix(root).expect("inside").to_str().expect("a name").to_owned();
            all.push(Source { path, text, tests: false });
        }
    }
}

/// A function's name, the line it begins on, and how many lines it has.
pub(super) struct Function<'a> {
    pub(super) name: &'a str,
    pub(super) line: usize,
    pub(super) lines: usize,
}

/// The functions of formatted source: each ends with the first `}` that stands under its beginning.
pub(super) fn functions(text: &str) -> Vec<Function<'_>> {
    let lines: Vec<&str> = text.lines().collect();
    let mut all = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indent = &line[..line.len() - line.trim_start().len()];
        let Some(name) = function_name(line.trim_start()) else { continue };
        let opens =
            lines[start..].iter().position(|line| line.ends_with('{') || line.ends_with('}') || line.ends_with(';'));
        let Some(opens) = opens.map(|at| start + at).filter(|at| lines[*at].ends_with('{')) else { continue };
        let closing = format!("{indent}}}");
        let end = lines[opens..].iter().position(|line| **line == closing);
        let end = opens + end.unwrap_or_else(|| panic!("{name}: no end; is the source formatted?"));
        all.push(Function { name, line: start + 1, lines: end - start + 1 });
    }
    all
}

fn function_name(line: &str) -> Option<&str> {
    let mut words = line;
    for qualifier in ["pub(crate) ", "pub(super) ", "pub ", "const ", "async ", "unsafe "] {
        words = words.strip_prefix(qualifier).unwrap_or(words);
    }
    let name = words.strip_prefix("fn ")?;
    // A name that a macro fills in begins otherwise.
    name.split(['(', '<']).next().filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
}

#[test]
fn functions_are_measured() {
    let text = "\
fn one() {
    two(|| {
    });
}

trait Port {
    fn declared(&self);
    async fn given(
        &self,
    ) -> u8 {
        0
    }
}
pub(crate) const fn short() {}
";
    let found: Vec<_> = functions(text).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
    assert_eq!(found, [("one", 1, 4), ("given", 8, 5)]);
}
