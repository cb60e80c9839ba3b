-- Copies of the trials of sweeps that were cancelled or have failed, which are the only parts of jobs that are over.

create function absfin.read_transfer_backtest_parts(p_after jsonb, p_limit integer, p_bytes bigint) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object(
      'owner', page.owner,
      'id', page.id,
      'number', page.number,
      'data', absfin.base64_of(page.data)
    ) order by page.owner collate "C", page.id, page.number), '[]')
  from (
    select r.*, sum(r.size) over (order by r.owner collate "C", r.id, r.number) - r.size as before
    from (
      select b.owner, b.id, p.number, p.data, octet_length(p.data) as size
      from (
        select b.key, b.owner, b.id from absfin.backtests b
        where absfin.is_over(b) and (b.owner collate "C", b.id) >= (p_after ->> 0, p_after ->> 1)
          and exists (
            select from absfin.backtest_parts p where p.backtest_key = b.key
            and (b.owner collate "C", b.id, p.number) > (p_after ->> 0, p_after ->> 1, (p_after ->> 2)::integer))
        order by b.owner collate "C", b.id limit p_limit
      ) b
      cross join lateral (
        select * from absfin.backtest_parts p where p.backtest_key = b.key
          and (b.owner collate "C", b.id, p.number) > (p_after ->> 0, p_after ->> 1, (p_after ->> 2)::integer)
        order by p.number limit p_limit
      ) p
      order by b.owner collate "C", b.id, p.number limit p_limit
    ) r
  ) page where page.before < p_bytes
$$;

create function absfin.put_transfer_backtest_parts(p_rows jsonb) returns void
language sql security definer set search_path = '' as $$
  insert into absfin.backtest_parts (backtest_key, number, data)
  select b.key, (r ->> 'number')::integer, absfin.bytes_at(r, 'data')
  from jsonb_array_elements(p_rows) as sent (r)
  join absfin.backtests b on b.owner = r ->> 'owner' and b.id = r ->> 'id'
  on conflict do nothing
$$;

select absfin.complete_migration('20261129092500');
