-- Where a backtest stands when it is over: its end, not the last tick that was recorded before.

-- Ends a job with a last event; the events as stored. Takes a frame with `state`, `result` and `error`, the sizes of the
-- contents or null, `events`, `retained`, and `tick`, which is null or absent where none came.
create or replace function absfin.finish_backtest(bytea) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_sent jsonb := absfin.sent_header($1);
  v_key bigint := v_sent -> 'key';
  v_write uuid := v_sent ->> 'write';
  v_result integer := nullif(v_sent -> 'result', 'null');
  v_error integer := nullif(v_sent -> 'error', 'null');
  v_tick jsonb := nullif(v_sent -> 'tick', 'null');
  v_before integer;
begin
  select r.first_event into v_before from absfin.backtest_results r where r.backtest_key = v_key and r.write = v_write;
  if not found then
    perform absfin.hold_backtest(v_key, v_sent ->> 'worker', (v_sent -> 'attempt')::integer);
    v_before := absfin.end_backtest(
      v_key, v_sent ->> 'state', absfin.sent_content($1, 0, v_result),
      absfin.sent_content($1, coalesce(v_result, 0), v_error), v_sent -> 'events', v_write,
      (v_sent -> 'retained')::integer);
    if v_tick is not null then
      perform absfin.record_backtest_progress(v_key, v_tick);
    end if;
    delete from absfin.backtest_series s
    where s.backtest_key = v_key and (s.attempt <> (v_sent -> 'attempt')::integer or v_sent ->> 'state' <> 'SUCCEEDED');
  end if;
  return absfin.backtest_events_after(v_key, v_before);
end
$$;
