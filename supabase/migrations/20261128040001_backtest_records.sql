-- Jobs as the server reads and sends them. What it sends with contents is a frame too: the length of its header in four
-- bytes, the highest first, the header as JSON, then the contents.

create function absfin.sent_header_size(p_frame bytea) returns integer
language sql immutable set search_path = ''
as $$
  select (pg_catalog.get_byte(p_frame, 0) << 24) + (pg_catalog.get_byte(p_frame, 1) << 16)
    + (pg_catalog.get_byte(p_frame, 2) << 8) + pg_catalog.get_byte(p_frame, 3)
$$;

create function absfin.sent_header(p_frame bytea) returns jsonb
language sql immutable set search_path = ''
as $$
  select pg_catalog.convert_from(
    pg_catalog.substring(p_frame, 5, absfin.sent_header_size(p_frame)), 'UTF8')::jsonb
$$;

-- So many bytes of the contents after so many; null where the size is.
create function absfin.sent_content(p_frame bytea, p_before bigint, p_size integer) returns bytea
language sql immutable set search_path = ''
as $$
  select pg_catalog.substring(p_frame, (5 + absfin.sent_header_size(p_frame) + p_before)::integer, p_size)
$$;

-- What a list shows of a job.
create function absfin.backtest_summary(p_job absfin.backtests) returns jsonb
language sql stable set search_path = ''
as $$
  select pg_catalog.to_jsonb(p_job) || pg_catalog.jsonb_build_object(
    'worker', (select q.worker from absfin.backtest_queue q where q.backtest_key = p_job.key),
    'caller', r.caller,
    'inputs', r.inputs)
  from absfin.backtest_requests r where r.backtest_key = p_job.key
$$;

-- A whole job in a frame: `job` of the header is its summary with the sizes of its corporate actions, request, result and
-- error, which are the last contents. Other members of the header and other contents come before. The header is null
-- where there is no such job.
create function absfin.backtest_frame(p_key bigint, p_header jsonb default '{}', p_content bytea default '') returns bytea
language sql stable set search_path = ''
as $$
  select coalesce((
    select absfin.frame(
      p_header || pg_catalog.jsonb_build_object('job', absfin.backtest_summary(b) || pg_catalog.jsonb_build_object(
        'actions', pg_catalog.octet_length(r.actions),
        'request', pg_catalog.octet_length(r.request),
        'result', pg_catalog.octet_length(e.result),
        'error', pg_catalog.octet_length(e.error))),
      p_content || pg_catalog.convert_to(r.actions, 'UTF8') || r.request || coalesce(e.result, '')
        || coalesce(e.error, ''))
    from absfin.backtests b
    join absfin.backtest_requests r on r.backtest_key = b.key
    left join absfin.backtest_results e on e.backtest_key = b.key
    where b.key = p_key), absfin.frame('null'))
$$;

-- Events of a job after a number, as JSON.
create function absfin.backtest_events_after(p_key bigint, p_after integer) returns jsonb
language sql stable set search_path = ''
as $$
  select coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(e) - 'backtest_key' order by e.number), '[]'::jsonb)
  from absfin.backtest_events e where e.backtest_key = p_key and e.number > p_after
$$;

-- Raises NOT_FOUND.
create function absfin.backtest_key_of(p_owner text, p_id text) returns bigint
language plpgsql stable set search_path = ''
as $$
declare
  v_key bigint;
begin
  select b.key into v_key from absfin.backtests b where b.owner = p_owner and b.id = p_id;
  if not found then
    perform absfin.refuse(
      'NOT_FOUND', pg_catalog.jsonb_build_object('kind', 'backtest', 'name', 'backtests/' || p_id));
  end if;
  return v_key;
end
$$;

-- The job that a request started before, null if none. Raises REQUEST_ID_REUSED.
create function absfin.backtest_of_request(p_owner text, p_request_id text, p_body bytea) returns bigint
language plpgsql stable set search_path = ''
as $$
declare
  v_key bigint;
  v_body bytea;
begin
  select b.key, r.body into v_key, v_body
  from absfin.backtests b join absfin.backtest_requests r on r.backtest_key = b.key
  where b.owner = p_owner and b.request_id = p_request_id;
  if found and v_body <> p_body then
    perform absfin.refuse('REQUEST_ID_REUSED', pg_catalog.jsonb_build_object('request_id', p_request_id));
  end if;
  return v_key;
end
$$;

create function absfin.get_backtest(p_owner text, p_id text) returns absfin."application/octet-stream"
language plpgsql stable security definer set search_path = ''
as $$
begin
  return absfin.backtest_frame(absfin.backtest_key_of(p_owner, p_id));
end
$$;

create function absfin.find_backtest(p_owner text, p_request_id text, p_body text) returns absfin."application/octet-stream"
language plpgsql stable security definer set search_path = ''
as $$
begin
  return absfin.backtest_frame(
    absfin.backtest_of_request(p_owner, p_request_id, pg_catalog.decode(p_body, 'base64')));
end
$$;

-- Events after a number, and the job as of the same moment.
create function absfin.view_backtest(p_key bigint, p_after integer) returns absfin."application/octet-stream"
language sql stable security definer set search_path = ''
as $$
  select absfin.backtest_frame(
    p_key, pg_catalog.jsonb_build_object('events', absfin.backtest_events_after(p_key, p_after)))
$$;

-- A page after a row, newest first. Null as owner shows those of everybody.
create function absfin.list_backtests(
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
      order by b.created_time desc, b.id desc, b.key desc limit p_limit
    ) page), '[]'::jsonb);
end
$$;

-- Label and number of pieces of a strategy's record, the first one where the label is empty, with the first piece.
-- Raises NOT_FOUND, and NO_SERIES with the state of the job where it is the series that is not there.
create function absfin.read_backtest_series(p_owner text, p_id text, p_label text) returns absfin."application/octet-stream"
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_job absfin.backtests;
  v_first absfin.backtest_series;
  v_pieces bigint;
begin
  select * into v_job from absfin.backtests b where b.key = absfin.backtest_key_of(p_owner, p_id);
  select * into v_first from absfin.backtest_series s
  where s.backtest_key = v_job.key and s.number = 0 and v_job.state = 'SUCCEEDED' and (p_label = '' or s.label = p_label)
  order by s.position limit 1;
  if not found then
    perform absfin.refuse('NO_SERIES', pg_catalog.jsonb_build_object('state', v_job.state));
  end if;
  select count(*) into v_pieces from absfin.backtest_series s
  where s.backtest_key = v_job.key and s.attempt = v_first.attempt and s.position = v_first.position;
  return absfin.frame(
    pg_catalog.jsonb_build_object(
      'key', v_job.key, 'position', v_first.position, 'label', v_first.label, 'pieces', v_pieces,
      'size', pg_catalog.octet_length(v_first.data)),
    v_first.data);
end
$$;

create function absfin.read_backtest_series_piece(p_key bigint, p_position integer, p_number integer) returns absfin."application/octet-stream"
language sql stable security definer set search_path = ''
as $$
  select coalesce((
    select s.data from absfin.backtest_series s
    where s.backtest_key = p_key and s.position = p_position and s.number = p_number), ''::bytea)
$$;

select absfin.complete_migration('20261128040001');
