-- The functions of stored results: of optimizations and of reallocations, which p_kind tells apart.

create domain absfin.result_kind as text check (value in ('optimizations', 'reallocations'));

create function absfin.reallocation_state(p_fills text, p_superseded timestamptz) returns text
language sql immutable as $$
  select case when p_fills = 'ALL' then 'FILLED' when p_superseded is not null then 'SUPERSEDED'
    when p_fills = 'PARTLY' then 'PARTLY_FILLED' else 'CURRENT' end
$$;

-- An expression for what is known about a result r beside its contents; `summary` and `payload` are their sizes.
create function absfin.result_header(p_kind absfin.result_kind, p_payload text) returns text
language sql immutable set search_path = '' as $$
  select format(
    'jsonb_build_object(''key'', r.key, ''owner'', r.owner, ''id'', r.id, ''created'', absfin.micros(r.created), '
    '''request_id'', r.request_id, ''fingerprint'', r.input_fingerprint, ''label'', r.label, '
    '''summary'', octet_length(r.summary), ''payload'', octet_length(%s)%s)',
    p_payload,
    case when p_kind = 'reallocations' then
      ', ''state'', absfin.reallocation_state(r.fills, r.superseded), ''superseded'', absfin.micros(r.superseded), '
      '''superseded_by'', r.superseded_by' else '' end)
$$;

-- The name of a result in a refusal.
create function absfin.result_name(p_kind absfin.result_kind, p_id text) returns jsonb
language sql immutable set search_path = '' as $$
  select jsonb_build_object('kind', rtrim(p_kind, 's'), 'name', p_kind || '/' || p_id)
$$;

create function absfin.get_result(p_kind absfin.result_kind, p_owner text, p_id text)
returns absfin."application/octet-stream" language plpgsql stable security definer set search_path = '' as $$
declare
  v_frame bytea;
begin
  execute format('select absfin.frame(%s, r.summary || r.payload) from absfin.%I r where r.owner = $1 and r.id = $2',
                 absfin.result_header(p_kind, 'r.payload'), p_kind)
    into v_frame using p_owner, p_id;
  if v_frame is null then
    perform absfin.refuse('NOT_FOUND', absfin.result_name(p_kind, p_id));
  end if;
  return v_frame;
end
$$;

-- The result that a request was given before; a frame whose header is null where there is none.
create function absfin.find_result(p_kind absfin.result_kind, p_owner text, p_request_id text, p_body text)
returns absfin."application/octet-stream" language plpgsql stable security definer set search_path = '' as $$
declare
  v_body bytea;
  v_frame bytea;
begin
  execute format('select r.body, absfin.frame(%s, r.summary || r.payload) from absfin.%I r '
                 'where r.owner = $1 and r.request_id = $2', absfin.result_header(p_kind, 'r.payload'), p_kind)
    into v_body, v_frame using p_owner, p_request_id;
  if v_body <> decode(p_body, 'base64') then
    perform absfin.refuse('REQUEST_ID_REUSED', jsonb_build_object('field', 'request_id', 'request_id', p_request_id));
  end if;
  return coalesce(v_frame, absfin.frame('null'));
end
$$;

-- A page of results, newest first, of all owners where p_owner is null. It begins after the result of this time (in
-- microseconds), id and key; conditions that are null are none.
create function absfin.list_results(
  p_kind absfin.result_kind, p_owner text, p_after bigint, p_after_id text, p_after_key bigint, p_limit integer,
  p_label text, p_subject text, p_state text, p_created_from timestamptz, p_created_before timestamptz
) returns absfin."application/octet-stream"
language plpgsql stable security definer set search_path = '' as $$
declare
  v_payload text := 'case when octet_length(r.summary) > 0 then ''''::bytea else r.payload end';
  v_conditions text := concat_ws(' and ', 'true',
    case when p_owner is not null then 'r.owner = $1' end,
    case when p_after is not null then '(r.created, r.id, r.key) < (absfin.time_of($2), $3, $4)' end,
    case when p_label is not null then 'r.label = $6 and r.label <> ''''' end,
    case when p_subject is not null then 'r.subject = $7 and r.subject <> ''''' end,
    case when p_state is not null then case when p_kind = 'reallocations'
      then 'absfin.reallocation_state(r.fills, r.superseded) = $8' else '$8 = ''CURRENT''' end end,
    case when p_created_from is not null then 'r.created >= $9' end,
    case when p_created_before is not null then 'r.created < $10' end);
  v_frame bytea;
begin
  execute format(
    'select absfin.frame(jsonb_build_object(''records'', coalesce(jsonb_agg(header order by place) '
    'filter (where place <= $5), ''[]''), ''more'', count(*) > $5), '
    'string_agg(contents, ''''::bytea order by place) filter (where place <= $5)) '
    'from (select row_number() over (order by r.created desc, r.id desc, r.key desc) as place, %s as header, '
    'r.summary || %s as contents from absfin.%I r where %s '
    'order by r.created desc, r.id desc, r.key desc limit $5 + 1) page',
    absfin.result_header(p_kind, v_payload), v_payload, p_kind, v_conditions)
    into v_frame
    using p_owner, p_after, p_after_id, p_after_key, p_limit, p_label, p_subject, p_state, p_created_from,
      p_created_before;
  return v_frame;
end
$$;

-- Stores a result. Of two with one request id the first is kept, and sent to both. A reallocation supersedes the earlier
-- ones of its portfolio, and is superseded itself where that has changed since it was planned.
create function absfin.save_result(
  p_kind absfin.result_kind, p_owner text, p_id text, p_request_id text, p_body text, p_fingerprint text,
  p_subject text, p_label text, p_summary text, p_payload text, p_digest text, p_token uuid
) returns absfin."application/octet-stream"
language plpgsql security definer set search_path = '' as $$
declare
  v_done jsonb := absfin.begin_write(p_token);
  v_now timestamptz;
  v_first bytea;
begin
  if v_done is not null then
    return absfin.frame(v_done);
  end if;
  if p_kind = 'reallocations' and p_subject <> '' then
    perform absfin.lock_portfolio(p_owner, p_subject);
  end if;
  for v_try in 1..10 loop
    v_now := clock_timestamp();
    execute format(
      'with r as (insert into absfin.%I (owner, id, request_id, body, input_fingerprint, subject, label, created, '
      'summary, payload) values ($1, $2, $3, decode($4, ''base64''), $5, $6, $7, $8, decode($9, ''base64''), '
      'decode($10, ''base64'')) on conflict do nothing returning *) select %s from r',
      p_kind, absfin.result_header(p_kind, 'null::bytea'))
      into v_done
      using p_owner, p_id, p_request_id, p_body, p_fingerprint, p_subject, p_label, v_now, p_summary, p_payload;
    exit when v_done is not null;
    v_first := absfin.find_result(p_kind, p_owner, p_request_id, p_body);
    if v_first <> absfin.frame('null') then
      return v_first;
    end if;
    execute format('select to_jsonb(r.id) from absfin.%I r where r.owner = $1 and r.id = $2', p_kind)
      into v_done using p_owner, p_id;
    if v_done is not null then
      perform absfin.refuse('ALREADY_EXISTS', absfin.result_name(p_kind, p_id));
    end if;
    -- What was in the way has been deleted meanwhile.
  end loop;
  if v_done is null then
    perform absfin.refuse('STORAGE_UNAVAILABLE', '{"message": "others store and delete the same at once; try again"}');
  end if;
  if p_kind = 'reallocations' and p_subject <> '' then
    v_done := v_done || absfin.supersede_by_result(p_owner, p_id, p_subject, decode(p_digest, 'base64'), v_now);
  end if;
  return absfin.frame(absfin.end_write(p_token, v_done));
end
$$;

-- Supersedes what a new reallocation makes out of date, which may be itself; what has become of it.
create function absfin.supersede_by_result(
  p_owner text, p_id text, p_subject text, p_digest bytea, p_now timestamptz
) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  perform absfin.supersede_reallocations(p_owner, p_subject, p_now, p_id, p_id);
  if p_digest <> '' and not exists (
    select 1 from absfin.portfolios where owner = p_owner and id = p_subject and sha256(payload) = p_digest
  ) then
    perform absfin.supersede_reallocations(p_owner, p_subject, p_now, '', '');
  end if;
  return (select jsonb_build_object('state', absfin.reallocation_state(fills, superseded),
                                    'superseded', absfin.micros(superseded), 'superseded_by', superseded_by)
          from absfin.reallocations where owner = p_owner and id = p_id);
end
$$;

create function absfin.delete_result(p_kind absfin.result_kind, p_owner text, p_id text, p_token uuid) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_count integer;
begin
  if absfin.begin_write(p_token) is null then
    execute format('delete from absfin.%I where owner = $1 and id = $2', p_kind) using p_owner, p_id;
    get diagnostics v_count = row_count;
    if v_count = 0 then
      perform absfin.refuse('NOT_FOUND', absfin.result_name(p_kind, p_id));
    end if;
    perform absfin.end_write(p_token, '{}');
  end if;
end
$$;

-- Deletes some of the results that were stored so many days ago or earlier; how many.
create function absfin.delete_old_results(p_kind absfin.result_kind, p_days double precision, p_limit integer)
returns integer
language plpgsql security definer set search_path = '' as $$
declare
  v_count integer;
begin
  execute format('delete from absfin.%1$I where key in (select key from absfin.%1$I where created < $1 '
                 'order by created limit $2 for update skip locked)', p_kind)
    using clock_timestamp() - make_interval(secs => p_days * 86400), p_limit;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

select absfin.complete_migration('20261128030003');
