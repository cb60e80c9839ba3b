-- Decisions of services outside that jobs were told.

create function absfin.find_backtest_decision(p_key bigint, p_path text, p_day integer) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select pg_catalog.jsonb_build_object('weights', d.weights, 'reason', d.reason, 'message', d.message)
  from absfin.backtest_decisions d where d.backtest_key = p_key and d.path = p_path and d.day = p_day
$$;

-- Stores a decision unless there is one; the one that is stored. Raises LOST_CLAIM.
create function absfin.store_backtest_decision(
  p_key bigint, p_worker text, p_attempt integer, p_path text, p_day integer, p_weights text, p_reason text,
  p_message text
) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform absfin.hold_backtest(p_key, p_worker, p_attempt);
  insert into absfin.backtest_decisions values (p_key, p_path, p_day, p_weights, p_reason, p_message)
  on conflict do nothing;
  return absfin.find_backtest_decision(p_key, p_path, p_day);
end
$$;

select absfin.complete_migration('20261128040005');
