//! Which lists there are as CSV, each with its columns: the fields of the views in the order in which people read them.

/// The columns of the list at a route, if it is one.
#[rustfmt::skip]
pub(crate) fn of(route: &str) -> Option<&'static [&'static str]> {
    Some(match route {
        "/v1/swaps" | "/v1/plans/{id}/swaps" => SWAPS,
        "/v1/plans" => &[
            "id", "version", "status", "account", "inputToken", "outputToken", "side", "amount", "total", "slices", "turns", "skipped",
            "everySeconds", "slippageBps", "limitPrice", "maxPriceImpactBps", "clientOrderId", "nextAt", "refusal.slice",
            "refusal.code", "refusal.message", "createdAt", "updatedAt",
        ],
        "/v1/deals" => &[
            "id", "version", "status", "sellerId", "name", "currency", "subtotal", "discountAmount", "totalPrice", "invoiceId",
            "createdAt", "updatedAt", "items",
        ],
        "/v1/bids" | "/v1/deals/{id}/bids" => BIDS,
        "/v1/invoices" => &[
            "id", "number", "status", "sellerId", "buyerId", "dealId", "dealName", "bidId", "currency", "total", "issuedAt", "lines",
        ],
        "/v1/sellers/{id}/buyers" => &["id", "version", "status", "sellerId", "buyerId", "createdAt", "updatedAt"],
        "/v1/shop/orders" => &[
            "id", "version", "status", "customer.name", "customer.email", "customer.phone", "currency", "subtotal",
            "discountAmount", "total", "externalReference", "note", "deletedAt", "createdAt", "updatedAt", "items",
        ],
        "/v1/shop/stock" => &[
            "productId", "available", "reserved", "onHand", "adjustment", "version", "createdAt", "updatedAt",
        ],
        "/v1/webhooks/endpoints" => &["id", "version", "status", "url", "description", "format", "reason", "createdAt", "updatedAt", "patterns"],
        "/v1/webhooks/deliveries" => &[
            "id", "version", "status", "endpointId", "eventType", "entityKind", "entityId", "reason", "nextAttemptAt", "createdAt",
            "updatedAt", "attempts",
        ],
        "/v1/keys" => &["id", "version", "status", "account", "role", "name", "env", "last4", "expiresAt", "lastUsedAt", "createdBy", "createdAt", "updatedAt", "scopes"],
        _ => return None,
    })
}

#[rustfmt::skip]
const SWAPS: &[&str] = &[
    "id", "version", "status", "account", "inputToken", "outputToken", "mode", "side", "amount", "slippageBps", "limitPrice",
    "timeInForce", "clientOrderId", "planId", "attempt", "route.venue", "transaction.id", "fill.amountIn", "fill.amountOut",
    "failure.code", "failure.message", "expiresAt", "createdAt", "updatedAt",
];

const BIDS: &[&str] = &[
    "id",
    "version",
    "status",
    "dealId",
    "buyerId",
    "sellerId",
    "amount",
    "currency",
    "expiresAt",
    "createdAt",
    "updatedAt",
];

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::routes;

    /// What a reference leads to, an optional one's too.
    fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
        let choices = schema["oneOf"].as_array().into_iter().flatten().chain([schema]);
        let to = choices.into_iter().find_map(|one| one["$ref"].as_str()?.strip_prefix('#'));
        to.map_or(schema, |to| document.pointer(to).expect("what is referred to"))
    }

    #[test]
    fn every_list_has_columns_that_its_views_have() {
        let document: Value = serde_json::from_str(&crate::openapi::openapi()).expect("JSON");
        let mut lists = 0;
        for route in routes::native() {
            let operation = &document["paths"][route.path]["get"];
            let body = &operation["responses"]["200"]["content"];
            let page = resolved(&document, &body["application/json"]["schema"]);
            let is_list = page["properties"]["nextCursor"].is_object()
                && route.path.starts_with("/v1/")
                && !route.path.starts_with("/v1/admin/");
            let Some(columns) = super::of(route.path) else {
                assert!(!is_list, "{} has no columns", route.path);
                continue;
            };
            lists += 1;
            assert!(body["text/csv"]["schema"].is_object(), "{}", route.path);
            let view = resolved(&document, &page["properties"]["data"]["items"]);
            for column in columns {
                let mut schema = view;
                for name in column.split('.') {
                    schema = resolved(&document, &schema["properties"][name]);
                }
                assert!(schema.is_object(), "{}: {column}", route.path);
            }
        }
        assert_eq!(lists, 13);
    }
}
