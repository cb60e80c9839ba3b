-- Functions that tests of calls need.
create sequence if not exists absfin.test_tries;
create function absfin.test_echo(p_value jsonb) returns jsonb language sql as 'select p_value';
create function absfin.test_nothing() returns void language sql as 'select';
create function absfin.test_bytes(p_text text) returns absfin."application/octet-stream" language sql
  as $$ select decode(p_text, 'base64') $$;
create function absfin.test_taken(bytea) returns jsonb language sql
  as $$ select to_jsonb(translate(encode($1, 'base64'), E'\n', '')) $$;
create function absfin.test_refuse(p_reason text, p_detail jsonb) returns jsonb language plpgsql
  as $$ begin perform absfin.refuse(p_reason, p_detail); end $$;
create function absfin.test_refuse_bytes(p_reason text, p_detail jsonb) returns absfin."application/octet-stream"
  language plpgsql as $$ begin perform absfin.refuse(p_reason, p_detail); end $$;
create function absfin.test_state(p_state text) returns jsonb language plpgsql
  as $$ begin raise exception using errcode = p_state, message = 'secret detail'; end $$;
create function absfin.test_sleep(p_seconds float) returns void language sql as 'select pg_sleep(p_seconds)';
-- A sequence counts tries, as it is not undone with its transaction.
create function absfin.test_reset() returns void language sql security definer
  as $$ select setval('absfin.test_tries', 1, false) $$;
create function absfin.test_third_time(p_state text) returns bigint language plpgsql security definer as $$
declare
  v_try bigint := nextval('absfin.test_tries');
begin
  if v_try < 3 then
    raise exception using errcode = p_state, message = 'not yet';
  end if;
  return v_try;
end
$$;
do $$ declare f regprocedure; begin
  for f in select oid from pg_proc where proname like 'test!_%' escape '!' loop
    execute format('grant execute on routine %s to service_role', f);
  end loop;
end $$;
