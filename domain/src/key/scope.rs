//! What a key lets its holder do: scopes, and the roles that bundle them.

/// One thing that a key may allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Read swap orders, quotes and tokens.
    SwapsRead,
    /// Place and cancel swap orders.
    SwapsWrite,
    /// Read deals: one's own, and those of sellers that authorised one.
    DealsRead,
    /// Post and change one's own deals.
    DealsWrite,
    /// Read bids and invoices that one made or got.
    BidsRead,
    /// Make and answer bids.
    BidsWrite,
    /// Say which buyers see one's deals.
    BuyersManage,
    /// Read a shop's orders and stock.
    ShopRead,
    /// Take and change a shop's orders, and set its stock.
    ShopWrite,
    /// Use one's queues: make and delete them, send, receive.
    QueuesUse,
    /// Follow events.
    EventsRead,
    /// Keep webhook endpoints, and see what was delivered.
    WebhooksManage,
    /// Make and revoke keys of one's own account.
    KeysManage,
    /// Everything, on every account.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 14] = [
        Self::SwapsRead,
        Self::SwapsWrite,
        Self::DealsRead,
        Self::DealsWrite,
        Self::BidsRead,
        Self::BidsWrite,
        Self::BuyersManage,
        Self::ShopRead,
        Self::ShopWrite,
        Self::QueuesUse,
        Self::EventsRead,
        Self::WebhooksManage,
        Self::KeysManage,
        Self::Admin,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SwapsRead => "swaps:read",
            Self::SwapsWrite => "swaps:write",
            Self::DealsRead => "deals:read",
            Self::DealsWrite => "deals:write",
            Self::BidsRead => "bids:read",
            Self::BidsWrite => "bids:write",
            Self::BuyersManage => "buyers:manage",
            Self::ShopRead => "shop:read",
            Self::ShopWrite => "shop:write",
            Self::QueuesUse => "queues:use",
            Self::EventsRead => "events:read",
            Self::WebhooksManage => "webhooks:manage",
            Self::KeysManage => "keys:manage",
            Self::Admin => "admin",
        }
    }

    /// The scope of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// What an account is to the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Runs the installation; may act for every account.
    Admin,
    /// Posts deals.
    Seller,
    /// Sees the deals of sellers that authorised it, and bids for them.
    Buyer,
    /// Places swap orders.
    Trader,
    /// Takes its customers' orders, and uses queues.
    Shop,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Admin, Self::Seller, Self::Buyer, Self::Trader, Self::Shop];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Seller => "seller",
            Self::Buyer => "buyer",
            Self::Trader => "trader",
            Self::Shop => "shop",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// All that its keys may allow, which is what they do allow unless they are made with less.
    #[must_use]
    pub const fn scopes(self) -> &'static [Scope] {
        use Scope::{
            BidsRead, BidsWrite, BuyersManage, DealsRead, DealsWrite, EventsRead, KeysManage, QueuesUse, ShopRead,
            ShopWrite, SwapsRead, SwapsWrite, WebhooksManage,
        };
        match self {
            Self::Admin => &Scope::ALL,
            Self::Seller => {
                &[DealsRead, DealsWrite, BidsRead, BidsWrite, BuyersManage, EventsRead, WebhooksManage, KeysManage]
            }
            Self::Buyer => &[DealsRead, BidsRead, BidsWrite, EventsRead, WebhooksManage, KeysManage],
            Self::Trader => &[SwapsRead, SwapsWrite, EventsRead, WebhooksManage, KeysManage],
            Self::Shop => &[ShopRead, ShopWrite, QueuesUse, EventsRead, WebhooksManage, KeysManage],
        }
    }
}
