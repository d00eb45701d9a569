//! Shop orders and stock: taken, changed, moved on, deleted; counted.

use std::collections::BTreeSet;

use domain::shop::stock::{self, Count, Levels, Stock};
use domain::shop::{self, Amendment, Order, Place, Status};
use domain::{Kind, Owner, Refusal, Timestamp};
use drivers::{Conflict, Fault};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Decision, Intake, IntakeError, Origin, Taken, Target};

/// How many products of an order are looked up at once.
const AT_ONCE: usize = 8;

fn no_such_order() -> IntakeError {
    IntakeError::Refused(Refusal::new("SHOP_ORDER_NOT_FOUND", "there is no such order"))
}

impl From<shop::Choice> for Decision {
    fn from(choice: shop::Choice) -> Self {
        let shop::Choice { order, change } = choice;
        Self { change, kind: Kind::ShopOrder, version: order.version, view: order.view_json(), id: order.id }
    }
}

impl From<stock::Choice> for Decision {
    fn from(choice: stock::Choice) -> Self {
        let stock::Choice { stock, change } = choice;
        Self { change, kind: Kind::Stock, version: stock.version, view: stock.view_json(), id: stock.id }
    }
}

/// What a level that would leave its bounds means to the caller; none where it is nobody's fault.
pub(super) fn level_refused(conflict: &Conflict) -> Option<Refusal> {
    let Conflict::Level { name, at } = conflict else { return None };
    let product = stock::product_of(name)?;
    Some(Refusal::at("/items", "OUT_OF_STOCK", format!("of the product {product} {at} are left")))
}

impl Intake {
    /// Takes an order of a shop's customer in; its pieces are kept for it in the same change.
    ///
    /// # Errors
    /// `OUT_OF_STOCK`, `ORDER_TOO_LARGE`, `REFERENCE_MALFORMED`, `DUPLICATE_EXTERNAL_REFERENCE`; see [`IntakeError`].
    pub async fn place_order(&self, place: Place, origin: impl Into<Origin>) -> Result<Taken, IntakeError> {
        self.take_order(place, false, origin.into()).await
    }

    /// The same of an order whose id the caller chose. Ids are of all accounts together: that another one's order has the id is
    /// refused as well, and so told; whoever does not want that leaves the id to the shop.
    ///
    /// # Errors
    /// `ORDER_EXISTS`; as [`Intake::place_order`].
    pub(crate) async fn place_named_order(
        &self,
        place: Place,
        origin: impl Into<Origin>,
    ) -> Result<Taken, IntakeError> {
        self.take_order(place, true, origin.into()).await
    }

    async fn take_order(&self, place: Place, named: bool, origin: Origin) -> Result<Taken, IntakeError> {
        let turn = place.id.clone();
        let decide = async |now| {
            // Each time anew: another command may take the id meanwhile.
            if named && self.journal.entity(Kind::ShopOrder, &place.id).await?.is_some() {
                return Err(Refusal::at("/orderId", "ORDER_EXISTS", "the id is taken").into());
            }
            let products = place.content.items().iter().map(|item| item.product_id.clone());
            let counted = self.counted(&place.shop, products.collect()).await?;
            Ok(shop::place(place.clone(), &counted, now)?.into())
        };
        let taken = self.decide(&turn, origin, decide).await?;
        if !taken.replayed {
            self.metrics.trade.order_taken();
        }
        Ok(taken)
    }

    /// Changes what a pending order says, and what is kept for it.
    ///
    /// # Errors
    /// `SHOP_ORDER_NOT_FOUND`, `STALE_VERSION`, `WRONG_STATE`, `OUT_OF_STOCK`, `ORDER_TOO_LARGE`, those of
    /// [`shop::Content::new`]; see [`IntakeError`].
    pub async fn amend_order(
        &self,
        shop: &Owner,
        target: Target<'_>,
        amendment: &Amendment,
        origin: impl Into<Origin>,
    ) -> Result<Taken, IntakeError> {
        let decide = async |now| {
            let order = self.own_order(shop, target).await?;
            let named = amendment.items.iter().flatten().map(|item| item.product_id.clone());
            let counted = self.counted(shop, named.collect()).await?;
            Ok(shop::amend(&order, amendment.clone(), &counted, now)?.into())
        };
        self.decide(target.id, origin, decide).await
    }

    /// Moves an order to another state.
    ///
    /// # Errors
    /// `SHOP_ORDER_NOT_FOUND`, `STALE_VERSION`, `WRONG_STATE`; see [`IntakeError`].
    pub async fn move_order(
        &self,
        shop: &Owner,
        target: Target<'_>,
        status: Status,
        origin: impl Into<Origin>,
    ) -> Result<Taken, IntakeError> {
        let decide = async |now| Ok(shop::move_to(&self.own_order(shop, target).await?, status, now)?.into());
        let taken = self.decide(target.id, origin, decide).await?;
        if !taken.replayed {
            self.metrics.trade.order_moved(status);
        }
        Ok(taken)
    }

    /// Deletes an order: what was kept for it goes back, its history stays.
    ///
    /// # Errors
    /// `SHOP_ORDER_NOT_FOUND`, `STALE_VERSION`; see [`IntakeError`].
    pub async fn delete_order(
        &self,
        shop: &Owner,
        target: Target<'_>,
        origin: impl Into<Origin>,
    ) -> Result<Taken, IntakeError> {
        let decide = async |now| Ok(shop::delete(&self.own_order(shop, target).await?, now).into());
        self.decide(target.id, origin, decide).await
    }

    /// Counts a product of a shop's: from then on orders take of it. What is added to must have been counted before.
    ///
    /// # Errors
    /// `STOCK_NOT_FOUND`, `STALE_VERSION`, `PRODUCT_ID_MALFORMED`, `QUANTITY_OUT_OF_RANGE`, `BELOW_RESERVED`,
    /// `OUT_OF_STOCK`; see [`IntakeError`].
    pub async fn count_stock(
        &self,
        shop: &Owner,
        (product, version): (&str, Option<u64>),
        count: Count,
        origin: impl Into<Origin>,
    ) -> Result<Taken, IntakeError> {
        let id = stock::id(shop, product);
        let decide = async |now: Timestamp| {
            let before = self.stock(&id).await?;
            let there = before.as_ref().map_or(0, |stock| stock.version);
            if before.is_none() && (matches!(count, Count::Add(_)) || version.is_some()) {
                return Err(Refusal::new("STOCK_NOT_FOUND", "the product is not counted yet").into());
            }
            Target { id: &id, version }.check(there)?;
            let levels = self.levels(shop, &[product]).await?;
            let levels = levels.first().copied().unwrap_or_default();
            Ok(stock::count(before.as_ref(), (shop, product), (levels, count), now)?.into())
        };
        self.decide(&id, origin, decide).await
    }

    /// How much a shop has of products, in their order, at most 500; nothing of those that are not counted.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn levels(&self, shop: &Owner, products: &[&str]) -> Result<Vec<Levels>, Fault> {
        let names =
            products.iter().flat_map(|product| [stock::available(shop, product), stock::reserved(shop, product)]);
        let levels = self.journal.levels(&names.collect::<Vec<_>>()).await?;
        let pairs = levels.chunks_exact(2).map(|pair| Levels { available: pair[0], reserved: pair[1] });
        Ok(pairs.collect())
    }

    /// Of these products, those that the shop counts.
    async fn counted(&self, shop: &Owner, products: BTreeSet<String>) -> Result<BTreeSet<String>, Fault> {
        let found = stream::iter(products).map(async |product| {
            let counted = self.journal.entity(Kind::Stock, &stock::id(shop, &product)).await?.is_some();
            Ok(counted.then_some(product))
        });
        let found: Vec<Option<String>> = found.buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn stock(&self, id: &str) -> Result<Option<Stock>, Fault> {
        let entity = self.journal.entity(Kind::Stock, id).await?;
        let stock = entity.as_ref().map(Stock::from_entity).transpose();
        stock.map_err(|error| Fault::Broken(format!("stock {id}: {error}")))
    }

    async fn own_order(&self, shop: &Owner, target: Target<'_>) -> Result<Order, IntakeError> {
        let entity = self.journal.entity(Kind::ShopOrder, target.id).await?.filter(|entity| entity.owner == *shop);
        let entity = entity.ok_or_else(no_such_order)?;
        let order =
            Order::from_entity(&entity).map_err(|error| Fault::Broken(format!("shop order {}: {error}", target.id)))?;
        if order.deleted_at.is_some() {
            return Err(no_such_order());
        }
        target.check(order.version)?;
        Ok(order)
    }
}
