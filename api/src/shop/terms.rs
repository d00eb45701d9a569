//! From the bytes of a shop order to content that cannot be wrong.

use std::borrow::Cow;

use domain::money::Currency;
use domain::shop::{Amendment, Content, Customer, Draft, MOST_ITEMS, Wanted};

use crate::body::Form;
use crate::deals::{discount, minor};
use crate::problem::{Problem, codes};

/// A new order as its client wants it, and all that the request says as one text.
pub(super) struct Asked {
    pub(super) content: Content,
    pub(super) external_reference: Option<String>,
    pub(super) said: String,
}

/// The order in the body of a request.
///
/// # Errors
/// Every fault of form at once, 400 or 422; then the first refusal of the rules.
pub(super) fn parse(body: &[u8]) -> Result<Asked, Problem> {
    let mut form = Form::parse(body)?;
    let customer = form.needed("customer", Form::object).and_then(|one| customer(&mut form, one));
    let currency = form.needed("currency", currency);
    let items = form.needed("items", items);
    let discount = form.object("discount").and_then(|one| discount(&mut form, one, currency));
    let stated = minor(&mut form, "total");
    let external_reference = form.text("externalReference").map(Cow::into_owned);
    let note = form.text("note").map(Cow::into_owned);
    form.finish()?;
    // All of them are there when nothing was wrong.
    let (Some(customer), Some(currency), Some(items)) = (customer, currency, items) else {
        return Err(Problem::new(codes::REFUSED, "the order is incomplete"));
    };
    let customer = customer.check()?;
    let said = (&customer, currency, &items, discount, stated, &external_reference, &note);
    let said = serde_json::to_string(&said).unwrap_or_default();
    let content = Content::new(Draft { customer, items, currency, discount, stated, note })?;
    Ok(Asked { content, external_reference, said })
}

/// What is to change of an order, and all that the request says as one text. A field that says `null` is to be there no more.
///
/// # Errors
/// As [`parse`].
pub(super) fn parse_amendment(body: &[u8]) -> Result<(Amendment, String), Problem> {
    let mut form = Form::parse(body)?;
    let (no_discount, no_note) = (form.says_none("discount"), form.says_none("note"));
    let customer = form.object("customer").and_then(|one| customer(&mut form, one));
    let currency = currency(&mut form, "currency");
    let items = items(&mut form, "items");
    // In which currency it will be is not known yet: it names none, or the one that is sent with it.
    let discount = form.object("discount").and_then(|one| discount(&mut form, one, currency));
    let stated = minor(&mut form, "total");
    let note = form.text("note").map(Cow::into_owned);
    form.finish()?;
    let customer = customer.map(Named::check).transpose()?;
    let amendment = Amendment {
        customer,
        items,
        currency,
        discount: if no_discount { Some(None) } else { discount.map(Some) },
        stated,
        note: if no_note { Some(None) } else { note.map(Some) },
    };
    let Amendment { customer, items, currency, discount, stated, note } = &amendment;
    let said = serde_json::to_string(&(customer, items, currency, discount, stated, note)).unwrap_or_default();
    Ok((amendment, said))
}

/// A customer as a client names it.
struct Named {
    name: String,
    email: String,
    phone: Option<String>,
}

impl Named {
    fn check(self) -> Result<Customer, Problem> {
        Ok(Customer::new(self.name, self.email, self.phone)?)
    }
}

fn customer(form: &mut Form<'_>, mut one: Form<'_>) -> Option<Named> {
    let name = one.needed("name", Form::text).map(Cow::into_owned);
    let email = one.needed("email", Form::text).map(Cow::into_owned);
    let phone = one.text("phone").map(Cow::into_owned);
    form.adopt(one);
    Some(Named { name: name?, email: email?, phone })
}

fn currency(form: &mut Form<'_>, name: &'static str) -> Option<Currency> {
    let code = form.text(name)?;
    let currency = Currency::parse(&code);
    currency.or_else(|| form.fault(name, codes::CURRENCY_UNKNOWN, "expected a code of ISO 4217 such as GBP"))
}

fn items(form: &mut Form<'_>, name: &'static str) -> Option<Vec<Wanted>> {
    let items = form.objects(name)?;
    if items.len() > MOST_ITEMS {
        // Not looked at one by one: an answer lists every fault.
        return form.fault(name, codes::ITEM_COUNT, "an order has 1 to 100 items");
    }
    Some(items.into_iter().filter_map(|one| item(form, one)).collect())
}

fn item(form: &mut Form<'_>, mut one: Form<'_>) -> Option<Wanted> {
    let product_id = one.needed("productId", Form::text).map(Cow::into_owned);
    let name = one.needed("name", Form::text).map(Cow::into_owned);
    let quantity = one.needed("quantity", Form::integer);
    let unit_price = one.needed("unitPrice", Form::integer);
    form.adopt(one);
    Some(Wanted { product_id: product_id?, name: name?, quantity: quantity?, unit_price: unit_price? })
}
