//! Test vectors: reads their lines, computes the same swap, and says what differs.
//!
//! A file of vectors has one JSON object a line and is named after its family: `raydium_cpmm.jsonl`. A line gives the pool's
//! state (`pool`, or `pool_id` into a second file with lines `{"pool_id", "pool"}`), `now`, `side`, `input` and `amount`, and
//! what a program made of it: `expect` (the amounts and fees, or `error`) and `after` (fields of the state). Integers are
//! decimal text. A line whose `expect` is an error asks for an error, whichever it is.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::clmm;
use crate::pool::Pool;
use crate::swap::{Amount, PoolError, Side, Swap};

mod after;

/// The families of vectors: what their files are called, and the kind of pool in them; none where a line calls a function.
const FAMILIES: [(&str, Option<&str>); 9] = [
    ("raydium_amm_v4", Some("raydium_amm_v4")),
    ("raydium_cpmm", Some("raydium_cpmm")),
    ("raydium_clmm", Some("raydium_clmm")),
    ("raydium_clmm_2026", Some("raydium_clmm")),
    ("raydium_clmm_tick_math", None),
    ("meteora_dlmm", Some("meteora_dlmm")),
    ("meteora_dlmm_orders", Some("meteora_dlmm")),
    ("meteora_damm_v2", Some("meteora_damm_v2")),
    ("meteora_damm_v1", Some("meteora_damm_v1")),
];

/// A family of vectors, and the pools that its lines refer to.
#[derive(Debug)]
pub struct Vectors {
    family: &'static str,
    kind: Option<&'static str>,
    pools: HashMap<String, Result<Pool, String>>,
}

/// What became of one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The computed result, in the form of `expect`, with `after` where the line has one; `error` says why there is none.
    pub computed: Value,
    /// What differs from what is expected, one sentence each. None: the line passes.
    pub differences: Vec<String>,
}

/// A line, as far as it is read before the pool is known.
#[derive(Deserialize)]
struct Line {
    pool: Option<Value>,
    pool_id: Option<String>,
    now: Option<String>,
    side: String,
    input: Side,
    amount: String,
    sqrt_price_limit_x64: Option<String>,
    has_referral: Option<String>,
    expect: Value,
    after: Option<Map<String, Value>>,
}

/// The swap that a line asks for.
struct Request {
    input: Side,
    amount: Amount,
    now: u64,
    limit: Option<u128>,
    referral: bool,
}

impl Vectors {
    /// The family of a file from its name: the longest family that is part of it. None if there is no such family.
    #[must_use]
    pub fn of_file(name: &str) -> Option<Self> {
        let known = FAMILIES.iter().filter(|(family, _)| name.contains(family));
        let (family, kind) = *known.max_by_key(|(family, _)| family.len())?;
        Some(Self { family, kind, pools: HashMap::new() })
    }

    /// The family's name.
    #[must_use]
    pub const fn family(&self) -> &'static str {
        self.family
    }

    /// Takes the pools that lines refer to, lines of `{"pool_id", "pool"}`.
    ///
    /// # Errors
    /// A line that is no such object. A state that cannot be read is none: the lines with that pool are then errors.
    pub fn read_pools(&mut self, text: &str) -> Result<(), serde_json::Error> {
        #[derive(Deserialize)]
        struct Entry {
            pool_id: String,
            pool: Value,
        }
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let entry: Entry = serde_json::from_str(line)?;
            let pool = self.pool(&entry.pool);
            self.pools.insert(entry.pool_id, pool);
        }
        Ok(())
    }

    /// Computes a line and compares.
    #[must_use]
    pub fn check(&self, line: &str) -> Checked {
        let checked = if self.kind.is_some() { self.check_swap(line) } else { check_tick(line) };
        checked.unwrap_or_else(|error| {
            let computed = json!({ "error": "bad_line", "reason": error.to_string() });
            Checked { computed, differences: vec![format!("the line is no vector: {error}")] }
        })
    }

    /// The state before a line's swap, where it can be read.
    ///
    /// # Errors
    /// What is wrong with the line or the state, in words.
    pub fn state(&self, line: &str) -> Result<Pool, String> {
        let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
        self.pool_of(&line)
    }

    fn check_swap(&self, line: &str) -> Result<Checked, serde_json::Error> {
        let line: Line = serde_json::from_str(line)?;
        let pool = self.pool_of(&line);
        let request = Request::of(&line);
        let (pool, request) = match (pool, request) {
            (Ok(pool), Ok(request)) => (pool, request),
            (Err(reason), _) | (_, Err(reason)) => {
                return Ok(refused(json!({ "error": "invalid", "reason": reason }), &line.expect));
            }
        };
        let quoted = request.quote(&pool);
        let mut after = pool.clone();
        let applied = request.apply(&mut after);
        let mut checked = match &quoted {
            Ok(swap) => compare(swap, &line, &pool, &after)?,
            Err(error) => refused(json!({ "error": category(error), "reason": error.to_string() }), &line.expect),
        };
        if quoted != applied {
            checked.differences.push(format!("`quote` gives {quoted:?}, `apply` {applied:?}"));
        }
        if applied.is_err() && after != pool {
            checked.differences.push("a refused swap changed the state".to_owned());
        }
        Ok(checked)
    }

    fn pool_of(&self, line: &Line) -> Result<Pool, String> {
        match (&line.pool, &line.pool_id) {
            (Some(state), _) => self.pool(state),
            (None, Some(id)) => self.pools.get(id).cloned().unwrap_or_else(|| Err(format!("pool {id} is not known"))),
            (None, None) => Err("neither `pool` nor `pool_id`".to_owned()),
        }
    }

    fn pool(&self, state: &Value) -> Result<Pool, String> {
        serde_path_to_error::deserialize(json!({ "kind": self.kind, "pool": state })).map_err(|error| error.to_string())
    }
}

impl Request {
    fn of(line: &Line) -> Result<Self, String> {
        let units = number(Some(&line.amount), "amount")?;
        let amount = match line.side.as_str() {
            "exact_in" => Amount::In(units),
            "exact_out" => Amount::Out(units),
            other => return Err(format!("side: `{other}` is none")),
        };
        let limit = line.sqrt_price_limit_x64.as_ref();
        let limit = limit.map(|text| number(Some(text), "sqrt_price_limit_x64")).transpose()?;
        let now = number(line.now.as_ref(), "now")?;
        Ok(Self { input: line.input, amount, now, limit, referral: line.has_referral.as_deref() == Some("1") })
    }

    fn quote(&self, pool: &Pool) -> Result<Swap, PoolError> {
        match pool {
            Pool::RaydiumClmm(pool) => pool.quote_to(self.input, self.amount, self.now, self.limit),
            Pool::MeteoraDammV2(pool) => pool.quote_with(self.input, self.amount, self.now, self.referral),
            other => other.quote(self.input, self.amount, self.now),
        }
    }

    fn apply(&self, pool: &mut Pool) -> Result<Swap, PoolError> {
        match pool {
            Pool::RaydiumClmm(pool) => pool.apply_to(self.input, self.amount, self.now, self.limit),
            Pool::MeteoraDammV2(pool) => pool.apply_with(self.input, self.amount, self.now, self.referral),
            other => other.apply(self.input, self.amount, self.now),
        }
    }
}

/// A number that a line may leave out, where it is zero.
fn number<T: std::str::FromStr + Default>(text: Option<&String>, field: &str) -> Result<T, String> {
    let Some(text) = text else { return Ok(T::default()) };
    text.parse().map_err(|_| format!("{field}: `{text}` does not fit"))
}

/// A swap that was made, beside what is expected of it.
fn compare(swap: &Swap, line: &Line, before: &Pool, after: &Pool) -> Result<Checked, serde_json::Error> {
    let mut computed = amounts(swap);
    let mut differences = Vec::new();
    if let Some(expected) = line.expect.as_object() {
        for (field, expected) in expected {
            let found = computed.get(field).unwrap_or(&Value::Null);
            after::compare(field, expected, found, &mut differences);
        }
        if !expected.contains_key("fee_token") && swap.fees.token != line.input {
            differences.push("the fee is not in the input token".to_owned());
        }
    } else {
        differences.push("nothing is expected".to_owned());
    }
    if let Some(expected) = &line.after {
        let found = after::fields(expected, &serde_json::to_value(before)?, &serde_json::to_value(after)?);
        for (field, expected) in expected {
            let found = found.get(field).unwrap_or(&Value::Null);
            after::compare(&format!("after.{field}"), expected, found, &mut differences);
        }
        computed.insert("after".to_owned(), Value::Object(found));
    }
    Ok(Checked { computed: Value::Object(computed), differences })
}

/// The amounts and fees in the form of `expect`.
fn amounts(swap: &Swap) -> Map<String, Value> {
    let fees = &swap.fees;
    let numbers = [
        ("amount_in", swap.amount_in),
        ("amount_out", swap.amount_out),
        ("fee", fees.total),
        ("protocol_fee", fees.protocol),
        ("fund_fee", fees.fund),
        ("referral_fee", fees.referral),
        ("claiming_fee", fees.claiming),
        ("compounding_fee", fees.compounding),
        ("limit_order_fee", fees.limit_orders),
        ("creator_fee", fees.creator),
    ];
    let tokens = [("fee_token", fees.token), ("creator_fee_token", fees.creator_token)];
    let numbers = numbers.map(|(field, units)| (field.to_owned(), json!(units.to_string())));
    numbers.into_iter().chain(tokens.map(|(field, side)| (field.to_owned(), json!(side)))).collect()
}

/// A swap that was refused, beside what is expected of it.
fn refused(computed: Value, expected: &Value) -> Checked {
    let differences = match expected.get("error") {
        Some(_) => Vec::new(),
        None => vec![format!("{expected} is expected, refused: {computed}")],
    };
    Checked { computed, differences }
}

/// The word that vectors have for an error.
const fn category(error: &PoolError) -> &'static str {
    match error {
        PoolError::ZeroAmount => "zero_amount",
        PoolError::ZeroOutput => "zero_output",
        PoolError::AmountTooSmall => "amount_too_small",
        PoolError::InsufficientLiquidity => "insufficient_liquidity",
        PoolError::PriceRange => "price_range",
        PoolError::PriceLimit => "price_limit",
        PoolError::Overflow => "overflow",
        PoolError::Math => "math",
        PoolError::Invalid { .. } => "invalid",
    }
}

/// A line that calls a function of the tick mathematics.
fn check_tick(line: &str) -> Result<Checked, serde_json::Error> {
    #[derive(Deserialize)]
    struct Call {
        r#fn: String,
        tick: Option<String>,
        sqrt_price_x64: Option<String>,
        expect: Value,
    }
    let call: Call = serde_json::from_str(line)?;
    let parsed = |text: Option<String>| text.and_then(|text| text.parse::<i128>().ok());
    let tick = parsed(call.tick).and_then(|tick| i32::try_from(tick).ok());
    let result = match call.r#fn.as_str() {
        "sqrt_price_at_tick" => tick.and_then(clmm::sqrt_price_at_tick).map(|price| price.to_string()),
        _ => {
            let price = call.sqrt_price_x64.and_then(|text| text.parse().ok());
            price.and_then(clmm::tick_at_sqrt_price).map(|tick| tick.to_string())
        }
    };
    let Some(result) = result else { return Ok(refused(json!({ "error": "out_of_range" }), &call.expect)) };
    let mut differences = Vec::new();
    after::compare(&call.r#fn, &call.expect, &json!(result), &mut differences);
    Ok(Checked { computed: json!({ "result": result }), differences })
}
