-- Rows of backtests that are over, and of what belongs to them, for a copy of this store. What belongs to backtests is read
-- of as many of them as a page has rows, so that a page takes no longer where there are many.

create index backtests_by_id on absfin.backtests (owner collate "C", id);

create function absfin.read_transfer_backtests(p_after jsonb, p_limit integer, p_bytes bigint) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object(
      'owner', page.owner,
      'id', page.id,
      'request_id', page.request_id,
      'label', page.label,
      'caller', page.caller,
      'state', page.state,
      'epoch', page.epoch,
      'fingerprint', page.fingerprint,
      'cost_estimate', page.cost_estimate::text,
      'run_micros', round(page.run_seconds * 1000000)::bigint,
      'attempt', page.attempts,
      'crashes', page.crashes,
      'fraction', page.fraction::text,
      'day', page.day,
      'wealth', page.wealth::text,
      'stage_label', page.stage ->> 0,
      'stage_index', (page.stage ->> 1)::integer,
      'stage_count', (page.stage ->> 2)::integer,
      'last_event', page.last_event,
      'dropped_event', page.dropped_event,
      'created', absfin.micros(page.created_time),
      'finished', absfin.micros(page.finished_time),
      'inputs', page.inputs,
      'actions', page.actions,
      'body', absfin.base64_of(page.body),
      'request', absfin.base64_of(page.request),
      'result', absfin.base64_of(page.result),
      'error', absfin.base64_of(page.error)
    ) order by page.owner collate "C", page.id), '[]')
  from (
    select r.*, sum(r.size) over (order by r.owner collate "C", r.id) - r.size as before
    from (
      select b.*, q.caller, q.inputs, q.actions, q.body, q.request, e.result, e.error,
        octet_length(q.request) + coalesce(octet_length(e.result), 0) + coalesce(octet_length(e.error), 0)
          + octet_length(q.actions) as size
      from absfin.backtests b
      join absfin.backtest_requests q on q.backtest_key = b.key
      left join absfin.backtest_results e on e.backtest_key = b.key
      where absfin.is_over(b) and (b.owner collate "C", b.id) > (p_after ->> 0, p_after ->> 1)
      order by b.owner collate "C", b.id limit p_limit
    ) r
  ) page where page.before < p_bytes
$$;

-- Null where there is no stage.
create function absfin.stage_at(p_row jsonb) returns jsonb
language sql immutable set search_path = '' as $$
  select case when p_row ->> 'stage_label' is not null
    then jsonb_build_array(p_row -> 'stage_label', p_row -> 'stage_index', p_row -> 'stage_count') end
$$;

create function absfin.put_transfer_backtests(p_rows jsonb) returns void
language sql security definer set search_path = '' as $$
  with stored as (
    insert into absfin.backtests (owner, id, request_id, label, state, epoch, fingerprint, cost_estimate, run_seconds,
      attempts, crashes, fraction, day, wealth, stage, last_event, dropped_event, created_time, finished_time)
    select r ->> 'owner', r ->> 'id', r ->> 'request_id', r ->> 'label', r ->> 'state', r ->> 'epoch',
      r ->> 'fingerprint', (r ->> 'cost_estimate')::double precision,
      (r ->> 'run_micros')::double precision / 1000000, (r ->> 'attempt')::integer, (r ->> 'crashes')::integer,
      (r ->> 'fraction')::double precision, (r ->> 'day')::integer, (r ->> 'wealth')::double precision,
      absfin.stage_at(r), (r ->> 'last_event')::integer, (r ->> 'dropped_event')::integer,
      absfin.time_at(r, 'created'), absfin.time_at(r, 'finished')
    from jsonb_array_elements(p_rows) with ordinality as sent (r, place) order by place
    on conflict do nothing
    returning key, owner, id
  ), requests as (
    insert into absfin.backtest_requests (backtest_key, caller, body, inputs, actions, request)
    select stored.key, r ->> 'caller', absfin.bytes_at(r, 'body'), r ->> 'inputs', r ->> 'actions',
      absfin.bytes_at(r, 'request')
    from jsonb_array_elements(p_rows) as sent (r)
    join stored on stored.owner = r ->> 'owner' and stored.id = r ->> 'id'
  )
  insert into absfin.backtest_results (backtest_key, write, first_event, result, error)
  select stored.key, null, (r ->> 'last_event')::integer, absfin.bytes_at(r, 'result'), absfin.bytes_at(r, 'error')
  from jsonb_array_elements(p_rows) as sent (r)
  join stored on stored.owner = r ->> 'owner' and stored.id = r ->> 'id'
$$;

create function absfin.read_transfer_open_backtests(p_after jsonb, p_limit integer, p_bytes bigint) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object('owner', page.owner, 'id', page.id, 'state', page.state)
    order by page.owner collate "C", page.id), '[]')
  from (
    select b.owner, b.id, b.state from absfin.backtests b
    where not absfin.is_over(b) and (b.owner collate "C", b.id) > (p_after ->> 0, p_after ->> 1)
    order by b.owner collate "C", b.id limit p_limit
  ) page
$$;

-- The data itself is read and stored piece by piece, through the functions of jobs.
create function absfin.read_transfer_backtest_inputs(p_after jsonb, p_limit integer, p_bytes bigint) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object(
      'fingerprint', page.fingerprint,
      'symbols', page.symbols,
      'pieces', page.pieces,
      'size', page.size
    ) order by page.fingerprint collate "C"), '[]')
  from (
    select r.*, sum(r.size) over (order by r.fingerprint collate "C") - r.size as before
    from (
      select i.fingerprint, i.symbols, i.pieces,
        (select sum(octet_length(p.data)) from absfin.backtest_input_pieces p where p.fingerprint = i.fingerprint) as size
      from absfin.backtest_inputs i
      where i.complete and i.fingerprint collate "C" > p_after ->> 0
      order by i.fingerprint collate "C" limit p_limit
    ) r
  ) page where page.before < p_bytes
$$;

create function absfin.read_transfer_backtest_input_uses(p_after jsonb, p_limit integer, p_bytes bigint) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object('owner', page.owner, 'id', page.id, 'fingerprint', page.fingerprint)
    order by page.owner collate "C", page.id, page.fingerprint collate "C"), '[]')
  from (
    select b.owner, b.id, u.fingerprint
    from (
        select b.key, b.owner, b.id from absfin.backtests b
        where absfin.is_over(b) and (b.owner collate "C", b.id) >= (p_after ->> 0, p_after ->> 1)
          and exists (
            select from absfin.backtest_input_uses u where u.backtest_key = b.key
            and (b.owner collate "C", b.id, u.fingerprint collate "C") > (p_after ->> 0, p_after ->> 1, p_after ->> 2))
        order by b.owner collate "C", b.id limit p_limit
      ) b
    join absfin.backtest_input_uses u on u.backtest_key = b.key
      and (b.owner collate "C", b.id, u.fingerprint collate "C") > (p_after ->> 0, p_after ->> 1, p_after ->> 2)
    order by b.owner collate "C", b.id, u.fingerprint collate "C" limit p_limit
  ) page
$$;

create function absfin.put_transfer_backtest_input_uses(p_rows jsonb) returns void
language sql security definer set search_path = '' as $$
  insert into absfin.backtest_input_uses (backtest_key, fingerprint)
  select b.key, r ->> 'fingerprint'
  from jsonb_array_elements(p_rows) as sent (r)
  join absfin.backtests b on b.owner = r ->> 'owner' and b.id = r ->> 'id'
  on conflict do nothing
$$;

create function absfin.read_transfer_backtest_events(p_after jsonb, p_limit integer, p_bytes bigint) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object(
      'owner', page.owner,
      'id', page.id,
      'number', page.number,
      'time', absfin.micros(page.event_time),
      'kind', page.kind,
      'message', page.message,
      'day', page.day,
      'reason', page.reason,
      'stage_label', page.stage ->> 0,
      'stage_index', (page.stage ->> 1)::integer,
      'stage_count', (page.stage ->> 2)::integer,
      'benefit_annual', page.benefit_annual::text,
      'cost_annual', page.cost_annual::text
    ) order by page.owner collate "C", page.id, page.number), '[]')
  from (
    select r.*, sum(r.size) over (order by r.owner collate "C", r.id, r.number) - r.size as before
    from (
      select b.owner, b.id, e.*, octet_length(e.message) as size
      from (
        select b.key, b.owner, b.id from absfin.backtests b
        where absfin.is_over(b) and (b.owner collate "C", b.id) >= (p_after ->> 0, p_after ->> 1)
          and exists (
            select from absfin.backtest_events e where e.backtest_key = b.key
            and (b.owner collate "C", b.id, e.number) > (p_after ->> 0, p_after ->> 1, (p_after ->> 2)::integer))
        order by b.owner collate "C", b.id limit p_limit
      ) b
      cross join lateral (
        select * from absfin.backtest_events e where e.backtest_key = b.key
          and (b.owner collate "C", b.id, e.number) > (p_after ->> 0, p_after ->> 1, (p_after ->> 2)::integer)
        order by e.number limit p_limit
      ) e
      order by b.owner collate "C", b.id, e.number limit p_limit
    ) r
  ) page where page.before < p_bytes
$$;

create function absfin.put_transfer_backtest_events(p_rows jsonb) returns void
language sql security definer set search_path = '' as $$
  insert into absfin.backtest_events (backtest_key, number, event_time, kind, message, day, reason, stage,
    benefit_annual, cost_annual)
  select b.key, (r ->> 'number')::integer, absfin.time_at(r, 'time'), r ->> 'kind', r ->> 'message',
    (r ->> 'day')::integer, r ->> 'reason', absfin.stage_at(r), (r ->> 'benefit_annual')::double precision,
    (r ->> 'cost_annual')::double precision
  from jsonb_array_elements(p_rows) as sent (r)
  join absfin.backtests b on b.owner = r ->> 'owner' and b.id = r ->> 'id'
  on conflict do nothing
$$;

-- `key` and `pieces` say how the record is read, piece by piece, and `size` how much it must be.
create function absfin.read_transfer_backtest_series(p_after jsonb, p_limit integer, p_bytes bigint) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object(
      'owner', page.owner,
      'id', page.id,
      'position', page.position,
      'label', page.label,
      'key', page.key,
      'pieces', page.pieces,
      'size', page.size
    ) order by page.owner collate "C", page.id, page.position), '[]')
  from (
    select r.*, sum(r.size) over (order by r.owner collate "C", r.id, r.position) - r.size as before
    from (
      select b.owner, b.id, s.position, s.label, s.backtest_key as key,
        (select count(*) from absfin.backtest_series p
          where p.backtest_key = s.backtest_key and p.position = s.position) as pieces,
        (select sum(octet_length(p.data)) from absfin.backtest_series p
          where p.backtest_key = s.backtest_key and p.position = s.position) as size
      from (
        select b.key, b.owner, b.id from absfin.backtests b
        where absfin.is_over(b) and (b.owner collate "C", b.id) >= (p_after ->> 0, p_after ->> 1)
          and exists (
            select from absfin.backtest_series s where s.backtest_key = b.key and s.number = 0
            and (b.owner collate "C", b.id, s.position) > (p_after ->> 0, p_after ->> 1, (p_after ->> 2)::integer))
        order by b.owner collate "C", b.id limit p_limit
      ) b
      join absfin.backtest_series s on s.backtest_key = b.key and s.number = 0
        and (b.owner collate "C", b.id, s.position) > (p_after ->> 0, p_after ->> 1, (p_after ->> 2)::integer)
      order by b.owner collate "C", b.id, s.position limit p_limit
    ) r
  ) page where page.before < p_bytes
$$;

-- Pieces of records that are not whole yet.
create table absfin.transfer_pieces (
  backtest_key bigint not null references absfin.backtests (key) on delete cascade,
  position     integer not null,
  number       integer not null,
  data         bytea not null,
  primary key (backtest_key, position, number)
);
alter table absfin.transfer_pieces alter column data set storage external;
alter table absfin.transfer_pieces enable row level security;

-- Takes a frame of `owner`, `id`, `position`, `label`, `pieces`, `number` and `size`, with the piece; a record can be read
-- once all of it is there. The first piece begins it anew.
create function absfin.put_transfer_backtest_series(bytea) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_sent jsonb := absfin.sent_header($1);
  v_job absfin.backtests;
  v_position integer := v_sent -> 'position';
  v_number integer := v_sent -> 'number';
begin
  select * into v_job from absfin.backtests b
  where b.owner = v_sent ->> 'owner' and b.id = v_sent ->> 'id' for update;
  if not found or exists (
    select from absfin.backtest_series s where s.backtest_key = v_job.key and s.position = v_position
  ) then
    return;
  end if;
  if v_number = 0 then
    delete from absfin.transfer_pieces p where p.backtest_key = v_job.key and p.position = v_position;
  end if;
  insert into absfin.transfer_pieces
  values (v_job.key, v_position, v_number, absfin.sent_content($1, 0, (v_sent -> 'size')::integer))
  on conflict do nothing;
  if (v_sent -> 'pieces')::bigint = (
    select count(*) from absfin.transfer_pieces p where p.backtest_key = v_job.key and p.position = v_position
  ) then
    insert into absfin.backtest_series (backtest_key, attempt, position, number, label, data)
    select p.backtest_key, v_job.attempts, p.position, p.number, v_sent ->> 'label', p.data
    from absfin.transfer_pieces p where p.backtest_key = v_job.key and p.position = v_position;
    delete from absfin.transfer_pieces p where p.backtest_key = v_job.key and p.position = v_position;
  end if;
end
$$;

create function absfin.read_transfer_backtest_decisions(p_after jsonb, p_limit integer, p_bytes bigint) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object(
      'owner', page.owner,
      'id', page.id,
      'path', page.path,
      'day', page.day,
      'weights', page.weights,
      'reason', page.reason,
      'message', page.message
    ) order by page.owner collate "C", page.id, page.path collate "C", page.day), '[]')
  from (
    select r.*, sum(r.size) over (order by r.owner collate "C", r.id, r.path collate "C", r.day) - r.size as before
    from (
      select b.owner, b.id, d.*, octet_length(d.weights) as size
      from (
        select b.key, b.owner, b.id from absfin.backtests b
        where absfin.is_over(b) and (b.owner collate "C", b.id) >= (p_after ->> 0, p_after ->> 1)
          and exists (
            select from absfin.backtest_decisions d where d.backtest_key = b.key
            and (b.owner collate "C", b.id, d.path collate "C", d.day)
              > (p_after ->> 0, p_after ->> 1, p_after ->> 2, (p_after ->> 3)::integer))
        order by b.owner collate "C", b.id limit p_limit
      ) b
      cross join lateral (
        select * from absfin.backtest_decisions d where d.backtest_key = b.key
          and (b.owner collate "C", b.id, d.path collate "C", d.day)
              > (p_after ->> 0, p_after ->> 1, p_after ->> 2, (p_after ->> 3)::integer)
        order by d.path collate "C", d.day limit p_limit
      ) d
      order by b.owner collate "C", b.id, d.path collate "C", d.day limit p_limit
    ) r
  ) page where page.before < p_bytes
$$;

create function absfin.put_transfer_backtest_decisions(p_rows jsonb) returns void
language sql security definer set search_path = '' as $$
  insert into absfin.backtest_decisions (backtest_key, path, day, weights, reason, message)
  select b.key, r ->> 'path', (r ->> 'day')::integer, r ->> 'weights', r ->> 'reason', r ->> 'message'
  from jsonb_array_elements(p_rows) as sent (r)
  join absfin.backtests b on b.owner = r ->> 'owner' and b.id = r ->> 'id'
  on conflict do nothing
$$;

select absfin.complete_migration('20261128050001');
