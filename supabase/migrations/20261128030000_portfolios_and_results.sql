-- Portfolios, their recorded fills, and stored results. Everything here has an owner, the id of the principal that made
-- it; ids and request ids are unique for each owner. Ids sort as bytes ("C"), as the embedded store sorts them.

create table absfin.portfolios (
  key        bigint generated always as identity primary key,
  owner      text collate "C" not null,
  id         text collate "C" not null,
  request_id text collate "C",
  body       bytea not null,      -- hash of the request without its id
  payload    bytea not null,      -- the portfolio as a converter writes it
  revision   bigint not null default 1,
  created    timestamptz not null default clock_timestamp(),
  updated    timestamptz not null default clock_timestamp(),
  unique (owner, id),
  unique (owner, request_id)
);

-- The content is the fill as it was sent, the outcome its gains as a converter writes them; days count from 1970-01-01.
-- A fill is open while a purchase may still disallow a part of its loss.
create table absfin.fills (
  key          bigint generated always as identity primary key,
  portfolio    bigint not null references absfin.portfolios (key) on delete cascade,
  fill_id      text collate "C" not null,
  symbol       text collate "C" not null,
  day          integer not null,
  reallocation text collate "C" not null,  -- id of its plan; empty for none
  is_open      boolean not null,
  content      bytea not null,
  outcome      bytea not null,
  unique (portfolio, fill_id)
);
create index fills_by_symbol on absfin.fills (portfolio, symbol, day);
create index fills_by_reallocation on absfin.fills (portfolio, reallocation) where reallocation <> '';
create index fills_open on absfin.fills (portfolio, symbol) where is_open;

-- Purchases that disallow a loss of a sale.
create table absfin.disallowed_losses (
  fill         bigint not null references absfin.fills (key) on delete cascade,
  sold_fill_id text collate "C" not null,
  primary key (fill, sold_fill_id)
);

create table absfin.optimizations (
  key               bigint generated always as identity primary key,
  owner             text collate "C" not null,
  id                text collate "C" not null,
  request_id        text collate "C",
  body              bytea not null,
  input_fingerprint text collate "C" not null,
  subject           text collate "C" not null,
  label             text collate "C" not null,
  created           timestamptz not null default clock_timestamp(),
  summary           bytea not null,  -- what a list shows; without one a list reads the payload
  payload           bytea not null,
  unique (owner, id),
  unique (owner, request_id)
);

-- They are superseded by a later one of the same portfolio, or by a change of it: then superseded_by is empty. `fills` is
-- 'PARTLY' or 'ALL' where trades are recorded as filled.
create table absfin.reallocations (
  key               bigint generated always as identity primary key,
  owner             text collate "C" not null,
  id                text collate "C" not null,
  request_id        text collate "C",
  body              bytea not null,
  input_fingerprint text collate "C" not null,
  subject           text collate "C" not null,  -- id of the portfolio; empty for none that is stored
  label             text collate "C" not null,
  created           timestamptz not null default clock_timestamp(),
  superseded        timestamptz,
  superseded_by     text collate "C" not null default '',
  fills             text collate "C" not null default '' check (fills in ('', 'PARTLY', 'ALL')),
  summary           bytea not null,
  payload           bytea not null,
  unique (owner, id),
  unique (owner, request_id)
);
create index reallocations_open on absfin.reallocations (owner, subject) where superseded is null and fills <> 'ALL';

do $$
declare
  v_table text;
begin
  foreach v_table in array array['optimizations', 'reallocations'] loop
    execute format('create index %1$s_by_owner on absfin.%1$I (owner, created, id)', v_table);
    execute format('create index %1$s_by_subject on absfin.%1$I (owner, subject, created, id) '
                   'where subject <> ''''', v_table);
    execute format('create index %1$s_by_label on absfin.%1$I (owner, label, created, id) '
                   'where label <> ''''', v_table);
    execute format('create index %1$s_by_time on absfin.%1$I (created, id, key)', v_table);
  end loop;
end
$$;

-- Writes that were done, by the token of the call: a call that is sent again, because its answer was lost, writes nothing
-- twice and gets the same answer. They are deleted after an hour.
create table absfin.recorded_writes (
  token   uuid primary key,
  written timestamptz not null default clock_timestamp(),
  answer  jsonb not null
);
create index recorded_writes_by_time on absfin.recorded_writes (written);

alter table absfin.portfolios enable row level security;
alter table absfin.fills enable row level security;
alter table absfin.disallowed_losses enable row level security;
alter table absfin.optimizations enable row level security;
alter table absfin.reallocations enable row level security;
alter table absfin.recorded_writes enable row level security;

create policy owner_reads on absfin.portfolios for select to authenticated
  using (owner = 'users/' || (select auth.uid())::text);
create policy owner_reads on absfin.optimizations for select to authenticated
  using (owner = 'users/' || (select auth.uid())::text);
create policy owner_reads on absfin.reallocations for select to authenticated
  using (owner = 'users/' || (select auth.uid())::text);
create policy owner_reads on absfin.fills for select to authenticated
  using (exists (select 1 from absfin.portfolios p
                 where p.key = fills.portfolio and p.owner = 'users/' || (select auth.uid())::text));
create policy owner_reads on absfin.disallowed_losses for select to authenticated
  using (exists (select 1 from absfin.fills f join absfin.portfolios p on p.key = f.portfolio
                 where f.key = disallowed_losses.fill and p.owner = 'users/' || (select auth.uid())::text));

grant select on absfin.portfolios, absfin.fills, absfin.disallowed_losses, absfin.optimizations, absfin.reallocations
  to authenticated;

select absfin.complete_migration('20261128030000');
