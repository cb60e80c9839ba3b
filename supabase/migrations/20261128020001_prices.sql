-- Reading prices.

-- Which chunks count: of each of some symbols (by place from 1) and years the one of the latest import that is finished.
-- It sets no search path, so that it becomes part of the statements that use it; every name in it is qualified.
create function absfin.current_chunks(p_symbols text[], p_field text, p_first_year int, p_last_year int)
returns table (place int, symbol text, year int, revision bigint, sha256 bytea, size int)
language sql stable as $$
  select distinct on (s.place, c.year) s.place::int, c.symbol, c.year, c.revision, c.sha256, octet_length(c.data)
  from unnest(p_symbols) with ordinality s (symbol, place)
  join absfin.price_chunks c
    on c.symbol = s.symbol and c.field = p_field and c.year between p_first_year and p_last_year
  join absfin.price_revisions r on r.number = c.revision and r.position is not null
  order by s.place, c.year, r.position desc
$$;

-- A hash over the chunks of some symbols and years, how many bytes they have, and the symbols without any at all.
create function absfin.describe_prices(p_symbols text[], p_field text, p_first_year int, p_last_year int) returns jsonb
language sql stable security definer set search_path = '' as $$
  with chunks as materialized (
    select * from absfin.current_chunks(p_symbols, p_field, p_first_year, p_last_year)
  )
  select jsonb_build_object(
    'digest', encode(
      sha256(coalesce(string_agg(int4send(place) || int4send(year) || sha256, ''::bytea order by place, year), '')), 'hex'
    ),
    'size', coalesce(sum(size), 0),
    'unknown', (
      select coalesce(jsonb_agg(s.symbol order by s.place), '[]')
      from unnest(p_symbols) with ordinality s (symbol, place)
      where s.place not in (select h.place from chunks h) and not exists (
        select from absfin.price_chunks c join absfin.price_revisions r on r.number = c.revision
        where c.symbol = s.symbol and c.field = p_field and r.position is not null
      )
    )
  ) from chunks
$$;

-- The chunks themselves, in any order: place of the symbol from 1, year and number of bytes as big-endian int32, sha256,
-- bytes.
create function absfin.read_prices(p_symbols text[], p_field text, p_first_year int, p_last_year int)
returns absfin."application/octet-stream"
language sql stable security definer set search_path = '' as $$
  select coalesce(string_agg(
    (int4send(f.place) || int4send(f.year) || int4send(octet_length(c.data)) || c.sha256) || c.data, ''::bytea
  ), '')::absfin."application/octet-stream"
  from absfin.current_chunks(p_symbols, p_field, p_first_year, p_last_year) f
  join absfin.price_chunks c
    on c.symbol = f.symbol and c.field = p_field and c.year = f.year and c.revision = f.revision
$$;

-- The same of single chunks: of each symbol the year at its place, with that place.
create function absfin.read_price_chunks(p_symbols text[], p_years int[], p_field text)
returns absfin."application/octet-stream"
language sql stable security definer set search_path = '' as $$
  with current as materialized (
    select distinct on (s.place) s.place::int, c.symbol, c.year, c.revision
    from rows from (unnest(p_symbols), unnest(p_years)) with ordinality s (symbol, year, place)
    join absfin.price_chunks c on c.symbol = s.symbol and c.field = p_field and c.year = s.year
    join absfin.price_revisions r on r.number = c.revision and r.position is not null
    order by s.place, r.position desc
  )
  select coalesce(string_agg(
    (int4send(f.place) || int4send(f.year) || int4send(octet_length(c.data)) || c.sha256) || c.data, ''::bytea
  ), '')::absfin."application/octet-stream"
  from current f
  join absfin.price_chunks c
    on c.symbol = f.symbol and c.field = p_field and c.year = f.year and c.revision = f.revision
$$;

-- The first and the last day of some symbols as [first, last], nulls where there is none.
create function absfin.find_price_range(p_symbols text[], p_field text) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_array(min(c.first_day), max(c.last_day))
  from absfin.price_chunks c join absfin.price_revisions r on r.number = c.revision
  where c.symbol = any (p_symbols) and c.field = p_field and r.position is not null
$$;

-- Those of some symbols that have values of a field.
create function absfin.find_priced_symbols(p_symbols text[], p_field text) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(s.symbol order by s.place), '[]')
  from unnest(p_symbols) with ordinality s (symbol, place)
  where exists (
    select from absfin.price_chunks c join absfin.price_revisions r on r.number = c.revision
    where c.symbol = s.symbol and c.field = p_field and r.position is not null
  )
$$;

select absfin.complete_migration('20261128020001');
