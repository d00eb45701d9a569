//! What an operator asks of the cache in Redis: which keys there are, and one of them gone.

use std::time::Duration;

use redis::RedisResult;

use super::link::Open;
use super::scripts::Scripts;
use crate::cache::{Held, What};

/// One call looks at so many names at most: a script holds up everybody.
const SCANNED_AT_ONCE: usize = 500;
/// So many calls are made for a page where names of others stand between ours.
pub(super) const CALLS: usize = 10;

/// Keys: generation, entry. Whether there was a value. Without its entry no lease is good.
pub(super) const REMOVE: &str = "
    local entry = redis.call('hmget', KEYS[2], 'g', 'd')
    local there = entry[2] and entry[1] == redis.call('get', KEYS[1])
    redis.call('del', KEYS[2])
    return there and 1 or 0";

/// Keys: generation. Arguments: where to go on, the pattern of entries' names, how many names to look at. Answers with where
/// to go on next, and by entry: its name, version, bytes, milliseconds left, the first byte of its value.
pub(super) const LIST: &str = "
    local generation = redis.call('get', KEYS[1])
    local found = redis.call('scan', ARGV[1], 'match', ARGV[2], 'count', ARGV[3])
    local held = {}
    for _, name in ipairs(found[2]) do
        local entry = redis.call('hmget', name, 'g', 'v', 'd')
        if generation and entry[1] == generation then
            local bytes, left = redis.call('memory', 'usage', name), redis.call('pttl', name)
            held[#held + 1] = {name, entry[2] or '', bytes or 0, left, string.sub(entry[3] or '', 1, 1)}
        end
    end
    return {found[1], held}";

type Line = (String, String, u64, i64, String);

impl Scripts {
    pub(super) async fn remove(&self, open: &Open, key: &str) -> RedisResult<bool> {
        let mut call = self.remove.key(self.name("generation"));
        call.key(self.entry(key)).invoke_async(&mut open.connection()).await
    }

    /// One call's worth of entries, and where to go on.
    pub(super) async fn list(&self, open: &Open, from: u64, limit: usize) -> RedisResult<(Vec<Held>, Option<u64>)> {
        let names = self.entry("");
        let mut call = self.list.key(self.name("generation"));
        let call = call.arg(from).arg(pattern(&names)).arg(limit.clamp(1, SCANNED_AT_ONCE));
        let (next, lines): (u64, Vec<Line>) = call.invoke_async(&mut open.connection()).await?;
        let held = lines.into_iter().map(|(name, version, bytes, left, first)| Held {
            key: name.strip_prefix(&names).unwrap_or(&name).to_owned(),
            what: match first.as_str() {
                "+" => What::Value,
                "-" => What::Nothing,
                _ => What::Tombstone,
            },
            version: version.parse().ok(),
            bytes,
            left: Duration::from_millis(u64::try_from(left).unwrap_or(0)),
        });
        Ok((held.collect(), Some(next).filter(|next| *next != 0)))
    }
}

/// The pattern that names beginning like this match, and no others.
fn pattern(beginning: &str) -> String {
    let mut pattern = String::with_capacity(beginning.len() + 1);
    for c in beginning.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('*');
    pattern
}
