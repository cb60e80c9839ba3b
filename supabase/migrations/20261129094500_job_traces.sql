-- The traceparent of the call that made a job, which whoever runs it links to; empty where there is none.
alter table absfin.backtests add column traceparent text not null default '';

-- Stores a job; of two with one request id the first is kept. The same call again (epoch) finds what it has stored.
-- Raises REQUEST_ID_REUSED, ALREADY_EXISTS, QUEUE_FULL with the number that waits, INPUTS_MISSING
-- with the names of data that must be sent first.
create or replace function absfin.enqueue_backtest(p_owner text, p_job jsonb, p_max_queued integer) returns absfin."application/octet-stream"
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_id text := p_job ->> 'id';
  v_request_id text := p_job ->> 'request_id';
  v_body bytea := pg_catalog.decode(p_job ->> 'body', 'base64');
  v_caller text := p_job ->> 'caller';
  v_cost double precision := (p_job ->> 'cost_estimate')::double precision;
  v_names text[] := array(select pg_catalog.jsonb_array_elements_text(p_job -> 'names'));
  v_missing text[];
  v_key bigint;
  v_count bigint;
begin
  -- Jobs of one caller are counted and stored one after the other, so that the limit holds.
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('absfin.enqueue_backtest ' || v_caller, 0));
  select b.key into v_key from absfin.backtests b
  where b.owner = p_owner and b.id = v_id and b.epoch = p_job ->> 'epoch';
  v_key := coalesce(v_key, absfin.backtest_of_request(p_owner, v_request_id, v_body));
  if v_key is not null then
    return absfin.backtest_frame(v_key);
  end if;
  if exists (select from absfin.backtests b where b.owner = p_owner and b.id = v_id) then
    perform absfin.refuse(
      'ALREADY_EXISTS', pg_catalog.jsonb_build_object('kind', 'backtest', 'name', 'backtests/' || v_id));
  end if;
  select count(*) into v_count from absfin.backtest_queue q where q.caller = v_caller and q.worker is null;
  if v_count >= p_max_queued then
    perform absfin.refuse('QUEUE_FULL', pg_catalog.jsonb_build_object('queued', v_count));
  end if;
  perform from absfin.backtest_inputs i where i.fingerprint = any (v_names) and i.complete
  order by i.fingerprint for key share;
  v_missing := array(
    select n.name from pg_catalog.unnest(v_names) n (name)
    where not exists (select from absfin.backtest_inputs i where i.fingerprint = n.name and i.complete));
  if v_missing <> array[]::text[] then
    perform absfin.refuse('INPUTS_MISSING', pg_catalog.jsonb_build_object('names', v_missing));
  end if;
  insert into absfin.backtests (owner, id, request_id, label, epoch, fingerprint, cost_estimate, last_correction, traceparent)
  values (p_owner, v_id, v_request_id, p_job ->> 'label', p_job ->> 'epoch', p_job ->> 'fingerprint', v_cost,
    (p_job -> 'used' ->> 'last')::bigint, coalesce(p_job ->> 'traceparent', ''))
  on conflict do nothing returning key into v_key;
  if v_key is null then
    -- Another call of this owner was faster.
    v_key := absfin.backtest_of_request(p_owner, v_request_id, v_body);
    if v_key is null then
      perform absfin.refuse(
      'ALREADY_EXISTS', pg_catalog.jsonb_build_object('kind', 'backtest', 'name', 'backtests/' || v_id));
    end if;
    return absfin.backtest_frame(v_key);
  end if;
  insert into absfin.backtest_requests values (
    v_key, v_caller, v_body, p_job ->> 'inputs', p_job ->> 'actions', pg_catalog.decode(p_job ->> 'request', 'base64'));
  insert into absfin.backtest_input_uses select v_key, used.name from pg_catalog.unnest(v_names) used (name);
  perform absfin.record_used('backtests', v_key, p_job -> 'used');
  insert into absfin.backtest_queue (backtest_key, caller, expected_seconds)
  values (v_key, v_caller, absfin.expected_seconds(v_cost, 0, 0));
  return absfin.backtest_frame(v_key);
end
$$;

select absfin.complete_migration('20261129094500');
