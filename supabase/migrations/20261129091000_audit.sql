-- Who called what, and how it ended: written by the server through functions that append alone. Nobody else reads it, and
-- nobody changes it.

-- `number` counts the events of an owner without gaps. `resource` and `reason` are empty where there is none, `code` for a
-- stream that had begun. event_time is in microseconds since 1970-01-01.
create table absfin.audit_events (
  key        bigint generated always as identity primary key,
  owner      text collate "C" not null,
  number     bigint not null,
  event_time bigint not null,
  caller     text collate "C" not null,
  method     text collate "C" not null,
  resource   text collate "C" not null,
  code       text not null,
  reason     text not null,
  call_id    text not null,
  count      bigint not null,
  stored     timestamptz not null default clock_timestamp(),
  unique (owner, number)
);
create index audit_events_by_resource on absfin.audit_events (owner, resource, number) where resource <> '';
alter table absfin.audit_events enable row level security;
revoke all on absfin.audit_events from public, anon, authenticated, service_role;

-- The last number of each owner, which stays when their events are removed.
create table absfin.audit_owners (
  owner text collate "C" primary key,
  last  bigint not null
);
alter table absfin.audit_owners enable row level security;
revoke all on absfin.audit_owners from public, anon, authenticated, service_role;

-- Up to which key events were removed because they are old. It only grows.
create table absfin.audit_log (
  single  boolean primary key default true check (single),
  removed bigint not null default 0
);
alter table absfin.audit_log enable row level security;
revoke all on absfin.audit_log from public, anon, authenticated, service_role;
insert into absfin.audit_log default values;

-- Also the owner of the table, who needs no grant, changes nothing by mistake.
create function absfin.refuse_audit_change() returns trigger
language plpgsql set search_path = '' as $$
begin
  if tg_op = 'DELETE' and old.key <= (select removed from absfin.audit_log) then
    return old;
  end if;
  raise exception 'the audit log is append-only';
end
$$;
create trigger audit_events_stay before update or delete on absfin.audit_events
  for each row execute function absfin.refuse_audit_change();

-- Appends events in their order. One writer at a time, so that keys become visible in their order.
create function absfin.append_audit_events(p_events jsonb, p_token uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_done jsonb := absfin.begin_write(p_token);
  v_event jsonb;
  v_number bigint;
begin
  if v_done is not null then
    return v_done;
  end if;
  perform pg_advisory_xact_lock(hashtextextended('absfin.append_audit_events', 3));
  for v_event in select e from jsonb_array_elements(p_events) with ordinality x (e, place) order by place loop
    insert into absfin.audit_owners (owner, last) values (v_event ->> 'owner', 1)
      on conflict (owner) do update set last = absfin.audit_owners.last + 1 returning last into v_number;
    insert into absfin.audit_events (owner, number, event_time, caller, method, resource, code, reason, call_id, count)
    values (
      v_event ->> 'owner', v_number, (v_event ->> 'time')::bigint, v_event ->> 'caller', v_event ->> 'method',
      v_event ->> 'resource', v_event ->> 'code', v_event ->> 'reason', v_event ->> 'call_id',
      (v_event ->> 'count')::bigint);
  end loop;
  return absfin.end_write(p_token, '{}');
end
$$;

-- Events after a place, newest first, and one more where there are more: by the numbers of an owner, or by key of all owners
-- where p_owner is null. Conditions that are null are none.
create function absfin.list_audit_events(
  p_owner text, p_after bigint, p_limit integer, p_caller text, p_method text, p_resource text, p_since bigint,
  p_before bigint
) returns jsonb
language plpgsql stable security definer set search_path = '' set plan_cache_mode = 'force_custom_plan' as $$
begin
  if p_owner is null then
    return (
      select coalesce(jsonb_agg(to_jsonb(f) order by f.key desc), '[]') from (
        select * from absfin.audit_events e
        where (p_after is null or e.key < p_after) and (p_caller is null or e.caller = p_caller)
          and (p_method is null or e.method = p_method) and (p_resource is null or e.resource = p_resource)
          and (p_since is null or e.event_time >= p_since) and (p_before is null or e.event_time < p_before)
        order by e.key desc limit p_limit + 1
      ) f);
  end if;
  return (
    select coalesce(jsonb_agg(to_jsonb(f) order by f.number desc), '[]') from (
      select * from absfin.audit_events e
      where e.owner = p_owner and (p_after is null or e.number < p_after) and (p_caller is null or e.caller = p_caller)
        and (p_method is null or e.method = p_method)
        and (p_resource is null or (e.resource = p_resource and e.resource <> ''))
        and (p_since is null or e.event_time >= p_since) and (p_before is null or e.event_time < p_before)
      order by e.number desc limit p_limit + 1
    ) f);
end
$$;

-- Removes at most so many of the oldest events without a gap: those stored so many days ago or longer, and those beyond so
-- many; 0 sets no limit. How many. Less than a day and a thousand events nobody may ask for.
create function absfin.delete_old_audit_events(p_days double precision, p_events bigint, p_limit integer) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  v_newest bigint := coalesce((select max(key) from absfin.audit_events), 0);
  v_last bigint;
  v_count integer;
begin
  if p_days <> 0 and p_days < 1 or p_events <> 0 and p_events < 1000 then
    raise exception 'the audit log is append-only';
  end if;
  insert into absfin.audit_log default values on conflict do nothing;
  perform from absfin.audit_log for update;
  select o.key into v_last from (
    select e.key, bool_and(
      (p_events <> 0 and e.key <= v_newest - p_events)
      or (p_days <> 0 and e.stored < clock_timestamp() - make_interval(secs => p_days * 86400))) over (order by e.key) as gone
    from (select key, stored from absfin.audit_events order by key limit p_limit) e
  ) o where o.gone order by o.key desc limit 1;
  if not found then
    return 0;
  end if;
  update absfin.audit_log set removed = greatest(removed, v_last);
  delete from absfin.audit_events where key <= v_last;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

select absfin.complete_migration('20261129091000');
