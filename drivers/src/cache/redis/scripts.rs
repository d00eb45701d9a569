//! What is said to Redis: each sentence one script, so that it happens at once.
//!
//! An entry is a hash: `g` the generation it belongs to, `v` the version its entity has reached, `d` the value made of
//! that version, `l` the lease of who may fill it. Without `d` it is a tombstone. An entry of another generation counts
//! as absent; when the generation itself is gone, everything was.

use std::time::Duration;

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script};

use super::link::Open;
use super::listing::{LIST, REMOVE};
use crate::cache::{Entry, Stale};

/// How long a lease and a tombstone last: longer than any load may take.
const LEASE_MILLIS: u64 = 120_000;
/// The form of what is stored. Another one is another name, so that no binary reads what it does not know.
const SCHEMA: &str = "1";

/// Keys: generation, the server's run. Arguments: the run that we talk to, a new generation.
/// A server that was started anew may have begun with an old copy of its memory: then everything is forgotten.
const GREET: &str = "
    if redis.call('get', KEYS[2]) ~= ARGV[1] or redis.call('exists', KEYS[1]) == 0 then
        redis.call('set', KEYS[1], ARGV[2])
        redis.call('set', KEYS[2], ARGV[1])
    end";

/// Keys: generation, entry. Arguments: a new lease, how long it lasts, a new generation, the least version. What is older
/// than that becomes a tombstone, as if it had been voided: nobody shares the lease of whoever loads it.
const LOOK: &str = "
    local generation = redis.call('get', KEYS[1])
    if not generation then
        generation = ARGV[3]
        redis.call('set', KEYS[1], generation)
    end
    local entry = redis.call('hmget', KEYS[2], 'g', 'v', 'd', 'l')
    if entry[1] ~= generation then
        redis.call('del', KEYS[2])
        redis.call('hset', KEYS[2], 'g', generation)
        entry = {generation, false, false, false}
    end
    if ARGV[4] ~= '0' and tonumber(entry[2] or '-1') < tonumber(ARGV[4]) then
        redis.call('hdel', KEYS[2], 'd', 'l')
        redis.call('hset', KEYS[2], 'v', ARGV[4])
        entry[3], entry[4] = false, false
    end
    if entry[3] then return {1, entry[2], entry[3]} end
    if entry[4] then return {0, entry[4], false} end
    redis.call('hset', KEYS[2], 'l', ARGV[1])
    redis.call('pexpire', KEYS[2], ARGV[2])
    return {0, ARGV[1], false}";

/// Keys: generation, entry. Arguments: lease, version, value, how long it is good.
const FILL: &str = "
    local entry = redis.call('hmget', KEYS[2], 'g', 'v', 'l')
    if not entry[1] or entry[1] ~= redis.call('get', KEYS[1]) or entry[3] ~= ARGV[1] then return 0 end
    if tonumber(entry[2] or '-1') > tonumber(ARGV[2]) then return 0 end
    redis.call('hdel', KEYS[2], 'l')
    redis.call('hset', KEYS[2], 'v', ARGV[2], 'd', ARGV[3])
    redis.call('pexpire', KEYS[2], ARGV[4])
    return 1";

/// Keys: generation, entry. Arguments: version, value, how long it is good, how long a tombstone lasts.
/// Where no version is known, the value could be older than one that was evicted: only the lease ends.
const PUT: &str = "
    local entry = redis.call('hmget', KEYS[2], 'g', 'v', 'd')
    if not entry[1] or entry[1] ~= redis.call('get', KEYS[1]) then return end
    local known, new = tonumber(entry[2] or '-1'), tonumber(ARGV[1])
    if known > new or (known == new and entry[3]) then return end
    redis.call('hdel', KEYS[2], 'l')
    if known < 0 then
        redis.call('hset', KEYS[2], 'v', ARGV[1])
        redis.call('pexpire', KEYS[2], ARGV[4])
    else
        redis.call('hset', KEYS[2], 'v', ARGV[1], 'd', ARGV[2])
        redis.call('pexpire', KEYS[2], ARGV[3])
    end";

/// Keys: generation, position, entries. Arguments: how long a tombstone lasts, epoch and number of the event that the log
/// was followed to (or nothing), a version for each entry. Where nothing is there, nobody holds a lease either.
const VOID: &str = "
    local generation = redis.call('get', KEYS[1])
    for i = 3, #KEYS do
        local entry = redis.call('hmget', KEYS[i], 'g', 'v')
        local version = ARGV[i + 1]
        if generation and entry[1] == generation and tonumber(entry[2] or '-1') < tonumber(version) then
            redis.call('hdel', KEYS[i], 'd', 'l')
            redis.call('hset', KEYS[i], 'v', version)
            redis.call('pexpire', KEYS[i], ARGV[1])
        end
    end
    if ARGV[3] ~= '' then
        local known = redis.call('hmget', KEYS[2], 'epoch', 'seq')
        if known[1] ~= ARGV[2] or tonumber(known[2]) < tonumber(ARGV[3]) then
            redis.call('hset', KEYS[2], 'epoch', ARGV[2], 'seq', ARGV[3])
        end
    end";

/// What a look finds.
pub(super) enum Found {
    /// A value that may be answered.
    Value(Entry),
    /// Nothing, and the right to fill it in.
    Lease(String),
}

pub(super) struct Scripts {
    prefix: String,
    greet: Script,
    look: Script,
    fill: Script,
    put: Script,
    void: Script,
    pub(super) remove: Script,
    pub(super) list: Script,
}

impl Scripts {
    pub(super) fn new(prefix: &str) -> Self {
        let [greet, look, fill, put, void] = [GREET, LOOK, FILL, PUT, VOID].map(Script::new);
        let [remove, list] = [REMOVE, LIST].map(Script::new);
        Self { prefix: prefix.to_owned(), greet, look, fill, put, void, remove, list }
    }

    pub(super) fn name(&self, what: &str) -> String {
        format!("{}cache{SCHEMA}:{what}", self.prefix)
    }

    pub(super) fn entry(&self, key: &str) -> String {
        self.name(&format!("entry:{key}"))
    }

    /// Begins to talk to the server's run of that id.
    pub(super) async fn greet(&self, connection: &mut MultiplexedConnection, run: &str) -> RedisResult<()> {
        let mut call = self.greet.key(self.name("generation"));
        call.key(self.name("run")).arg(run).arg(generation()).invoke_async(connection).await
    }

    pub(super) async fn look(&self, open: &Open, key: &str, least: u64, lease: &str) -> RedisResult<Found> {
        let mut call = self.look.key(self.name("generation"));
        let call = call.key(self.entry(key)).arg(lease).arg(LEASE_MILLIS).arg(generation()).arg(least);
        let (hit, first, value): (u8, String, Option<Bytes>) = call.invoke_async(&mut open.connection()).await?;
        Ok(match (hit, value, first.parse()) {
            (1, Some(value), Ok(version)) => Found::Value(Entry { version, value: unpack(&value) }),
            _ => Found::Lease(first),
        })
    }

    /// Whether it was kept.
    pub(super) async fn fill(
        &self,
        open: &Open,
        key: &str,
        lease: &str,
        entry: &Entry,
        ttl: Duration,
    ) -> RedisResult<bool> {
        let mut call = self.fill.key(self.name("generation"));
        let call = call.key(self.entry(key)).arg(lease).arg(entry.version).arg(pack(entry)).arg(millis(ttl));
        call.invoke_async(&mut open.connection()).await
    }

    pub(super) async fn put(&self, open: &Open, key: &str, entry: &Entry, ttl: Duration) -> RedisResult<()> {
        let mut call = self.put.key(self.name("generation"));
        let call = call.key(self.entry(key)).arg(entry.version).arg(pack(entry)).arg(millis(ttl)).arg(LEASE_MILLIS);
        call.invoke_async(&mut open.connection()).await
    }

    /// Tells of writes, and up to which event of which epoch the log was followed.
    pub(super) async fn void(
        &self,
        connection: &mut MultiplexedConnection,
        stale: &[Stale],
        position: Option<(u64, u64)>,
    ) -> RedisResult<()> {
        let mut call = self.void.key(self.name("generation"));
        call.key(self.name("position")).arg(LEASE_MILLIS);
        let (epoch, seq) = position.map(|(epoch, seq)| (epoch.to_string(), seq.to_string())).unwrap_or_default();
        call.arg(epoch).arg(seq);
        for Stale { key, version } in stale {
            call.key(self.entry(key)).arg(*version);
        }
        call.invoke_async(connection).await
    }

    /// Epoch and event up to which the log was followed.
    pub(super) async fn position(&self, open: &Open) -> RedisResult<Option<(u64, u64)>> {
        let mut ask = redis::cmd("HMGET");
        let ask = ask.arg(self.name("position")).arg("epoch").arg("seq");
        let (epoch, seq): (Option<u64>, Option<u64>) = ask.query_async(&mut open.connection()).await?;
        Ok(epoch.zip(seq))
    }

    /// Forgets everything.
    pub(super) async fn forget(&self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        redis::cmd("SET").arg(self.name("generation")).arg(generation()).query_async(connection).await
    }
}

/// A name that no generation had before.
fn generation() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// `+` and the value, or `-` for nothing.
fn pack(entry: &Entry) -> Vec<u8> {
    let Some(value) = &entry.value else { return b"-".to_vec() };
    let mut packed = Vec::with_capacity(value.len() + 1);
    packed.push(b'+');
    packed.extend_from_slice(value);
    packed
}

fn unpack(packed: &Bytes) -> Option<Bytes> {
    packed.starts_with(b"+").then(|| packed.slice(1..))
}
