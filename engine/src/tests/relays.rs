//! Several relays to one export: one sends, and another goes on when it dies, stops, fails or is told to stop.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::Event;
use drivers::export::Export;
use drivers::{Fault, export};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Engine, PATIENCE, Site, place, until};
use crate::observe::Metrics;
use crate::relay::{Relay, Route};

/// What is outside, and which relay sent it.
#[derive(Default)]
struct Outside(Mutex<Vec<(u64, &'static str)>>);

impl Outside {
    fn seqs(&self) -> Vec<u64> {
        self.0.lock().unwrap().iter().map(|(seq, _)| *seq).collect()
    }

    fn senders_beyond(&self, count: usize) -> Vec<&'static str> {
        let mut all: Vec<_> = self.0.lock().unwrap().iter().skip(count).map(|(_, who)| *who).collect();
        all.dedup();
        all
    }
}

/// One relay's way outside.
struct Way {
    who: &'static str,
    outside: Arc<Outside>,
    fails: AtomicBool,
    /// The relay's whole process stands still, as after SIGSTOP: its task does not get out of the call.
    stands: AtomicBool,
    /// It does.
    stood: AtomicBool,
    calls: AtomicUsize,
    /// It takes only events whose number this divides.
    every: u64,
}

#[async_trait]
impl Export for Way {
    async fn position(&self) -> Result<Option<u64>, Fault> {
        Ok(Some(self.outside.0.lock().unwrap().last().map_or(0, |(seq, _)| *seq)))
    }

    fn takes(&self, event: &Event) -> bool {
        event.seq.is_multiple_of(self.every)
    }

    async fn send(&self, events: &[Event]) -> Result<(), Fault> {
        self.calls.fetch_add(1, Ordering::AcqRel);
        while self.stands.load(Ordering::Acquire) {
            self.stood.store(true, Ordering::Release);
            std::thread::sleep(Duration::from_millis(5));
        }
        if self.fails.load(Ordering::Acquire) {
            return Err(Fault::Unavailable("told to fail".to_owned()));
        }
        let mut outside = self.outside.0.lock().unwrap();
        let last = outside.last().map_or(0, |(seq, _)| *seq);
        outside.extend(events.iter().filter(|event| event.seq > last).map(|event| (event.seq, self.who)));
        Ok(())
    }
}

/// A relay as a process of its own has it.
struct Process {
    way: Arc<Way>,
    stop: CancellationToken,
    metrics: Arc<Metrics>,
    task: JoinHandle<()>,
}

fn start(site: &Site, engine: &Engine, outside: &Arc<Outside>, who: &'static str) -> Process {
    start_taking(site, engine, outside, who, 1)
}

fn start_taking(site: &Site, engine: &Engine, outside: &Arc<Outside>, who: &'static str, every: u64) -> Process {
    let (outside, metrics) = (Arc::clone(outside), Arc::new(Metrics::default()));
    let [fails, stands, stood] = [false; 3].map(AtomicBool::new);
    let way = Arc::new(Way { who, outside, fails, stands, stood, calls: AtomicUsize::new(0), every });
    let route = Route {
        url: "nats://name:secret@host?stream=S".to_owned(),
        journal: Arc::clone(&engine.journal),
        wake: Arc::clone(&site.wake),
        export: Arc::clone(&way) as Arc<dyn Export>,
        metrics: Arc::clone(&metrics),
    };
    let stop = CancellationToken::new();
    let task = tokio::spawn(Relay::standing(route, false).run(stop.clone()));
    Process { way, stop, metrics, task }
}

async fn orders(engine: &Engine, count: usize) {
    for _ in 0..count {
        engine.intake.place(place(), None).await.expect("taken");
    }
}

async fn until_outside(outside: &Outside, count: u64) {
    until("the export", async || outside.seqs().len() as u64 >= count).await;
    assert_eq!(outside.seqs(), (1..=count).collect::<Vec<_>>());
}

/// A journal with ten events, which `a` has sent, and `b` standing by.
async fn two(site: &Site) -> (Engine, Arc<Outside>, Process, Process) {
    let (engine, outside) = (site.engine("paper?pace=instant", 0).await, Arc::new(Outside::default()));
    orders(&engine, 10).await;
    let a = start(site, &engine, &outside, "a");
    until_outside(&outside, 10).await;
    let b = start(site, &engine, &outside, "b");
    orders(&engine, 10).await;
    until_outside(&outside, 20).await;
    (engine, outside, a, b)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_relay_sends_and_hands_over_when_it_stops() {
    let site = Site::new();
    let (engine, outside, a, b) = two(&site).await;
    let lag = "tradewind_export_lag{export=\"nats://host?stream=S\"} 0";
    until("the holder's lag", async || a.metrics.render().contains(lag)).await;
    until("the standby's lag", async || b.metrics.render().contains(lag)).await;
    assert_eq!(outside.senders_beyond(0), ["a"]);
    a.stop.cancel();
    a.task.await.expect("it ends");
    orders(&engine, 10).await;
    until_outside(&outside, 30).await;
    assert_eq!(outside.senders_beyond(0), ["a", "b"]);
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_killed_relay_is_followed_by_another() {
    let site = Site::new();
    let (engine, outside, a, _b) = two(&site).await;
    a.task.abort();
    orders(&engine, 10).await;
    until_outside(&outside, 30).await;
    assert_eq!(outside.senders_beyond(20).last(), Some(&"b"));
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_relay_that_stood_still_steps_back_when_it_goes_on() {
    let site = Site::new();
    let (engine, outside, a, b) = two(&site).await;
    a.way.stands.store(true, Ordering::Release);
    orders(&engine, 10).await;
    until("it stands still", async || a.way.stood.load(Ordering::Acquire)).await;
    until_outside(&outside, 30).await;
    assert_eq!(outside.senders_beyond(20), ["b"]);
    let calls = a.way.calls.load(Ordering::Acquire);
    a.metrics.export_lag("nats://host?stream=S", 999);
    a.way.stands.store(false, Ordering::Release);
    until("it looks at the row again", async || a.metrics.render().contains("stream=S\"} 0")).await;
    orders(&engine, 10).await;
    until_outside(&outside, 40).await;
    // What it had in hand has ended; from then on it is the other one that sends.
    assert_eq!(outside.senders_beyond(20), ["b"]);
    assert_eq!(a.way.calls.load(Ordering::Acquire), calls);
    assert!(!b.task.is_finished() && !a.task.is_finished());
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_relay_that_keeps_failing_is_followed_by_another() {
    let site = Site::new();
    let (engine, outside, a, _b) = two(&site).await;
    a.way.fails.store(true, Ordering::Release);
    orders(&engine, 10).await;
    until("its lag", async || a.metrics.render().contains("stream=S\"} 10")).await;
    until_outside(&outside, 30).await;
    assert_eq!(outside.senders_beyond(20), ["b"]);
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_an_export_lost_is_sent_again() {
    let site = Site::new();
    let (engine, outside, _a, _b) = two(&site).await;
    outside.0.lock().unwrap().truncate(5);
    // Nothing happens in the journal: the relay looks by itself.
    until_outside(&outside, 20).await;
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_wiped_nats_gets_every_event_again() {
    let (site, server) = (Site::new(), testbed::Nats::start());
    let url = server.url();
    let engine = site.engine("paper?pace=instant", 0).await;
    let epoch = engine.journal.head().await.expect("a head").epoch;
    engine.stop(PATIENCE).await;
    drop(engine);
    let exports = vec![(url.clone(), export::open(&url, epoch).await.expect("an export"))];
    let engine = site.engine_exporting(exports, "paper?pace=instant", 0).await;
    let reached = async |seq| {
        let Ok(other) = export::open(&url, epoch).await else { return false };
        other.position().await == Ok(Some(seq))
    };
    orders(&engine, 10).await;
    until("the stream", async || reached(10).await).await;
    server.restart_wiped();
    until("the stream again", async || reached(10).await).await;
    engine.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_export_that_takes_few_is_not_taken_for_one_that_lost_the_rest() {
    let site = Site::new();
    let (engine, outside) = (site.engine("paper?pace=instant", 0).await, Arc::new(Outside::default()));
    let done = async |process: &Process| {
        let lag = "tradewind_export_lag{export=\"nats://host?stream=S\"} 0";
        until("no lag", async || process.metrics.render().contains(lag)).await;
    };
    orders(&engine, 33).await;
    let a = start_taking(&site, &engine, &outside, "a", 10);
    until("the export", async || outside.seqs().len() == 3).await;
    done(&a).await;
    a.stop.cancel();
    a.task.await.expect("it ends");
    // Another begins where the first ended, although the export itself ends before that.
    let b = start_taking(&site, &engine, &outside, "b", 10);
    done(&b).await;
    assert_eq!((outside.seqs(), b.way.calls.load(Ordering::Acquire)), (vec![10, 20, 30], 0));
    b.stop.cancel();
    b.task.await.expect("it ends");
    // What it did lose is sent again, and then what is new.
    outside.0.lock().unwrap().truncate(1);
    let c = start_taking(&site, &engine, &outside, "c", 10);
    orders(&engine, 10).await;
    until("the export again", async || outside.seqs().len() == 4).await;
    assert_eq!(outside.seqs(), [10, 20, 30, 40]);
    done(&c).await;
    c.stop.cancel();
    c.task.await.expect("it ends");
    engine.stop(PATIENCE).await;
}
