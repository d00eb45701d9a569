//! An object of a body, read field by field: faults are collected, each with its place.

use std::borrow::Cow;

use domain::Owner;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::{MAX_DEPTH, Object, Text};
use crate::problem::{At, FieldError, Known, Problem, codes};

/// An object being read field by field: faults are collected, and what nobody asked for is refused at the end.
pub(crate) struct Form<'a> {
    fields: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// Where in the body the object stands, as a JSON pointer: empty at the top.
    within: String,
    /// The faults so far; the checks of values add theirs.
    pub(crate) errors: Vec<FieldError>,
}

impl<'a> Form<'a> {
    /// Reads one object and nothing after it.
    ///
    /// # Errors
    /// Not UTF-8, too deep, not JSON, not an object, a field twice: all 400.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Problem> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(Problem::new(codes::INVALID_UTF8, "JSON is UTF-8"));
        };
        if text.trim_ascii().is_empty() {
            return Err(Problem::new(codes::BODY_EMPTY, "expected a JSON object"));
        }
        if depth(text) > MAX_DEPTH {
            return Err(Problem::new(codes::BODY_TOO_DEEP, format!("at most {MAX_DEPTH} levels")));
        }
        let Object(fields) = serde_json::from_str(text).map_err(|e| match e.classify() {
            Category::Data => Problem::new(codes::BODY_NOT_OBJECT, format!("expected a JSON object: {e}")),
            _ => Problem::new(codes::MALFORMED_JSON, e.to_string()),
        })?;
        Self::of(fields, String::new())
    }

    /// # Errors
    /// A field twice: 400.
    fn of(fields: Vec<(Cow<'a, str>, &'a RawValue)>, within: String) -> Result<Self, Problem> {
        let twice = fields.iter().enumerate().find(|(i, (key, _))| fields[..*i].iter().any(|(k, _)| k == key));
        if let Some((_, (key, _))) = twice {
            return Err(Problem::at(within_at(&within, key), codes::DUPLICATE_FIELD, "the field stands there twice"));
        }
        Ok(Self { fields, within, errors: Vec::new() })
    }

    /// The value of a field that must be there, as `read` reads it.
    pub(crate) fn needed<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Option<T>,
    ) -> Option<T> {
        let before = self.errors.len();
        let value = read(self, name);
        // A field of the wrong type has said so already: it is not missing as well.
        if value.is_none() && self.errors.len() == before {
            self.fault::<()>(name, codes::FIELD_MISSING, "the field is missing");
        }
        value
    }

    /// The name of an account.
    pub(crate) fn account(&mut self, name: &'static str) -> Option<Owner> {
        let text = self.text(name)?;
        let detail = "an account is 1 to 64 characters of A-Z a-z 0-9 . _ : -";
        Owner::parse(&text).or_else(|| self.fault(name, codes::INVALID_ACCOUNT, detail))
    }

    /// The object of a field, to be read on its own; its faults come back with [`Form::adopt`].
    pub(crate) fn object(&mut self, name: &'static str) -> Option<Form<'a>> {
        let raw = self.take(name)?;
        self.inner(raw, format!("{}/{name}", self.within))
    }

    /// The objects of a list, likewise.
    pub(crate) fn objects(&mut self, name: &'static str) -> Option<Vec<Form<'a>>> {
        let raw = self.take(name)?;
        let Ok(raws) = serde_json::from_str::<Vec<&'a RawValue>>(raw) else {
            return self.fault(name, codes::WRONG_TYPE, "expected a list of objects");
        };
        let numbered = raws.into_iter().enumerate();
        Some(numbered.filter_map(|(i, raw)| self.inner(raw.get(), format!("{}/{name}/{i}", self.within))).collect())
    }

    fn inner(&mut self, raw: &'a str, within: String) -> Option<Form<'a>> {
        let Ok(Object(fields)) = serde_json::from_str(raw) else {
            let at = At::Pointer(within);
            self.errors.push(FieldError::new(at, codes::WRONG_TYPE, "expected an object"));
            return None;
        };
        match Self::of(fields, within.clone()) {
            Ok(form) => Some(form),
            Err(_) => {
                let detail = "a field stands there twice";
                self.errors.push(FieldError::new(At::Pointer(within), codes::DUPLICATE_FIELD, detail));
                None
            }
        }
    }

    /// Takes the faults of an object that was read, and of what nobody asked for in it.
    pub(crate) fn adopt(&mut self, mut inner: Form<'_>) {
        inner.note_unknown();
        self.errors.append(&mut inner.errors);
    }

    /// The text of a field. `null` is as good as absent.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<Cow<'a, str>> {
        let raw = self.take(name)?;
        match serde_json::from_str(raw) {
            Ok(Text(text)) => Some(text),
            Err(_) if raw.starts_with('"') => self.fault(name, codes::WRONG_TYPE, "the text has a broken escape"),
            Err(_) => self.fault(name, codes::WRONG_TYPE, "expected text"),
        }
    }

    /// The text of an amount, whose form is not checked yet: a JSON number is refused, because readers make floats of it.
    pub(crate) fn amount(&mut self, name: &'static str) -> Option<Cow<'a, str>> {
        let number = |raw: &str| raw.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        if self.peek(name).is_some_and(number) {
            self.take(name);
            return self.fault(name, codes::AMOUNT_NOT_TEXT, "send the amount as text, such as \"12.5\"");
        }
        self.text(name)
    }

    /// An integer: digits, perhaps a sign, nothing else. What does not fit into 64 bits is the nearest that does.
    pub(crate) fn integer(&mut self, name: &'static str) -> Option<i64> {
        let raw = self.take(name)?;
        let digits = raw.strip_prefix('-').unwrap_or(raw);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return self.fault(name, codes::NOT_AN_INTEGER, "expected an integer without fraction or exponent");
        }
        Some(raw.parse().unwrap_or(if raw.starts_with('-') { i64::MIN } else { i64::MAX }))
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name)? {
            "true" => Some(true),
            "false" => Some(false),
            _ => self.fault(name, codes::WRONG_TYPE, "expected true or false"),
        }
    }

    /// A text or a number as it stands, at most `longest` bytes: what the client calls something.
    pub(crate) fn reference(&mut self, name: &'static str, longest: usize) -> Option<&'a str> {
        let raw = self.take(name)?;
        let scalar = raw.starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit());
        if !scalar || raw.len() > longest {
            return self.fault(name, codes::WRONG_TYPE, "expected a short text or a number");
        }
        Some(raw)
    }

    /// A list of texts; absent is empty.
    pub(crate) fn texts(&mut self, name: &'static str) -> Vec<String> {
        self.optional_texts(name).unwrap_or_default()
    }

    /// A list of texts, if there is one; a faulty one is empty.
    pub(crate) fn optional_texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let raw = self.take(name)?;
        let read = serde_json::from_str::<Vec<Text<'_>>>(raw);
        let texts = read.map(|texts| texts.into_iter().map(|Text(text)| text.into_owned()).collect());
        let texts = texts.ok().or_else(|| self.fault(name, codes::WRONG_TYPE, "expected a list of texts"));
        Some(texts.unwrap_or_default())
    }

    /// Notes that a field's value is wrong.
    pub(crate) fn fault<T>(&mut self, name: &str, known: Known, detail: &'static str) -> Option<T> {
        self.errors.push(FieldError::new(within_at(&self.within, name), known, detail));
        None
    }

    /// Every field was asked for and nothing was wrong.
    ///
    /// # Errors
    /// All faults at once.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        self.note_unknown();
        Problem::of(self.errors).map_or(Ok(()), Err)
    }

    fn note_unknown(&mut self) {
        for (name, _) in &self.fields {
            let detail = "no such field here";
            self.errors.push(FieldError::new(within_at(&self.within, name), codes::UNKNOWN_FIELD, detail));
        }
    }

    /// Whether a field says `null`: that there is to be none.
    pub(crate) fn says_none(&self, name: &str) -> bool {
        self.peek(name) == Some("null")
    }

    /// Whether a field is there, and not `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.peek(name).is_some_and(|raw| raw != "null")
    }

    fn peek(&self, name: &str) -> Option<&'a str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, raw)| raw.get())
    }

    fn take(&mut self, name: &str) -> Option<&'a str> {
        let index = self.fields.iter().position(|(key, _)| key == name)?;
        let raw = self.fields.swap_remove(index).1.get();
        (raw != "null").then_some(raw)
    }
}

/// The field of that name within an object.
fn within_at(within: &str, name: &str) -> At {
    match At::field(name) {
        At::Pointer(pointer) => At::Pointer(format!("{within}{pointer}")),
        other => other,
    }
}

/// How deep brackets nest outside of texts.
fn depth(text: &str) -> u32 {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_u32, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
