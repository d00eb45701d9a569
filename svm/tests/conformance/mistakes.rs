//! What is wrong with a transaction that was right.

use simnet::bank::program;
use solana::program::{system, token};
use solana::{Address, Instruction, Meta};

use crate::draw::Draw;
use crate::scene::{Draft, Scene, WALLETS};

type Mistake = (&'static str, fn(&Scene, &mut Draft, &mut Draw));

const MISTAKES: [Mistake; 14] = [
    ("tampered signature", |_, draft, _| draft.tampered = true),
    ("payer with one fee", |_, draft, _| draft.payer = WALLETS.into()),
    ("payer with nothing", |_, draft, _| draft.payer = usize::from(WALLETS) + 1),
    ("payer is another", |_, draft, draw| draft.payer = draw.place(WALLETS.into())),
    ("account of another mint", |scene, draft, draw| {
        let (wallet, mint) = (&scene.wallets[draft.payer], *draw.of(&scene.mints));
        replace(scene, draft, draw, wallet.account(&mint));
    }),
    ("account of another wallet", |scene, draft, draw| {
        let (wallet, mint) = (draw.of(&scene.wallets), *draw.of(&scene.mints));
        replace(scene, draft, draw, wallet.account(&mint));
    }),
    ("account that is none", |scene, draft, draw| {
        let unknown = *draw.of(&[[254; 32].into(), scene.wallets[draft.payer].address, scene.mints[0]]);
        replace(scene, draft, draw, unknown);
    }),
    ("account that cannot be changed", |_, draft, draw| {
        if let Some(meta) = account(draft, draw) {
            meta.writable = false;
        }
    }),
    ("account that does not sign", |_, draft, _| {
        let signers = draft.instructions.iter_mut().flat_map(|instruction| &mut instruction.accounts);
        signers.for_each(|meta| meta.signer = false);
    }),
    ("account too few", |_, draft, draw| {
        let swap = swap(draft, draw);
        let place = draw.place(swap.accounts.len().max(1));
        if place < swap.accounts.len() {
            swap.accounts.remove(place);
        }
    }),
    // Of other programs there are more instructions than swaps need.
    ("other bytes", |_, draft, draw| {
        let swap = swap(draft, draw);
        if !program::PROGRAMS.contains(&swap.program) {
            return;
        }
        let place = draw.place(swap.data.len().max(1));
        if let Some(byte) = swap.data.get_mut(place) {
            *byte ^= 1 << draw.below(8);
        }
    }),
    ("byte too few", |_, draft, draw| {
        swap(draft, draw).data.pop();
    }),
    ("Token-2022 instead of SPL Token", |_, draft, _| {
        let instructions = draft.instructions.iter_mut().filter(|instruction| instruction.program == token::ID);
        instructions.for_each(|instruction| instruction.program = token::ID_2022);
    }),
    ("unknown program", |_, draft, draw| {
        let place = draw.place(draft.instructions.len() + 1);
        let stranger = Instruction { program: [249; 32].into(), accounts: Vec::new(), data: vec![1] };
        draft.instructions.insert(place, stranger);
    }),
];

/// Makes one of them.
pub(crate) fn make(scene: &Scene, draft: &mut Draft, draw: &mut Draw) {
    let (name, mistake) = draw.of(&MISTAKES);
    mistake(scene, draft, draw);
    draft.mistake = Some(name);
}

/// The instruction of a pool program; another where there is none.
fn swap<'a>(draft: &'a mut Draft, draw: &mut Draw) -> &'a mut Instruction {
    let is_swap = |instruction: &Instruction| program::PROGRAMS.contains(&instruction.program);
    let place = draft.instructions.iter().position(is_swap);
    let place = place.unwrap_or_else(|| draw.place(draft.instructions.len()));
    &mut draft.instructions[place]
}

/// An account that is no wallet's, no program's and no mint's: one of tokens.
fn account<'a>(draft: &'a mut Draft, draw: &mut Draw) -> Option<&'a mut Meta> {
    let instruction = swap(draft, draw);
    let mut changed: Vec<_> = instruction.accounts.iter_mut().filter(|meta| meta.writable && !meta.signer).collect();
    let place = draw.place(changed.len().max(1));
    (place < changed.len()).then(|| changed.swap_remove(place))
}

/// Puts an address in the place of another wherever an instruction names that.
fn replace(_scene: &Scene, draft: &mut Draft, draw: &mut Draw, by: Address) {
    let Some(named) = account(draft, draw).and_then(|meta| meta.key) else { return };
    if [system::ID, token::ID].contains(&named) {
        return;
    }
    let one = draw.once_in(2);
    let mut metas = swap(draft, draw).accounts.iter_mut().filter(|meta| meta.key == Some(named));
    if one {
        if let Some(meta) = metas.next() {
            meta.key = Some(by);
        }
    } else {
        metas.for_each(|meta| meta.key = Some(by));
    }
}
