-- Events that callers watch, and notifications. They belong to the service, which shows each owner their own.

-- Numbers of events increase in the order in which events become visible: all that append hold one lock to their end.
-- Each key of an owner is stored once. event_time is in microseconds since 1970-01-01, the payload as a converter wrote it.
create table absfin.events (
  sequence   bigint generated always as identity primary key,
  owner      text collate "C" not null,
  dedupe_key text collate "C" not null,
  type       text not null check (type in ('SIGNAL', 'RECOMPUTATION', 'NOTIFICATION')),
  event_time bigint not null,
  kind       text not null,
  severity   integer not null,
  portfolio  text collate "C" not null,
  symbol     text not null,
  payload    bytea not null,
  stored     timestamptz not null default clock_timestamp(),
  unique (owner, dedupe_key)
);
create index events_by_owner on absfin.events (owner, sequence);
alter table absfin.events enable row level security;

-- What tells this log of events from any other one, and up to where events were removed.
create table absfin.event_log (
  single    boolean primary key default true check (single),
  epoch     text not null default replace(gen_random_uuid()::text, '-', ''),
  forgotten bigint not null default 0
);
alter table absfin.event_log enable row level security;
insert into absfin.event_log default values;

-- Signals that somebody is told. One is delivered next at next_attempt (microseconds since 1970-01-01), where it is to be; a
-- worker has it until lease_until. Both are by the clock of whoever delivers: an attempt that two make counts once.
create table absfin.notifications (
  key             bigint generated always as identity primary key,
  owner           text collate "C" not null,
  id              text collate "C" not null,
  created         timestamptz not null default clock_timestamp(),
  kind            text not null,
  severity        integer not null,
  portfolio       text collate "C" not null,
  symbol          text not null,
  message         text not null,
  delivery        text not null check (delivery in ('PENDING', 'DELIVERED', 'FAILED')),
  attempts        integer not null default 0,
  last_error      text not null default '',
  signal_sequence bigint not null,
  acknowledged    bigint,
  next_attempt    bigint,
  worker          text,
  lease_until     bigint,
  unique (owner, id)
);
create index notifications_in_order on absfin.notifications (created, id, key);
create index notifications_of_owner on absfin.notifications (owner, created, id, key);
create index notifications_by_portfolio on absfin.notifications (owner, portfolio, created, id, key);
create index notifications_due on absfin.notifications (next_attempt, key) where next_attempt is not null;
alter table absfin.notifications enable row level security;

-- Whoever holds this is the only one that appends events, until its transaction is over.
create function absfin.lock_events() returns void
language sql set search_path = '' as $$
  select pg_advisory_xact_lock(hashtextextended('absfin.lock_events', 3))
$$;

-- Stores those events whose keys their owner does not have, each with its notification; place from 0 and sequence of each.
create function absfin.store_events(p_events jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  v_stored jsonb;
begin
  perform absfin.lock_events();
  with sent as (
    select e, place - 1 as place from jsonb_array_elements(p_events) with ordinality x (e, place)
  ), stored as (
    insert into absfin.events (owner, dedupe_key, type, event_time, kind, severity, portfolio, symbol, payload)
    select e ->> 'owner', e ->> 'key', e ->> 'type', (e ->> 'time')::bigint, e ->> 'kind', (e ->> 'severity')::integer,
      e ->> 'portfolio', e ->> 'symbol', decode(e ->> 'payload', 'base64')
    from sent order by place
    on conflict do nothing
    returning sequence, owner, dedupe_key
  ), placed as (
    select distinct on (s.sequence) s.sequence, sent.place, sent.e
    from stored s join sent on sent.e ->> 'owner' = s.owner and sent.e ->> 'key' = s.dedupe_key
    order by s.sequence, sent.place
  ), notified as (
    insert into absfin.notifications (owner, id, kind, severity, portfolio, symbol, message, delivery, signal_sequence,
      next_attempt)
    select p.e ->> 'owner', left(replace(gen_random_uuid()::text, '-', ''), 20), p.e ->> 'kind',
      (p.e ->> 'severity')::integer, p.e ->> 'portfolio', p.e ->> 'symbol', p.e -> 'notify' ->> 'message',
      case when (p.e -> 'notify' ->> 'deliver')::boolean then 'PENDING' else 'DELIVERED' end, p.sequence,
      case when (p.e -> 'notify' ->> 'deliver')::boolean then absfin.micros(clock_timestamp()) end
    from placed p where jsonb_typeof(p.e -> 'notify') = 'object' order by p.sequence
  )
  select coalesce(jsonb_agg(jsonb_build_array(p.place, p.sequence) order by p.sequence), '[]') into v_stored from placed p;
  return v_stored;
end
$$;

create function absfin.append_events(p_events jsonb, p_token uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_done jsonb := absfin.begin_write(p_token);
begin
  return coalesce(v_done, absfin.end_write(p_token, absfin.store_events(p_events)));
end
$$;

-- At most so many events after a sequence, of all owners where p_owner is null, with what is retained. It looks at no more
-- than p_most of them; up to `scanned` all have been looked at. Conditions that are null are none.
create function absfin.read_events(
  p_owner text, p_after bigint, p_limit integer, p_most integer, p_severity integer, p_portfolios text[], p_kinds text[]
) returns absfin."application/octet-stream"
language plpgsql security definer set search_path = '' set plan_cache_mode = 'force_custom_plan' as $$
begin
  if not exists (select from absfin.event_log) then
    insert into absfin.event_log default values on conflict do nothing;
  end if;
  -- One statement, so that all of it is of one state.
  return (
    with standing as materialized (
      select l.epoch, coalesce((select max(e.sequence) from absfin.events e), l.forgotten) as newest,
        (select min(e.sequence) from absfin.events e) as oldest
      from absfin.event_log l
    ), looked as materialized (
      select count(*) as count, max(c.sequence) as last from (
        select e.sequence from absfin.events e where (p_owner is null or e.owner = p_owner) and e.sequence > p_after
        order by e.sequence limit p_most
      ) c
    ), bound as materialized (
      select case when l.count < p_most then s.newest else l.last end as last from looked l, standing s
    ), found as materialized (
      select row_number() over (order by e.sequence) as place, e.* from absfin.events e
      where (p_owner is null or e.owner = p_owner) and e.sequence > p_after and e.sequence <= (select last from bound)
        and e.severity >= p_severity and (p_portfolios is null or e.portfolio = any (p_portfolios))
        and (p_kinds is null or e.kind = any (p_kinds))
      order by e.sequence limit p_limit + 1
    )
    select absfin.frame(
      jsonb_build_object(
        'epoch', s.epoch, 'newest', s.newest, 'oldest', coalesce(s.oldest, s.newest + 1),
        'scanned', case when f.count > p_limit then f.last else greatest(p_after, b.last) end, 'events', f.events),
      f.payloads)
    from standing s, bound b, (
      select count(*) as count, max(sequence) filter (where place <= p_limit) as last,
        coalesce(jsonb_agg(jsonb_build_object(
          'sequence', sequence, 'owner', owner, 'key', dedupe_key, 'type', type, 'time', event_time, 'kind', kind,
          'severity', severity, 'portfolio', portfolio, 'symbol', symbol, 'payload', octet_length(payload)
        ) order by place) filter (where place <= p_limit), '[]') as events,
        string_agg(payload, ''::bytea order by place) filter (where place <= p_limit) as payloads
      from found
    ) f);
end
$$;

-- Removes at most so many events that were stored so long ago, the oldest ones without a gap, and what is known of their
-- notifications where nothing is to be delivered any more; how many events.
create function absfin.delete_old_events(p_age_seconds double precision, p_limit integer) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  v_last bigint;
  v_count integer;
begin
  insert into absfin.event_log default values on conflict do nothing;
  perform from absfin.event_log for update;
  select o.sequence into v_last from (
    select e.sequence, bool_and(e.stored < clock_timestamp() - make_interval(secs => p_age_seconds))
      over (order by e.sequence) as is_old
    from (select * from absfin.events order by sequence limit p_limit) e
  ) o where o.is_old order by o.sequence desc limit 1;
  if not found then
    return 0;
  end if;
  update absfin.event_log set forgotten = v_last;
  delete from absfin.events where sequence <= v_last;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

create function absfin.delete_old_notifications(p_age_seconds double precision, p_limit integer) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  v_count integer;
begin
  delete from absfin.notifications where key in (
    select key from absfin.notifications
    where created < clock_timestamp() - make_interval(secs => p_age_seconds) and next_attempt is null
    order by created, id, key limit p_limit for update skip locked);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

-- Its delivery goes on when somebody has seen it.
create function absfin.notification_state(p_row absfin.notifications) returns text
language sql immutable set search_path = '' as $$
  select case when p_row.acknowledged is null then p_row.delivery else 'ACKNOWLEDGED' end
$$;

create function absfin.notification_json(p_row absfin.notifications) returns jsonb
language sql stable set search_path = '' as $$
  select to_jsonb(p_row) || jsonb_build_object(
    'state', absfin.notification_state(p_row), 'created', absfin.micros(p_row.created))
$$;

create function absfin.get_notification(p_owner text, p_id text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_row absfin.notifications;
begin
  select * into v_row from absfin.notifications where owner = p_owner and id = p_id;
  if not found then
    perform absfin.refuse('NOT_FOUND', jsonb_build_object('kind', 'notification', 'name', 'notifications/' || p_id));
  end if;
  return absfin.notification_json(v_row);
end
$$;

-- A page of notifications, newest first, of all owners where p_owner is null, and one more where there are more. It begins
-- after the one of this time (in microseconds), id and key; conditions that are null are none.
create function absfin.list_notifications(
  p_owner text, p_after bigint, p_after_id text, p_after_key bigint, p_limit integer, p_portfolio text, p_state text,
  p_severity integer, p_created_from bigint, p_created_before bigint
) returns jsonb
language plpgsql stable security definer set search_path = '' set plan_cache_mode = 'force_custom_plan' as $$
begin
  return (
    select coalesce(jsonb_agg(absfin.notification_json(p.n) order by (p.n).created desc, (p.n).id desc, (p.n).key desc), '[]')
    from (
      select n from absfin.notifications n
      where (p_owner is null or n.owner = p_owner)
        and (p_after is null or (n.created, n.id, n.key) < (absfin.time_of(p_after), p_after_id, p_after_key))
        and (p_portfolio is null or n.portfolio = p_portfolio)
        and (p_state is null or absfin.notification_state(n) = p_state)
        and n.severity >= p_severity
        and (p_created_from is null or n.created >= absfin.time_of(p_created_from))
        and (p_created_before is null or n.created < absfin.time_of(p_created_before))
      order by n.created desc, n.id desc, n.key desc limit p_limit + 1
    ) p);
end
$$;

-- Marks a notification as seen at the time of an event, which is stored the first time.
create function absfin.acknowledge_notification(p_owner text, p_id text, p_event jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  perform absfin.lock_events();
  update absfin.notifications set acknowledged = (p_event ->> 'time')::bigint
    where owner = p_owner and id = p_id and acknowledged is null;
  if found then
    perform absfin.store_events(jsonb_build_array(p_event));
  end if;
  return absfin.get_notification(p_owner, p_id);
end
$$;

-- Puts a notification back to be delivered; a worker that has it in hand loses it.
create function absfin.redeliver_notification(p_owner text, p_id text, p_now bigint, p_token uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  if absfin.begin_write(p_token) is null then
    update absfin.notifications
    set delivery = 'PENDING', attempts = 0, last_error = '', next_attempt = p_now, worker = null, lease_until = null
    where owner = p_owner and id = p_id;
    perform absfin.end_write(p_token, '{}');
  end if;
  return absfin.get_notification(p_owner, p_id);
end
$$;

-- Takes notifications whose delivery is due and that nobody has in hand, the longest due first.
create function absfin.claim_notifications(
  p_worker text, p_now bigint, p_lease_seconds double precision, p_limit integer, p_token uuid
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_done jsonb;
  v_keys bigint[];
begin
  v_done := absfin.begin_write(p_token);
  if v_done is not null then
    return v_done;
  end if;
  v_keys := array(
    select n.key from absfin.notifications n
    where n.next_attempt <= p_now and (n.worker is null or n.lease_until < p_now)
    order by n.next_attempt, n.key limit p_limit for update skip locked);
  if v_keys = '{}' then
    return '[]';
  end if;
  update absfin.notifications set worker = p_worker, lease_until = p_now + (p_lease_seconds * 1000000)::bigint
    where key = any (v_keys);
  return absfin.end_write(p_token, (
    select jsonb_agg(absfin.notification_json(n) order by n.next_attempt, n.key)
    from absfin.notifications n where n.key = any (v_keys)));
end
$$;

-- Says how an attempt to deliver ended, with an event where there is one; whether the worker still had the notification.
create function absfin.end_delivery_attempt(
  p_owner text, p_id text, p_worker text, p_attempts integer, p_delivery text, p_error text, p_next bigint, p_event jsonb,
  p_token uuid
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
  update absfin.notifications
  set delivery = p_delivery, attempts = attempts + 1, last_error = p_error, next_attempt = p_next, worker = null,
    lease_until = null
  where owner = p_owner and id = p_id and worker = p_worker and attempts = p_attempts;
  v_had := found;
  if v_had and jsonb_typeof(p_event) = 'object' then
    perform absfin.store_events(jsonb_build_array(p_event));
  end if;
  return absfin.end_write(p_token, to_jsonb(v_had));
end
$$;

select absfin.complete_migration('20261128060001');
