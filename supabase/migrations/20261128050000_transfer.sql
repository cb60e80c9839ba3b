-- Rows of this store for a copy of it, table by table. Each has a function that reads rows after a place, in the order of
-- places, and one that stores rows which are not there; what stands in the place of a row, or has its request id, stays
-- as it is. A page has at most p_limit rows and, but for its last row, less than p_bytes of content. Rows are JSON objects:
-- bytes are base64, floating-point numbers are texts (JSON has no NaN), times are microseconds since 1970. Of backtests,
-- and of what belongs to them, there are only those that are over.

create function absfin.base64_of(p_value bytea) returns text
language sql immutable set search_path = '' as $$
  select translate(encode(p_value, 'base64'), E'\n', '')
$$;

create function absfin.bytes_at(p_row jsonb, p_name text) returns bytea
language sql immutable set search_path = '' as $$
  select decode(p_row ->> p_name, 'base64')
$$;

create function absfin.time_at(p_row jsonb, p_name text) returns timestamptz
language sql immutable set search_path = '' as $$
  select absfin.time_of((p_row ->> p_name)::bigint)
$$;

create function absfin.is_over(p_job absfin.backtests) returns boolean
language sql immutable set search_path = '' as $$
  select p_job.state not in ('QUEUED', 'RUNNING')
$$;

create function absfin.read_transfer_portfolios(p_after jsonb, p_limit integer, p_bytes bigint) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object(
      'owner', page.owner,
      'id', page.id,
      'request_id', page.request_id,
      'revision', page.revision,
      'created', absfin.micros(page.created),
      'updated', absfin.micros(page.updated),
      'body', absfin.base64_of(page.body),
      'payload', absfin.base64_of(page.payload)
    ) order by page.owner, page.id), '[]')
  from (
    select r.*, sum(r.size) over (order by r.owner, r.id) - r.size as before
    from (
      select p.*, octet_length(p.payload) as size from absfin.portfolios p
      where (p.owner, p.id) > (p_after ->> 0, p_after ->> 1) order by p.owner, p.id limit p_limit
    ) r
  ) page where page.before < p_bytes
$$;

create function absfin.put_transfer_portfolios(p_rows jsonb) returns void
language sql security definer set search_path = '' as $$
  insert into absfin.portfolios (owner, id, request_id, revision, created, updated, body, payload)
  select r ->> 'owner', r ->> 'id', r ->> 'request_id', (r ->> 'revision')::bigint, absfin.time_at(r, 'created'),
    absfin.time_at(r, 'updated'), absfin.bytes_at(r, 'body'), absfin.bytes_at(r, 'payload')
  from jsonb_array_elements(p_rows) with ordinality as sent (r, place) order by place
  on conflict do nothing
$$;

-- Positions count the fills of a portfolio as they were recorded, from the portfolio of p_after on.
create function absfin.read_transfer_fills(p_after jsonb, p_limit integer, p_bytes bigint) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object(
      'owner', page.owner,
      'portfolio', page.portfolio_id,
      'position', page.position,
      'fill_id', page.fill_id,
      'symbol', page.symbol,
      'day', page.day,
      'reallocation', page.reallocation,
      'is_open', page.is_open,
      'disallows', coalesce((select jsonb_agg(d.sold_fill_id) from absfin.disallowed_losses d
        where d.fill = page.key), '[]'),
      'content', absfin.base64_of(page.content),
      'outcome', absfin.base64_of(page.outcome)
    ) order by page.owner, page.portfolio_id, page.position), '[]')
  from (
    select r.*, sum(r.size) over (order by r.owner, r.portfolio_id, r.position) - r.size as before
    from (
      select place.owner, place.portfolio_id, place.position, f.*, octet_length(f.content) + octet_length(f.outcome) as size
      from (
        select o.owner, o.id as portfolio_id, o.fill_key,
          row_number() over (partition by o.owner, o.id order by o.fill_key) as position
        from (
          select p.owner, p.id, f.key as fill_key
          from absfin.portfolios p join absfin.fills f on f.portfolio = p.key
          where (p.owner, p.id) >= (p_after ->> 0, p_after ->> 1)
          order by p.owner, p.id, f.key limit greatest((p_after ->> 2)::bigint, 0) + p_limit
        ) o
      ) place
      join absfin.fills f on f.key = place.fill_key
      where (place.owner, place.portfolio_id, place.position) > (p_after ->> 0, p_after ->> 1, (p_after ->> 2)::bigint)
      order by place.owner, place.portfolio_id, place.position limit p_limit
    ) r
  ) page where page.before < p_bytes
$$;

create function absfin.put_transfer_fills(p_rows jsonb) returns void
language sql security definer set search_path = '' as $$
  with stored as (
    insert into absfin.fills (portfolio, fill_id, symbol, day, reallocation, is_open, content, outcome)
    select p.key, r ->> 'fill_id', r ->> 'symbol', (r ->> 'day')::integer, r ->> 'reallocation',
      (r ->> 'is_open')::boolean, absfin.bytes_at(r, 'content'), absfin.bytes_at(r, 'outcome')
    from jsonb_array_elements(p_rows) with ordinality as sent (r, place)
    join absfin.portfolios p on p.owner = r ->> 'owner' and p.id = r ->> 'portfolio'
    order by place
    on conflict do nothing
    returning key, portfolio, fill_id
  )
  insert into absfin.disallowed_losses (fill, sold_fill_id)
  select stored.key, sold.id
  from jsonb_array_elements(p_rows) as sent (r)
  join absfin.portfolios p on p.owner = r ->> 'owner' and p.id = r ->> 'portfolio'
  join stored on stored.portfolio = p.key and stored.fill_id = r ->> 'fill_id'
  cross join lateral jsonb_array_elements_text(r -> 'disallows') as sold (id)
$$;

create function absfin.read_transfer_optimizations(p_after jsonb, p_limit integer, p_bytes bigint) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object(
      'owner', page.owner,
      'id', page.id,
      'request_id', page.request_id,
      'input_fingerprint', page.input_fingerprint,
      'subject', page.subject,
      'label', page.label,
      'created', absfin.micros(page.created),
      'body', absfin.base64_of(page.body),
      'summary', absfin.base64_of(page.summary),
      'payload', absfin.base64_of(page.payload)
    ) order by page.owner, page.id), '[]')
  from (
    select r.*, sum(r.size) over (order by r.owner, r.id) - r.size as before
    from (
      select o.*, octet_length(o.summary) + octet_length(o.payload) as size from absfin.optimizations o
      where (o.owner, o.id) > (p_after ->> 0, p_after ->> 1) order by o.owner, o.id limit p_limit
    ) r
  ) page where page.before < p_bytes
$$;

create function absfin.put_transfer_optimizations(p_rows jsonb) returns void
language sql security definer set search_path = '' as $$
  insert into absfin.optimizations (owner, id, request_id, input_fingerprint, subject, label, created, body,
    summary, payload)
  select r ->> 'owner', r ->> 'id', r ->> 'request_id', r ->> 'input_fingerprint', r ->> 'subject', r ->> 'label',
    absfin.time_at(r, 'created'),
    absfin.bytes_at(r, 'body'), absfin.bytes_at(r, 'summary'), absfin.bytes_at(r, 'payload')
  from jsonb_array_elements(p_rows) with ordinality as sent (r, place) order by place
  on conflict do nothing
$$;

create function absfin.read_transfer_reallocations(p_after jsonb, p_limit integer, p_bytes bigint) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object(
      'owner', page.owner,
      'id', page.id,
      'request_id', page.request_id,
      'input_fingerprint', page.input_fingerprint,
      'subject', page.subject,
      'label', page.label,
      'created', absfin.micros(page.created),
      'superseded', absfin.micros(page.superseded),
      'superseded_by', page.superseded_by,
      'fills', page.fills,
      'body', absfin.base64_of(page.body),
      'summary', absfin.base64_of(page.summary),
      'payload', absfin.base64_of(page.payload)
    ) order by page.owner, page.id), '[]')
  from (
    select r.*, sum(r.size) over (order by r.owner, r.id) - r.size as before
    from (
      select o.*, octet_length(o.summary) + octet_length(o.payload) as size from absfin.reallocations o
      where (o.owner, o.id) > (p_after ->> 0, p_after ->> 1) order by o.owner, o.id limit p_limit
    ) r
  ) page where page.before < p_bytes
$$;

create function absfin.put_transfer_reallocations(p_rows jsonb) returns void
language sql security definer set search_path = '' as $$
  insert into absfin.reallocations (owner, id, request_id, input_fingerprint, subject, label, created, superseded, superseded_by, fills, body,
    summary, payload)
  select r ->> 'owner', r ->> 'id', r ->> 'request_id', r ->> 'input_fingerprint', r ->> 'subject', r ->> 'label',
    absfin.time_at(r, 'created'),
    absfin.time_at(r, 'superseded'), r ->> 'superseded_by', r ->> 'fills',
    absfin.bytes_at(r, 'body'), absfin.bytes_at(r, 'summary'), absfin.bytes_at(r, 'payload')
  from jsonb_array_elements(p_rows) with ordinality as sent (r, place) order by place
  on conflict do nothing
$$;

select absfin.complete_migration('20261128050000');
