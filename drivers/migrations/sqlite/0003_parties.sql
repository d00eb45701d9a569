-- What else an entity concerns: the other account, which sees it and its events too, and what it hangs on.
alter table entity add column party text;
alter table entity add column parent text;
-- The state stands at the end so that a list filters by it within the index.
create index entity_by_party on entity (kind, party, created_seq, status) where party is not null;
create index entity_by_parent on entity (kind, parent, created_seq, status) where parent is not null;
-- Buyers look for deals among those of many sellers, by all of these.
create index deal_by_owner on entity (owner, created_seq, status, body ->> '$.currency', body ->> '$.totalPrice')
where kind = 'deal';

-- Whom the write concerned.
alter table event add column party text;
create index event_by_party on event (party, seq) where party is not null;
-- Those whom a seller authorised see its deals and nothing else of it.
create index event_of_deal on event (owner, seq) where kind = 'deal';

-- The newest number of creation ever given: the entity that has it may have been deleted.
alter table journal_head add column created integer not null default 0;
update journal_head set created = (select coalesce(max(created_seq), 0) from entity);

-- Amounts are integers of the currency's minor units.
create view deals as
select
  id,
  owner as seller,
  status,
  version,
  body ->> '$.name' as name,
  body ->> '$.currency' as currency,
  json_array_length(body, '$.items') as items,
  body ->> '$.subtotal' as subtotal,
  body ->> '$.discountAmount' as discount_amount,
  body ->> '$.totalPrice' as total_price,
  body ->> '$.reservation.buyer' as buyer,
  body ->> '$.reservation.bidId' as bid_id,
  body ->> '$.reservation.amount' as agreed_price,
  body ->> '$.invoiceId' as invoice_id,
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
  body ->> '$.amount' as amount,
  body ->> '$.currency' as currency,
  body ->> '$.expiresAt' as expires_at,
  created_seq,
  created_at,
  updated_at
from entity
where kind = 'bid';

create view invoices as
select
  id,
  owner as seller,
  body ->> '$.number' as number,
  party as buyer,
  parent as deal_id,
  body ->> '$.dealName' as deal_name,
  body ->> '$.bidId' as bid_id,
  body ->> '$.currency' as currency,
  body ->> '$.total' as total,
  created_seq,
  created_at as issued_at
from entity
where kind = 'invoice';
