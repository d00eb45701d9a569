//! The checks of zod 3, the validation library behind the original: what it says about a value that is not as it should be,
//! word for word, in the order of the schema.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::value::RawValue;

use crate::body::{Object, loose};

/// Everything that is wrong with a body, as the JSON array that the original answers.
#[derive(Debug, Default)]
pub(super) struct Issues(Vec<String>);

/// Where in the body something stands: its steps as JSON, with commas between them.
#[derive(Clone, Debug, Default)]
pub(super) struct Path(String);

/// A value of the body, or that there is none, and where it stands.
pub(super) struct Spot<'a> {
    pub(super) raw: Option<&'a str>,
    pub(super) path: Path,
}

/// An object, field by field.
pub(super) struct Fields<'a> {
    object: Object<'a>,
    path: Path,
}

impl Issues {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bare array.
    pub(super) fn json(&self) -> String {
        format!("[{}]", self.0.join(","))
    }

    /// One that zod's users make themselves: our rules say no.
    pub(super) fn custom(&mut self, path: &Path, message: &str) {
        self.0.push(format!(r#"{{"code":"custom","message":{},"path":{}}}"#, quoted(message), path.json()));
    }

    /// A value of another type; one that is not there is required.
    fn type_(&mut self, spot: &Spot<'_>, expected: &str) {
        let (received, path) = (spot.kind(), spot.path.json());
        let message = match received {
            "undefined" => "Required".to_owned(),
            _ => format!("Expected {expected}, received {received}"),
        };
        let (expected, message) = (quoted(expected), quoted(&message));
        self.0.push(format!(
            r#"{{"code":"invalid_type","expected":{expected},"received":"{received}","path":{path},"message":{message}}}"#
        ));
    }

    fn enumeration(&mut self, spot: &Spot<'_>, received: &str, options: &[&str]) {
        let raw = if spot.kind() == "string" { quoted(received) } else { received.to_owned() };
        let message = format!("Invalid enum value. Expected {}, received '{received}'", alternatives(options));
        let options: Vec<String> = options.iter().map(|option| quoted(option)).collect();
        let (options, path, message) = (options.join(","), spot.path.json(), quoted(&message));
        self.0.push(format!(
            r#"{{"received":{raw},"code":"invalid_enum_value","options":[{options}],"path":{path},"message":{message}}}"#
        ));
    }

    fn not_an_integer(&mut self, path: &Path) {
        self.0.push(format!(
            r#"{{"code":"invalid_type","expected":"integer","received":"float","message":"Expected integer, received float","path":{}}}"#,
            path.json()
        ));
    }

    fn beyond(&mut self, path: &Path, limit: i64) {
        let (code, name, word) =
            if limit < 0 { ("too_small", "minimum", "greater") } else { ("too_big", "maximum", "less") };
        self.0.push(format!(
            r#"{{"code":"{code}","{name}":{limit},"type":"number","inclusive":true,"exact":false,"message":"Number must be {word} than or equal to {limit}","path":{}}}"#,
            path.json()
        ));
    }
}

impl Path {
    pub(super) fn of(name: &str) -> Self {
        Self(quoted(name))
    }

    fn then(&self, step: &str) -> Self {
        let comma = if self.0.is_empty() { "" } else { "," };
        Self(format!("{}{comma}{step}", self.0))
    }

    fn json(&self) -> String {
        format!("[{}]", self.0)
    }
}

impl<'a> Spot<'a> {
    /// The body itself.
    pub(super) fn body(raw: &'a str) -> Self {
        Self { raw: Some(raw.trim_ascii()), path: Path::default() }
    }

    /// What zod calls the type of the value.
    fn kind(&self) -> &'static str {
        match self.raw.map(|raw| raw.as_bytes().first().copied().unwrap_or_default()) {
            None => "undefined",
            Some(b'"') => "string",
            Some(b'{') => "object",
            Some(b'[') => "array",
            Some(b't' | b'f') => "boolean",
            Some(b'n') => "null",
            Some(_) => "number",
        }
    }

    /// `z.string()`
    pub(super) fn string(&self, issues: &mut Issues) -> Option<Cow<'a, str>> {
        // A broken escape was found when the body was read as a whole.
        let text = self.raw.and_then(loose::text);
        if text.is_none() {
            issues.type_(self, "string");
        }
        text
    }

    /// `z.number()`, as it was written.
    pub(super) fn number(&self, issues: &mut Issues) -> Option<&'a str> {
        if self.kind() == "number" {
            return self.raw;
        }
        issues.type_(self, "number");
        None
    }

    /// `z.number().int().safe()`
    pub(super) fn integer(&self, issues: &mut Issues) -> Option<i64> {
        const LIMIT: i64 = domain::money::Minor::LIMIT;
        let raw = self.number(issues)?;
        match super::number::integer(raw) {
            Some(number) if (-i128::from(LIMIT)..=i128::from(LIMIT)).contains(&number) => i64::try_from(number).ok(),
            Some(number) => {
                issues.beyond(&self.path, if number < 0 { -LIMIT } else { LIMIT });
                None
            }
            None => {
                issues.not_an_integer(&self.path);
                None
            }
        }
    }

    /// `z.enum([…])`
    pub(super) fn one_of(&self, options: &[&'static str], issues: &mut Issues) -> Option<&'static str> {
        if self.kind() != "string" {
            issues.type_(self, &alternatives(options));
            return None;
        }
        self.option(options, issues)
    }

    /// `z.nativeEnum(…)`, which takes numbers for values that are not among its own.
    pub(super) fn native_enum(&self, options: &[&'static str], issues: &mut Issues) -> Option<&'static str> {
        match self.kind() {
            "number" => {
                issues.enumeration(self, self.raw.unwrap_or_default(), options);
                None
            }
            _ => self.one_of(options, issues),
        }
    }

    fn option(&self, options: &[&'static str], issues: &mut Issues) -> Option<&'static str> {
        let text = self.string(issues)?;
        let known = options.iter().copied().find(|option| *option == text);
        if known.is_none() {
            issues.enumeration(self, &text, options);
        }
        known
    }

    /// `z.string().uuid()`, in lower case; `own`, a name that may stand there too, is left as it is.
    pub(super) fn uuid(&self, own: Option<&str>, issues: &mut Issues) -> Option<String> {
        let text = self.string(issues)?;
        if own == Some(&*text) {
            return Some(text.into_owned());
        }
        if is_uuid(&text) {
            return Some(text.to_ascii_lowercase());
        }
        let path = self.path.json();
        issues
            .0
            .push(format!(r#"{{"validation":"uuid","code":"invalid_string","message":"Invalid uuid","path":{path}}}"#));
        None
    }

    /// `z.coerce.date()`, whose value nobody needs.
    pub(super) fn date(&self, issues: &mut Issues) {
        let is_date = match self.kind() {
            "null" | "boolean" => true,
            "number" => self.raw.is_some_and(super::date::is_epoch),
            "string" => self.string(&mut Issues::default()).is_some_and(|text| super::date::is_text(&text)),
            _ => false,
        };
        if !is_date {
            let path = self.path.json();
            issues.0.push(format!(r#"{{"code":"invalid_date","path":{path},"message":"Invalid date"}}"#));
        }
    }

    /// `z.object({…})`; of a field that stands there twice the last counts, as in JavaScript.
    pub(super) fn object(&self, issues: &mut Issues) -> Option<Fields<'a>> {
        let object = self.raw.filter(|_| self.kind() == "object").and_then(|raw| Object::loose(raw).ok());
        if object.is_none() {
            issues.type_(self, "object");
        }
        object.map(|object| Fields { object, path: self.path.clone() })
    }

    /// `z.array(…).nonempty()`
    pub(super) fn nonempty_array(&self, issues: &mut Issues) -> Option<Vec<Self>> {
        let values = self.raw.filter(|_| self.kind() == "array").and_then(|raw| serde_json::from_str(raw).ok());
        let Some(values): Option<Vec<&'a RawValue>> = values else {
            issues.type_(self, "array");
            return None;
        };
        if values.is_empty() {
            let path = self.path.json();
            issues.0.push(format!(
                r#"{{"code":"too_small","minimum":1,"type":"array","inclusive":true,"exact":false,"message":"Array must contain at least 1 element(s)","path":{path}}}"#
            ));
        }
        let spot = |(index, value): (usize, &'a RawValue)| Self {
            raw: Some(value.get()),
            path: self.path.then(&index.to_string()),
        };
        Some(values.into_iter().enumerate().map(spot).collect())
    }
}

impl<'a> Fields<'a> {
    pub(super) fn get(&self, name: &str) -> Spot<'a> {
        let raw = self.object.0.iter().rev().find(|(key, _)| key == name).map(|(_, raw)| raw.get());
        Spot { raw, path: self.path.then(&quoted(name)) }
    }
}

/// `'GBP' | 'USD' | 'EUR'`
fn alternatives(options: &[&str]) -> String {
    let mut text = String::new();
    for (index, option) in options.iter().enumerate() {
        let _ = write!(text, "{}'{option}'", if index == 0 { "" } else { " | " });
    }
    text
}

/// Any version, as zod takes them.
fn is_uuid(text: &str) -> bool {
    let dashes = [8, 13, 18, 23];
    let fits =
        |(index, byte): (usize, u8)| if dashes.contains(&index) { byte == b'-' } else { byte.is_ascii_hexdigit() };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
