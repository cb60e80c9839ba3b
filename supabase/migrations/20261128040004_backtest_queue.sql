-- Which job runs next, and whose it is.

-- Stores a job; of two with one request id the first is kept. The same call again (epoch) finds what it has stored.
-- Raises REQUEST_ID_REUSED, ALREADY_EXISTS, QUEUE_FULL with the number that waits, INPUTS_MISSING
-- with the names of data that must be sent first.
create function absfin.enqueue_backtest(p_owner text, p_job jsonb, p_max_queued integer) returns absfin."application/octet-stream"
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
  insert into absfin.backtests (owner, id, request_id, label, epoch, fingerprint, cost_estimate)
  values (p_owner, v_id, v_request_id, p_job ->> 'label', p_job ->> 'epoch', p_job ->> 'fingerprint', v_cost)
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
  insert into absfin.backtest_queue (backtest_key, caller, expected_seconds)
  values (v_key, v_caller, absfin.expected_seconds(v_cost, 0, 0));
  return absfin.backtest_frame(v_key);
end
$$;

-- Jobs that a worker may claim now: those that wait, and those whose lease has passed.
create function absfin.claimable_backtests(p_short_seconds double precision, p_now timestamptz)
returns table (backtest_key bigint, caller text, is_long boolean, queued_time timestamptz)
language sql stable set search_path = ''
as $$
  select q.backtest_key, q.caller, q.expected_seconds > p_short_seconds, q.queued_time
  from absfin.backtest_queue q where q.worker is null
  union all
  select q.backtest_key, q.caller,
    absfin.expected_seconds(b.cost_estimate, b.run_seconds, b.fraction) > p_short_seconds, q.queued_time
  from absfin.backtest_queue q join absfin.backtests b on b.key = q.backtest_key
  where q.worker is not null and q.lease_time < p_now
$$;

-- How many jobs of each caller run now, by JSON object.
create function absfin.running_backtests(p_now timestamptz) returns jsonb
language sql stable set search_path = ''
as $$
  select coalesce(pg_catalog.jsonb_object_agg(r.caller, r.count), '{}'::jsonb)
  from (select q.caller, count(*) as count from absfin.backtest_queue q
        where q.worker is not null and q.lease_time >= p_now group by q.caller) r
$$;

-- What waits, the first of each caller among short and among long jobs, and what runs.
create function absfin.read_backtest_queue(p_short_seconds double precision) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_now timestamptz := pg_catalog.clock_timestamp();
begin
  return pg_catalog.jsonb_build_object(
    'running', absfin.running_backtests(v_now),
    'waiting', coalesce((
      select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'key', first.backtest_key, 'caller', first.caller, 'is_long', first.is_long,
        'waited_seconds', extract(epoch from v_now - first.queued_time)))
      from (
        select distinct on (c.caller, c.is_long) c.* from absfin.claimable_backtests(p_short_seconds, v_now) c
        order by c.caller, c.is_long, c.queued_time, c.backtest_key) first), '[]'::jsonb));
end
$$;

-- A claim as its worker reads it: how long the job has waited, the number of its parts, its checkpoint, and the job.
create function absfin.claim_frame(p_key bigint, p_waited_seconds double precision) returns bytea
language plpgsql stable set search_path = ''
as $$
declare
  v_checkpoint bytea;
begin
  select c.data into v_checkpoint from absfin.backtest_checkpoints c where c.backtest_key = p_key;
  return absfin.backtest_frame(
    p_key,
    pg_catalog.jsonb_build_object(
      'waited_seconds', p_waited_seconds,
      'parts', (select count(*) from absfin.backtest_parts p where p.backtest_key = p_key),
      'checkpoint', pg_catalog.octet_length(v_checkpoint)),
    coalesce(v_checkpoint, ''));
end
$$;

-- Takes the job that is next; the header is null where there is none. Callers that run fewer jobs go first, then short jobs and
-- those that have waited for p_patience_seconds, then those that have waited longest. Jobs of other workers are taken
-- where p_take_over says so. p_resumed and p_restarted are texts of the event of a job that goes on, or starts again.
create function absfin.claim_backtest(
  p_worker text, p_write uuid, p_lease_seconds double precision, p_short_seconds double precision,
  p_patience_seconds double precision, p_take_over boolean, p_resumed text, p_restarted text, p_retained integer
) returns absfin."application/octet-stream"
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_now timestamptz;
  v_running jsonb;
  v_key bigint;
  v_next absfin.backtest_queue;
  v_event integer := 0;
begin
  select q.backtest_key into v_key from absfin.backtest_queue q where q.worker = p_worker and q.last_write = p_write;
  if found then
    return absfin.claim_frame(v_key, 0);
  end if;
  if not exists (select from absfin.backtest_queue q
                 where q.worker is null or q.lease_time < pg_catalog.clock_timestamp()) then
    return absfin.frame('null');
  end if;
  -- Claims are made one after the other: each knows how many jobs of each caller run.
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('absfin.claim_backtest', 0));
  v_now := pg_catalog.clock_timestamp();
  v_running := absfin.running_backtests(v_now);
  for v_key in
    select c.backtest_key from absfin.claimable_backtests(p_short_seconds, v_now) c
    order by coalesce((v_running ->> c.caller)::integer, 0),
      c.is_long and c.queued_time > v_now - pg_catalog.make_interval(secs => p_patience_seconds),
      c.queued_time, c.backtest_key
  loop
    -- What another transaction changes now, such as a cancellation or a renewed lease, is left to it.
    select * into v_next from absfin.backtest_queue q
    where q.backtest_key = v_key and (q.worker is null or (p_take_over and q.lease_time < v_now))
    for update skip locked;
    exit when found;
  end loop;
  if v_next.backtest_key is null then
    return absfin.frame('null');
  end if;
  update absfin.backtest_queue q
  set worker = p_worker, attempt = q.attempt + 1, counted_time = v_now, yielded = false,
    lease_time = v_now + pg_catalog.make_interval(secs => p_lease_seconds)
  where q.backtest_key = v_key;
  update absfin.backtests b set state = 'RUNNING', attempts = v_next.attempt + 1 where b.key = v_key;
  if v_next.attempt > 0 and not v_next.yielded then
    v_event := absfin.append_backtest_events(
      v_key,
      pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('kind', 'RESUMED', 'reason', '', 'message',
        case when exists (select from absfin.backtest_checkpoints c where c.backtest_key = v_key)
             then p_resumed else p_restarted end)),
      p_retained);
  end if;
  perform absfin.note_backtest_write(v_key, p_write, v_event);
  return absfin.claim_frame(v_key, extract(epoch from v_now - v_next.queued_time)::double precision);
end
$$;

-- Renews the leases of jobs that a worker runs, counts their time and says how far they are; those it still has.
create function absfin.renew_backtest_leases(
  p_worker text, p_keys bigint[], p_lease_seconds double precision, p_ticks jsonb
) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_key bigint;
  v_held bigint[] := array[]::bigint[];
begin
  for v_key in
    select q.backtest_key from absfin.backtest_queue q
    where q.backtest_key = any (p_keys) and q.worker = p_worker order by q.backtest_key for update
  loop
    v_held := v_held || v_key;
    update absfin.backtest_queue q
    set lease_time = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => p_lease_seconds)
    where q.backtest_key = v_key;
    perform absfin.count_backtest_time(v_key);
    if p_ticks ? v_key::text then
      perform absfin.record_backtest_progress(v_key, p_ticks -> v_key::text);
    end if;
  end loop;
  return pg_catalog.to_jsonb(v_held);
end
$$;

-- Ends the leases of a worker whose process is known to be gone; how many.
create function absfin.end_backtest_leases(p_worker text) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_count integer;
begin
  update absfin.backtest_queue q set lease_time = '-infinity' where q.worker = p_worker;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

-- Gives a job back to whoever claims it next; it waits behind those that wait already. Raises LOST_CLAIM.
create function absfin.release_backtest(
  p_key bigint, p_worker text, p_attempt integer, p_write uuid, p_crashed boolean, p_yielded boolean
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform from absfin.backtest_queue q where q.backtest_key = p_key and q.worker is null and q.last_write = p_write;
  if found then
    return;
  end if;
  perform absfin.hold_backtest(p_key, p_worker, p_attempt);
  perform absfin.count_backtest_time(p_key);
  update absfin.backtests b
  set state = 'QUEUED', crashes = b.crashes + p_crashed::integer where b.key = p_key;
  update absfin.backtest_queue q
  set worker = null, lease_time = null, counted_time = null, yielded = p_yielded,
    queued_time = pg_catalog.clock_timestamp(), last_write = p_write,
    expected_seconds = absfin.expected_seconds(b.cost_estimate, b.run_seconds, b.fraction)
  from absfin.backtests b where b.key = p_key and q.backtest_key = p_key;
end
$$;

select absfin.complete_migration('20261128040004');
