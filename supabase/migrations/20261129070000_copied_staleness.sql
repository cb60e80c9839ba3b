-- What results have used, and since when they are stale, for a copy of the store. Numbers of corrections are those of one
-- database: a result that comes from another one is compared with corrections from its copy on, and one that is stale there
-- has a correction of its own here, of the field COPY, under a name that no symbol has.

create function absfin.is_kind_of_result(p_kind text) returns boolean
language sql immutable set search_path = '' as $$
  select coalesce(p_kind in ('optimizations', 'reallocations', 'backtests'), false)
$$;

-- Results after a place that have used something stored, as {owner, id, stale, ranges: [[field, first, last, symbol]]}.
create function absfin.read_transfer_used(p_kind text, p_after jsonb, p_limit integer) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  v_found jsonb;
begin
  if not absfin.is_kind_of_result(p_kind) then
    raise exception 'no kind of results: %', p_kind;
  end if;
  execute format(
    'select coalesce(jsonb_agg(jsonb_build_object(''owner'', r.owner, ''id'', r.id, '
    '''stale'', absfin.micros(absfin.stale_since(%1$L, r.key, r.last_correction)), '
    '''ranges'', (select coalesce(jsonb_agg(jsonb_build_array(u.field, u.first_day, u.last_day, u.symbol)), ''[]'') '
    'from absfin.%2$I u where u.result = r.key and u.field <> ''COPY'')) order by r.owner, r.id), ''[]'') '
    'from (select * from absfin.%1$I where last_correction is not null and (owner, id) > ($1 ->> 0, $1 ->> 1) '
    'order by owner, id limit $2) r', p_kind, p_kind || '_used')
    into v_found using p_after, p_limit;
  return v_found;
end
$$;

-- Keeps them for results that are there. What one has used already stays, and so does an earlier time.
create function absfin.put_transfer_used(p_kind text, p_rows jsonb) returns void
language plpgsql security definer set search_path = '' as $$
declare
  v_row jsonb;
  v_key bigint;
  v_last bigint;
  v_stale timestamptz;
  v_number bigint;
begin
  if not absfin.is_kind_of_result(p_kind) then
    raise exception 'no kind of results: %', p_kind;
  end if;
  for v_row in select value from jsonb_array_elements(p_rows) loop
    execute format('select key, last_correction from absfin.%I where owner = $1 and id = $2 for update', p_kind)
      into v_key, v_last using v_row ->> 'owner', v_row ->> 'id';
    continue when v_key is null;
    if v_last is null then
      v_last := coalesce((select number from absfin.correction_clock), 0);
      execute format('update absfin.%I set last_correction = $2 where key = $1', p_kind) using v_key, v_last;
      execute format(
        'insert into absfin.%I (result, symbol, field, first_day, last_day) '
        'select $1, u ->> 3, u ->> 0, (u ->> 1)::integer, (u ->> 2)::integer from jsonb_array_elements($2) u '
        'on conflict do nothing', p_kind || '_used') using v_key, v_row -> 'ranges';
    end if;
    v_stale := absfin.time_of((v_row ->> 'stale')::bigint);
    if v_stale is not null and coalesce(absfin.stale_since(p_kind, v_key, v_last) > v_stale, true) then
      insert into absfin.correction_clock (number) values (0) on conflict do nothing;
      update absfin.correction_clock set number = number + 1 returning number into strict v_number;
      insert into absfin.corrections (symbol, field, number, first_day, last_day, corrected)
        values (p_kind || '/' || v_key, 'COPY', v_number, 0, 0, v_stale);
      execute format(
        'insert into absfin.%I (result, symbol, field, first_day, last_day) values ($1, $2, ''COPY'', 0, 0) '
        'on conflict do nothing', p_kind || '_used') using v_key, p_kind || '/' || v_key;
    end if;
  end loop;
end
$$;

select absfin.complete_migration('20261129070000');
