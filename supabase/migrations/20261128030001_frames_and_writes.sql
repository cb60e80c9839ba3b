-- What the functions of owned things share: frames, which are how content is sent, and writes that are done once.

-- A frame is the length of its header (4 bytes, the highest first), the header as JSON in UTF-8, then the contents, whose
-- sizes the header says, one after the other.
create function absfin.frame(p_header jsonb, p_content bytea default null) returns bytea
language sql immutable set search_path = '' as $$
  select int4send(octet_length(h.bytes)) || h.bytes || coalesce(p_content, '')
  from (select convert_to(p_header::text, 'UTF8') as bytes) h
$$;

-- Microseconds since 1970, exactly.
create function absfin.micros(p_time timestamptz) returns bigint
language sql immutable set search_path = '' as $$
  select (extract(epoch from p_time) * 1000000)::bigint
$$;

create function absfin.time_of(p_micros bigint) returns timestamptz
language sql immutable set search_path = '' as $$
  select 'epoch'::timestamptz + p_micros / 1000000 * interval '1 second' + p_micros % 1000000 * interval '1 microsecond'
$$;

-- Begins a write: its answer where it was done before, null where it is to be done. Of calls with one token, one runs.
create function absfin.begin_write(p_token uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(p_token::text, 1));
  return (select answer from absfin.recorded_writes where token = p_token);
end
$$;

create function absfin.end_write(p_token uuid, p_answer jsonb) returns jsonb
language sql security definer set search_path = '' as $$
  insert into absfin.recorded_writes (token, answer) values (p_token, p_answer) returning answer
$$;

create function absfin.delete_recorded_writes(p_limit integer) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  v_count integer;
begin
  delete from absfin.recorded_writes where token in (
    select token from absfin.recorded_writes where written < clock_timestamp() - interval '1 hour'
    order by written limit p_limit for update skip locked);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

-- Changes of one portfolio, and of what follows from it, come one after the other: each sees what those before it did.
create function absfin.lock_portfolio(p_owner text, p_id text) returns void
language sql security definer set search_path = '' as $$
  select pg_advisory_xact_lock(hashtextextended(p_owner || '/portfolios/' || p_id, 2))
$$;

select absfin.complete_migration('20261128030001');
