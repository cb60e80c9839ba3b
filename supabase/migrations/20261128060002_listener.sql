-- Who listens to changes, where the listener stands, and the recomputations that follow from what it notices.

-- What mandates want to be done. It belongs to the worker that claimed it until lease_time; attempt fences off those that
-- claimed it before. One that was given back waits until due_time. last_write names the call that claimed it.
create table absfin.recomputations (
  key             bigint generated always as identity primary key,
  owner           text collate "C" not null,
  portfolio       text collate "C" not null,
  action          text collate "C" not null,
  signal_sequence bigint not null,
  created         timestamptz not null default clock_timestamp(),
  attempt         integer not null default 0,
  due_time        timestamptz not null default '-infinity',
  worker          text,
  lease_time      timestamptz,
  last_write      uuid,
  finished        timestamptz
);
create index recomputations_open on absfin.recomputations (owner, portfolio, action, key) where finished is null;
create index recomputations_in_order on absfin.recomputations (key) where finished is null;
create index recomputations_finished on absfin.recomputations (finished) where finished is not null;
alter table absfin.recomputations enable row level security;

-- Why, each cause once for a portfolio and an action, also after the end.
create table absfin.recomputation_causes (
  key           bigint generated always as identity primary key,
  recomputation bigint not null references absfin.recomputations (key) on delete cascade,
  owner         text collate "C" not null,
  portfolio     text collate "C" not null,
  action        text collate "C" not null,
  cause         text collate "C" not null,
  unique (owner, portfolio, action, cause)
);
create index recomputation_causes_by_recomputation on absfin.recomputation_causes (recomputation, key);
alter table absfin.recomputation_causes enable row level security;

-- The server that listens until lease_time, by the clock of the database, and its number, which fences off those before
-- it. The cursor and the state are where it stood when it last stored them.
create table absfin.listener (
  single     boolean primary key default true check (single),
  worker     text,
  number     bigint not null default 0,
  lease_time timestamptz not null default '-infinity',
  cursor     text not null default '',
  state      bytea not null default ''
);
alter table absfin.listener alter column state set storage external;
alter table absfin.listener enable row level security;

-- Stores causes that are new, of each portfolio and action with the recomputation that nobody has claimed yet or a new one;
-- of how many of those that were sent. Whoever claimed one may have read its data already: what comes now needs a later one.
create function absfin.store_recomputations(p_drafts jsonb) returns integer
language plpgsql set search_path = '' as $$
declare
  v_draft jsonb;
  v_causes text[];
  v_key bigint;
  v_count integer := 0;
begin
  -- One after the other: of two with one cause, one finds that it is known.
  perform pg_advisory_xact_lock(hashtextextended('absfin.store_recomputations', 3));
  for v_draft in select d from jsonb_array_elements(p_drafts) with ordinality x (d, place) order by place loop
    v_causes := array(
      select c.cause from jsonb_array_elements_text(v_draft -> 'causes') with ordinality c (cause, place)
      where not exists (
        select from absfin.recomputation_causes k
        where k.owner = v_draft ->> 'owner' and k.portfolio = v_draft ->> 'portfolio' and k.action = v_draft ->> 'action'
          and k.cause = c.cause)
      group by c.cause order by min(c.place));
    continue when v_causes = '{}';
    select r.key into v_key from absfin.recomputations r
      where r.owner = v_draft ->> 'owner' and r.portfolio = v_draft ->> 'portfolio' and r.action = v_draft ->> 'action'
        and r.finished is null and r.attempt = 0
      for update;
    if not found then
      insert into absfin.recomputations (owner, portfolio, action, signal_sequence)
      values (v_draft ->> 'owner', v_draft ->> 'portfolio', v_draft ->> 'action',
        coalesce(nullif((v_draft ->> 'sequence')::bigint, 0), (
          select e.sequence from absfin.events e
          where e.owner = v_draft ->> 'owner' and e.dedupe_key = v_draft ->> 'key' and v_draft ->> 'key' <> ''), 0))
      returning key into v_key;
    end if;
    insert into absfin.recomputation_causes (recomputation, owner, portfolio, action, cause)
      select v_key, v_draft ->> 'owner', v_draft ->> 'portfolio', v_draft ->> 'action', c.cause
      from unnest(v_causes) with ordinality c (cause, place) order by place;
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;

create function absfin.enqueue_recomputations(p_drafts jsonb, p_token uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_done jsonb := absfin.begin_write(p_token);
begin
  return coalesce(v_done, absfin.end_write(p_token, to_jsonb(absfin.store_recomputations(p_drafts))));
end
$$;

create function absfin.recomputation_json(p_key bigint) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'key', r.key, 'owner', r.owner, 'portfolio', r.portfolio, 'action', r.action, 'sequence', r.signal_sequence,
    'created', absfin.micros(r.created), 'attempt', r.attempt,
    'causes', (select jsonb_agg(c.cause order by c.key) from absfin.recomputation_causes c where c.recomputation = r.key))
  from absfin.recomputations r where r.key = p_key
$$;

-- Takes the oldest recomputation that may be done now, null where there is none: the first of its portfolio and action that
-- is not over, which nobody has, or whose lease has passed.
create function absfin.claim_recomputation(p_worker text, p_lease_seconds double precision, p_write uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_now timestamptz := clock_timestamp();
  v_key bigint;
begin
  select r.key into v_key from absfin.recomputations r
    where r.finished is null and r.worker = p_worker and r.last_write = p_write;
  if found then
    return absfin.recomputation_json(v_key);
  end if;
  select r.key into v_key from absfin.recomputations r
    where r.finished is null and r.due_time <= v_now and (r.worker is null or r.lease_time < v_now)
      and not exists (
        select from absfin.recomputations e
        where e.finished is null and e.owner = r.owner and e.portfolio = r.portfolio and e.action = r.action
          and e.key < r.key)
    order by r.key limit 1 for update skip locked;
  if not found then
    return null;
  end if;
  update absfin.recomputations set worker = p_worker, attempt = attempt + 1, last_write = p_write,
    lease_time = clock_timestamp() + make_interval(secs => p_lease_seconds) where key = v_key;
  return absfin.recomputation_json(v_key);
end
$$;

-- Renews leases of claims as [key, attempt]; the keys of those that the worker still has.
create function absfin.renew_recomputations(p_worker text, p_claims jsonb, p_lease_seconds double precision) returns jsonb
language sql security definer set search_path = '' as $$
  with held as (
    select r.key from absfin.recomputations r
    join jsonb_array_elements(p_claims) c on r.key = (c ->> 0)::bigint and r.attempt = (c ->> 1)::integer
    where r.worker = p_worker and r.finished is null order by r.key for update of r
  ), renewed as (
    update absfin.recomputations r set lease_time = clock_timestamp() + make_interval(secs => p_lease_seconds)
    from held where r.key = held.key returning r.key
  )
  select coalesce(jsonb_agg(key), '[]') from renewed
$$;

-- Ends a recomputation with its event; whether the worker still had it.
create function absfin.finish_recomputation(
  p_worker text, p_key bigint, p_attempt integer, p_event jsonb, p_token uuid
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_done jsonb := absfin.begin_write(p_token);
  v_had boolean;
begin
  if v_done is not null then
    return v_done;
  end if;
  perform absfin.lock_events();
  update absfin.recomputations set finished = clock_timestamp(), worker = null, lease_time = null
    where key = p_key and worker = p_worker and attempt = p_attempt and finished is null;
  v_had := found;
  if v_had then
    perform absfin.store_events(jsonb_build_array(p_event));
  end if;
  return absfin.end_write(p_token, to_jsonb(v_had));
end
$$;

-- Gives a recomputation back, to be claimed again after a while; nothing where the worker lost it.
create function absfin.release_recomputation(
  p_worker text, p_key bigint, p_attempt integer, p_delay_seconds double precision
) returns void
language sql security definer set search_path = '' as $$
  update absfin.recomputations set worker = null, lease_time = null,
    due_time = clock_timestamp() + make_interval(secs => p_delay_seconds)
  where key = p_key and worker = p_worker and attempt = p_attempt and finished is null
$$;

create function absfin.delete_old_recomputations(p_age_seconds double precision, p_limit integer) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  v_count integer;
begin
  delete from absfin.recomputations where key in (
    select key from absfin.recomputations where finished < clock_timestamp() - make_interval(secs => p_age_seconds)
    order by finished limit p_limit for update skip locked);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

-- Makes a worker the listener, or renews its claim; its number, null while another one listens.
create function absfin.claim_listener(p_worker text, p_lease_seconds double precision) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_number bigint;
begin
  insert into absfin.listener default values on conflict do nothing;
  update absfin.listener
  set number = number + (worker is distinct from p_worker)::integer, worker = p_worker,
    lease_time = clock_timestamp() + make_interval(secs => p_lease_seconds)
  where worker is null or worker = p_worker or lease_time < clock_timestamp()
  returning number into v_number;
  return to_jsonb(v_number);
end
$$;

-- Whether a claim is the one that counts; until the end of the transaction no other one can be made.
create function absfin.holds_listener(p_worker text, p_number bigint) returns boolean
language plpgsql set search_path = '' as $$
begin
  perform from absfin.listener where worker = p_worker and number = p_number for update;
  return found;
end
$$;

create function absfin.load_listener() returns absfin."application/octet-stream"
language sql stable security definer set search_path = '' as $$
  select coalesce(
    (select absfin.frame(jsonb_build_object('cursor', l.cursor, 'state', octet_length(l.state)), l.state)
     from absfin.listener l),
    absfin.frame('{"cursor": "", "state": 0}'))
$$;

create function absfin.store_listener(p_worker text, p_number bigint, p_cursor text, p_state text) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  update absfin.listener set cursor = p_cursor, state = decode(p_state, 'base64')
    where worker = p_worker and number = p_number;
  return to_jsonb(found);
end
$$;

-- Stores what was noticed and what it starts: place and sequence of the events that are new, null where the claim does not
-- count any more. Events come first: a recomputation names the sequence of its signal.
create function absfin.record_noticed(
  p_worker text, p_number bigint, p_events jsonb, p_recomputations jsonb, p_token uuid
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_done jsonb := absfin.begin_write(p_token);
begin
  if v_done is not null then
    return v_done -> 'stored';
  end if;
  perform absfin.lock_events();
  if not absfin.holds_listener(p_worker, p_number) then
    return null;
  end if;
  v_done := jsonb_build_object('stored', absfin.store_events(p_events));
  perform absfin.store_recomputations(p_recomputations);
  return absfin.end_write(p_token, v_done) -> 'stored';
end
$$;

create function absfin.release_listener(p_worker text, p_number bigint) returns void
language sql security definer set search_path = '' as $$
  update absfin.listener set worker = null, lease_time = '-infinity' where worker = p_worker and number = p_number
$$;

select absfin.complete_migration('20261128060002');
