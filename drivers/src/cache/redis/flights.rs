//! Loads under way, each shared by those who were given the same lease.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use crate::cache::Entry;

type Name = (String, String, u64);

/// Who loads what: at most one load for each key, lease and version that it must give.
#[derive(Default)]
pub(super) struct Flights(Arc<Mutex<HashMap<Name, Flight>>>);

struct Flight {
    /// When the one who loads it goes away or fails, the cell lets the next of the others load.
    cell: Arc<OnceCell<Entry>>,
    aboard: usize,
}

/// A place in a flight.
pub(super) struct Seat {
    flights: Flights,
    name: Name,
    cell: Arc<OnceCell<Entry>>,
}

impl Flights {
    pub(super) fn join(&self, key: &str, least: u64, lease: &str) -> Seat {
        let name = (key.to_owned(), lease.to_owned(), least);
        let mut flights = self.lock();
        let flight = flights.entry(name.clone()).or_insert_with(|| Flight { cell: Arc::default(), aboard: 0 });
        flight.aboard += 1;
        Seat { flights: Self(Arc::clone(&self.0)), name, cell: Arc::clone(&flight.cell) }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Flight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    pub(super) fn cell(&self) -> &OnceCell<Entry> {
        &self.cell
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut flights = self.flights.lock();
        if let Some(flight) = flights.get_mut(&self.name) {
            flight.aboard -= 1;
            if flight.aboard == 0 {
                flights.remove(&self.name);
            }
        }
    }
}
