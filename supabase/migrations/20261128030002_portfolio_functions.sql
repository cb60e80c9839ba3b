-- The functions of portfolios and of their fills. Each is one transaction.

-- What is known about a portfolio beside its content; `payload` is the size of that where it follows, else null.
create function absfin.portfolio_header(p_row absfin.portfolios, p_with_payload boolean) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'key', p_row.key, 'owner', p_row.owner, 'id', p_row.id, 'revision', p_row.revision,
    'created', absfin.micros(p_row.created), 'updated', absfin.micros(p_row.updated),
    'payload', case when p_with_payload then octet_length(p_row.payload) end)
$$;

-- The name of a portfolio in a refusal.
create function absfin.portfolio_name(p_id text) returns jsonb
language sql immutable set search_path = '' as $$
  select jsonb_build_object('kind', 'portfolio', 'name', 'portfolios/' || p_id)
$$;

create function absfin.portfolio_etag(p_row absfin.portfolios) returns text
language sql stable set search_path = '' as $$
  -- With the time of creation: a portfolio that was deleted and made again is another one.
  select to_hex(absfin.micros(p_row.created)) || '-' || p_row.revision
$$;

create function absfin.create_portfolio(
  p_owner text, p_id text, p_request_id text, p_body text, p_payload text, p_token uuid
) returns absfin."application/octet-stream"
language plpgsql security definer set search_path = '' as $$
declare
  v_done jsonb := absfin.begin_write(p_token);
  v_row absfin.portfolios;
  v_now timestamptz := clock_timestamp();
begin
  if v_done is not null then
    return absfin.frame(v_done);
  end if;
  for v_try in 1..10 loop
    insert into absfin.portfolios (owner, id, request_id, body, payload, created, updated)
      values (p_owner, p_id, p_request_id, decode(p_body, 'base64'), decode(p_payload, 'base64'), v_now, v_now)
      on conflict do nothing returning * into v_row;
    if found then
      return absfin.frame(absfin.end_write(p_token, absfin.portfolio_header(v_row, false)));
    end if;
    select * into v_row from absfin.portfolios where owner = p_owner and request_id = p_request_id;
    if found then
      if v_row.body <> decode(p_body, 'base64') then
        perform absfin.refuse(
          'REQUEST_ID_REUSED', jsonb_build_object('field', 'request_id', 'request_id', p_request_id));
      end if;
      return absfin.frame(absfin.portfolio_header(v_row, true), v_row.payload);
    end if;
    if exists (select 1 from absfin.portfolios where owner = p_owner and id = p_id) then
      perform absfin.refuse('ALREADY_EXISTS', absfin.portfolio_name(p_id));
    end if;
    -- What was in the way has been deleted meanwhile.
  end loop;
  perform absfin.refuse('STORAGE_UNAVAILABLE', '{"message": "others store and delete the same at once; try again"}');
  return null;
end
$$;

create function absfin.get_portfolio(p_owner text, p_id text)
returns absfin."application/octet-stream" language plpgsql stable security definer set search_path = '' as $$
declare
  v_row absfin.portfolios;
begin
  select * into v_row from absfin.portfolios where owner = p_owner and id = p_id;
  if not found then
    perform absfin.refuse('NOT_FOUND', absfin.portfolio_name(p_id));
  end if;
  return absfin.frame(absfin.portfolio_header(v_row, true), v_row.payload);
end
$$;

-- A page of an owner's portfolios by id, or of everybody's in the order of their making where p_owner is null; p_after_id
-- and p_after_key are of the last one before it.
create function absfin.list_portfolios(p_owner text, p_after_id text, p_after_key bigint, p_limit integer)
returns absfin."application/octet-stream" language plpgsql stable security definer set search_path = '' as $$
declare
  v_keys bigint[];
begin
  if p_owner is null then
    v_keys := array(select p.key from absfin.portfolios p where p.key > p_after_key order by p.key limit p_limit + 1);
  else
    v_keys := array(select p.key from absfin.portfolios p where p.owner = p_owner and p.id > p_after_id
                    order by p.id limit p_limit + 1);
  end if;
  return (
    select absfin.frame(
      jsonb_build_object('records', coalesce(jsonb_agg(absfin.portfolio_header(p, true) order by page.place), '[]'),
                         'more', cardinality(v_keys) > p_limit),
      string_agg(p.payload, ''::bytea order by page.place))
    from unnest(v_keys[:p_limit]) with ordinality as page (key, place)
    join absfin.portfolios p on p.key = page.key);
end
$$;

-- Marks the reallocations of a portfolio that nothing superseded until now, but for those that are filled. p_by is the
-- later reallocation, empty where the portfolio changed; p_but is left as it is.
create function absfin.supersede_reallocations(
  p_owner text, p_portfolio text, p_now timestamptz, p_by text, p_but text
) returns void
language sql security definer set search_path = '' as $$
  update absfin.reallocations set superseded = p_now, superseded_by = p_by
  where owner = p_owner and subject = p_portfolio and id <> p_but and superseded is null and fills <> 'ALL'
$$;

-- The version of a portfolio that a change was made for, under its lock.
create function absfin.current_portfolio(p_owner text, p_id text, p_etag text) returns absfin.portfolios
language plpgsql security definer set search_path = '' as $$
declare
  v_row absfin.portfolios;
begin
  perform absfin.lock_portfolio(p_owner, p_id);
  select * into v_row from absfin.portfolios where owner = p_owner and id = p_id for update;
  if not found then
    perform absfin.refuse('NOT_FOUND', absfin.portfolio_name(p_id));
  end if;
  if p_etag is not null and absfin.portfolio_etag(v_row) <> p_etag then
    perform absfin.refuse('ETAG_MISMATCH', jsonb_build_object(
      'message', format('portfolios/%s has changed since it was read; read it again', p_id),
      'etag', absfin.portfolio_etag(v_row)));
  end if;
  return v_row;
end
$$;

-- Changes a portfolio that has this etag. A change of content supersedes its reallocations, but for the one by whose fills
-- it changes.
create function absfin.write_portfolio(
  p_owner text, p_id text, p_etag text, p_payload bytea, p_reallocation text
) returns absfin.portfolios
language plpgsql security definer set search_path = '' as $$
declare
  v_before absfin.portfolios := absfin.current_portfolio(p_owner, p_id, p_etag);
  v_now timestamptz := clock_timestamp();
  v_after absfin.portfolios;
begin
  update absfin.portfolios set payload = p_payload, revision = revision + 1, updated = v_now
    where key = v_before.key returning * into v_after;
  if v_before.payload <> p_payload then
    perform absfin.supersede_reallocations(p_owner, p_id, v_now, '', p_reallocation);
  end if;
  return v_after;
end
$$;

create function absfin.update_portfolio(p_owner text, p_id text, p_etag text, p_payload text, p_token uuid)
returns absfin."application/octet-stream" language plpgsql security definer set search_path = '' as $$
declare
  v_done jsonb := absfin.begin_write(p_token);
  v_row absfin.portfolios;
begin
  if v_done is null then
    v_row := absfin.write_portfolio(p_owner, p_id, p_etag, decode(p_payload, 'base64'), '');
    v_done := absfin.end_write(p_token, absfin.portfolio_header(v_row, false));
  end if;
  return absfin.frame(v_done);
end
$$;

-- Removes a portfolio, any version of it where p_etag is null.
create function absfin.delete_portfolio(p_owner text, p_id text, p_etag text, p_token uuid) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_row absfin.portfolios;
begin
  if absfin.begin_write(p_token) is null then
    v_row := absfin.current_portfolio(p_owner, p_id, p_etag);
    delete from absfin.portfolios where key = v_row.key;
    perform absfin.supersede_reallocations(p_owner, p_id, clock_timestamp(), '', '');
    perform absfin.end_write(p_token, '{}');
  end if;
end
$$;

-- A portfolio with those fills that bear on new ones: with the ids that are asked for, the sales of which they disallow a
-- loss, all fills of the plan, and the fills of the symbols whose loss is open. All of one state: the function is stable.
create function absfin.load_fills(
  p_owner text, p_portfolio text, p_reallocation text, p_fill_ids text[], p_symbols text[]
) returns absfin."application/octet-stream"
language plpgsql stable security definer set search_path = '' as $$
declare
  v_portfolio text := p_portfolio;
  v_plan_owner text;
  v_plan bytea;
  v_row absfin.portfolios;
  v_fills jsonb;
  v_contents bytea;
  v_last_days jsonb;
begin
  if p_reallocation <> '' then
    select owner, subject, payload into v_plan_owner, v_portfolio, v_plan
      from absfin.reallocations where owner = p_owner and id = p_reallocation;
    if not found then
      perform absfin.refuse(
        'NOT_FOUND', jsonb_build_object('kind', 'reallocation', 'name', 'reallocations/' || p_reallocation));
    end if;
    if v_portfolio = '' then
      return absfin.frame(jsonb_build_object('owner', v_plan_owner, 'plan', octet_length(v_plan)), v_plan);
    end if;
  end if;
  select * into v_row from absfin.portfolios where owner = p_owner and id = v_portfolio;
  if not found then
    perform absfin.refuse('NOT_FOUND', absfin.portfolio_name(v_portfolio));
  end if;
  select coalesce(jsonb_agg(jsonb_build_array(
           f.fill_id, f.symbol, f.day, f.reallocation, f.is_open, octet_length(f.content), octet_length(f.outcome)
         ) order by f.key), '[]'),
         string_agg(f.content || f.outcome, ''::bytea order by f.key)
    into v_fills, v_contents
    from absfin.fills f
    where f.key in (
      select a.key from absfin.fills a where a.portfolio = v_row.key and a.fill_id = any (p_fill_ids)
      union
      select sold.key from absfin.fills a
        join absfin.disallowed_losses d on d.fill = a.key
        join absfin.fills sold on sold.portfolio = v_row.key and sold.fill_id = d.sold_fill_id
        where a.portfolio = v_row.key and a.fill_id = any (p_fill_ids)
      union
      select a.key from absfin.fills a where a.portfolio = v_row.key and a.is_open and a.symbol = any (p_symbols)
      union
      select a.key from absfin.fills a
        where a.portfolio = v_row.key and p_reallocation <> '' and a.reallocation <> ''
          and a.reallocation = p_reallocation);
  select coalesce(jsonb_agg(jsonb_build_array(latest.symbol, latest.day)), '[]') into v_last_days
    from (select symbol, max(day) as day from absfin.fills
          where portfolio = v_row.key and symbol = any (p_symbols) group by symbol) latest;
  return absfin.frame(
    jsonb_build_object('owner', coalesce(v_plan_owner, v_row.owner), 'plan', octet_length(v_plan),
                       'portfolio', absfin.portfolio_header(v_row, true), 'fills', v_fills, 'last_days', v_last_days),
    v_row.payload || coalesce(v_plan, '') || coalesce(v_contents, ''));
end
$$;

-- Stores a portfolio after fills, and these. p_new and p_changed are arrays of objects with base64 contents.
create function absfin.commit_fills(
  p_owner text, p_portfolio text, p_etag text, p_payload text, p_new jsonb, p_changed jsonb, p_reallocation text,
  p_completes boolean, p_token uuid
) returns absfin."application/octet-stream"
language plpgsql security definer set search_path = '' as $$
declare
  v_done jsonb := absfin.begin_write(p_token);
  v_row absfin.portfolios;
begin
  if v_done is not null then
    return absfin.frame(v_done);
  end if;
  v_row := absfin.write_portfolio(p_owner, p_portfolio, p_etag, decode(p_payload, 'base64'), p_reallocation);
  if p_reallocation <> '' then
    update absfin.reallocations set fills = case when p_completes then 'ALL' else 'PARTLY' end
      where owner = p_owner and id = p_reallocation;
  end if;
  insert into absfin.fills (portfolio, fill_id, symbol, day, reallocation, is_open, content, outcome)
    select v_row.key, f->>'fill_id', f->>'symbol', (f->>'day')::integer, f->>'reallocation', (f->>'is_open')::boolean,
           decode(f->>'content', 'base64'), decode(f->>'outcome', 'base64')
    from jsonb_array_elements(p_new) with ordinality as sent (f, place) order by place;
  insert into absfin.disallowed_losses (fill, sold_fill_id)
    select stored.key, sold.id
    from jsonb_array_elements(p_new) as sent (f)
    cross join lateral jsonb_array_elements_text(f->'disallows') as sold (id)
    join absfin.fills stored on stored.portfolio = v_row.key and stored.fill_id = f->>'fill_id';
  update absfin.fills stored set outcome = decode(f->>'outcome', 'base64'), is_open = (f->>'is_open')::boolean
    from jsonb_array_elements(p_changed) as sent (f)
    where stored.portfolio = v_row.key and stored.fill_id = f->>'fill_id';
  return absfin.frame(absfin.end_write(p_token, absfin.portfolio_header(v_row, false)));
end
$$;

select absfin.complete_migration('20261128030002');
