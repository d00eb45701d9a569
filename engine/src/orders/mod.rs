//! Orders over a queue: takes the commands out of every account's `shop-orders.fifo` and does them, those of a group one after
//! the other. A command is done and its message deleted in one change, so that each is done once, whatever is killed.

mod act;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::queue::{Refusal, Status};
use domain::shop::command::ORDERS;
use domain::{Kind, Owner};
use drivers::Fault;
use drivers::journal::{Among, Journal, List};
use drivers::wake::Wake;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::act::{Act, MAX_RECEIVES};
use crate::intake::Intake;
use crate::observe;
use crate::observe::Metrics;
use crate::queues::{QueueError, Queues, Wish};

/// How often it looks for accounts that got such a queue.
const LOOK_FOR_QUEUES: Duration = Duration::from_secs(1);
/// How long an idle queue rests until it is looked at again without a hint: doubled from the first to the last.
const LOOK_AGAIN: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];
/// How long it rests after a fault.
const REST: Duration = Duration::from_millis(500);
/// Queues looked up at once.
const PAGE: usize = 1_000;
/// So many receipts, of at most ten messages each, are in hand at once.
const IN_HAND: usize = 64;

/// What the loop is made of.
pub(crate) struct Orders {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) wake: Arc<dyn Wake>,
    pub(crate) queues: Arc<Queues>,
    pub(crate) intake: Arc<Intake>,
    pub(crate) metrics: Arc<Metrics>,
    /// How long a command in hand is hidden, in seconds: longer than it takes, whatever its queue says.
    pub(crate) hidden: i64,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl Orders {
    /// Serves all queues until it is stopped; what is in hand then is done first.
    pub(crate) async fn run(self) {
        let (orders, in_hand) = (Arc::new(self), Arc::new(Semaphore::new(IN_HAND)));
        let mut feeds: HashMap<Owner, JoinHandle<()>> = HashMap::new();
        while !orders.stop.is_cancelled() {
            match accounts(orders.journal.as_ref()).await {
                Ok(accounts) => {
                    for account in accounts {
                        // Its queue was deleted and made again, or it is new.
                        if feeds.get(&account).is_none_or(JoinHandle::is_finished) {
                            join(feeds.remove(&account)).await;
                            let feed = Feed::new(&orders, &in_hand, account.clone());
                            feeds.insert(account, orders.tasks.spawn(feed.run()));
                        }
                    }
                }
                Err(fault) => observe::fault("the queues of shop orders cannot be listed", &fault),
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_FOR_QUEUES) => {}
                () = orders.stop.cancelled() => {}
            }
        }
        for (_, feed) in feeds {
            join(Some(feed)).await;
        }
        // All of them are back when everything in hand is done.
        let all = u32::try_from(IN_HAND).unwrap_or(u32::MAX);
        let _ = in_hand.acquire_many(all).await;
    }
}

/// All accounts that have the queue.
async fn accounts(journal: &dyn Journal) -> Result<Vec<Owner>, Fault> {
    let mut list = List {
        kind: Kind::Queue,
        among: vec![Among::Parent(ORDERS.to_owned())],
        statuses: vec![Status::Active.as_str().to_owned()],
        fields: Vec::new(),
        ranges: Vec::new(),
        after: None,
        newest_first: false,
        limit: PAGE,
    };
    let mut accounts = Vec::new();
    loop {
        let page = journal.entities(list.clone()).await?;
        accounts.extend(page.entities.into_iter().map(|queue| queue.owner));
        if page.next.is_none() {
            return Ok(accounts);
        }
        list.after = page.next;
    }
}

/// A task that panicked takes the loop with it: the process is to stop then.
async fn join(task: Option<JoinHandle<()>>) {
    let Some(task) = task else { return };
    if let Err(error) = task.await
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

/// One account's queue.
struct Feed {
    orders: Arc<Orders>,
    in_hand: Arc<Semaphore>,
    account: Owner,
    /// Messages were settled: those behind them may be there to be received.
    settled: Arc<Notify>,
}

impl Feed {
    fn new(orders: &Arc<Orders>, in_hand: &Arc<Semaphore>, account: Owner) -> Self {
        let (orders, in_hand) = (Arc::clone(orders), Arc::clone(in_hand));
        Self { orders, in_hand, account, settled: Arc::default() }
    }

    /// Ends when the queue is gone, or when all stops.
    async fn run(self) {
        let [mut pause, longest] = LOOK_AGAIN;
        let orders = Arc::clone(&self.orders);
        // Whoever made it, what cannot be done has an end.
        if let Err(error) = act::dead_letters(&orders.queues, &self.account).await {
            self.rest(&error).await;
        }
        while !orders.stop.is_cancelled() {
            let Ok(place) = Arc::clone(&self.in_hand).acquire_owned().await else { return };
            let queue = match orders.queues.find(&self.account, ORDERS).await {
                Ok(queue) => queue,
                Err(QueueError::Refused(Refusal::QueueDoesNotExist)) => return,
                Err(error) => {
                    self.rest(&error).await;
                    continue;
                }
            };
            let news = orders.wake.queue(queue.generation());
            let (heard, settled) = (news.notified(), self.settled.notified());
            let visibility = Some(orders.hidden);
            let wish = Wish { max: 10, visibility, wait: Some(0), in_turn: true, ..Wish::default() };
            match orders.queues.receive(&self.account, ORDERS, wish).await {
                Ok(messages) if messages.is_empty() => {
                    drop(place);
                    tokio::select! {
                        () = heard => pause = LOOK_AGAIN[0],
                        () = settled => pause = LOOK_AGAIN[0],
                        () = tokio::time::sleep(pause) => pause = longest.min(pause * 2),
                        () = orders.stop.cancelled() => {}
                    }
                }
                Ok(messages) => {
                    pause = LOOK_AGAIN[0];
                    let (most, account) = (queue.settings().redrive.as_ref(), self.account.clone());
                    let most = most.map_or(MAX_RECEIVES, |redrive| redrive.max_receives);
                    let act = Act { orders: Arc::clone(&orders), account, most, settled: Arc::clone(&self.settled) };
                    orders.tasks.spawn(async move {
                        act.all(messages).await;
                        drop(place);
                    });
                }
                Err(error) => self.rest(&error).await,
            }
        }
    }

    async fn rest(&self, error: &QueueError) {
        observe::orders_not_received(&self.account, &error.to_string());
        tokio::select! {
            () = tokio::time::sleep(REST) => {}
            () = self.orders.stop.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::queue::{Create, Rests, Wanted, create};
    use domain::{Change, Timestamp};
    use drivers::journal::{Options, open};
    use drivers::wake;

    use super::*;

    #[tokio::test]
    async fn every_account_is_served_however_many_there_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}/t.db", folder.path().display());
        let options = Options { wake: wake::local(), lease_millis: 30_000, migrate: true };
        let journal = open(&url, options).await.expect("a journal");
        let made = |account: String, name: &str| {
            let wanted = Wanted::from([("FifoQueue".to_owned(), "true".to_owned())]);
            let account = Owner::parse(&account).expect("a name");
            let generation = crate::intake::new_id();
            let asked = Create { account, name: name.to_owned(), wanted, tags: BTreeMap::new(), generation };
            create(None, asked, None, Rests::default(), Timestamp(1)).expect("a queue").1.expect("a change").entities
        };
        for hundreds in 0..11 {
            let entities = (0..100).flat_map(|n| {
                let account = format!("a{}", hundreds * 100 + n);
                [made(account.clone(), ORDERS), made(account, "other.fifo")].concat()
            });
            journal.apply(Change { entities: entities.collect(), ..Change::default() }).await.expect("written");
        }
        let found = accounts(journal.as_ref()).await.expect("found");
        let wanted: Vec<_> = (0..1_100).map(|n| Owner::parse(&format!("a{n}")).expect("a name")).collect();
        assert_eq!(found, wanted);
        journal.close().await;
    }
}
