-- A job of a message queue is received rather than claimed: it is hidden by `run_at`, and has no lease and no lane. When it was
-- received first, which call received it, and how many that call did.
alter table job add column first_at integer;
alter table job add column call text;
alter table job add column call_of integer;
create index job_by_call on job (queue, call) where call is not null;
-- Messages that were received at least once: those hidden are counted here, by what lies in the index alone.
create index job_received on job (queue, run_at, first_at) where first_at is not null;

-- `run_at` comes along for those who count a queue's messages: not one row has to be read.
drop index job_by_group;
create index job_by_group on job (queue, group_id, head, id, run_at) where group_id is not null;
-- A queue's jobs in the order of their numbers.
create index job_by_queue on job (queue);

-- What is left of something: stock. A name that is not there stands at 0.
create table level (
  name text primary key,
  value integer not null check (value between 0 and 9007199254740991)
) strict, without rowid;

-- A shop's orders: of one customer, by when they were taken, by what they come to.
create index shop_order_by_customer on entity (body ->> '$.customerKey', created_seq, status) where kind = 'shop.order';
create index shop_order_by_time on entity (owner, created_at, created_seq, status) where kind = 'shop.order';
create index shop_order_by_total on entity (owner, body ->> '$.total', created_seq, status) where kind = 'shop.order';

-- Amounts are integers of the currency's minor units. A deleted order keeps the status that it had last.
create view shop_orders as
select
  id,
  owner as shop,
  coalesce(body ->> '$.lastStatus', upper(status)) as status,
  version,
  body ->> '$.customer.name' as customer_name,
  body ->> '$.customer.email' as customer_email,
  body ->> '$.customer.phone' as customer_phone,
  body ->> '$.currency' as currency,
  json_array_length(body, '$.items') as items,
  body ->> '$.subtotal' as subtotal,
  body ->> '$.discountAmount' as discount_amount,
  body ->> '$.total' as total,
  body ->> '$.externalReference' as external_reference,
  body ->> '$.note' as note,
  body ->> '$.deletedAt' as deleted_at,
  created_seq,
  created_at,
  updated_at
from entity
where kind = 'shop.order';

create view shop_order_items as
select
  entity.id as order_id,
  entity.owner as shop,
  item.key as position,
  item.value ->> '$.productId' as product_id,
  item.value ->> '$.name' as product_name,
  item.value ->> '$.quantity' as quantity,
  item.value ->> '$.unitPrice' as unit_price,
  coalesce(item.value ->> '$.discount', 0) as discount,
  item.value ->> '$.total' as total
from entity, json_each(entity.body, '$.items') as item
where entity.kind = 'shop.order';
