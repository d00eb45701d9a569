-- The journal: entities, events, jobs and keys of every line of business. Times are microseconds since 1970, UTC.

-- The row number is the number of creation, so that new rows append and lists walk the table's own order.
create table entity (
  created_seq integer primary key,
  kind text not null,
  id text not null,
  version integer not null,
  status text not null,
  owner text not null,
  body text not null,
  created_at integer not null,
  updated_at integer not null
) strict;
create unique index entity_by_id on entity (kind, id);
create index entity_by_owner on entity (kind, owner, created_seq);
-- The owner stands at the end so that a list by owner and status filters within the index.
create index entity_by_status on entity (kind, status, created_seq, owner);

create table event (
  seq integer primary key,
  kind text not null,
  id text not null,
  version integer not null,
  type text not null,
  owner text not null,
  body text not null,
  at integer not null
) strict;
create unique index event_by_entity on event (kind, id, version);
create index event_by_owner on event (owner, seq);

-- `head` is 1 for the one job of its group that may run; jobs without a group are always heads.
create table job (
  id integer primary key,
  queue text not null,
  group_id text,
  head integer not null,
  lane text,
  run_at integer not null,
  attempt integer not null,
  lease_until integer,
  lease_token integer not null,
  body text not null,
  last_error text
) strict;
create index job_by_due on job (queue, lane, run_at) where head = 1;
create index job_by_group on job (queue, group_id, head) where group_id is not null;

create table dead_job (
  id integer primary key,
  queue text not null,
  group_id text,
  lane text,
  run_at integer not null,
  attempt integer not null,
  lease_token integer not null,
  body text not null,
  last_error text,
  why text not null,
  died_at integer not null,
  parked integer not null
) strict;
create index dead_job_by_queue on dead_job (queue, id);
create index dead_job_parked on dead_job (queue, group_id) where parked = 1;

create table idempotency (
  scope text not null,
  key text not null,
  fingerprint blob,
  kind text not null,
  id text not null,
  version integer not null,
  expires_at integer,
  primary key (scope, key)
) strict, without rowid;
create index idempotency_by_expiry on idempotency (expires_at) where expires_at is not null;

-- `job` is the newest job number ever given; `beat` counts the writes that only test whether writes work.
create table journal_head (
  one integer primary key check (one = 1),
  seq integer not null,
  epoch integer not null,
  job integer not null,
  beat integer not null
) strict;

create view orders as
select
  id,
  owner as account,
  status,
  version,
  body ->> '$.side' as side,
  body ->> '$.ask.input' as input,
  body ->> '$.ask.output' as output,
  body ->> '$.ask.mode' as mode,
  body ->> '$.ask.amount' as amount_units,
  body ->> '$.inputDecimals' as input_decimals,
  body ->> '$.outputDecimals' as output_decimals,
  body ->> '$.slippageBps' as slippage_bps,
  body ->> '$.clientOrderId' as client_order_id,
  body ->> '$.attempt' as attempt,
  body ->> '$.route.quote.venue' as venue,
  body ->> '$.prepared.id' as transaction_id,
  body ->> '$.fill.amountIn' as paid_units,
  body ->> '$.fill.amountOut' as received_units,
  body ->> '$.fill.slot' as slot,
  body ->> '$.failure.code' as failure_code,
  body ->> '$.failure.message' as failure_message,
  body ->> '$.expiresAt' as expires_at,
  created_seq,
  created_at,
  updated_at
from entity
where kind = 'swap';

create view order_statuses as
select
  id as order_id,
  owner as account,
  coalesce(body ->> '$.status', substr(type, 6)) as status,
  type,
  version,
  seq,
  at
from event
where kind = 'swap';
