-- What else an entity concerns: the other account, which sees it and its events too, and what it hangs on.
alter table entity add column party text;
alter table entity add column parent text;
-- The state stands at the end so that a list filters by it within the index.
create index entity_by_party on entity (kind, party, created_seq, status) where party is not null;
create index entity_by_parent on entity (kind, parent, created_seq, status) where parent is not null;
-- Buyers look for deals among those of many sellers.
create index deal_by_owner on entity (owner, created_seq, status) where kind = 'deal';

-- The id leads, and look-ups name the kind as an expression (`kind || ''`), so that no other index can serve them: planned
-- while the table was new and unknown, they went through all of a kind by its state.
drop index entity_by_id;
create unique index entity_by_id on entity (id, kind);

-- Whom the write concerned.
alter table event add column party text;
create index event_by_party on event (party, seq) where party is not null;
-- Those whom a seller authorised see its deals and nothing else of it.
create index event_of_deal on event (owner, seq) where kind = 'deal';

-- Amounts are integers of the currency's minor units.
create view deals as
select
  id,
  owner as seller,
  status,
  version,
  body::json ->> 'name' as name,
  body::json ->> 'currency' as currency,
  json_array_length(body::json -> 'items') as items,
  (body::json ->> 'subtotal')::bigint as subtotal,
  (body::json ->> 'discountAmount')::bigint as discount_amount,
  (body::json ->> 'totalPrice')::bigint as total_price,
  body::json #>> '{reservation,buyer}' as buyer,
  body::json #>> '{reservation,bidId}' as bid_id,
  (body::json #>> '{reservation,amount}')::bigint as agreed_price,
  body::json ->> 'invoiceId' as invoice_id,
  created_seq,
  created_at,
  updated_at
from entity
where kind = 'deal';

create view bids as
select
  id,
  parent as deal_id,
  owner as buyer,
  party as seller,
  status,
  version,
  (body::json ->> 'amount')::bigint as amount,
  body::json ->> 'currency' as currency,
  body::json ->> 'expiresAt' as expires_at,
  created_seq,
  created_at,
  updated_at
from entity
where kind = 'bid';

create view invoices as
select
  id,
  owner as seller,
  (body::json ->> 'number')::bigint as number,
  party as buyer,
  parent as deal_id,
  body::json ->> 'dealName' as deal_name,
  body::json ->> 'bidId' as bid_id,
  body::json ->> 'currency' as currency,
  (body::json ->> 'total')::bigint as total,
  created_seq,
  created_at as issued_at
from entity
where kind = 'invoice';
