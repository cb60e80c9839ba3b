-- Prices that are published as they come. Bars are among the prices of their symbols, as an import would store them that is
-- finished at once; quotes are beside them.

-- The latest revision of each bar that was published. Days count from 1970-01-01.
create table absfin.bar_revisions (
  symbol   text collate "C" not null,
  day      integer not null,
  revision integer not null,
  close    double precision not null,
  open     double precision,
  high     double precision,
  low      double precision,
  volume   double precision,
  primary key (symbol, day)
);
alter table absfin.bar_revisions enable row level security;

-- The latest quote of each symbol; its time in microseconds since 1970-01-01.
create table absfin.quotes (
  symbol     text collate "C" primary key,
  quote_time bigint not null,
  bid        double precision,
  ask        double precision,
  last       double precision
);
alter table absfin.quotes enable row level security;

-- What bars of some symbols and days are decided by and merged with: the last position of an import, those of the symbols
-- that are stored, the bars that are, by place from 0, the newest day of each symbol and field, and the chunks of the years,
-- whose data follow in this order.
create function absfin.read_bars(p_symbols text[], p_days integer[], p_years integer[])
returns absfin."application/octet-stream"
language sql stable security definer set search_path = '' as $$
  with sent as (
    select s.symbol, s.day, s.year, s.place - 1 as place
    from rows from (unnest(p_symbols), unnest(p_days), unnest(p_years)) with ordinality s (symbol, day, year, place)
  ), chunks as materialized (
    select distinct on (c.symbol, c.field, c.year) c.symbol, c.field, c.year, c.data
    from (select distinct symbol, year from sent) s
    join absfin.price_chunks c on c.symbol = s.symbol and c.year = s.year
    join absfin.price_revisions r on r.number = c.revision and r.position is not null
    order by c.symbol, c.field, c.year, r.position desc
  )
  select absfin.frame(
    jsonb_build_object(
      'position', coalesce((select position from absfin.price_clock), 0),
      'known', (select coalesce(jsonb_agg(i.symbol), '[]') from absfin.instruments i where i.symbol = any (p_symbols)),
      'bars', (
        select coalesce(jsonb_agg(jsonb_build_array(
          sent.place, b.revision, b.close, b.open, b.high, b.low, b.volume)), '[]')
        from sent join absfin.bar_revisions b on b.symbol = sent.symbol and b.day = sent.day),
      'newest', (
        select coalesce(jsonb_agg(jsonb_build_array(n.symbol, n.field, n.day)), '[]')
        from (
          select c.symbol, c.field, max(c.last_day) as day
          from absfin.price_chunks c join absfin.price_revisions r on r.number = c.revision and r.position is not null
          where c.symbol = any (p_symbols) group by c.symbol, c.field
        ) n),
      'chunks', (
        select coalesce(jsonb_agg(jsonb_build_array(c.symbol, c.field, c.year, octet_length(c.data))
          order by c.symbol, c.field, c.year), '[]') from chunks c)),
    (select string_agg(c.data, ''::bytea order by c.symbol, c.field, c.year) from chunks c)
  )::absfin."application/octet-stream"
$$;

-- Stores bars and the chunks that they were merged into, if no import or other bars were finished since the position up to
-- which they were merged: whether they are stored. Takes a frame with write, position, bars as [symbol, day, revision, close,
-- open, high, low, volume], changes as {field: [[symbol, first day, last day, replaced]]} and chunks as [field, symbol, year,
-- first day, last day, bytes, sha256 in hexadecimal digits], whose data follow.
create function absfin.publish_bars(bytea) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_sent jsonb := absfin.sent_header($1);
  v_write uuid := v_sent ->> 'write';
  v_done jsonb := absfin.begin_write(v_write);
  v_position bigint;
  v_number bigint;
  v_replaced bigint[];
begin
  if v_done is not null then
    return v_done;
  end if;
  insert into absfin.price_clock (position) values (0) on conflict do nothing;
  select position into strict v_position from absfin.price_clock for update;
  if v_position <> (v_sent ->> 'position')::bigint then
    return to_jsonb(false);
  end if;
  insert into absfin.bar_revisions (symbol, day, revision, close, open, high, low, volume)
    select b ->> 0, (b ->> 1)::integer, (b ->> 2)::integer, (b ->> 3)::double precision, (b ->> 4)::double precision,
      (b ->> 5)::double precision, (b ->> 6)::double precision, (b ->> 7)::double precision
    from jsonb_array_elements(v_sent -> 'bars') b
    on conflict (symbol, day) do update set revision = excluded.revision, close = excluded.close, open = excluded.open,
      high = excluded.high, low = excluded.low, volume = excluded.volume;
  if jsonb_array_length(v_sent -> 'chunks') > 0 then
    update absfin.price_clock set position = v_position + 1;
    insert into absfin.price_revisions (session, position, cleaned) values ('published ' || v_write, v_position + 1, true)
      returning number into v_number;
    insert into absfin.price_chunks (symbol, field, year, revision, first_day, last_day, sha256, data)
      select c.symbol, c.field, c.year, v_number, c.first_day, c.last_day, c.sha256,
        absfin.sent_content($1, c.until - c.size, c.size)
      from (
        select e ->> 0 as field, e ->> 1 as symbol, (e ->> 2)::integer as year, (e ->> 3)::integer as first_day,
          (e ->> 4)::integer as last_day, (e ->> 5)::integer as size, decode(e ->> 6, 'hex') as sha256,
          sum((e ->> 5)::integer) over (order by place rows unbounded preceding) as until
        from jsonb_array_elements(v_sent -> 'chunks') with ordinality x (e, place)
      ) c;
    -- What the new chunks replace goes at once: there may be many batches a day. Imports under way keep theirs.
    with gone as (
      delete from absfin.price_chunks old using absfin.price_chunks new, absfin.price_revisions r
      where new.revision = v_number and old.symbol = new.symbol and old.field = new.field and old.year = new.year
        and old.revision <> v_number and r.number = old.revision and r.position is not null
      returning old.revision
    )
    select array_agg(distinct revision) into v_replaced from gone;
    delete from absfin.price_revisions r where r.number = any (v_replaced) and r.cleaned
      and not exists (select from absfin.price_chunks c where c.revision = r.number);
  end if;
  perform absfin.record_price_changes(f.key, f.value) from jsonb_each(v_sent -> 'changes') f;
  return absfin.end_write(v_write, to_jsonb(true));
end
$$;

-- Stores quotes as [symbol, time, bid, ask, last], each of another symbol, where no later one is stored; why some are not,
-- by place from 0. The one that is stored changes nothing.
create function absfin.publish_quotes(p_quotes jsonb, p_token uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_done jsonb := absfin.begin_write(p_token);
begin
  if v_done is not null then
    return v_done;
  end if;
  with sent as (
    select x.place, e ->> 0 as symbol, (e ->> 1)::bigint as quote_time, (e ->> 2)::double precision as bid,
      (e ->> 3)::double precision as ask, (e ->> 4)::double precision as last
    from jsonb_array_elements(p_quotes) with ordinality x (e, place)
    where exists (select from absfin.instruments i where i.symbol = e ->> 0)
  ), written as (
    insert into absfin.quotes as q (symbol, quote_time, bid, ask, last)
    select symbol, quote_time, bid, ask, last from sent order by symbol collate "C"
    on conflict (symbol) do update set quote_time = excluded.quote_time, bid = excluded.bid, ask = excluded.ask,
      last = excluded.last
      where q.quote_time <= excluded.quote_time and (q.quote_time, q.bid, q.ask, q.last) is distinct from
        (excluded.quote_time, excluded.bid, excluded.ask, excluded.last)
    returning symbol, quote_time, bid, ask, last
  )
  insert into absfin.changes (kind, owner, name, quote_time, bid, ask, last)
    select 'QUOTE', '', w.symbol, w.quote_time, w.bid, w.ask, w.last
    from written w join sent on sent.symbol = w.symbol order by sent.place;
  -- This statement sees what others have stored meanwhile, too: the same quote is no stale one.
  select coalesce(jsonb_object_agg((x.place - 1)::text, case when i.symbol is null then 'UNKNOWN_SYMBOL' else 'STALE_QUOTE' end), '{}')
    into v_done
    from jsonb_array_elements(p_quotes) with ordinality x (e, place)
    left join absfin.instruments i on i.symbol = e ->> 0
    where i.symbol is null or not exists (
      select from absfin.quotes q where q.symbol = e ->> 0 and (q.quote_time, q.bid, q.ask, q.last) is not distinct from
        ((e ->> 1)::bigint, (e ->> 2)::double precision, (e ->> 3)::double precision, (e ->> 4)::double precision));
  return absfin.end_write(p_token, v_done);
end
$$;

create function absfin.read_quotes(p_symbols text[]) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_array(q.symbol, q.quote_time, q.bid, q.ask, q.last)), '[]')
  from absfin.quotes q where q.symbol = any (p_symbols)
$$;

select absfin.complete_migration('20261128060003');
