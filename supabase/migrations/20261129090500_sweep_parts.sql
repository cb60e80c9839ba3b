-- A sweep that is cancelled or fails keeps the trials that are over: its parts are listed until it is deleted.

-- Ends a job and drops what it needed to go on; the number of the latest event before.
create or replace function absfin.end_backtest(
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
  delete from absfin.backtest_parts p
  using absfin.backtests b
  where p.backtest_key = p_key and b.key = p_key and (p_state = 'SUCCEEDED' or b.id not like 'sweeps/%');
  return v_before;
end
$$;

select absfin.complete_migration('20261129090500');
