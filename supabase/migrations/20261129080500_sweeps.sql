-- Sweeps are jobs whose id is their whole resource name, sweeps/..., so that they and backtests share no name. A list of
-- backtests does not show them.

create or replace function absfin.list_backtests(
  p_owner text, p_after_time timestamptz, p_after_id text, p_after_key bigint, p_limit integer, p_label text,
  p_state text, p_created_from timestamptz, p_created_before timestamptz
) returns jsonb
language plpgsql stable security definer set search_path = '' set plan_cache_mode = 'force_custom_plan'
as $$
begin
  return coalesce((
    select pg_catalog.jsonb_agg(
      absfin.backtest_summary(page) order by page.created_time desc, page.id desc, page.key desc)
    from (
      select b.* from absfin.backtests b
      where (p_owner is null or b.owner = p_owner)
        and (p_after_time is null
             or (b.created_time, b.id, b.key) < (p_after_time, p_after_id collate "C", p_after_key))
        and (p_label is null or b.label = p_label)
        and (p_state is null or b.state = p_state)
        and (p_created_from is null or b.created_time >= p_created_from)
        and (p_created_before is null or b.created_time < p_created_before)
        and b.id not like 'sweeps/%'
      order by b.created_time desc, b.id desc, b.key desc limit p_limit
    ) page), '[]'::jsonb);
end
$$;

select absfin.complete_migration('20261129080500');
