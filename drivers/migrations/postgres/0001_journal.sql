-- The journal: entities, events, jobs and keys of every line of business. Times are microseconds since 1970, UTC.
-- The twin of the SQLite schema of the same name; where they differ, a comment says why.

create table entity (
  created_seq bigint primary key,
  kind text not null,
  id text not null,
  version bigint not null,
  status text not null,
  owner text not null,
  body text not null,
  created_at bigint not null,
  updated_at bigint not null
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
create unique index entity_by_id on entity (kind, id);
create index entity_by_owner on entity (kind, owner, created_seq);
create index entity_by_status on entity (kind, status, created_seq, owner);

create table event (
  seq bigint primary key,
  kind text not null,
  id text not null,
  version bigint not null,
  type text not null,
  owner text not null,
  body text not null,
  at bigint not null
);
create unique index event_by_entity on event (kind, id, version);
create index event_by_owner on event (owner, seq);

-- `head` is true for the one job of its group that may run; jobs without a group are always heads. The common lane has
-- the name ''. `lease_until` is by the database's clock; `holder` is the node that has the lease, which holds an advisory
-- lock of that number while it lives.
create table job (
  id bigint primary key,
  queue text not null,
  group_id text,
  head boolean not null,
  lane text not null,
  run_at bigint not null,
  attempt integer not null,
  lease_until bigint,
  lease_token bigint not null,
  holder integer,
  body text not null,
  last_error text
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
-- Jobs that are out leave the index, so that a claim passes over none of them.
create index job_by_due on job (queue, lane, run_at, id) where head and lease_until is null;
create index job_by_lease on job (lease_until) where lease_until is not null;
create index job_out_by_lane on job (queue, lane) where lease_until is not null and lane <> '';
create index job_by_group on job (queue, group_id, id) where group_id is not null;

create table dead_job (
  id bigint primary key,
  queue text not null,
  group_id text,
  lane text not null,
  run_at bigint not null,
  attempt integer not null,
  lease_token bigint not null,
  body text not null,
  last_error text,
  why text not null,
  died_at bigint not null,
  parked boolean not null
);
create index dead_job_by_queue on dead_job (queue, id);
create index dead_job_parked on dead_job (queue, group_id) where parked;

create table idempotency (
  scope text not null,
  key text not null,
  fingerprint bytea,
  kind text not null,
  id text not null,
  version bigint not null,
  expires_at bigint,
  primary key (scope, key)
) with (autovacuum_vacuum_scale_factor = 0.05);
create index idempotency_by_expiry on idempotency (expires_at) where expires_at is not null;

-- Whoever writes locks this row first: that makes batches serial over the cluster, and `seq` gap-free in commit order.
-- `job` and `created` are the newest numbers ever given; `beat` counts the writes that only test whether writes work.
-- `system` and `database` say where the row was written: a copy restored elsewhere is another history.
create table journal_head (
  one integer primary key check (one = 1),
  seq bigint not null,
  epoch bigint not null,
  job bigint not null,
  created bigint not null,
  beat bigint not null,
  system bigint not null,
  database bigint not null
) with (fillfactor = 10, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 0);

create view orders as
select
  id,
  owner as account,
  status,
  version,
  body::json ->> 'side' as side,
  body::json #>> '{ask,input}' as input,
  body::json #>> '{ask,output}' as output,
  body::json #>> '{ask,mode}' as mode,
  body::json #>> '{ask,amount}' as amount_units,
  body::json ->> 'inputDecimals' as input_decimals,
  body::json ->> 'outputDecimals' as output_decimals,
  body::json ->> 'slippageBps' as slippage_bps,
  body::json ->> 'clientOrderId' as client_order_id,
  body::json ->> 'attempt' as attempt,
  body::json #>> '{route,quote,venue}' as venue,
  body::json #>> '{prepared,id}' as transaction_id,
  body::json #>> '{fill,amountIn}' as paid_units,
  body::json #>> '{fill,amountOut}' as received_units,
  body::json #>> '{fill,slot}' as slot,
  body::json #>> '{failure,code}' as failure_code,
  body::json #>> '{failure,message}' as failure_message,
  body::json ->> 'expiresAt' as expires_at,
  created_seq,
  created_at,
  updated_at
from entity
where kind = 'swap';

create view order_statuses as
select
  id as order_id,
  owner as account,
  coalesce(body::json ->> 'status', substr(type, 6)) as status,
  type,
  version,
  seq,
  at
from event
where kind = 'swap';
