//! The words that fields may hold, as schemas: taken from the domain, so that the document lists what there is.

use std::borrow::Cow;

use domain::money::Currency;
use domain::{Kind, authorisation, bid, deal, key, plan, risk, shop, swap, webhook};
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, SchemaFormat, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

macro_rules! words {
    ($($(#[doc = $about:literal])+ $name:ident = $words:expr;)*) => {$(
        $(#[doc = $about])+
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let words = ObjectBuilder::new().schema_type(Type::String).enum_values(Some($words));
                words.description(Some(concat!($($about),+).trim())).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )*};
}

macro_rules! patterns {
    ($(#[doc = $about:literal] $name:ident = $pattern:literal, $example:literal;)*) => {$(
        #[doc = $about]
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some($pattern));
                text.description(Some($about.trim())).examples([$example]).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )*};
}

patterns! {
    /// The name of an account.
    AccountName = "^[A-Za-z0-9._:-]{1,64}$", "alice";
    /// An account's name, or `*` for all that have nothing of their own.
    AccountOrAll = "^([*]|[A-Za-z0-9._:-]{1,64})$", "alice";
    /// A UUID in lower case.
    EntityId = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "0199a3c4-7d21-7c6e-9f0a-3b1c5d7e9f01";
}

/// A day, which begins in UTC, or an instant.
pub(crate) struct DayOrInstant;

impl PartialSchema for DayOrInstant {
    fn schema() -> RefOr<Schema> {
        let text =
            |format| ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(format)));
        let either = AnyOfBuilder::new().item(text(KnownFormat::Date)).item(text(KnownFormat::DateTime));
        either.description(Some("A day, which begins in UTC, or an instant (RFC 3339).")).into()
    }
}

impl ToSchema for DayOrInstant {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("DayOrInstant")
    }
}

words! {
    /// Where an order is in its life. Final: `confirmed`, `failed`, `cancelled`, `expired`.
    SwapStatus = swap::Status::ALL.map(swap::Status::as_str);
    /// How long an order stands.
    SwapTimeInForce = swap::TimeInForce::ALL.map(swap::TimeInForce::as_str);
    /// Where a plan is in its life. Final: `completed`, `cancelled`.
    PlanStatus = plan::Status::ALL.map(plan::Status::as_str);
    /// Which amount of a plan's orders is fixed.
    PlanMode = ["exactIn"];
    /// Which amount is fixed: that of the input (`exactIn`) or of the output (`exactOut`).
    SwapMode = ["exactIn", "exactOut"];
    /// What the trader calls it.
    SwapSide = ["sell", "buy"];
    /// Where a deal is in its life. Final: `sold`.
    DealStatus = deal::Status::ALL.map(deal::Status::as_str);
    /// Where a shop order is in its life. Final: `COMPLETED`, `CANCELLED`.
    ShopOrderStatus = shop::Status::ALL.map(shop::Status::shown);
    /// The state that a shop order is to come to.
    ShopOrderMove = [shop::Status::Processing, shop::Status::Completed, shop::Status::Cancelled].map(shop::Status::shown);
    /// In which order a shop's orders are listed.
    ShopOrderSort = crate::shop::SORTS;
    /// How a discount is stated.
    DiscountType = ["flat", "percentage"];
    /// A currency of ISO 4217 that has amounts.
    CurrencyCode = currencies();
    /// Where a bid is in its life: in `offered` the buyer's price stands, in `countered` the seller's. Final: `declined`,
    /// `retracted`, `expired`.
    BidStatus = bid::Status::ALL.map(bid::Status::as_str);
    /// A side of a deal.
    PartySide = ["seller", "buyer"];
    /// Whether an authorisation holds.
    AuthorisationStatus = authorisation::Status::ALL.map(authorisation::Status::as_str);
    /// Whether a key is good.
    KeyStatus = key::Status::ALL.map(key::Status::as_str);
    /// What an account is to the installation.
    KeyRole = key::Role::ALL.map(key::Role::as_str);
    /// What a key may do.
    KeyScope = key::Scope::ALL.map(key::Scope::as_str);
    /// Where a webhook endpoint is in its life. Final: `deleted`.
    EndpointStatus = webhook::endpoint::Status::ALL.map(webhook::endpoint::Status::as_str);
    /// Which endpoints a list shows: deleted ones are gone.
    EndpointWanted = ["active", "disabled"];
    /// What a payload looks like: as Standard Webhooks has it, or as the recorded deals system has it.
    EndpointFormat = ["standard", "deals"];
    /// Why an endpoint is disabled: by its owner, because it answered 410, or because it failed for five days.
    EndpointReason = ["owner", "gone", "failing"];
    /// Where a delivery is in its life.
    DeliveryStatus = webhook::delivery::Status::ALL.map(webhook::delivery::Status::as_str);
    /// Where a replay is in its life: `stopped` where its endpoint was disabled or deleted meanwhile.
    ReplayStatus = webhook::replay::Status::ALL.map(webhook::replay::Status::as_str);
    /// What a queue holds: jobs of the program's own, or messages.
    QueueKind = ["jobs", "messages"];
    /// What is traded: everything, only what leads into a settlement token, or nothing new.
    TradingState = risk::State::ALL.map(risk::State::as_str);
    /// Whether limits hold.
    LimitsStatus = [risk::Status::Active, risk::Status::Removed].map(risk::Status::as_str);
    /// What an event may be about.
    EventKind = Kind::ALL.into_iter().filter(|kind| !kind.is_bookkeeping()).map(Kind::as_str);
}

/// Every code that the domain knows, by the alphabet.
fn currencies() -> Vec<&'static str> {
    let letters = || 'A'..='Z';
    let pairs = letters().flat_map(|a| letters().map(move |b| (a, b)));
    let codes = pairs.flat_map(|(a, b)| letters().map(move |c| String::from_iter([a, b, c])));
    codes.filter_map(|code| Currency::parse(&code)).map(Currency::code).collect()
}
