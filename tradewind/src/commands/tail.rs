//! `tradewind tail`: events as they are committed, a line each.

use super::line;
use crate::client::{Client, Event, Order, Watch};
use crate::config::{Remote, Tail};
use crate::serve::Signals;

/// Follows until Ctrl-C, or the wanted number of events.
pub(crate) async fn run(settings: Tail) -> anyhow::Result<u8> {
    let mut signals = Signals::listen()?;
    let remote = Remote { key: settings.holder.or(settings.remote.key), ..settings.remote };
    let client = Client::new(&remote)?;
    let watch = Watch { after: settings.after, kinds: settings.kind, ids: settings.id };
    let mut events = client.events(watch).await?;
    let mut left = settings.count.unwrap_or(u64::MAX);
    while left > 0 {
        let (event, text) = tokio::select! {
            event = events.next() => event?,
            () = signals.next() => break,
        };
        if remote.json { line(text) } else { line(shown(&event)) }?;
        left -= 1;
    }
    Ok(0)
}

fn shown(event: &Event) -> String {
    let remark = serde_json::from_value::<Order>(event.data.clone()).map(|order| order.remark()).unwrap_or_default();
    let Event { seq, id, version, type_, at, .. } = event;
    format!("{seq:<10} {at}  {type_:<16} {id} v{version}  {remark}").trim_end().to_owned()
}
