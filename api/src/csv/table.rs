//! Lines of CSV that a spreadsheet shows and does not run.

use serde_json::Value;

/// What a formula begins with.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// The values of a view at the columns' places; a dot leads into an object.
pub(super) fn row(view: &Value, columns: &[&str]) -> String {
    line(columns.iter().map(|column| column.split('.').fold(view, |inner, name| &inner[name]).clone()))
}

/// A line with its end.
pub(super) fn line(values: impl Iterator<Item = Value>) -> String {
    let mut line = values.map(|value| cell(&value)).collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        // A spreadsheet takes a text that begins like this for a formula, numbers of ours it may take as such.
        Value::String(text) if text.starts_with(FORMULA) || text.starts_with(['\t', '\r', '\n']) => {
            quoted(&format!("'{}", guarded(text)))
        }
        Value::String(text) => quoted(&guarded(text)),
        // Numbers, true and false; lists and objects as JSON.
        other => quoted(&guarded(&other.to_string())),
    }
}

/// A spreadsheet with a separator other than the comma ends a cell in the middle of a text, and runs what comes then: behind
/// each such place a formula loses its beginning as it does at the text's own.
fn guarded(text: &str) -> String {
    let mut guarded = String::with_capacity(text.len());
    for (at, letter) in text.char_indices() {
        guarded.push(letter);
        let next = &text[at + letter.len_utf8()..];
        // Such a cell may be in quotes, which JSON escapes.
        if matches!(letter, ';' | '\t' | '\r' | '\n') && next.trim_start_matches(['"', '\\']).starts_with(FORMULA) {
            guarded.push('\'');
        }
    }
    guarded
}

fn quoted(text: &str) -> String {
    let plain = !text.contains([',', '"', '\r', '\n']) && text.trim() == text;
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be_and_never_formulas() {
        for (value, expected) in [
            (json!("plain"), "plain"),
            (json!(""), ""),
            (json!(null), ""),
            (json!(-5), "-5"),
            (json!(true), "true"),
            (json!("a,b"), "\"a,b\""),
            (json!("a\"b"), "\"a\"\"b\""),
            (json!("a\nb"), "\"a\nb\""),
            (json!(" a"), "\" a\""),
            (json!("=1+1"), "'=1+1"),
            (json!("+49"), "'+49"),
            (json!("-5"), "'-5"),
            (json!("@sum(a1)"), "'@sum(a1)"),
            (json!("=a,\"b\""), "\"'=a,\"\"b\"\"\""),
            (json!("\t=1"), "'\t'=1"),
            (json!("a;=1+1"), "a;'=1+1"),
            (json!("a;\"=1+1\""), "\"a;'\"\"=1+1\"\"\""),
            (json!("a;b; c"), "a;b; c"),
            (json!("a\t-1;＠x"), "a\t'-1;'＠x"),
            (json!("a\n+1"), "\"a\n'+1\""),
            (json!([{"a": 1}]), "\"[{\"\"a\"\":1}]\""),
            (json!([";=1"]), "\"[\"\";'=1\"\"]\""),
        ] {
            assert_eq!(cell(&value), expected, "{value}");
        }
    }

    #[test]
    fn a_row_has_a_cell_for_each_column() {
        let view = json!({"id": "1", "customer": {"name": "Ada"}, "total": 5});
        assert_eq!(row(&view, &["id", "customer.name", "customer.phone", "none.at.all", "total"]), "1,Ada,,,5\r\n");
    }
}
