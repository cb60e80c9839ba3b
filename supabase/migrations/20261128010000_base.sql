-- The schema of abs-finance: who may use it, and what every later migration ends with.

create schema absfin;
comment on schema absfin is 'abs-finance: written by its server through functions, with the service key';

-- Nobody but its owner makes anything here. Roles see the schema; what they may do in it is said table by table.
revoke all on schema absfin from public;
grant usage on schema absfin to authenticated, service_role;

-- A function that returns this answers `Accept: application/octet-stream` with its bytes.
create domain absfin."application/octet-stream" as bytea;

create table absfin.migrations (
  version text primary key,
  applied timestamptz not null default now()
);
alter table absfin.migrations enable row level security;

create table absfin.secrets (
  name text primary key,
  value bytea not null
);
alter table absfin.secrets enable row level security;

-- Stops the function that calls it, and tells the server why: `message` is the reason, `detail` a JSON object.
create function absfin.refuse(p_reason text, p_detail jsonb default '{}') returns void
language plpgsql set search_path = '' as $$
begin
  raise exception using errcode = 'ABSFN', message = p_reason, detail = p_detail::text;
end
$$;

-- The last statement of every migration. It closes every function to everybody but the server, refuses a table without
-- row level security, and records the version, which the server compares with what it knows when it starts.
create function absfin.complete_migration(p_version text) returns void
language plpgsql set search_path = '' as $$
declare
  v_routine regprocedure;
  v_table regclass;
begin
  for v_routine in select p.oid from pg_catalog.pg_proc p where p.pronamespace = 'absfin'::regnamespace loop
    execute pg_catalog.format('revoke all on routine %s from public, anon, authenticated', v_routine);
    execute pg_catalog.format('grant execute on routine %s to service_role', v_routine);
  end loop;
  select c.oid into v_table from pg_catalog.pg_class c
    where c.relnamespace = 'absfin'::regnamespace and c.relkind in ('r', 'p') and not c.relrowsecurity limit 1;
  if v_table is not null then
    raise exception 'table % has no row level security', v_table;
  end if;
  insert into absfin.migrations (version) values (p_version);
  perform pg_catalog.pg_notify('pgrst', 'reload schema');
end
$$;

-- Versions of this schema that are applied, as a JSON array.
create function absfin.get_schema_versions() returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(version order by version collate "C"), '[]') from absfin.migrations
$$;

-- A secret of this schema, drawn by the first server that needs it and the same for all after it.
create function absfin.get_secret(p_name text, p_drawn text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_value bytea;
begin
  insert into absfin.secrets (name, value) values (p_name, decode(p_drawn, 'base64')) on conflict do nothing;
  select value into strict v_value from absfin.secrets where name = p_name;
  return to_jsonb(translate(encode(v_value, 'base64'), E'\n', ''));
end
$$;

select absfin.complete_migration('20261128010000');
