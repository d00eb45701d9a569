//! From the bytes of a deal to terms that cannot be wrong.

use std::borrow::Cow;

use domain::deal::{Draft, Item, Price, Terms};
use domain::money::{Currency, Discount, Minor};
use engine::intake::new_id;

use crate::body::Form;
use crate::problem::{Problem, codes};
use crate::swaps::is_id;

/// The terms in the body of a request, and all that the request says as one text, without the ids that were made here.
///
/// # Errors
/// Every fault of form at once, 400 or 422; then the first refusal of the rules.
pub(super) fn parse(body: &[u8], ids: Ids) -> Result<(Terms, String), Problem> {
    let mut form = Form::parse(body)?;
    let name = form.needed("name", Form::text).map(Cow::into_owned);
    let currency = form.needed("currency", Form::text).and_then(|code| {
        let currency = Currency::parse(&code);
        currency.or_else(|| form.fault("currency", codes::CURRENCY_UNKNOWN, "expected a code of ISO 4217 such as GBP"))
    });
    let mut said = Vec::new();
    let items = form.needed("items", Form::objects).map(|items| {
        let read = items.into_iter().filter_map(|one| item(&mut form, one, ids, &mut said));
        read.collect::<Vec<Item>>()
    });
    let discount = form.object("discount").and_then(|one| discount(&mut form, one, currency));
    let stated = minor(&mut form, "totalPrice");
    form.finish()?;
    // All of them are there when nothing was wrong.
    let (Some(name), Some(currency), Some(items)) = (name, currency, items) else {
        return Err(Problem::new(codes::REFUSED, "the deal is incomplete"));
    };
    let said = serde_json::to_string(&(&name, currency, said, discount, stated)).unwrap_or_default();
    let terms = Terms::new(Draft { name, currency, items, price: Price::Computed { discount, stated } })?;
    Ok((terms, said))
}

/// Where the ids of items come from.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Ids {
    /// All are made here.
    Made,
    /// The client may name those that it knows.
    Given,
}

/// What a client said of an item: its id, if it named one, its name and price.
type Said = (Option<String>, String, Minor);

fn item(form: &mut Form<'_>, mut one: Form<'_>, ids: Ids, said: &mut Vec<Said>) -> Option<Item> {
    let id = if ids == Ids::Given { one.text("id").map(Cow::into_owned) } else { None };
    if id.as_ref().is_some_and(|id| !is_id(id)) {
        one.fault::<()>("id", codes::ITEM_ID_MALFORMED, "expected the id of an item, a UUID in lower case");
    }
    let name = one.needed("name", Form::text).map(Cow::into_owned);
    let price = one.needed("price", minor);
    if price.is_some_and(|price| price < Minor::ZERO) {
        one.fault::<()>("price", codes::PRICE_OUT_OF_RANGE, "a price is not negative");
    }
    form.adopt(one);
    let (name, price) = (name?, price?);
    said.push((id.clone(), name.clone(), price));
    Some(Item { id: id.unwrap_or_else(new_id), name, price })
}

/// What is taken off, in the currency of what it is taken off.
pub(crate) fn discount(form: &mut Form<'_>, mut one: Form<'_>, currency: Option<Currency>) -> Option<Discount> {
    let discount = match one.needed("type", Form::text).as_deref() {
        Some("flat") => {
            let amount = one.needed("amount", minor);
            let named = one.text("currency");
            if let (Some(named), Some(currency)) = (named, currency)
                && named != currency.code()
            {
                one.fault::<()>(
                    "currency",
                    codes::DISCOUNT_CURRENCY_DIFFERS,
                    "a discount is in the currency of the prices",
                );
            }
            amount.map(|amount| Discount::Flat { amount })
        }
        Some("percentage") => {
            let points = one.needed("basisPoints", Form::integer);
            points.and_then(|points| match u16::try_from(points) {
                Ok(basis_points) if basis_points <= 10_000 => Some(Discount::Percentage { basis_points }),
                _ => one.fault("basisPoints", codes::DISCOUNT_OUT_OF_RANGE, "0 to 10000 basis points"),
            })
        }
        Some(_) => one.fault("type", codes::UNKNOWN_CHOICE, "expected flat or percentage"),
        None => None,
    };
    form.adopt(one);
    discount
}

/// An amount of minor units.
pub(crate) fn minor(form: &mut Form<'_>, name: &'static str) -> Option<Minor> {
    let units = form.integer(name)?;
    let detail = "an amount has a magnitude of at most 9007199254740991 minor units";
    Minor::new(units).or_else(|| form.fault(name, codes::AMOUNT_TOO_LARGE, detail))
}
