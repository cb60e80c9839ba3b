-- The parts of a sweep are joined in groups, each where it is: all of them in one may be too large.

-- Puts one part in the place of others. Takes a frame with `count`, how many, `skipped`, how many come before them, which
-- servers of earlier versions do not send, and `part`, the size of the content.
create or replace function absfin.compact_backtest_parts(bytea) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_sent jsonb := absfin.sent_header($1);
  v_key bigint := v_sent -> 'key';
  v_held absfin.backtest_queue := absfin.hold_backtest(v_key, v_sent ->> 'worker', (v_sent -> 'attempt')::integer);
  v_first integer;
  v_last integer;
begin
  if v_held.last_write = (v_sent ->> 'write')::uuid then
    return;
  end if;
  select min(joined.number), max(joined.number) into v_first, v_last from (
    select p.number from absfin.backtest_parts p where p.backtest_key = v_key
    order by p.number limit (v_sent -> 'count')::integer offset coalesce((v_sent -> 'skipped')::integer, 0)) joined;
  delete from absfin.backtest_parts p where p.backtest_key = v_key and p.number between v_first and v_last;
  insert into absfin.backtest_parts values (v_key, v_last, absfin.sent_content($1, 0, (v_sent -> 'part')::integer));
  perform absfin.note_backtest_write(v_key, (v_sent ->> 'write')::uuid, v_held.last_write_event);
end
$$;

select absfin.complete_migration('20261129092000');
