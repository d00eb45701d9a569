//! Orders for one quote, which their trader signed at its venue: nobody else is asked, and no other quote takes its place.

use domain::swap::{Answer, Failure, Swap, Verdict, choose};

use crate::work::Worker;

impl Worker {
    /// The answers to an order and the best of them: of all venues, or the one quote that it is for.
    pub(crate) async fn choose(&self, swap: &Swap) -> (Vec<Answer>, Option<Verdict>) {
        if let Some(quote) = swap.firm.as_deref() {
            let answer = Answer { venue: quote.venue.clone(), result: Ok(quote.clone()), millis: 0 };
            let reason = format!("the trader signed this quote of {}", quote.venue);
            return (vec![answer], Some(Verdict { index: 0, reason }));
        }
        let answers = self.router.quote(&swap.inquiry()).await;
        let verdict = choose(swap, &answers);
        (answers, verdict)
    }
}

/// Why it fails when its bytes can no longer be executed.
pub(crate) fn expired() -> Failure {
    let message = "the signed quote's deadline passed before it was filled";
    Failure { code: "QUOTE_EXPIRED".to_owned(), message: message.to_owned() }
}
