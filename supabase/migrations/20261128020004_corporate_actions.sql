-- Corporate actions. The amount is the ratio of a split, the money of a dividend for one unit, or the return of a
-- delisting, null where the policy of a backtest decides. Days count from 1970-01-01.

create table absfin.corporate_actions (
  symbol text collate "C" not null,
  day int not null,
  kind text collate "C" not null check (kind in ('SPLIT', 'CASH_DIVIDEND', 'DELISTING')),
  amount double precision,
  pay_day int,
  primary key (symbol, day, kind)
);
create unique index corporate_actions_delistings on absfin.corporate_actions (symbol) where kind = 'DELISTING';
alter table absfin.corporate_actions enable row level security;
create policy corporate_actions_read on absfin.corporate_actions for select to authenticated using (true);
grant select on absfin.corporate_actions to authenticated;

-- Stores actions as [symbol, day, kind, amount, pay day], replacing those of the same symbol, day and kind; a delisting
-- replaces any of its symbol. Of two in the same list that would replace each other, the later one stays.
create function absfin.upsert_corporate_actions(p_actions jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_actions absfin.corporate_actions[];
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
  delete from absfin.corporate_actions c using unnest(v_actions) a
    where c.kind = 'DELISTING' and a.kind = 'DELISTING' and c.symbol = a.symbol;
  insert into absfin.corporate_actions (symbol, day, kind, amount, pay_day)
    select symbol, day, kind, amount, pay_day from unnest(v_actions)
    on conflict (symbol, day, kind) do update set amount = excluded.amount, pay_day = excluded.pay_day;
  return to_jsonb(jsonb_array_length(p_actions));
end
$$;

-- At most so many actions by symbol, day and kind, of some symbols (all where there are none) and days, after the key
-- [symbol, day, kind] where one is given.
create function absfin.list_corporate_actions(
  p_symbols text[], p_start int, p_end int, p_after jsonb, p_limit int
) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_array(symbol, day, kind, amount, pay_day) order by symbol, day, kind), '[]')
  from (
    select * from absfin.corporate_actions
    where (cardinality(p_symbols) = 0 or symbol = any (p_symbols))
      and (p_start is null or day >= p_start) and (p_end is null or day <= p_end)
      and (p_after is null or (symbol, day, kind) > (p_after ->> 0, (p_after ->> 1)::int, p_after ->> 2))
    order by symbol, day, kind limit p_limit
  ) a
$$;

-- Day of the first closing price by symbol, null where there is none; symbols that are not stored are left out.
create function absfin.find_first_days(p_symbols text[]) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_object_agg(i.symbol, (
    select min(c.first_day) from absfin.price_chunks c join absfin.price_revisions r on r.number = c.revision
    where c.symbol = i.symbol and c.field = 'CLOSE' and r.position is not null
  )), '{}')
  from absfin.instruments i where i.symbol = any (p_symbols)
$$;

select absfin.complete_migration('20261128020004');
