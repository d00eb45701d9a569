//! The compressed test data.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;

/// The text of a file under `tests/data`, given without its `.gz`; none if there is no such file.
pub(crate) fn find(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(format!("{name}.gz"));
    let mut text = String::new();
    GzDecoder::new(File::open(path).ok()?).read_to_string(&mut text).expect("whole data");
    Some(text)
}

/// The text of a file that is there.
pub(crate) fn read(name: &str) -> String {
    find(name).unwrap_or_else(|| panic!("no file {name}.gz"))
}
