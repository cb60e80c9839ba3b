-- How many jobs of a caller may run at a time.

-- A server of before calls the new function too, and without a limit.
drop function absfin.claim_backtest(
  text, uuid, double precision, double precision, double precision, boolean, text, text, integer
);

-- Takes the job that is next; the header is null where there is none. Callers that run fewer jobs go first, then short jobs and
-- those that have waited for p_patience_seconds, then those that have waited longest. Jobs of other workers are taken
-- where p_take_over says so. A caller that runs p_max_running jobs gets none; 0 sets no limit. p_resumed and p_restarted are texts of the event of a job that goes on, or starts again.
create function absfin.claim_backtest(
  p_worker text, p_write uuid, p_lease_seconds double precision, p_short_seconds double precision,
  p_patience_seconds double precision, p_take_over boolean, p_resumed text, p_restarted text, p_retained integer,
  p_max_running integer default 0
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
    where p_max_running = 0 or coalesce((v_running ->> c.caller)::integer, 0) < p_max_running
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

select absfin.complete_migration('20261129094000');
