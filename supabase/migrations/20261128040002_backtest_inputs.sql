-- Data of jobs: sent once in pieces, then named by its content.

-- Takes a frame of `name`, `symbols`, `pieces`, `number` and `size`, with the piece. Data is whole with its last piece.
create function absfin.add_backtest_input_piece(bytea) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_sent jsonb := absfin.sent_header($1);
  v_name text := v_sent ->> 'name';
begin
  insert into absfin.backtest_inputs (fingerprint, symbols, pieces)
  values (v_name, v_sent ->> 'symbols', (v_sent ->> 'pieces')::integer)
  on conflict (fingerprint) do update set touched_time = pg_catalog.clock_timestamp();
  insert into absfin.backtest_input_pieces
  values (v_name, (v_sent ->> 'number')::integer, absfin.sent_content($1, 0, (v_sent ->> 'size')::integer))
  on conflict do nothing;
  update absfin.backtest_inputs i set complete = true
  where i.fingerprint = v_name and not i.complete
    and i.pieces = (select count(*) from absfin.backtest_input_pieces p where p.fingerprint = v_name);
end
$$;

-- Symbols and number of pieces; null where the data is not there.
create function absfin.describe_backtest_input(p_name text) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select pg_catalog.jsonb_build_object('symbols', i.symbols, 'pieces', i.pieces)
  from absfin.backtest_inputs i where i.fingerprint = p_name and i.complete
$$;

create function absfin.read_backtest_input_piece(p_name text, p_number integer) returns absfin."application/octet-stream"
language sql stable security definer set search_path = ''
as $$
  select coalesce((
    select p.data from absfin.backtest_input_pieces p where p.fingerprint = p_name and p.number = p_number), ''::bytea)
$$;

-- Removes data that no job has, of some names; those that it removed. A job that is stored meanwhile either has locked
-- the data before, or does not find it.
create function absfin.drop_unused_inputs(p_names text[]) returns text[]
language plpgsql volatile set search_path = ''
as $$
declare
  v_dropped text[];
begin
  perform from absfin.backtest_inputs i where i.fingerprint = any (p_names) order by i.fingerprint for update;
  with dropped as (
    delete from absfin.backtest_inputs i
    where i.fingerprint = any (p_names)
      and not exists (select from absfin.backtest_input_uses u where u.fingerprint = i.fingerprint)
    returning i.fingerprint)
  select coalesce(pg_catalog.array_agg(dropped.fingerprint), array[]::text[]) into v_dropped from dropped;
  return v_dropped;
end
$$;

-- Removes data that was sent so long ago and that no job has; how much.
create function absfin.delete_unused_backtest_inputs(p_age_seconds double precision, p_limit integer) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
begin
  return pg_catalog.cardinality(absfin.drop_unused_inputs(array(
    select i.fingerprint from absfin.backtest_inputs i
    where i.touched_time < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => p_age_seconds)
      and not exists (select from absfin.backtest_input_uses u where u.fingerprint = i.fingerprint)
    limit p_limit)));
end
$$;

select absfin.complete_migration('20261128040002');
