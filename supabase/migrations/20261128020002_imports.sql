-- Importing prices: chunks are written under a revision that nobody sees, and the revision is finished in one step.

-- Hashes of the chunks that count now, as place and year (big-endian int32) and sha256.
create function absfin.read_price_hashes(p_symbols text[], p_field text)
returns absfin."application/octet-stream"
language sql stable security definer set search_path = '' as $$
  select coalesce(string_agg(int4send(f.place) || int4send(f.year) || f.sha256, ''::bytea), '')
    ::absfin."application/octet-stream"
  from absfin.current_chunks(p_symbols, p_field, -2147483648, 2147483647) f
$$;

-- Begins an import.
create function absfin.begin_import(p_session text) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  insert into absfin.price_revisions (session) values (p_session) on conflict do nothing;
  return null;
end
$$;

-- The position of the last import that is finished, and of an import that is, its hash in hexadecimal digits and its
-- receipt, nulls where it is not.
create function absfin.find_import(p_import_id text) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object(
    'position', coalesce((select position from absfin.price_clock), 0), 'body', encode(i.body, 'hex'), 'receipt', i.receipt
  )
  from (select p_import_id as id) x left join absfin.imports i on i.import_id = x.id
$$;

-- The revision of an import under way; refuses where it was dropped. Its server is heard of. Until the end of the
-- transaction nobody can drop or finish it, and others of the same import can go on.
create function absfin.hold_import(p_session text) returns bigint
language plpgsql set search_path = '' as $$
declare
  v_number bigint;
begin
  update absfin.price_revisions set touched = clock_timestamp()
    where session = p_session and position is null and not dropped
      and touched < clock_timestamp() - interval '10 seconds'
    returning number into v_number;
  if v_number is null then
    select number into v_number from absfin.price_revisions
      where session = p_session and position is null and not dropped for share;
  end if;
  if v_number is null then
    perform absfin.refuse('IMPORT_DROPPED');
  end if;
  return v_number;
end
$$;

create function absfin.touch_import(p_session text) returns jsonb
language sql security definer set search_path = '' as $$
  select to_jsonb(absfin.hold_import(p_session))
$$;

-- Adds chunks that nobody sees before the import is finished. The body is the length of its head as big-endian int32, the
-- head as JSON {session, field, chunks: [[symbol, year, first day, last day, bytes, sha256 in hexadecimal digits], ...]},
-- and the data of the chunks one after the other.
create function absfin.write_price_chunks(bytea) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_size int := (get_byte($1, 0) << 24) | (get_byte($1, 1) << 16) | (get_byte($1, 2) << 8) | get_byte($1, 3);
  v_head jsonb := convert_from(substring($1 from 5 for v_size), 'UTF8');
  v_number bigint := absfin.hold_import(v_head ->> 'session');
  v_count int;
begin
  insert into absfin.price_chunks (symbol, field, year, revision, first_day, last_day, sha256, data)
  select c.symbol, v_head ->> 'field', c.year, v_number, c.first_day, c.last_day, c.sha256,
    substring($1 from 5 + v_size + (c.until - c.size)::int for c.size)
  from (
    select e ->> 0 as symbol, (e ->> 1)::int as year, (e ->> 2)::int as first_day, (e ->> 3)::int as last_day,
      (e ->> 4)::int as size, decode(e ->> 5, 'hex') as sha256,
      sum((e ->> 4)::int) over (order by place rows unbounded preceding) as until
    from jsonb_array_elements(v_head -> 'chunks') with ordinality x (e, place)
  ) c
  order by c.symbol, c.year
  on conflict (symbol, field, year, revision) do update
    set first_day = excluded.first_day, last_day = excluded.last_day, sha256 = excluded.sha256, data = excluded.data;
  get diagnostics v_count = row_count;
  return to_jsonb(v_count);
end
$$;

-- Takes back what an import under way has written for some symbols.
create function absfin.withdraw_price_chunks(p_session text, p_symbols text[]) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_number bigint := absfin.hold_import(p_session);
begin
  delete from absfin.price_chunks where revision = v_number and symbol = any (p_symbols);
  return null;
end
$$;

-- The symbols whose values of a field imports have changed that were finished after a position, and the last position.
create function absfin.list_changed_symbols(p_field text, p_since bigint) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object(
    'position', coalesce((select position from absfin.price_clock), 0),
    'symbols', (
      select coalesce(jsonb_agg(distinct c.symbol), '[]')
      from absfin.price_revisions r join absfin.price_chunks c on c.revision = r.number and c.field = p_field
      where r.position > p_since
    )
  )
$$;

-- Makes an import visible, if no other one was finished since the position up to which it was merged. The answer is its
-- receipt, that of the same import sent before, or null where others were finished.
create function absfin.finish_import(
  p_session text, p_import_id text, p_body text, p_source text, p_base bigint, p_receipt jsonb, p_symbols text[]
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
  return jsonb_build_object('receipt', p_receipt);
end
$$;

-- Drops an import under way with at most so many of its chunks, or, where seconds are given, only if its server has been
-- silent for so long; whether chunks may be left.
create function absfin.drop_import(p_session text, p_limit int, p_seconds double precision) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_number bigint;
  v_count int;
begin
  update absfin.price_revisions set dropped = true
    where session = p_session and position is null
      and (p_seconds is null or dropped or touched < clock_timestamp() - make_interval(secs => p_seconds))
    returning number into v_number;
  if v_number is null then
    return to_jsonb(false);
  end if;
  delete from absfin.price_chunks where ctid = any (array(
    select ctid from absfin.price_chunks where revision = v_number limit p_limit
  ));
  get diagnostics v_count = row_count;
  if v_count = p_limit then
    return to_jsonb(true);
  end if;
  delete from absfin.price_revisions where number = v_number;
  return to_jsonb(false);
end
$$;

-- Sessions of imports whose server has not been heard of for so long, or which were given up.
create function absfin.list_silent_imports(p_seconds double precision) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(session), '[]') from absfin.price_revisions
  where position is null and (dropped or touched < clock_timestamp() - make_interval(secs => p_seconds))
$$;

-- Deletes at most so many chunks that a finished import has replaced; whether there may be more.
create function absfin.clean_prices(p_limit int) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_revision absfin.price_revisions;
  v_count int;
begin
  select * into v_revision from absfin.price_revisions
    where position is not null and not cleaned order by position limit 1 for update skip locked;
  if not found then
    return to_jsonb(false);
  end if;
  delete from absfin.price_chunks where ctid = any (array(
    select old.ctid from absfin.price_chunks new
    join absfin.price_chunks old
      on old.symbol = new.symbol and old.field = new.field and old.year = new.year and old.revision <> new.revision
    join absfin.price_revisions r on r.number = old.revision and r.position < v_revision.position
    where new.revision = v_revision.number limit p_limit
  ));
  get diagnostics v_count = row_count;
  if v_count < p_limit then
    update absfin.price_revisions set cleaned = true where number = v_revision.number;
  end if;
  return to_jsonb(true);
end
$$;

select absfin.complete_migration('20261128020002');
