-- Corrections of prices and corporate actions, and what results have used. Whether a result is stale is not stored: it is
-- compared with the corrections whenever it is read, so that none can be missed, however many results there are.

-- Days that have another value than before, or one that came in before the newest day of the symbol, by the number of the
-- transaction that corrected them. They stay as long as the prices. The field is that of the prices, or ACTION.
create table absfin.corrections (
  symbol    text collate "C" not null,
  field     text collate "C" not null,
  number    bigint not null,
  first_day integer not null,
  last_day  integer not null,
  corrected timestamptz not null default clock_timestamp(),
  primary key (symbol, field, number, first_day)
);
alter table absfin.corrections enable row level security;

-- The last number. Who corrects holds the row until the end: numbers become visible in their order.
create table absfin.correction_clock (
  single boolean primary key default true check (single),
  number bigint not null
);
alter table absfin.correction_clock enable row level security;

create function absfin.find_last_correction() returns jsonb
language sql stable security definer set search_path = '' as $$
  select to_jsonb(coalesce((select number from absfin.correction_clock), 0))
$$;

-- Corrections as [symbol, first day, last day].
create function absfin.record_corrections(p_field text, p_corrections jsonb) returns void
language plpgsql set search_path = '' as $$
declare
  v_number bigint;
begin
  if jsonb_array_length(p_corrections) > 0 then
    insert into absfin.correction_clock (number) values (0) on conflict do nothing;
    update absfin.correction_clock set number = number + 1 returning number into strict v_number;
    insert into absfin.corrections (symbol, field, number, first_day, last_day)
      select c ->> 0, p_field, v_number, (c ->> 1)::integer, (c ->> 2)::integer from jsonb_array_elements(p_corrections) c
      on conflict do nothing;
  end if;
end
$$;

-- Changes of prices as [symbol, first day, last day, whether values were replaced, corrected days as [[first, last]]]. A
-- server of an earlier version does not send the last: then all days are, where values were replaced.
create or replace function absfin.record_price_changes(p_field text, p_changes jsonb) returns void
language plpgsql set search_path = '' as $$
declare
  v_now timestamptz := clock_timestamp();  -- one for all: changes of one time are followed together
begin
  insert into absfin.changes (written, kind, owner, name, field, first_day, last_day, replaced)
    select v_now, 'PRICES', '', c ->> 0, p_field, (c ->> 1)::integer, (c ->> 2)::integer, (c ->> 3)::boolean
    from jsonb_array_elements(p_changes) with ordinality x (c, place) order by place;
  perform absfin.record_corrections(p_field, (
    select coalesce(jsonb_agg(jsonb_build_array(c ->> 0, d -> 0, d -> 1)), '[]')
    from jsonb_array_elements(p_changes) c, jsonb_array_elements(coalesce(c -> 4, case when (c ->> 3)::boolean
      then jsonb_build_array(jsonb_build_array(c -> 1, c -> 2)) else '[]' end)) d));
end
$$;

-- Stores actions as [symbol, day, kind, amount, pay day], replacing those of the same symbol, day and kind; a delisting
-- replaces any of its symbol. Of two in the same list that would replace each other, the later one stays.
create or replace function absfin.upsert_corporate_actions(p_actions jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_actions absfin.corporate_actions[];
  v_changed text[];
  v_corrected jsonb;
begin
  -- One after the other: a delisting that moves deletes one row and writes another.
  lock table absfin.corporate_actions in share row exclusive mode;
  select array_agg(a) into v_actions from (
    select distinct on (symbol, kind, case when kind <> 'DELISTING' then day end) symbol, day, kind, amount, pay_day
    from (
      select (e ->> 0) collate "C" as symbol, (e ->> 1)::int as day, (e ->> 2) collate "C" as kind,
        (e ->> 3)::double precision as amount, (e ->> 4)::int as pay_day, place
      from jsonb_array_elements(p_actions) with ordinality x (e, place)
    ) x
    order by symbol, kind, case when kind <> 'DELISTING' then day end, place desc
  ) a;
  v_changed := array(
    select a.symbol from unnest(v_actions) a where not exists (
      select from absfin.corporate_actions c where c.symbol = a.symbol and c.day = a.day and c.kind = a.kind
        and c.amount is not distinct from a.amount and c.pay_day is not distinct from a.pay_day));
  -- Days of actions that are others, and of delistings that move away.
  select coalesce(jsonb_agg(jsonb_build_array(d.symbol, d.day, d.day) order by d.symbol, d.day), '[]') into v_corrected from (
    select a.symbol, a.day from unnest(v_actions) a where not exists (
      select from absfin.corporate_actions c where c.symbol = a.symbol and c.day = a.day and c.kind = a.kind
        and c.amount is not distinct from a.amount and c.pay_day is not distinct from a.pay_day)
    union
    select c.symbol, c.day from absfin.corporate_actions c join unnest(v_actions) a
      on a.symbol = c.symbol and a.kind = 'DELISTING' and c.kind = 'DELISTING' and a.day <> c.day
  ) d;
  delete from absfin.corporate_actions c using unnest(v_actions) a
    where c.kind = 'DELISTING' and a.kind = 'DELISTING' and c.symbol = a.symbol;
  insert into absfin.corporate_actions (symbol, day, kind, amount, pay_day)
    select symbol, day, kind, amount, pay_day from unnest(v_actions)
    on conflict (symbol, day, kind) do update set amount = excluded.amount, pay_day = excluded.pay_day;
  perform absfin.record_shared_changes('CORPORATE_ACTION', v_changed);
  perform absfin.record_corrections('ACTION', v_corrected);
  return to_jsonb(jsonb_array_length(p_actions));
end
$$;

-- Number of the last correction before the data of a result was read; null where it has used nothing stored, or was stored
-- by a version that did not keep what it used.
alter table absfin.optimizations add column last_correction bigint;
alter table absfin.reallocations add column last_correction bigint;
alter table absfin.backtests add column last_correction bigint;

-- What results have used, in a table for each kind.
do $$
declare
  v_table text;
begin
  foreach v_table in array array['optimizations', 'reallocations', 'backtests'] loop
    execute format(
      'create table absfin.%1$I (result bigint not null references absfin.%2$I (key) on delete cascade, '
      'symbol text collate "C" not null, field text collate "C" not null, first_day integer not null, '
      'last_day integer not null, primary key (result, symbol, field, first_day, last_day))', v_table || '_used', v_table);
    execute format('create index %1$s_by_symbol on absfin.%1$I (symbol, field, last_day)', v_table || '_used');
    execute format('alter table absfin.%I enable row level security', v_table || '_used');
  end loop;
end
$$;

-- When a result became stale, null where it is not.
create function absfin.stale_since(p_table text, p_key bigint, p_last bigint) returns timestamptz
language plpgsql stable set search_path = '' as $$
declare
  v_since timestamptz;
begin
  if p_last < (select number from absfin.correction_clock) then
    execute format(
      'select min(c.corrected) from absfin.%I u join absfin.corrections c on c.symbol = u.symbol and c.field = u.field '
      'and c.number > $2 and c.first_day <= u.last_day and c.last_day >= u.first_day where u.result = $1',
      p_table || '_used') into v_since using p_key, p_last;
  end if;
  return v_since;
end
$$;

-- Results that a correction of one of some symbols at a time (in microseconds) or later has made stale, as [owner, id, label,
-- request id, since], the newest first. Those that were stale before are left out.
create function absfin.list_stale_results(p_table text, p_symbols text[], p_time bigint, p_limit integer) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  v_found jsonb;
begin
  execute format(
    'select coalesce(jsonb_agg(jsonb_build_array(f.owner, f.id, f.label, f.request_id, absfin.micros(f.since)) '
    'order by f.key desc), ''[]'') from (select * from (select r.key, r.owner, r.id, r.label, r.request_id, '
    'absfin.stale_since(%1$L, r.key, r.last_correction) as since from absfin.%1$I r '
    'where r.key in (select u.result from absfin.corrections c join absfin.%2$I u on u.symbol = c.symbol '
    'and u.field = c.field and u.last_day >= c.first_day and u.first_day <= c.last_day '
    'where c.symbol = any ($1) and c.corrected >= absfin.time_of($2))) r where since >= absfin.time_of($2) '
    'order by key desc limit $3) f', p_table, p_table || '_used')
    into v_found using p_symbols, p_time, p_limit;
  return v_found;
end
$$;

-- Keeps what a result has used, {"last": number of a correction, "ranges": [[field, first day, last day, symbols]]}: whether
-- it is stale already, as members of its header.
create function absfin.record_used(p_table text, p_key bigint, p_used jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  if jsonb_typeof(p_used) = 'object' then
    execute format(
      'insert into absfin.%I (result, symbol, field, first_day, last_day) '
      'select $1, s.symbol, r ->> 0, (r ->> 1)::integer, (r ->> 2)::integer '
      'from jsonb_array_elements($2 -> ''ranges'') r, jsonb_array_elements_text(r -> 3) s (symbol) on conflict do nothing',
      p_table || '_used') using p_key, p_used;
  end if;
  return jsonb_build_object('stale', absfin.micros(absfin.stale_since(p_table, p_key, (p_used ->> 'last')::bigint)));
end
$$;

-- An expression for what is known about a result r beside its contents; `summary` and `payload` are their sizes.
create or replace function absfin.result_header(p_kind absfin.result_kind, p_payload text) returns text
language sql immutable set search_path = '' as $$
  select format(
    'jsonb_build_object(''key'', r.key, ''owner'', r.owner, ''id'', r.id, ''created'', absfin.micros(r.created), '
    '''request_id'', r.request_id, ''fingerprint'', r.input_fingerprint, ''label'', r.label, '
    '''summary'', octet_length(r.summary), ''payload'', octet_length(%s), '
    '''stale'', absfin.micros(absfin.stale_since(%L, r.key, r.last_correction))%s)',
    p_payload, p_kind,
    case when p_kind = 'reallocations' then
      ', ''state'', absfin.reallocation_state(r.fills, r.superseded), ''superseded'', absfin.micros(r.superseded), '
      '''superseded_by'', r.superseded_by' else '' end)
$$;

-- Stores a result. Of two with one request id the first is kept, and sent to both. A reallocation supersedes the earlier
-- ones of its portfolio, and is superseded itself where that has changed since it was planned.
drop function absfin.save_result(
  absfin.result_kind, text, text, text, text, text, text, text, text, text, text, uuid);
create function absfin.save_result(
  p_kind absfin.result_kind, p_owner text, p_id text, p_request_id text, p_body text, p_fingerprint text,
  p_subject text, p_label text, p_summary text, p_payload text, p_digest text, p_token uuid,
  p_used jsonb default null
) returns absfin."application/octet-stream"
language plpgsql security definer set search_path = '' as $$
declare
  v_done jsonb := absfin.begin_write(p_token);
  v_now timestamptz;
  v_first bytea;
begin
  if v_done is not null then
    return absfin.frame(v_done);
  end if;
  if p_kind = 'reallocations' and p_subject <> '' then
    perform absfin.lock_portfolio(p_owner, p_subject);
  end if;
  for v_try in 1..10 loop
    v_now := clock_timestamp();
    execute format(
      'with r as (insert into absfin.%I (owner, id, request_id, body, input_fingerprint, subject, label, created, '
      'summary, payload, last_correction) values ($1, $2, $3, decode($4, ''base64''), $5, $6, $7, $8, decode($9, ''base64''), '
      'decode($10, ''base64''), $11) on conflict do nothing returning *) select %s from r',
      p_kind, absfin.result_header(p_kind, 'null::bytea'))
      into v_done
      using p_owner, p_id, p_request_id, p_body, p_fingerprint, p_subject, p_label, v_now, p_summary, p_payload,
        (p_used ->> 'last')::bigint;
    exit when v_done is not null;
    v_first := absfin.find_result(p_kind, p_owner, p_request_id, p_body);
    if v_first <> absfin.frame('null') then
      return v_first;
    end if;
    execute format('select to_jsonb(r.id) from absfin.%I r where r.owner = $1 and r.id = $2', p_kind)
      into v_done using p_owner, p_id;
    if v_done is not null then
      perform absfin.refuse('ALREADY_EXISTS', absfin.result_name(p_kind, p_id));
    end if;
    -- What was in the way has been deleted meanwhile.
  end loop;
  if v_done is null then
    perform absfin.refuse('STORAGE_UNAVAILABLE', '{"message": "others store and delete the same at once; try again"}');
  end if;
  if p_used is not null then
    v_done := v_done || absfin.record_used(p_kind, (v_done ->> 'key')::bigint, p_used);
  end if;
  if p_kind = 'reallocations' and p_subject <> '' then
    v_done := v_done || absfin.supersede_by_result(p_owner, p_id, p_subject, decode(p_digest, 'base64'), v_now);
  end if;
  return absfin.frame(absfin.end_write(p_token, v_done));
end
$$;

-- What a list shows of a job.
create or replace function absfin.backtest_summary(p_job absfin.backtests) returns jsonb
language sql stable set search_path = ''
as $$
  select pg_catalog.to_jsonb(p_job) || pg_catalog.jsonb_build_object(
    'worker', (select q.worker from absfin.backtest_queue q where q.backtest_key = p_job.key),
    'stale_time', absfin.stale_since('backtests', p_job.key, p_job.last_correction),
    'caller', r.caller,
    'inputs', r.inputs)
  from absfin.backtest_requests r where r.backtest_key = p_job.key
$$;

-- Stores a job; of two with one request id the first is kept. The same call again (epoch) finds what it has stored.
-- Raises REQUEST_ID_REUSED, ALREADY_EXISTS, QUEUE_FULL with the number that waits, INPUTS_MISSING
-- with the names of data that must be sent first.
create or replace function absfin.enqueue_backtest(p_owner text, p_job jsonb, p_max_queued integer) returns absfin."application/octet-stream"
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_id text := p_job ->> 'id';
  v_request_id text := p_job ->> 'request_id';
  v_body bytea := pg_catalog.decode(p_job ->> 'body', 'base64');
  v_caller text := p_job ->> 'caller';
  v_cost double precision := (p_job ->> 'cost_estimate')::double precision;
  v_names text[] := array(select pg_catalog.jsonb_array_elements_text(p_job -> 'names'));
  v_missing text[];
  v_key bigint;
  v_count bigint;
begin
  -- Jobs of one caller are counted and stored one after the other, so that the limit holds.
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('absfin.enqueue_backtest ' || v_caller, 0));
  select b.key into v_key from absfin.backtests b
  where b.owner = p_owner and b.id = v_id and b.epoch = p_job ->> 'epoch';
  v_key := coalesce(v_key, absfin.backtest_of_request(p_owner, v_request_id, v_body));
  if v_key is not null then
    return absfin.backtest_frame(v_key);
  end if;
  if exists (select from absfin.backtests b where b.owner = p_owner and b.id = v_id) then
    perform absfin.refuse(
      'ALREADY_EXISTS', pg_catalog.jsonb_build_object('kind', 'backtest', 'name', 'backtests/' || v_id));
  end if;
  select count(*) into v_count from absfin.backtest_queue q where q.caller = v_caller and q.worker is null;
  if v_count >= p_max_queued then
    perform absfin.refuse('QUEUE_FULL', pg_catalog.jsonb_build_object('queued', v_count));
  end if;
  perform from absfin.backtest_inputs i where i.fingerprint = any (v_names) and i.complete
  order by i.fingerprint for key share;
  v_missing := array(
    select n.name from pg_catalog.unnest(v_names) n (name)
    where not exists (select from absfin.backtest_inputs i where i.fingerprint = n.name and i.complete));
  if v_missing <> array[]::text[] then
    perform absfin.refuse('INPUTS_MISSING', pg_catalog.jsonb_build_object('names', v_missing));
  end if;
  insert into absfin.backtests (owner, id, request_id, label, epoch, fingerprint, cost_estimate, last_correction)
  values (p_owner, v_id, v_request_id, p_job ->> 'label', p_job ->> 'epoch', p_job ->> 'fingerprint', v_cost,
    (p_job -> 'used' ->> 'last')::bigint)
  on conflict do nothing returning key into v_key;
  if v_key is null then
    -- Another call of this owner was faster.
    v_key := absfin.backtest_of_request(p_owner, v_request_id, v_body);
    if v_key is null then
      perform absfin.refuse(
      'ALREADY_EXISTS', pg_catalog.jsonb_build_object('kind', 'backtest', 'name', 'backtests/' || v_id));
    end if;
    return absfin.backtest_frame(v_key);
  end if;
  insert into absfin.backtest_requests values (
    v_key, v_caller, v_body, p_job ->> 'inputs', p_job ->> 'actions', pg_catalog.decode(p_job ->> 'request', 'base64'));
  insert into absfin.backtest_input_uses select v_key, used.name from pg_catalog.unnest(v_names) used (name);
  perform absfin.record_used('backtests', v_key, p_job -> 'used');
  insert into absfin.backtest_queue (backtest_key, caller, expected_seconds)
  values (v_key, v_caller, absfin.expected_seconds(v_cost, 0, 0));
  return absfin.backtest_frame(v_key);
end
$$;

select absfin.complete_migration('20261128060004');
