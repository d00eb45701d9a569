//! The state after a swap, as far as a vector names fields of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The named fields, out of the state (`{"kind", "pool"}`) before and after the swap. Beside fields of the state there are
/// sums over all bins and lists of what changed.
pub(super) fn fields(named: &Map<String, Value>, before: &Value, after: &Value) -> Map<String, Value> {
    let (before, after) = (state(before), state(after));
    let bins = || changed(before, after, "bins", "id", &BIN);
    let computed = |field: &str| match field {
        "total_amount_x" => total(after, "amount_x"),
        "total_amount_y" => total(after, "amount_y"),
        "bins_changed" => Value::Array(bins()),
        "bins_changed_count" => json!(bins().len().to_string()),
        "orders_changed" => Value::Array(changed(before, after, "ticks", "tick", &TICK)),
        field => after.get(field).cloned().unwrap_or(Value::Null),
    };
    named.keys().map(|field| (field.clone(), computed(field))).collect()
}

/// What of a bin a swap changes.
const BIN: [&str; 4] = ["amount_x", "amount_y", "open_order_amount", "processed_order_remaining_amount"];

/// What of a tick's orders a swap changes.
const TICK: [&str; 2] = ["orders_amount", "part_filled_orders_remaining"];

/// Adds a sentence for every value that is not the expected one. What an object or an entry of a list has beyond the expected
/// fields is not looked at.
pub(super) fn compare(field: &str, expected: &Value, found: &Value, differences: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (name, expected) in expected {
                let found = found.get(name).unwrap_or(&Value::Null);
                compare(&format!("{field}.{name}"), expected, found, differences);
            }
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            for (at, (expected, found)) in expected.iter().zip(found).enumerate() {
                compare(&format!("{field}[{at}]"), expected, found, differences);
            }
        }
        _ if expected == found => {}
        _ => differences.push(format!("{field}: {expected} is expected, {found} found")),
    }
}

fn state(pool: &Value) -> &Value {
    pool.get("pool").unwrap_or(&Value::Null)
}

fn entries<'a>(state: &'a Value, list: &str) -> &'a [Value] {
    state.get(list).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn total(state: &Value, field: &str) -> Value {
    let amounts = entries(state, "bins").iter().filter_map(|bin| bin.get(field)?.as_str()?.parse::<u128>().ok());
    json!(amounts.sum::<u128>().to_string())
}

/// The entries of a list of which one of the fields changed, as they are afterwards, by their key. What is absent is zero.
fn changed(before: &Value, after: &Value, list: &str, key: &str, fields: &[&str]) -> Vec<Value> {
    let amount = |entry: Option<&&Value>, field: &str| {
        entry.and_then(|entry| entry.get(field)).cloned().unwrap_or_else(|| json!("0"))
    };
    let (old, new) = (by_key(before, list, key), by_key(after, list, key));
    let mut ids: Vec<i64> = old.keys().chain(new.keys()).copied().collect();
    ids.sort_unstable();
    ids.dedup();
    let mut all = Vec::new();
    for id in ids {
        let (old, new) = (old.get(&id), new.get(&id));
        if fields.iter().any(|field| amount(old, field) != amount(new, field)) {
            let mut entry: Map<_, _> = fields.iter().map(|field| ((*field).to_owned(), amount(new, field))).collect();
            entry.insert(key.to_owned(), json!(id.to_string()));
            all.push(Value::Object(entry));
        }
    }
    all
}

fn by_key<'a>(state: &'a Value, list: &str, key: &str) -> BTreeMap<i64, &'a Value> {
    let number = |entry: &Value| entry.get(key)?.as_str()?.parse().ok();
    entries(state, list).iter().filter_map(|entry| Some((number(entry)?, entry))).collect()
}
