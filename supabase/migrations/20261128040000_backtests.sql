-- Jobs. What their owner may see is in backtests and its children; the queue, the data they run on and where they stand
-- belong to the service.

-- key counts jobs in their order. last_event is the number of the latest event, and events up to dropped_event are no
-- longer retained. run_seconds is the time in all attempts, stage is [label, index, count] of the strategy simulated.
create table absfin.backtests (
  key           bigint generated always as identity primary key,
  owner         text not null,
  id            text collate "C" not null,
  request_id    text,
  label         text not null,
  state         text not null default 'QUEUED'
                check (state in ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  epoch         text not null,
  fingerprint   text not null,
  cost_estimate double precision not null,
  run_seconds   double precision not null default 0,
  attempts      integer not null default 0,
  crashes       integer not null default 0,
  fraction      double precision not null default 0,
  day           integer,
  wealth        double precision,
  stage         jsonb,
  last_event    integer not null default 0,
  dropped_event integer not null default 0,
  created_time  timestamptz not null default clock_timestamp(),
  finished_time timestamptz,
  unique (owner, id),
  unique (owner, request_id)
);
-- In the order of lists.
create index backtests_in_order on absfin.backtests (created_time, id, key);
create index backtests_of_owner on absfin.backtests (owner, created_time, id, key);
create index backtests_by_state on absfin.backtests (owner, state, created_time, id, key);
create index backtests_by_label on absfin.backtests (owner, label, created_time, id, key);
create index backtests_finished on absfin.backtests (finished_time) where finished_time is not null;

-- What happened to a job. Numbers count from 1 and are never used twice.
create table absfin.backtest_events (
  backtest_key   bigint not null references absfin.backtests (key) on delete cascade,
  number         integer not null,
  event_time     timestamptz not null,
  kind           text not null,
  message        text not null,
  day            integer,
  reason         text not null,
  stage          jsonb,
  benefit_annual double precision,
  cost_annual    double precision,
  primary key (backtest_key, number)
);

-- How a job ended: its result, or why there is none. `write` names the call that stored it.
create table absfin.backtest_results (
  backtest_key bigint primary key references absfin.backtests (key) on delete cascade,
  write        uuid,
  first_event  integer not null,
  result       bytea,
  error        bytea
);

-- The record of each strategy of a job that has succeeded, in pieces of some megabytes. They are sent before the job
-- ends: those of another attempt than the one that ended it go with the end.
create table absfin.backtest_series (
  backtest_key bigint not null references absfin.backtests (key) on delete cascade,
  attempt      integer not null,
  position     integer not null,
  number       integer not null,
  label        text not null,
  data         bytea not null,
  primary key (backtest_key, attempt, position, number)
);

-- What a job was asked for. inputs and actions are JSON of the server, whose order counts; body is a hash of the request.
create table absfin.backtest_requests (
  backtest_key bigint primary key references absfin.backtests (key) on delete cascade,
  caller       text not null,
  body         bytea not null,
  inputs       text not null,
  actions      text not null,
  request      bytea not null
);

-- Jobs that are not over. A job belongs to the worker that claimed it until lease_time passes and another one claims it;
-- attempt fences off those that had it before. run_seconds is counted up to counted_time; a job waits since queued_time,
-- and yielded says that it waits because it made room for others. last_write names the latest call that changed the job,
-- so that the same call again changes nothing, and last_write_event is the number of the latest event before it.
create table absfin.backtest_queue (
  backtest_key     bigint primary key references absfin.backtests (key) on delete cascade,
  caller           text not null,
  expected_seconds double precision not null,
  queued_time      timestamptz not null default clock_timestamp(),
  yielded          boolean not null default false,
  worker           text,
  attempt          integer not null default 0,
  lease_time       timestamptz,
  counted_time     timestamptz,
  last_write       uuid,
  last_write_event integer not null default 0
);
create index backtest_queue_waiting on absfin.backtest_queue (caller, queued_time, expected_seconds, backtest_key)
  where worker is null;
create index backtest_queue_running on absfin.backtest_queue (worker) where worker is not null;

-- Where a running job stands, and the parts of its output up to there.
create table absfin.backtest_checkpoints (
  backtest_key bigint primary key references absfin.backtests (key) on delete cascade,
  data         bytea not null
);

create table absfin.backtest_parts (
  backtest_key bigint not null references absfin.backtests (key) on delete cascade,
  number       integer not null,
  data         bytea not null,
  primary key (backtest_key, number)
);

-- Data that jobs run on, each once whatever the number of jobs, named by its content: int32 days, then float64 values row
-- by row, little-endian. It comes in pieces and can be used once it has them all.
create table absfin.backtest_inputs (
  fingerprint  text primary key,
  symbols      text not null,
  pieces       integer not null,
  complete     boolean not null default false,
  touched_time timestamptz not null default clock_timestamp()
);

create table absfin.backtest_input_pieces (
  fingerprint text not null references absfin.backtest_inputs (fingerprint) on delete cascade,
  number      integer not null,
  data        bytea not null,
  primary key (fingerprint, number)
);

create table absfin.backtest_input_uses (
  backtest_key bigint not null references absfin.backtests (key) on delete cascade,
  fingerprint  text not null references absfin.backtest_inputs (fingerprint),
  primary key (backtest_key, fingerprint)
);
create index backtest_input_uses_by_fingerprint on absfin.backtest_input_uses (fingerprint);

-- Decisions of services outside, by the field path of their strategy: whoever goes on with a job does not ask again. A
-- decision that failed has a reason and no weights. weights are JSON of the server, whose order counts.
create table absfin.backtest_decisions (
  backtest_key bigint not null references absfin.backtests (key) on delete cascade,
  path         text not null,
  day          integer not null,
  weights      text not null,
  reason       text not null,
  message      text not null,
  primary key (backtest_key, path, day)
);

-- Numbers in bytes do not compress well, and pieces are read whole.
alter table absfin.backtest_series alter column data set storage external;
alter table absfin.backtest_input_pieces alter column data set storage external;
alter table absfin.backtest_parts alter column data set storage external;
alter table absfin.backtest_checkpoints alter column data set storage external;

alter table absfin.backtests enable row level security;
alter table absfin.backtest_events enable row level security;
alter table absfin.backtest_results enable row level security;
alter table absfin.backtest_series enable row level security;
alter table absfin.backtest_requests enable row level security;
alter table absfin.backtest_queue enable row level security;
alter table absfin.backtest_checkpoints enable row level security;
alter table absfin.backtest_parts enable row level security;
alter table absfin.backtest_inputs enable row level security;
alter table absfin.backtest_input_pieces enable row level security;
alter table absfin.backtest_input_uses enable row level security;
alter table absfin.backtest_decisions enable row level security;

create policy backtests_of_owner on absfin.backtests for select to authenticated
  using (owner = 'users/' || (select auth.uid())::text);
-- Rows of these tables can be seen where their job can be.
create policy backtest_events_of_owner on absfin.backtest_events for select to authenticated
  using (exists (select from absfin.backtests b where b.key = backtest_key
                 and b.owner = 'users/' || (select auth.uid())::text));
create policy backtest_results_of_owner on absfin.backtest_results for select to authenticated
  using (exists (select from absfin.backtests b where b.key = backtest_key
                 and b.owner = 'users/' || (select auth.uid())::text));
-- What is sent of a job that is not over does not count yet.
create policy backtest_series_of_owner on absfin.backtest_series for select to authenticated
  using (exists (select from absfin.backtests b where b.key = backtest_key and b.state = 'SUCCEEDED'
                 and b.owner = 'users/' || (select auth.uid())::text));

grant select on absfin.backtests, absfin.backtest_events, absfin.backtest_results, absfin.backtest_series
  to authenticated;

select absfin.complete_migration('20261128040000');
