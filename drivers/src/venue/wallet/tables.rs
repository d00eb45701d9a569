//! Lookup tables: accounts that transactions name by their place in an account of the chain.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use solana::{Address, Transaction};

use crate::venue::VenueError;
use crate::venue::check::mismatch;
use crate::venue::rpc::Rpc;

/// What stands before the addresses in a table's account.
const HEAD: usize = 56;
/// Tables that are kept. They only grow, and a table that was closed never comes back under its address.
const KEPT: usize = 256;

/// The tables that were met.
#[derive(Default)]
pub(super) struct Tables(Mutex<HashMap<Address, Arc<[Address]>>>);

impl Tables {
    /// The accounts that a transaction takes from tables, in its order: those that may be changed first.
    pub(super) async fn resolve(&self, rpc: &Rpc, transaction: &Transaction) -> Result<Vec<Address>, VenueError> {
        let lookups = transaction.lookups();
        let mut tables = Vec::with_capacity(lookups.len());
        for lookup in &lookups {
            let highest = lookup.writable.iter().chain(&lookup.readonly).max().copied().unwrap_or(0);
            tables.push(self.table(rpc, &lookup.table, usize::from(highest)).await?);
        }
        let all = || lookups.iter().zip(&tables);
        let writable =
            all().flat_map(|(lookup, table)| lookup.writable.iter().map(move |at| table.get(usize::from(*at))));
        let readonly =
            all().flat_map(|(lookup, table)| lookup.readonly.iter().map(move |at| table.get(usize::from(*at))));
        let found: Option<Vec<Address>> = writable.chain(readonly).map(Option::<&Address>::copied).collect();
        found.ok_or_else(|| mismatch("it names accounts that are not in their lookup table"))
    }

    /// A table that has at least so many addresses; asked for when it is not known, or was shorter.
    async fn table(&self, rpc: &Rpc, address: &Address, highest: usize) -> Result<Arc<[Address]>, VenueError> {
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = kept().get(address).filter(|table| table.len() > highest) {
            return Ok(Arc::clone(table));
        }
        let data = rpc.account(&address.to_string()).await?;
        let data = data.ok_or_else(|| mismatch("it names a lookup table that is not there"))?;
        let addresses = data.get(HEAD..).unwrap_or_default().chunks_exact(32);
        let table: Arc<[Address]> = addresses.filter_map(|bytes| Address::try_from(bytes).ok()).collect();
        let mut kept = kept();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(*address, Arc::clone(&table));
        Ok(table)
    }
}
