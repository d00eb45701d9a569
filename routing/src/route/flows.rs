//! Flows between tokens: what a search found, made to fit the limits and divided into shares.
#![expect(clippy::float_arithmetic, reason = "a search; its shares become whole amounts elsewhere")]

use crate::network::Network;
use crate::swap::Amount;

use super::equilibrium::Search;
use super::plan::Share;
use super::{Limits, Question};

/// Flows below this part of the whole trade's value are left out.
const LEAST: f64 = 2e-9;

/// Units that rounding may cost at the end of a curve.
const ROOM: f64 = 16.0;

/// Flows seen from where the amount is fixed: each goes from a near token to a far one.
pub(super) struct Flows<'a> {
    network: &'a Network,
    forward: bool,
    start: usize,
    end: usize,
    flows: Vec<Flow>,
}

struct Flow {
    edge: u32,
    near: usize,
    far: usize,
    /// Of the near token, in base units.
    units: f64,
    /// Of the far token.
    far_units: f64,
    /// Of what is received, in prices before the trade.
    value: f64,
    /// The pool gives no more, or what comes after it takes no more.
    full: bool,
}

impl<'a> Flows<'a> {
    /// What a search has found. Flows are weighed in the prices before the trade, `spot`: where pools cannot take all of it those
    /// after it say little.
    pub(super) fn new(network: &'a Network, question: &Question, search: &Search<'_>, spot: &[f64]) -> Self {
        let forward = matches!(question.amount, Amount::In(_));
        let (start, end) = if forward { (question.from, question.to) } else { (question.to, question.from) };
        #[expect(clippy::cast_precision_loss, reason = "a search")]
        let least = question.amount.units() as f64 * spot[start] * LEAST;
        let mut flows = Vec::new();
        for (edge, given) in search.flows() {
            let ends = &network.edges()[edge as usize];
            let value = given.received * spot[ends.to];
            let (near, far) = if forward { (ends.from, ends.to) } else { (ends.to, ends.from) };
            if given.paid < 1.0 || given.received < 1.0 || value < least || far == start || near == end {
                continue;
            }
            let (units, far_units) = if forward { (given.paid, given.received) } else { (given.received, given.paid) };
            let full = given.paid >= ends.curve.end() * (1.0 - 1e-9);
            // Pieces promise a little more than the program gives: what is full is filled to just below.
            let units = if full { (units * (1.0 - 2e-9) - ROOM).max(0.0) } else { units };
            flows.push(Flow { edge, near, far, units, far_units, value, full });
        }
        Self { network, forward, start, end, flows }
    }

    /// The edges that are left.
    pub(super) fn edges(&self) -> impl Iterator<Item = u32> + '_ {
        self.flows.iter().map(|flow| flow.edge)
    }

    /// Leaves out what the limits forbid, the smallest flows first, at most a third of all legs at once: then the rest wants
    /// to be balanced anew. False when nothing had to go.
    pub(super) fn restrict(&mut self, limits: &Limits) -> bool {
        let order = self.order();
        let before = self.flows.len();
        while let Some(place) = self.on_long_ways_only(&order, limits.hops) {
            self.leave_out(place);
        }
        // At least one goes at a time: of two flows a third is none.
        let aim = limits.legs.unwrap_or(usize::MAX).max(before.saturating_sub((before / 3).max(1)));
        while self.flows.len() > aim {
            self.leave_out_smallest();
        }
        while limits.paths.is_some_and(|paths| self.paths(&order) > paths) {
            self.leave_out_smallest();
        }
        self.flows.len() < before
    }

    /// Shares in an order in which every token is filled before it is spent; of one token's, those that are full come first
    /// and the largest last.
    pub(super) fn shares(&mut self) -> Vec<Share> {
        let order = self.order();
        self.choke(&order);
        let mut shares = Vec::with_capacity(self.flows.len());
        for token in order {
            let mut leaving: Vec<_> = self.flows.iter().filter(|flow| flow.near == token).collect();
            leaving.sort_by(|a, b| b.full.cmp(&a.full).then(a.value.total_cmp(&b.value)));
            for flow in leaving {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share, not an amount")]
                shares.push(Share { edge: flow.edge, weight: flow.units as u64, full: flow.full });
            }
        }
        shares
    }

    /// From the end: a token that can flow on only into what is full takes no more than that, so what flows into it is full, too.
    fn choke(&mut self, order: &[usize]) {
        for token in order.iter().rev().filter(|token| **token != self.end) {
            let leaving = self.flows.iter().filter(|flow| flow.near == *token);
            let mut takes = leaving.map(|flow| flow.full.then_some(flow.units));
            let Some(most) = takes.try_fold(0.0, |sum, units| units.map(|units| sum + units)) else { continue };
            let comes: f64 = self.flows.iter().filter(|flow| flow.far == *token).map(|flow| flow.far_units).sum();
            // A little less, so that rounding finds room.
            let share = (most * (1.0 - 1e-9) / comes).min(1.0);
            for flow in self.flows.iter_mut().filter(|flow| flow.far == *token) {
                flow.full = true;
                flow.far_units *= share;
                let curve = &self.network.edges()[flow.edge as usize].curve;
                let units = if self.forward { curve.paid_for(flow.far_units) } else { curve.out(flow.far_units) };
                flow.units = units.unwrap_or(flow.units * share);
            }
        }
    }

    /// The tokens in an order in which each comes after all that flows into it. Of what flows in a circle the smallest flow
    /// is left out.
    fn order(&mut self) -> Vec<usize> {
        loop {
            let mut entering = vec![0_usize; self.network.tokens().len()];
            for flow in &self.flows {
                entering[flow.far] += 1;
            }
            let mut order: Vec<usize> = (0..entering.len()).filter(|token| entering[*token] == 0).collect();
            let mut next = 0;
            while let Some(token) = order.get(next).copied() {
                next += 1;
                for flow in self.flows.iter().filter(|flow| flow.near == token) {
                    entering[flow.far] -= 1;
                    if entering[flow.far] == 0 {
                        order.push(flow.far);
                    }
                }
            }
            if order.len() == entering.len() {
                return order;
            }
            let circling = |flow: &Flow| entering[flow.near] > 0 && entering[flow.far] > 0;
            let Some(place) = self.smallest(circling) else { return order };
            self.leave_out(place);
        }
    }

    /// The smallest flow that lies on no way of at most `hops`.
    fn on_long_ways_only(&self, order: &[usize], hops: usize) -> Option<usize> {
        // No way is longer than there are tokens.
        let hops = hops.min(order.len());
        let far_away = order.len() + hops;
        let (mut before, mut after) = (vec![far_away; order.len()], vec![far_away; order.len()]);
        (before[self.start], after[self.end]) = (0, 0);
        for token in order {
            for flow in self.flows.iter().filter(|flow| flow.near == *token) {
                before[flow.far] = before[flow.far].min(before[*token] + 1);
            }
        }
        for token in order.iter().rev() {
            for flow in self.flows.iter().filter(|flow| flow.near == *token) {
                after[*token] = after[*token].min(after[flow.far] + 1);
            }
        }
        self.smallest(|flow| before[flow.near] + 1 + after[flow.far] > hops)
    }

    /// How many ways lead from the start to the end.
    fn paths(&self, order: &[usize]) -> usize {
        let mut ways = vec![0_usize; order.len()];
        ways[self.start] = 1;
        for token in order {
            for flow in self.flows.iter().filter(|flow| flow.near == *token) {
                ways[flow.far] = ways[flow.far].saturating_add(ways[*token]);
            }
        }
        ways[self.end]
    }

    fn smallest(&self, which: impl Fn(&Flow) -> bool) -> Option<usize> {
        let candidates = self.flows.iter().enumerate().filter(|(_, flow)| which(flow));
        candidates.min_by(|(_, a), (_, b)| a.value.total_cmp(&b.value)).map(|(place, _)| place)
    }

    fn leave_out_smallest(&mut self) {
        if let Some(place) = self.smallest(|_| true) {
            self.leave_out(place);
        }
    }

    /// Leaves a flow out, and what then comes from nowhere or leads nowhere.
    fn leave_out(&mut self, place: usize) {
        self.flows.swap_remove(place);
        loop {
            let comes = |token| token == self.start || self.flows.iter().any(|flow| flow.far == token);
            let goes = |token| token == self.end || self.flows.iter().any(|flow| flow.near == token);
            let Some(dead) = self.flows.iter().position(|flow| !comes(flow.near) || !goes(flow.far)) else { return };
            self.flows.swap_remove(dead);
        }
    }
}
