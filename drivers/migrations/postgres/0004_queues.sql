-- A job of a message queue is received rather than claimed: it is hidden by `run_at`, and has no lease and no lane. When it was
-- received first, which call received it, and how many that call did.
alter table job add column first_at bigint;
alter table job add column call text;
alter table job add column call_of integer;
create index job_by_call on job (queue, call) where call is not null;
-- Messages that were received at least once: those hidden are counted here.
create index job_received on job (queue, run_at) where first_at is not null;

-- A group's head and those behind it lie in an index each, so that no look-up can take the other one and go through a long
-- group; `run_at` comes along for those who count.
drop index job_by_group;
create index job_head on job (queue, group_id) where head and group_id is not null;
create index job_behind on job (queue, group_id, id) include (run_at) where not head;
-- A queue's jobs in the order of their numbers. Look-ups name both columns as expressions (`queue || ''`, `id + 0`), so that
-- this serves them and nothing else can, nor can they go by another index.
create index job_by_queue on job ((queue || ''), (id + 0));

-- What is left of something: stock. A name that is not there stands at 0.
create table level (
  name text primary key,
  value bigint not null check (value between 0 and 9007199254740991)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

-- A shop's orders: of one customer, by when they were taken, by what they come to.
create index shop_order_by_customer on entity ((body::json ->> 'customerKey'), created_seq) where kind = 'shop.order';
create index shop_order_by_time on entity (owner, created_at, created_seq) where kind = 'shop.order';
create index shop_order_by_total on entity (owner, ((body::json ->> 'total')::bigint), created_seq)
where kind = 'shop.order';

-- Amounts are integers of the currency's minor units. A deleted order keeps the status that it had last.
create view shop_orders as
select
  id,
  owner as shop,
  coalesce(body::json ->> 'lastStatus', upper(status)) as status,
  version,
  body::json #>> '{customer,name}' as customer_name,
  body::json #>> '{customer,email}' as customer_email,
  body::json #>> '{customer,phone}' as customer_phone,
  body::json ->> 'currency' as currency,
  json_array_length(body::json -> 'items') as items,
  (body::json ->> 'subtotal')::bigint as subtotal,
  (body::json ->> 'discountAmount')::bigint as discount_amount,
  (body::json ->> 'total')::bigint as total,
  body::json ->> 'externalReference' as external_reference,
  body::json ->> 'note' as note,
  body::json ->> 'deletedAt' as deleted_at,
  created_seq,
  created_at,
  updated_at
from entity
where kind = 'shop.order';

create view shop_order_items as
select
  entity.id as order_id,
  entity.owner as shop,
  item.position - 1 as position,
  item.value ->> 'productId' as product_id,
  item.value ->> 'name' as product_name,
  (item.value ->> 'quantity')::bigint as quantity,
  (item.value ->> 'unitPrice')::bigint as unit_price,
  coalesce((item.value ->> 'discount')::bigint, 0) as discount,
  (item.value ->> 'total')::bigint as total
from entity, json_array_elements(entity.body::json -> 'items') with ordinality as item (value, position)
where entity.kind = 'shop.order';
