//! The same transactions through both banks: whatever they say, and whatever they leave, is the same to the byte.

mod draw;
mod mistakes;
mod moves;
mod scene;
mod trades;

use std::collections::BTreeMap;

use self::draw::Draw;
use self::scene::{Draft, Scene};

const TRANSACTIONS: usize = 2_000;

/// Drafts a transaction as things stand.
type Kind = fn(&Scene, &mut Draw) -> Draft;

/// How often each is drawn.
const KINDS: [(u64, Kind); 3] = [(5, trades::draft), (3, moves::draft), (1, several)];

/// Two others in one transaction.
fn several(scene: &Scene, draw: &mut Draw) -> Draft {
    let mut first = trades::draft(scene, draw);
    let second = if draw.once_in(2) { trades::draft(scene, draw) } else { moves::draft(scene, draw) };
    first.instructions.extend(second.instructions);
    Draft { kind: "several", ..first }
}

fn drawn(scene: &Scene, draw: &mut Draw) -> Draft {
    let mut left = draw.below(KINDS.iter().map(|(share, _)| share).sum());
    for (share, kind) in KINDS {
        if left < share {
            return kind(scene, draw);
        }
        left -= share;
    }
    unreachable!("shares add up")
}

#[test]
fn both_banks_agree_to_the_byte() {
    let mut draw = Draw::new(6);
    let mut scene = Scene::new();
    let mut counts: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    let mut done = 0;
    while done < TRANSACTIONS {
        let mut draft = drawn(&scene, &mut draw);
        if draw.once_in(3) {
            mistakes::make(&scene, &mut draft, &mut draw);
        }
        if draw.once_in(3) {
            scene.next_slot();
        }
        // What does not fit into a packet is drawn again.
        let Some(succeeded) = scene.execute(&draft) else { continue };
        let names = [Some(draft.kind), draft.mistake].into_iter().flatten();
        names.for_each(|name| counts.entry(name).or_default()[usize::from(succeeded)] += 1);
        done += 1;
    }
    scene.compare_everything();
    for (name, [failed, succeeded]) in &counts {
        println!("{name:32} {:5} of which {succeeded:5} succeed", failed + succeeded);
    }
    let differences = scene.differences.len();
    assert!(scene.differences.is_empty(), "{differences} differences:\n{}", scene.differences.join("\n"));
    let [failed, succeeded] = counts.values().fold([0; 2], |[a, b], [c, d]| [a + c, b + d]);
    assert!(failed > TRANSACTIONS / 5 && succeeded > TRANSACTIONS / 5, "{failed} fail, {succeeded} succeed");
}
