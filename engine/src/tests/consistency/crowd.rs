//! Writers who note what they were answered, and readers who hold what they read to it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use domain::money::Currency;
use domain::shop::{Amendment, Content, Customer, Draft, Place as Bought, Wanted};
use domain::{Kind, Owner};
use drivers::Fault;
use drivers::journal::{Among, Journal, List};

use super::super::deals::deal;
use super::rough::Chance;
use super::{BUYER, KINDS, Node, Place};
use crate::access::Access;
use crate::cached::Whose;
use crate::intake::{Intake, IntakeError, Taken, Target, new_id};

/// The most of a kind that one seller has: all of them stand on one page.
const MOST: usize = 90;

/// What was answered so far.
#[derive(Default)]
pub(super) struct Answered {
    pub(super) sellers: Vec<Seller>,
    pub(super) reads: AtomicU64,
    pub(super) lists: AtomicU64,
    pub(super) writes: AtomicU64,
    pub(super) over: AtomicBool,
}

pub(super) struct Seller {
    pub(super) name: Owner,
    deals: Shelf,
    orders: Shelf,
    /// Even while an answer about the buyer's leave stands: 0 none, 2 granted, 4 taken back, 6 granted …
    leave: AtomicU64,
}

impl Seller {
    pub(super) fn new(name: &str) -> Self {
        let name = Owner::parse(name).expect("a name");
        Self { name, deals: Shelf::default(), orders: Shelf::default(), leave: AtomicU64::new(0) }
    }

    fn shelf(&self, kind: Kind) -> &Shelf {
        if kind == Kind::Deal { &self.deals } else { &self.orders }
    }
}

/// What a seller has of a kind, each with the version that was answered last.
#[derive(Default)]
struct Shelf(Mutex<Vec<(String, Arc<AtomicU64>)>>);

impl Shelf {
    fn all(&self) -> Vec<(String, Arc<AtomicU64>)> {
        self.0.lock().expect("not poisoned").clone()
    }

    fn add(&self, taken: Taken) {
        self.0.lock().expect("not poisoned").push((taken.id, Arc::new(AtomicU64::new(taken.version))));
    }

    /// The versions that whoever begins to read now must see, or newer ones.
    fn owed(&self) -> Vec<(String, u64)> {
        self.all().into_iter().map(|(id, version)| (id, version.load(Ordering::SeqCst))).collect()
    }
}

/// What a customer orders.
fn order(shop: &Owner) -> Bought {
    let customer = Customer::new("Ada".to_owned(), "ada@example.org".to_owned(), None).expect("a customer");
    let items = vec![Wanted { product_id: "mug".to_owned(), name: "Mug".to_owned(), quantity: 1, unit_price: 5 }];
    let currency = Currency::parse("GBP").expect("a currency");
    let draft = Draft { customer, items, currency, discount: None, stated: None, note: None };
    let content = Content::new(draft).expect("content");
    Bought { id: new_id(), shop: shop.clone(), content, external_reference: None }
}

/// All of a list, each with its version, as whoever lists them through the cache finds them.
async fn listed(journal: &dyn Journal, kind: Kind, owners: &[Owner]) -> Result<bytes::Bytes, Fault> {
    let (mut lines, mut after) = (String::new(), None);
    loop {
        let page = journal.entities(List {
            kind,
            among: owners.iter().cloned().map(Among::Owner).collect(),
            statuses: Vec::new(),
            fields: Vec::new(),
            ranges: Vec::new(),
            after,
            newest_first: true,
            limit: 100,
        });
        let page = page.await?;
        for entity in &page.entities {
            lines.push_str(&format!("{} {} {}\n", entity.owner, entity.id, entity.version));
        }
        after = page.next;
        if after.is_none() {
            return Ok(lines.into());
        }
    }
}

/// Seller, id and version of each one of a list.
pub(super) type Listed = Vec<(String, String, u64)>;

/// A list through a node's cache.
async fn list(node: &Node, kind: Kind, owners: &[Owner]) -> Result<Listed, Fault> {
    let load = || listed(node.journal.as_ref(), kind, owners);
    Ok(parsed(&node.cached.list(kind, Whose::Of(owners), "all", load).await?))
}

/// Whether a node's cache shows the journal's own list of a seller's, nothing missing, and each of it as it is there.
pub(super) async fn agrees(node: &Node, kind: Kind, seller: &Seller) -> Result<bool, Fault> {
    let owners = std::slice::from_ref(&seller.name);
    let held = parsed(&listed(node.journal.as_ref(), kind, owners).await?);
    for (_, id, version) in &held {
        if node.cached.view(kind, id).await?.is_none_or(|view| view.version != *version) {
            return Ok(false);
        }
    }
    Ok(list(node, kind, owners).await? == held)
}

fn parsed(body: &[u8]) -> Listed {
    let text = String::from_utf8(body.to_vec()).expect("text");
    let parts = |line: &str| {
        let mut parts = line.split(' ').map(str::to_owned);
        let mut next = || parts.next().expect("three parts");
        (next(), next(), next().parse().expect("a version"))
    };
    text.lines().map(parts).collect()
}

impl Answered {
    /// Changes one deal or order after the other, and adds some.
    pub(super) async fn write(&self, place: &Place, chance: &Chance) {
        while !self.over.load(Ordering::SeqCst) {
            let (node, seller) = (place.node(chance), chance.pick(&self.sellers));
            tokio::select! {
                done = self.write_once(&node.intake, seller, chance) => match done {
                    Ok(()) => drop(self.writes.fetch_add(1, Ordering::SeqCst)),
                    // Another was quicker, again and again.
                    Err(IntakeError::Fault(Fault::Conflict(_) | Fault::Busy)) => {}
                    Err(error) => node.is_excused(&error).await,
                },
                // Killed: nobody will ever be answered.
                () = node.ends() => {}
            }
        }
    }

    async fn write_once(&self, intake: &Intake, seller: &Seller, chance: &Chance) -> Result<(), IntakeError> {
        let (kind, name) = (*chance.pick(&KINDS), &seller.name);
        let all = seller.shelf(kind).all();
        if all.is_empty() || (all.len() < MOST && chance.below(16) == 0) {
            let taken = match kind {
                Kind::Deal => intake.post_deal(deal(name), None).await?,
                _ => intake.place_order(order(name), None).await?,
            };
            seller.shelf(kind).add(taken);
            return Ok(());
        }
        let (id, version) = chance.pick(&all);
        let target = Target { id, version: None };
        let taken = match kind {
            Kind::Deal => intake.update_deal(name, target, &deal(name).terms, None).await?,
            _ => {
                let amendment = Amendment { note: Some(Some(new_id())), ..Amendment::default() };
                intake.amend_order(name, target, &amendment, None).await?
            }
        };
        version.fetch_max(taken.version, Ordering::SeqCst);
        Ok(())
    }

    /// One for each seller: leave is granted and taken back in turn.
    pub(super) async fn grant(&self, place: &Place, chance: &Chance, seller: &Seller) {
        let buyer = Owner::parse(BUYER).expect("a name");
        while !self.over.load(Ordering::SeqCst) {
            let node = place.node(chance);
            // Odd from the beginning of a request to its answer. One that was killed may have been committed: it is asked again.
            let standing = seller.leave.load(Ordering::SeqCst) & !1;
            seller.leave.store(standing | 1, Ordering::SeqCst);
            let asked = async {
                match standing % 4 {
                    0 => node.intake.authorise(&seller.name, &buyer, None).await.map(drop),
                    _ => node.intake.revoke_authorisation(&seller.name, &buyer, None).await.map(drop),
                }
            };
            tokio::select! {
                done = asked => match done {
                    // Refused is what stands already.
                    Ok(()) | Err(IntakeError::Refused(_)) => seller.leave.store(standing + 2, Ordering::SeqCst),
                    Err(error) => node.is_excused(&error).await,
                },
                () = node.ends() => {}
            }
            tokio::time::sleep(std::time::Duration::from_millis(chance.below(40))).await;
        }
    }

    /// Reads one deal or order, one seller's list or the buyer's, over and over, each time on any node.
    pub(super) async fn read(&self, place: &Place, chance: &Chance) {
        while !self.over.load(Ordering::SeqCst) {
            let node = place.node(chance);
            let read = match chance.below(10) {
                0..5 => self.read_one(&node, chance).await,
                5..8 => self.read_list(&node, chance).await,
                _ => self.read_as_buyer(&node).await,
            };
            match read {
                Ok(()) => drop(self.reads.fetch_add(1, Ordering::SeqCst)),
                Err(fault) => node.is_excused(&fault).await,
            }
            if chance.below(64) == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        }
    }

    async fn read_one(&self, node: &Node, chance: &Chance) -> Result<(), Fault> {
        let kind = *chance.pick(&KINDS);
        let owed = chance.pick(&self.sellers).shelf(kind).owed();
        if owed.is_empty() || chance.below(50) == 0 {
            assert_eq!(node.cached.view(kind, &new_id()).await?, None);
            return Ok(());
        }
        let (id, least) = chance.pick(&owed);
        let seen = node.cached.view(kind, id).await?.map_or(0, |view| view.version);
        assert!(seen >= *least, "{kind} {id}: read {seen}, {least} was answered");
        Ok(())
    }

    async fn read_list(&self, node: &Node, chance: &Chance) -> Result<(), Fault> {
        let (kind, seller) = (*chance.pick(&KINDS), chance.pick(&self.sellers));
        let owed = seller.shelf(kind).owed();
        let page = list(node, kind, std::slice::from_ref(&seller.name)).await?;
        hold(&page, seller, &owed);
        self.lists.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn read_as_buyer(&self, node: &Node) -> Result<(), Fault> {
        let before: Vec<_> =
            self.sellers.iter().map(|seller| (seller.leave.load(Ordering::SeqCst), seller.deals.owed())).collect();
        let audience = audience(&node.access).await?;
        let page = list(node, Kind::Deal, &audience).await?;
        for (seller, (leave, owed)) in self.sellers.iter().zip(before) {
            if leave % 2 == 1 || leave != seller.leave.load(Ordering::SeqCst) {
                continue;
            }
            if leave % 4 == 2 {
                hold(&page, seller, &owed);
            } else {
                let none = page.iter().all(|(owner, ..)| owner != seller.name.as_str());
                assert!(none, "{} took its leave back, and is seen", seller.name);
            }
        }
        self.lists.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

async fn audience(access: &Access) -> Result<Vec<Owner>, Fault> {
    let audience = access.audience(&Owner::parse(BUYER).expect("a name")).await?;
    Ok(std::iter::once(&audience.account).chain(audience.sellers.iter()).cloned().collect())
}

/// Everything that was answered before stands on the page, as it was answered or newer.
fn hold(page: &[(String, String, u64)], seller: &Seller, owed: &[(String, u64)]) {
    for (id, least) in owed {
        let seen = page.iter().find(|(_, one, _)| one == id).map_or(0, |(.., version)| *version);
        assert!(seen >= *least, "{}: its list shows {seen} of {id}, {least} was answered", seller.name);
    }
}
