//! The probes, in the original's shapes: whether the process lives, whether it can work, and both. None waits longer than a second
//! for anything.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use engine::clock;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::json as answer;
use super::orders::millis;
use crate::routes::App;

/// A runtime that takes longer to run a task is not alive.
const BEATS_WITHIN: Duration = Duration::from_secs(1);
/// A process with more memory than this fails that check, which takes it out of no service.
const MEMORY_LIMIT_MB: u64 = 500;
/// The kernel counts processor time in hundredths of a second (proc(5), `sysconf(_SC_CLK_TCK)`).
const TICKS: u64 = 100;

/// Whether the process lives.
pub(super) async fn live() -> Response {
    let (alive, data) = liveness().await;
    match alive {
        true => answer(StatusCode::OK, json!({"success": true, "data": data}).to_string()),
        false => {
            let body = json!({"success": false, "error": data["error"], "data": data});
            answer(StatusCode::SERVICE_UNAVAILABLE, body.to_string())
        }
    }
}

/// Whether it can do its work.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    let (ready, data) = readiness(&app).await;
    answer(status(ready), json!({"success": ready, "data": data}).to_string())
}

/// Both.
pub(super) async fn both(State(app): State<Arc<App>>) -> Response {
    let ((alive, liveness), (ready, readiness)) = tokio::join!(liveness(), readiness(&app));
    let well = alive && ready;
    let body = json!({
        "status": if well { "OK" } else { "Unhealthy" },
        "timestamp": millis(clock::now()),
        "details": {"liveness": liveness, "readiness": readiness},
    });
    answer(status(well), body.to_string())
}

/// Lets a task of its own beat, and looks how long the runtime took to run it and how long ago that was.
async fn liveness() -> (bool, Value) {
    let asked = Instant::now();
    let beat = timeout(BEATS_WITHIN, tokio::spawn(async { Instant::now() })).await.ok().and_then(Result::ok);
    let timestamp = millis(clock::now());
    match beat {
        Some(beat) => {
            let (age, delay) = (whole(beat.elapsed()), whole(beat.duration_since(asked)));
            (true, json!({"status": "alive", "heartbeatAge": age, "eventLoopDelay": delay, "timestamp": timestamp}))
        }
        None => {
            let error = "the runtime ran no task for a second";
            (false, json!({"status": "not alive", "error": error, "timestamp": timestamp}))
        }
    }
}

/// The four checks that clients know. `redis` is whatever holds cache and queue.
async fn readiness(app: &App) -> (bool, Value) {
    let asked = app.engine.ready.checks().await;
    let port = |name: &'static str, ports: &[&str]| {
        let mut of = asked.iter().filter(|check| ports.contains(&check.port.as_str()));
        let millis = of.clone().map(|check| check.millis).max().unwrap_or_default();
        match of.find(|check| !check.answers) {
            None => (true, json!({"name": name, "status": "ok", "responseTime": millis})),
            Some(check) => {
                let error = format!("{} did not answer within a second", check.port);
                (false, json!({"name": name, "status": "fail", "error": error}))
            }
        }
    };
    let ((database, first), (redis, second)) = (port("database", &["journal"]), port("redis", &["cache", "wake"]));
    let leaving = app.settings.leaving.is_cancelled() || app.settings.stop.is_cancelled();
    let ready = database && redis && !leaving;
    let megabytes = memory_mb();
    let fits = if megabytes <= MEMORY_LIMIT_MB { "ok" } else { "fail" };
    let data = json!({
        "status": if ready { "ready" } else { "not ready" },
        "checks": [
            first,
            second,
            {"name": "memory", "status": fits, "usage": format!("{megabytes}MB")},
            {"name": "cpu", "status": "ok", "usage": processor()},
        ],
        "timestamp": millis(clock::now()),
    });
    (ready, data)
}

const fn status(good: bool) -> StatusCode {
    if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

fn whole(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What the process has of the machine's memory, in megabytes (proc(5), `VmRSS`); 0 where the system does not say.
fn memory_mb() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes: Option<u64> = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kibibytes.unwrap_or_default() * 1_024 / 1_000_000
}

/// The processor time that the process took, `1.08s` (proc(5), `utime` and `stime`).
fn processor() -> String {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // What stands before the last bracket is the program's name, which may have blanks.
    let fields: Vec<&str> =
        text.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let field = |place: usize| fields.get(place).and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    let ticks = field(11) + field(12);
    format!("{}.{:02}s", ticks / TICKS, ticks % TICKS)
}
