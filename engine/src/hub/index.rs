//! Who watches for what: finds the watchers of an event without asking all of them.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use domain::{Event, Kind, Owner};
use tokio::sync::mpsc;

use super::{Published, Watch};
use crate::audiences::Audiences;
use crate::observe;

/// The watchers, and how far the log was handed out to them.
#[derive(Default)]
pub(super) struct Index {
    /// Events are read whether anyone watches or not.
    pub(super) following: bool,
    /// Every event up to here was handed out.
    pub(super) position: u64,
    /// Who watches, or is about to: while there are any, every event is read.
    pub(super) seats: usize,
    /// Of the accounts that are watched for.
    pub(super) audiences: Audiences,
    next: u64,
    watchers: HashMap<u64, Watcher>,
    by_id: HashMap<String, Vec<u64>>,
    by_account: HashMap<Owner, Vec<u64>>,
    of_all: Vec<u64>,
}

/// One of them.
pub(super) struct Watcher {
    pub(super) watch: Watch,
    pub(super) sender: mpsc::Sender<Arc<Published>>,
}

impl Index {
    /// How many watchers there are.
    pub(super) fn watchers(&self) -> usize {
        self.watchers.len()
    }

    pub(super) fn enter(&mut self, watcher: Watcher) -> u64 {
        let key = self.next;
        self.next += 1;
        for id in &watcher.watch.ids {
            self.by_id.entry(id.clone()).or_default().push(key);
        }
        if watcher.watch.ids.is_empty() {
            match &watcher.watch.account {
                Some(account) => self.by_account.entry(account.clone()).or_default().push(key),
                None => self.of_all.push(key),
            }
        }
        self.watchers.insert(key, watcher);
        key
    }

    pub(super) fn leave(&mut self, key: u64) {
        let Some(watcher) = self.watchers.remove(&key) else { return };
        for id in &watcher.watch.ids {
            strike(&mut self.by_id, id, key);
        }
        match &watcher.watch.account {
            _ if !watcher.watch.ids.is_empty() => {}
            Some(account) => strike(&mut self.by_account, account, key),
            None => self.of_all.retain(|k| *k != key),
        }
    }

    pub(super) fn hand_out(&mut self, event: Event) {
        // A page that was read before the last watcher left may be older than what the next one starts from.
        if event.seq <= self.position {
            return;
        }
        if event.seq > self.position + 1 {
            // Forgotten meanwhile: each watcher finds out where it stood and what is still held.
            observe::hub_overtaken(self.position, event.seq);
            let all: Vec<u64> = self.watchers.keys().copied().collect();
            all.into_iter().for_each(|key| self.leave(key));
            self.audiences.miss();
        }
        self.position = event.seq;
        self.audiences.hear(&event);
        let keys = self.keys(&event);
        if keys.is_empty() {
            return;
        }
        let published = Arc::new(Published { event, envelope: OnceLock::new() });
        for key in keys {
            let Some(watcher) = self.watchers.get(&key) else { continue };
            if watcher.sender.try_send(Arc::clone(&published)).is_err() {
                // Too slow, or gone. The end of its channel tells it, after what it has still to read.
                observe::watcher_cut_off();
                self.leave(key);
            }
        }
    }

    /// The watchers who may see the event and want to, each once.
    fn keys(&self, event: &Event) -> Vec<u64> {
        let of_account = |account: &Owner| self.by_account.get(account).into_iter().flatten();
        let mut keys: Vec<u64> = self.by_id.get(&event.id).into_iter().flatten().chain(&self.of_all).copied().collect();
        keys.extend(of_account(&event.owner));
        keys.extend(event.party.iter().flat_map(of_account));
        if event.kind == Kind::Deal {
            keys.extend(self.audiences.authorised_by(&event.owner).flat_map(of_account));
        }
        keys.retain(|key| self.watchers.get(key).is_some_and(|watcher| self.wants(&watcher.watch, event)));
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn wants(&self, watch: &Watch, event: &Event) -> bool {
        watch.is_about(event) && watch.account.as_ref().is_none_or(|account| self.audiences.sees(account, event))
    }
}

fn strike<K: std::hash::Hash + Eq>(lists: &mut HashMap<K, Vec<u64>>, at: &K, key: u64) {
    if let Some(list) = lists.get_mut(at) {
        list.retain(|k| *k != key);
        if list.is_empty() {
            lists.remove(at);
        }
    }
}
