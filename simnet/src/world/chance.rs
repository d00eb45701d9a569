//! What a world's draws depend on.

use super::World;
use crate::draw::{About, Draw};
use crate::transaction::Parsed;
use crate::{Amount, Ask, Blockhash};

impl World {
    pub(super) fn blockhash_of(&self, slot: u64) -> Blockhash {
        let draw = Draw::new(self.settings.seed, About::Blockhash).on(slot);
        let mut hash = [0; 16];
        hash[..8].copy_from_slice(&draw.value().to_le_bytes());
        hash[8..].copy_from_slice(&draw.on(0).value().to_le_bytes());
        Blockhash { slot, hash }
    }

    pub(super) fn quote_draw(&self, about: About, ask: &Ask<'_>, slot: u64) -> Draw {
        let (mode, amount) = match ask.amount {
            Amount::In(amount) => (0, amount),
            Amount::Out(amount) => (1, amount),
        };
        let draw = Draw::new(self.settings.seed, about).on(slot).on_text(ask.venue.as_str());
        draw.on_text(ask.input).on_text(ask.output).on(mode).on(amount)
    }

    pub(super) fn order_draw(&self, about: About, parsed: &Parsed<'_>) -> Draw {
        Draw::new(self.settings.seed, about).on_text(parsed.swap.order).on(parsed.swap.build.into())
    }
}
