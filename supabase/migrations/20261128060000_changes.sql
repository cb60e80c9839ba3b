-- The log of changes: what changed, in the order in which it became visible. A row is written in the transaction of the
-- data that it is about: by triggers for what has an owner, which several functions write, and by the functions of market
-- data themselves, which change many rows at once and say each symbol once.

-- Rows are small, for Realtime sends them: a change says what it is about, and who wants to know how that is now reads it.
-- tx is the transaction that wrote it. A change of one thing that comes after another one of it has a higher id. Of PRICES
-- there are the field, the days (since 1970-01-01) and whether values were replaced, of a QUOTE its figures.
create table absfin.changes (
  id         bigint generated always as identity,
  tx         xid8 not null default pg_current_xact_id(),
  written    timestamptz not null default clock_timestamp(),
  kind       text not null check (kind in ('PRICES', 'QUOTE', 'INSTRUMENT', 'CORPORATE_ACTION', 'PORTFOLIO', 'OPTIMIZATION',
                                           'REALLOCATION', 'BACKTEST')),
  owner      text collate "C" not null,  -- empty for what belongs to everybody
  name       text collate "C" not null,  -- symbol, or id
  field      text,
  first_day  integer,
  last_day   integer,
  replaced   boolean,
  quote_time bigint,  -- microseconds since 1970-01-01
  bid        double precision,
  ask        double precision,
  last       double precision,
  primary key (tx, id)
);
alter table absfin.changes enable row level security;

-- Up to where changes were removed. A row that is not there is as one with the first values.
create table absfin.change_log (
  single       boolean primary key default true check (single),
  forgotten_tx xid8 not null default '0',
  forgotten_id bigint not null default 0
);
alter table absfin.change_log enable row level security;

-- Realtime sends a notice of each change to servers, which have the service's key; to nobody else: there is no policy.
grant select on absfin.changes to service_role;
do $$
begin
  if exists (select from pg_publication where pubname = 'supabase_realtime' and not puballtables) then
    alter publication supabase_realtime add table absfin.changes;
  end if;
exception when insufficient_privilege then
  raise warning 'supabase_realtime belongs to another role: add the table absfin.changes to it, or servers only poll';
end
$$;

create function absfin.record_owned_change() returns trigger
language plpgsql set search_path = '' as $$
begin
  if tg_op = 'DELETE' then
    insert into absfin.changes (kind, owner, name) values (tg_argv[0], old.owner, old.id);
  else
    insert into absfin.changes (kind, owner, name) values (tg_argv[0], new.owner, new.id);
  end if;
  return null;
end
$$;

create trigger record_change after insert or update or delete on absfin.portfolios
  for each row execute function absfin.record_owned_change('PORTFOLIO');
create trigger record_change after insert or delete on absfin.optimizations
  for each row execute function absfin.record_owned_change('OPTIMIZATION');
create trigger record_change after insert or delete on absfin.reallocations
  for each row execute function absfin.record_owned_change('REALLOCATION');
create trigger record_end after update of state on absfin.backtests
  for each row when (new.state not in ('QUEUED', 'RUNNING') and old.state is distinct from new.state)
  execute function absfin.record_owned_change('BACKTEST');
create trigger record_copy after insert on absfin.backtests
  for each row when (new.state not in ('QUEUED', 'RUNNING')) execute function absfin.record_owned_change('BACKTEST');
create trigger record_deletion after delete on absfin.backtests
  for each row execute function absfin.record_owned_change('BACKTEST');

-- Changes of several things that belong to everybody, each once.
create function absfin.record_shared_changes(p_kind text, p_names text[]) returns void
language sql set search_path = '' as $$
  insert into absfin.changes (kind, owner, name)
  select p_kind, '', n.name from unnest(p_names) with ordinality n (name, place) group by n.name order by min(n.place)
$$;

-- Changes of prices as [symbol, first day, last day, whether values were replaced].
create function absfin.record_price_changes(p_field text, p_changes jsonb) returns void
language sql set search_path = '' as $$
  insert into absfin.changes (kind, owner, name, field, first_day, last_day, replaced)
  select 'PRICES', '', c ->> 0, p_field, (c ->> 1)::integer, (c ->> 2)::integer, (c ->> 3)::boolean
  from jsonb_array_elements(p_changes) with ordinality x (c, place) order by place
$$;

-- Raises CURSOR_GONE where changes after a place are no longer retained, and for a place that this database did not give.
create function absfin.require_place(p_tx xid8, p_id bigint) returns void
language plpgsql stable set search_path = '' as $$
begin
  if p_tx >= pg_snapshot_xmax(pg_current_snapshot())
    or exists (select from absfin.change_log l where (l.forgotten_tx, l.forgotten_id) > (p_tx, p_id)) then
    perform absfin.refuse('CURSOR_GONE');
  end if;
end
$$;

-- At most so many changes after a place, from the oldest one that is retained where it is null, with the place to go on
-- from. Changes of transactions after the oldest one that is still open wait for it: what it writes comes before them. All
-- of it is of one state of the database, for the function is stable.
create function absfin.read_changes(p_tx xid8, p_id bigint, p_limit integer) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  v_tx xid8 := p_tx;
  v_id bigint := p_id;
  v_changes jsonb;
  v_next jsonb;
  v_more boolean;
begin
  if p_tx is null then
    select forgotten_tx, forgotten_id into v_tx, v_id from absfin.change_log;
    v_tx := coalesce(v_tx, '0'::xid8);
    v_id := coalesce(v_id, 0);
  else
    perform absfin.require_place(p_tx, p_id);
  end if;
  select coalesce(jsonb_agg(jsonb_build_object(
        'tx', p.tx::text, 'id', p.id, 'written', absfin.micros(p.written), 'kind', p.kind, 'owner', p.owner, 'name', p.name,
        'field', p.field, 'first', p.first_day, 'last', p.last_day, 'replaced', p.replaced,
        'quote', case when p.quote_time is not null then jsonb_build_array(p.quote_time, p.bid, p.ask, p.last) end
      ) order by p.place) filter (where p.place <= p_limit), '[]'),
    (array_agg(jsonb_build_array(p.tx::text, p.id) order by p.place desc) filter (where p.place <= p_limit))[1],
    count(*) > p_limit
    into v_changes, v_next, v_more
    from (
      select row_number() over (order by c.tx, c.id) as place, c.* from absfin.changes c
      where (c.tx, c.id) > (v_tx, v_id) and c.tx < pg_snapshot_xmin(pg_current_snapshot())
      order by c.tx, c.id limit p_limit + 1
    ) p;
  return jsonb_build_object(
    'changes', v_changes, 'next', coalesce(v_next, jsonb_build_array(v_tx::text, v_id)), 'more', v_more);
end
$$;

-- The place after everything that may be read now.
create function absfin.find_newest_change() returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(
    (select jsonb_build_array(c.tx::text, c.id) from absfin.changes c
     where c.tx < pg_snapshot_xmin(pg_current_snapshot()) order by c.tx desc, c.id desc limit 1),
    (select jsonb_build_array(l.forgotten_tx::text, l.forgotten_id) from absfin.change_log l),
    '["0", 0]')
$$;

-- How many changes come after a place, those that wait for an open transaction too, and for how many seconds the oldest of
-- them has been there.
create function absfin.measure_change_lag(p_tx xid8, p_id bigint, p_most integer) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object(
    'changes', (select count(*) from (
      select from absfin.changes c where (c.tx, c.id) > (p_tx, p_id) limit p_most) counted),
    'seconds', coalesce((
      select greatest(extract(epoch from clock_timestamp() - c.written), 0)::double precision from absfin.changes c
      where (c.tx, c.id) > (p_tx, p_id) order by c.tx, c.id limit 1), 0))
$$;

-- Removes at most so many changes up to a place that were written before a time, the oldest ones without a gap: a place
-- between those that are left would lose some. How many.
create function absfin.forget_changes(p_tx xid8, p_id bigint, p_before bigint, p_limit integer) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  v_tx xid8;
  v_id bigint;
  v_count integer;
begin
  insert into absfin.change_log default values on conflict do nothing;
  perform from absfin.change_log for update;
  select o.tx, o.id into v_tx, v_id from (
    select c.tx, c.id, bool_and(c.written < absfin.time_of(p_before)) over (order by c.tx, c.id) as is_old
    from (select * from absfin.changes c
          where (c.tx, c.id) <= (p_tx, p_id) and c.tx < pg_snapshot_xmin(pg_current_snapshot())
          order by c.tx, c.id limit p_limit) c
  ) o where o.is_old order by o.tx desc, o.id desc limit 1;
  if not found then
    return 0;
  end if;
  update absfin.change_log set forgotten_tx = v_tx, forgotten_id = v_id;
  delete from absfin.changes c where (c.tx, c.id) <= (v_tx, v_id);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

-- Stores instruments with their labels, replacing those of the same symbol; of a symbol that comes twice, the last. Those
-- that are stored just so are not changed.
create or replace function absfin.upsert_instruments(p_instruments jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_changed text[];
begin
  -- In the order of the symbols, as all that insert here do: two at once wait for each other, and never in a circle.
  with written as (
    insert into absfin.instruments as i (symbol, display_name, currency, groups, lot_size, state)
    select distinct on (x.symbol collate "C") x.symbol, x.display_name, x.currency, x.groups, x.lot_size, x.state
    from rows from (jsonb_to_recordset(p_instruments) as (
      symbol text, display_name text, currency text, groups jsonb, lot_size double precision, state text
    )) with ordinality x (symbol, display_name, currency, groups, lot_size, state, place)
    order by x.symbol collate "C", x.place desc
    on conflict (symbol) do update set
      display_name = excluded.display_name, currency = excluded.currency, groups = excluded.groups,
      lot_size = excluded.lot_size, state = excluded.state
      where (i.display_name, i.currency, i.groups, i.lot_size, i.state) is distinct from
        (excluded.display_name, excluded.currency, excluded.groups, excluded.lot_size, excluded.state)
    returning i.symbol
  )
  select coalesce(array_agg(symbol), '{}') into v_changed from written;
  delete from absfin.instrument_labels where symbol = any (v_changed);
  insert into absfin.instrument_labels (label, symbol)
    select g.key || '=' || g.value, i.symbol
    from absfin.instruments i, jsonb_each_text(i.groups) g
    where i.symbol = any (v_changed)
    on conflict do nothing;
  perform absfin.record_shared_changes('INSTRUMENT', v_changed);
  return to_jsonb(jsonb_array_length(p_instruments));
end
$$;

-- Stores actions as [symbol, day, kind, amount, pay day], replacing those of the same symbol, day and kind; a delisting
-- replaces any of its symbol. Of two in the same list that would replace each other, the later one stays.
create or replace function absfin.upsert_corporate_actions(p_actions jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_actions absfin.corporate_actions[];
  v_changed text[];
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
  delete from absfin.corporate_actions c using unnest(v_actions) a
    where c.kind = 'DELISTING' and a.kind = 'DELISTING' and c.symbol = a.symbol;
  insert into absfin.corporate_actions (symbol, day, kind, amount, pay_day)
    select symbol, day, kind, amount, pay_day from unnest(v_actions)
    on conflict (symbol, day, kind) do update set amount = excluded.amount, pay_day = excluded.pay_day;
  perform absfin.record_shared_changes('CORPORATE_ACTION', v_changed);
  return to_jsonb(jsonb_array_length(p_actions));
end
$$;

-- Makes an import visible, if no other one was finished since the position up to which it was merged. The answer is its
-- receipt, that of the same import sent before, or null where others were finished. Changes are those of its prices.
drop function absfin.finish_import(text, text, text, text, bigint, jsonb, text[]);
create function absfin.finish_import(
  p_session text, p_import_id text, p_body text, p_source text, p_base bigint, p_receipt jsonb, p_symbols text[],
  p_field text, p_changes jsonb
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_position bigint;
  v_before absfin.imports;
  v_number bigint;
begin
  insert into absfin.price_clock (position) values (0) on conflict do nothing;
  select position into strict v_position from absfin.price_clock for update;
  select * into v_before from absfin.imports where import_id = p_import_id;
  if found then
    if v_before.body <> decode(p_body, 'hex') then
      perform absfin.refuse('REQUEST_ID_REUSED', jsonb_build_object('field', 'header.import_id', 'request_id', p_import_id));
    end if;
    return jsonb_build_object('receipt', v_before.receipt);
  end if;
  v_number := absfin.hold_import(p_session);
  if v_position <> p_base then
    return jsonb_build_object('receipt', null);
  end if;
  update absfin.price_revisions set position = v_position + 1 where number = v_number;
  update absfin.price_clock set position = v_position + 1;
  insert into absfin.instruments (symbol) select s from unnest(p_symbols) s order by s collate "C" on conflict do nothing;
  insert into absfin.imports (import_id, body, receipt, source)
    values (p_import_id, decode(p_body, 'hex'), p_receipt, p_source);
  perform absfin.record_price_changes(p_field, p_changes);
  return jsonb_build_object('receipt', p_receipt);
end
$$;

select absfin.complete_migration('20261128060000');
