//! The thread that begins every server: the kernel ends a child with the thread that began it, not with the process.

use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};

struct Order {
    command: Command,
    answer: SyncSender<std::io::Result<Child>>,
}

/// Begins `command` from a thread that lives as long as the process.
pub(crate) fn spawn(command: Command) -> std::io::Result<Child> {
    static KEEPER: OnceLock<SyncSender<Order>> = OnceLock::new();
    let keeper = KEEPER.get_or_init(|| {
        let (sender, orders) = sync_channel::<Order>(16);
        std::thread::spawn(move || {
            for mut order in orders {
                // An asker who has gone leaves a child that nobody waits for; it ends with the process.
                let _ = order.answer.send(order.command.spawn());
            }
        });
        sender
    });
    let gone = || std::io::Error::other("the thread that starts servers has gone");
    let (answer, answers) = sync_channel(1);
    keeper.send(Order { command, answer }).map_err(|_| gone())?;
    answers.recv().map_err(|_| gone())?
}
