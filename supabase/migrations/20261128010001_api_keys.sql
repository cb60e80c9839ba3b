-- API keys: of each only a keyed hash. Read and written by the server alone.

create table absfin.api_keys (
  id text collate "C" primary key,
  caller text not null,
  display_name text not null,
  roles smallint[] not null,
  hash bytea not null,
  created timestamptz not null,
  expires timestamptz,
  revoked timestamptz
);
alter table absfin.api_keys enable row level security;

create function absfin.api_key_json(p_key absfin.api_keys) returns jsonb
language sql stable set search_path = '' as $$
  select case when p_key.id is null then null else
    to_jsonb(p_key) || jsonb_build_object('hash', translate(encode(p_key.hash, 'base64'), E'\n', '')) end
$$;

-- The same key again, after an answer that was lost, is the same key.
create function absfin.create_api_key(p_key jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_key absfin.api_keys;
begin
  insert into absfin.api_keys (id, caller, display_name, roles, hash, created, expires, revoked)
  values (
    p_key ->> 'id', p_key ->> 'caller', p_key ->> 'display_name',
    array(select jsonb_array_elements_text(p_key -> 'roles')::smallint), decode(p_key ->> 'hash', 'base64'),
    (p_key ->> 'created')::timestamptz, (p_key ->> 'expires')::timestamptz, (p_key ->> 'revoked')::timestamptz
  )
  on conflict do nothing;
  select * into strict v_key from absfin.api_keys where id = p_key ->> 'id';
  if v_key.hash <> decode(p_key ->> 'hash', 'base64') then
    perform absfin.refuse('ALREADY_EXISTS', jsonb_build_object('kind', 'API key', 'name', 'apiKeys/' || v_key.id));
  end if;
  return absfin.api_key_json(v_key);
end
$$;

create function absfin.find_api_key(p_id text) returns jsonb
language sql stable security definer set search_path = '' as $$
  select absfin.api_key_json(k) from absfin.api_keys k where k.id = p_id
$$;

create function absfin.list_api_keys(p_after text, p_limit int) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(absfin.api_key_json(k) order by k.id), '[]') from (
    select * from absfin.api_keys where id > p_after order by id limit p_limit
  ) k
$$;

create function absfin.revoke_api_key(p_id text, p_time timestamptz) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_key absfin.api_keys;
begin
  update absfin.api_keys set revoked = coalesce(revoked, p_time) where id = p_id returning * into v_key;
  if not found then
    perform absfin.refuse('NOT_FOUND', jsonb_build_object('kind', 'API key', 'name', 'apiKeys/' || p_id));
  end if;
  return absfin.api_key_json(v_key);
end
$$;

select absfin.complete_migration('20261128010001');
