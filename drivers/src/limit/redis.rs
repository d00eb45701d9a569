//! Limits counted in Redis, for every process with the same prefix; in this process while Redis is away.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult, Script};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::memory::Memory;
use super::{Caller, Limit, Policy, Rates, Standing, Standings, network};
use crate::cache::options::Options;
use crate::{Fault, without_secrets};

/// How long it may take to connect.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// The pause between attempts to connect.
const PAUSE: Duration = Duration::from_millis(250);

/// Keys: one for each policy. Arguments: for each the microseconds per request, and the burst.
/// Each holds the instant by which all that was taken will have come back. Answers with a pair for each: how many more may
/// be made, and 0, or 0 and the microseconds to wait, which is then the last.
const TAKE: &str = "
    local clock = redis.call('time')
    local now = clock[1] * 1000000 + clock[2]
    local answers = {}
    for i, key in ipairs(KEYS) do
        local interval, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
        local back = math.max(tonumber(redis.call('get', key) or '0'), now) + interval
        local room = burst * interval - (back - now)
        if room < 0 then
            answers[i] = {0, math.ceil(-room)}
            return answers
        end
        redis.call('set', key, string.format('%.3f', back), 'px', math.ceil((back - now) / 1000) + 1000)
        answers[i] = {math.floor(room / interval + 0.001), 0}
    end
    return answers";

struct Shared {
    rates: Rates,
    prefix: String,
    line: Arc<Line>,
    take: Script,
    away: Memory,
    keeper: JoinHandle<()>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

pub(super) async fn open(place: &str, options: &str, rates: Rates) -> Result<Arc<dyn Limit>, Fault> {
    let options = Options::parse(options, &["prefix", "ttl_millis", "deadline_millis"])?;
    let say = |why: String| Fault::Unavailable(format!("--rate-limit with --cache {}: {why}", without_secrets(place)));
    let client = Client::open(place).map_err(|_| say("malformed URL".to_owned()))?;
    let line = Arc::new(Line { client, deadline: options.deadline, open: Mutex::default(), broke: Notify::new() });
    line.connect().await.map_err(|error| say(format!("{error}; start Redis there, or name another with --cache")))?;
    let keeper = tokio::spawn(Arc::clone(&line).keep());
    let (prefix, take, away) = (options.prefix, Script::new(TAKE), Memory::open(rates));
    Ok(Arc::new(Shared { rates, prefix, line, take, away, keeper }))
}

impl Shared {
    /// What is asked of Redis: the policies that apply to this caller, each with its key.
    fn asked(&self, caller: Caller<'_>) -> Vec<(Policy, String)> {
        let Self { rates, prefix, .. } = self;
        let address = caller.address.filter(|_| rates.address.is_some());
        let address = address.map(|address| (Policy::Address, format!("{prefix}limit1:address:{}", network(address))));
        let key = caller.key.filter(|_| rates.key.is_some());
        let key = key.map(|key| (Policy::Key, format!("{prefix}limit1:key:{key}")));
        address.into_iter().chain(key).collect()
    }

    async fn ask(&self, asked: &[(Policy, String)], mut connection: MultiplexedConnection) -> RedisResult<Standings> {
        let mut call = self.take.prepare_invoke();
        for (policy, key) in asked {
            let Some(rate) = self.rates.of(*policy) else { continue };
            call.key(key).arg(format!("{}.{:03}", rate.interval().as_micros(), rate.interval().subsec_nanos() % 1_000));
            call.arg(rate.burst());
        }
        let answers: Vec<(u32, u64)> = call.invoke_async(&mut connection).await?;
        let mut standings = Standings::default();
        for ((policy, _), (remaining, wait)) in asked.iter().zip(answers) {
            let Some(rate) = self.rates.of(*policy) else { continue };
            let refused_for = (wait > 0).then(|| Duration::from_micros(wait));
            standings[usize::from(*policy == Policy::Key)] =
                Some(Standing { policy: *policy, rate, remaining, refused_for });
        }
        Ok(standings)
    }
}

#[async_trait]
impl Limit for Shared {
    fn rates(&self) -> Rates {
        self.rates
    }

    async fn take(&self, caller: Caller<'_>) -> Standings {
        let asked = self.asked(caller);
        if asked.is_empty() {
            return Standings::default();
        }
        let Some(connection) = self.line.lock().clone() else { return self.away.count(caller) };
        match timeout(self.line.deadline, self.ask(&asked, connection)).await {
            Ok(Ok(standings)) => standings,
            failed => {
                let error = failed.map_or_else(
                    |_| "no answer in time".to_owned(),
                    |answer| match answer {
                        Ok(_) => String::new(),
                        Err(error) => error.to_string(),
                    },
                );
                self.line.lost(&error);
                self.away.count(caller)
            }
        }
    }
}

/// The connection, while there is one.
struct Line {
    client: Client,
    deadline: Duration,
    open: Mutex<Option<MultiplexedConnection>>,
    broke: Notify,
}

impl Line {
    async fn connect(&self) -> RedisResult<()> {
        let config = AsyncConnectionConfig::new();
        let config = config.set_connection_timeout(Some(CONNECT_WITHIN)).set_response_timeout(Some(CONNECT_WITHIN));
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        let () = redis::cmd("PING").query_async(&mut connection).await?;
        *self.lock() = Some(connection);
        Ok(())
    }

    /// Nothing more is asked until there is a new connection: a Redis that is away costs nobody its deadline.
    fn lost(&self, error: &str) {
        if self.lock().take().is_some() {
            tracing::warn!(error, "the limits' Redis fails: each process counts for itself until it is back");
            self.broke.notify_one();
        }
    }

    async fn keep(self: Arc<Self>) {
        loop {
            let broke = self.broke.notified();
            if self.lock().is_some() {
                broke.await;
            } else if let Err(error) = self.connect().await {
                tracing::debug!(%error, "the limits' Redis is still away");
                sleep(PAUSE).await;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<MultiplexedConnection>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
