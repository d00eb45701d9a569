//! Which order has which transaction: no two orders share one.

use std::collections::{HashMap, VecDeque};

use crate::venue::Order;

/// Signatures that are remembered, so that no two orders share a transaction.
const REMEMBERED: usize = 8_192;

/// Which order has which transaction: those signed last.
#[derive(Default)]
pub(super) struct Signed {
    orders: HashMap<String, (String, u32)>,
    ids: VecDeque<String>,
}

impl Signed {
    /// Whether the transaction is this order's alone, which it is from now on.
    pub(super) fn note(&mut self, id: &str, order: &Order) -> bool {
        let whose = (order.id.clone(), order.attempt);
        if let Some(known) = self.orders.get(id) {
            return *known == whose;
        }
        if self.ids.len() == REMEMBERED
            && let Some(oldest) = self.ids.pop_front()
        {
            self.orders.remove(&oldest);
        }
        self.ids.push_back(id.to_owned());
        self.orders.insert(id.to_owned(), whose);
        true
    }
}
