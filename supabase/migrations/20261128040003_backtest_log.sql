-- What happens to jobs: each function is one transaction, and the same call again (`write`) changes nothing. Whoever
-- changes a job locks its row in the queue first, then the job. Functions of a claim take a frame whose header has `key`,
-- `worker`, `attempt` and `write`.

-- Adds events to the log of a job and drops the oldest beyond p_retained; the number of the latest event before them.
create function absfin.append_backtest_events(p_key bigint, p_events jsonb, p_retained integer) returns integer
language plpgsql volatile set search_path = ''
as $$
declare
  v_before integer;
  v_last integer;
begin
  select b.last_event into v_before from absfin.backtests b where b.key = p_key for update;
  v_last := v_before + pg_catalog.jsonb_array_length(p_events);
  insert into absfin.backtest_events
  select p_key, v_before + e.position, pg_catalog.clock_timestamp(), e.event ->> 'kind', e.event ->> 'message',
    (e.event ->> 'day')::integer, e.event ->> 'reason', nullif(e.event -> 'stage', 'null'::jsonb),
    (e.event ->> 'benefit_annual')::double precision, (e.event ->> 'cost_annual')::double precision
  from pg_catalog.jsonb_array_elements(p_events) with ordinality e (event, position)
  where v_before + e.position > v_last - p_retained;
  delete from absfin.backtest_events e where e.backtest_key = p_key and e.number <= v_last - p_retained;
  update absfin.backtests b
  set last_event = v_last, dropped_event = greatest(b.dropped_event, v_last - p_retained)
  where b.key = p_key;
  return v_before;
end
$$;

create function absfin.expected_seconds(
  p_cost_estimate double precision, p_run_seconds double precision, p_fraction double precision
) returns double precision
language sql immutable set search_path = ''
as $$
  select case when p_fraction > 0 and p_run_seconds >= 1 then p_run_seconds / p_fraction
              else greatest(p_cost_estimate, 10 * p_run_seconds) end
$$;

-- Adds the time that a job has run since it was last counted. More than a minute at once was slept through.
create function absfin.count_backtest_time(p_key bigint) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  v_now timestamptz := pg_catalog.clock_timestamp();
begin
  update absfin.backtests b
  set run_seconds = b.run_seconds + least(greatest(extract(epoch from v_now - q.counted_time)::double precision, 0), 60)
  from absfin.backtest_queue q
  where b.key = p_key and q.backtest_key = p_key and q.counted_time is not null;
  update absfin.backtest_queue q set counted_time = v_now where q.backtest_key = p_key and q.counted_time is not null;
end
$$;

create function absfin.record_backtest_progress(p_key bigint, p_tick jsonb) returns void
language sql volatile set search_path = ''
as $$
  update absfin.backtests b
  set fraction = (p_tick ->> 'fraction')::double precision, day = (p_tick ->> 'day')::integer,
    wealth = (p_tick ->> 'wealth')::double precision, stage = nullif(p_tick -> 'stage', 'null'::jsonb)
  where b.key = p_key
$$;

-- Locks the row of a job that the sender of a frame has. Raises LOST_CLAIM where it is over or belongs to another attempt.
create function absfin.hold_backtest(p_key bigint, p_worker text, p_attempt integer) returns absfin.backtest_queue
language plpgsql volatile set search_path = ''
as $$
declare
  v_held absfin.backtest_queue;
begin
  select * into v_held from absfin.backtest_queue q
  where q.backtest_key = p_key and q.worker = p_worker and q.attempt = p_attempt for update;
  if not found then
    perform absfin.refuse('LOST_CLAIM');
  end if;
  return v_held;
end
$$;

-- Notes a call, so that the same call again finds what it has done.
create function absfin.note_backtest_write(p_key bigint, p_write uuid, p_event integer) returns void
language sql volatile set search_path = ''
as $$
  update absfin.backtest_queue q set last_write = p_write, last_write_event = p_event where q.backtest_key = p_key
$$;

-- Ends a job and drops what it needed to go on; the number of the latest event before.
create function absfin.end_backtest(
  p_key bigint, p_state text, p_result bytea, p_error bytea, p_events jsonb, p_write uuid, p_retained integer
) returns integer
language plpgsql volatile set search_path = ''
as $$
declare
  v_before integer;
begin
  perform absfin.count_backtest_time(p_key);
  v_before := absfin.append_backtest_events(
    p_key,
    p_events || pg_catalog.jsonb_build_object('kind', 'FINISHED', 'message', p_state, 'reason', ''),
    p_retained);
  update absfin.backtests b
  set state = p_state, finished_time = pg_catalog.clock_timestamp(),
    fraction = case when p_state = 'SUCCEEDED' then 1 else b.fraction end
  where b.key = p_key;
  insert into absfin.backtest_results values (p_key, p_write, v_before, p_result, p_error);
  delete from absfin.backtest_queue q where q.backtest_key = p_key;
  delete from absfin.backtest_checkpoints c where c.backtest_key = p_key;
  delete from absfin.backtest_parts p where p.backtest_key = p_key;
  return v_before;
end
$$;

-- Keeps where a job stands with what happened; the events as stored. Takes a frame with `checkpoint` and `part`, the sizes
-- of the contents, `tick`, `events` and `retained`.
create function absfin.save_backtest(bytea) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_sent jsonb := absfin.sent_header($1);
  v_key bigint := v_sent -> 'key';
  v_checkpoint integer := v_sent -> 'checkpoint';
  v_held absfin.backtest_queue := absfin.hold_backtest(v_key, v_sent ->> 'worker', (v_sent -> 'attempt')::integer);
  v_before integer;
begin
  if v_held.last_write = (v_sent ->> 'write')::uuid then
    return absfin.backtest_events_after(v_key, v_held.last_write_event);
  end if;
  v_before := absfin.append_backtest_events(v_key, v_sent -> 'events', (v_sent -> 'retained')::integer);
  perform absfin.record_backtest_progress(v_key, v_sent -> 'tick');
  insert into absfin.backtest_checkpoints values (v_key, absfin.sent_content($1, 0, v_checkpoint))
  on conflict (backtest_key) do update set data = excluded.data;
  insert into absfin.backtest_parts
  select v_key, 1 + coalesce(max(p.number), 0), absfin.sent_content($1, v_checkpoint, (v_sent -> 'part')::integer)
  from absfin.backtest_parts p where p.backtest_key = v_key;
  perform absfin.note_backtest_write(v_key, (v_sent ->> 'write')::uuid, v_before);
  return absfin.backtest_events_after(v_key, v_before);
end
$$;

-- Puts one part in the place of the first ones. Takes a frame with `count`, and `part`, the size of the content.
create function absfin.compact_backtest_parts(bytea) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_sent jsonb := absfin.sent_header($1);
  v_key bigint := v_sent -> 'key';
  v_held absfin.backtest_queue := absfin.hold_backtest(v_key, v_sent ->> 'worker', (v_sent -> 'attempt')::integer);
  v_last integer;
begin
  if v_held.last_write = (v_sent ->> 'write')::uuid then
    return;
  end if;
  select max(first.number) into v_last from (
    select p.number from absfin.backtest_parts p where p.backtest_key = v_key
    order by p.number limit (v_sent -> 'count')::integer) first;
  delete from absfin.backtest_parts p where p.backtest_key = v_key and p.number <= v_last;
  insert into absfin.backtest_parts values (v_key, v_last, absfin.sent_content($1, 0, (v_sent -> 'part')::integer));
  perform absfin.note_backtest_write(v_key, (v_sent ->> 'write')::uuid, v_held.last_write_event);
end
$$;

-- Parts of the output after a number, as many as fit in p_bytes, one at least, with their numbers and sizes.
create function absfin.read_backtest_parts(p_key bigint, p_after integer, p_bytes bigint) returns absfin."application/octet-stream"
language sql stable security definer set search_path = ''
as $$
  with sized as (
    select p.number, sum(pg_catalog.octet_length(p.data)) over (order by p.number) - pg_catalog.octet_length(p.data) as before
    from absfin.backtest_parts p where p.backtest_key = p_key and p.number > p_after),
  page as (
    select p.number, p.data from sized join absfin.backtest_parts p on p.backtest_key = p_key and p.number = sized.number
    where sized.before < p_bytes)
  select absfin.frame(
    coalesce(
      pg_catalog.jsonb_agg(
        pg_catalog.jsonb_build_array(page.number, pg_catalog.octet_length(page.data)) order by page.number),
      '[]'),
    pg_catalog.string_agg(page.data, '' order by page.number))
  from page
$$;

-- Takes pieces of the records of strategies, which count once the job ends by this attempt: a frame with `pieces`, of
-- which each has `position`, `number`, `label`, and of the contents those after `before` bytes, `size` of them.
create function absfin.add_backtest_series(bytea) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_sent jsonb := absfin.sent_header($1);
  v_key bigint := v_sent -> 'key';
  v_attempt integer := v_sent -> 'attempt';
begin
  perform absfin.hold_backtest(v_key, v_sent ->> 'worker', v_attempt);
  insert into absfin.backtest_series
  select v_key, v_attempt, (e.piece -> 'position')::integer, (e.piece -> 'number')::integer, e.piece ->> 'label',
    absfin.sent_content($1, (e.piece -> 'before')::bigint, (e.piece -> 'size')::integer)
  from pg_catalog.jsonb_array_elements(v_sent -> 'pieces') e (piece)
  on conflict do nothing;
end
$$;

-- Ends a job with a last event; the events as stored. Takes a frame with `state`, `result` and `error`, the sizes of the
-- contents or null, `events` and `retained`.
create function absfin.finish_backtest(bytea) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_sent jsonb := absfin.sent_header($1);
  v_key bigint := v_sent -> 'key';
  v_write uuid := v_sent ->> 'write';
  v_result integer := nullif(v_sent -> 'result', 'null');
  v_error integer := nullif(v_sent -> 'error', 'null');
  v_before integer;
begin
  select r.first_event into v_before from absfin.backtest_results r where r.backtest_key = v_key and r.write = v_write;
  if not found then
    perform absfin.hold_backtest(v_key, v_sent ->> 'worker', (v_sent -> 'attempt')::integer);
    v_before := absfin.end_backtest(
      v_key, v_sent ->> 'state', absfin.sent_content($1, 0, v_result),
      absfin.sent_content($1, coalesce(v_result, 0), v_error), v_sent -> 'events', v_write,
      (v_sent -> 'retained')::integer);
    delete from absfin.backtest_series s
    where s.backtest_key = v_key and (s.attempt <> (v_sent -> 'attempt')::integer or v_sent ->> 'state' <> 'SUCCEEDED');
  end if;
  return absfin.backtest_events_after(v_key, v_before);
end
$$;

-- Ends a job that is not over: the events that this added, and the job.
create function absfin.cancel_backtest(p_owner text, p_id text, p_write uuid, p_retained integer) returns absfin."application/octet-stream"
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_key bigint := absfin.backtest_key_of(p_owner, p_id);
  v_before integer;
begin
  perform from absfin.backtest_queue q where q.backtest_key = v_key for update;
  if found then
    v_before := absfin.end_backtest(v_key, 'CANCELLED', null, null, '[]'::jsonb, p_write, p_retained);
    delete from absfin.backtest_series s where s.backtest_key = v_key;
  else
    select r.first_event into v_before from absfin.backtest_results r where r.backtest_key = v_key and r.write = p_write;
  end if;
  return absfin.backtest_frame(v_key, pg_catalog.jsonb_build_object(
    'events', absfin.backtest_events_after(v_key, coalesce(v_before, 2147483647))));
end
$$;

-- Removes a job that is over; names of the data that went with it. Nothing where it is gone already. Raises STILL_RUNNING.
create function absfin.drop_backtest(p_key bigint) returns text[]
language plpgsql volatile set search_path = ''
as $$
declare
  v_job absfin.backtests;
  v_names text[];
begin
  select * into v_job from absfin.backtests b where b.key = p_key for update;
  if not found then
    return array[]::text[];
  end if;
  if v_job.state in ('QUEUED', 'RUNNING') then
    perform absfin.refuse('STILL_RUNNING', pg_catalog.jsonb_build_object(
      'message', 'backtests/' || v_job.id || ' is not over; cancel it first'));
  end if;
  v_names := array(select u.fingerprint from absfin.backtest_input_uses u where u.backtest_key = p_key);
  delete from absfin.backtests b where b.key = p_key;
  return absfin.drop_unused_inputs(v_names);
end
$$;

create function absfin.delete_backtest(p_key bigint) returns jsonb
language sql volatile security definer set search_path = ''
as $$
  select pg_catalog.to_jsonb(absfin.drop_backtest(p_key))
$$;

-- Removes jobs that ended so long ago: how many, and the names of the data that went with them.
create function absfin.delete_expired_backtests(p_age_seconds double precision, p_limit integer) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_key bigint;
  v_count integer := 0;
  v_names text[] := array[]::text[];
begin
  for v_key in
    select b.key from absfin.backtests b
    where b.finished_time < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => p_age_seconds)
    order by b.key limit p_limit for update skip locked
  loop
    v_names := v_names || absfin.drop_backtest(v_key);
    v_count := v_count + 1;
  end loop;
  return pg_catalog.jsonb_build_object('count', v_count, 'names', pg_catalog.to_jsonb(v_names));
end
$$;

select absfin.complete_migration('20261128040003');
