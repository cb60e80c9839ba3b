-- Reading and writing instruments.

create function absfin.instrument_json(p_instrument absfin.instruments) returns jsonb
language sql stable set search_path = '' as $$
  select to_jsonb(p_instrument) || jsonb_build_object('has_prices', exists (
    select from absfin.price_chunks c join absfin.price_revisions r on r.number = c.revision
    where c.symbol = (p_instrument).symbol and r.position is not null
  ))
$$;

-- At most so many instruments whose symbol comes after one, those with a label where one is given.
create function absfin.list_instruments(p_after text, p_limit int, p_label text) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(absfin.instrument_json(i) order by i.symbol), '[]') from (
    select * from absfin.instruments i
    where i.symbol > p_after and (p_label is null or exists (
      select from absfin.instrument_labels l where l.label = p_label and l.symbol = i.symbol
    ))
    order by i.symbol limit p_limit
  ) i
$$;

create function absfin.find_instruments(p_symbols text[]) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(absfin.instrument_json(i)), '[]')
  from absfin.instruments i where i.symbol = any (p_symbols)
$$;

-- Stores instruments with their labels, replacing those of the same symbol; of a symbol that comes twice, the last.
create function absfin.upsert_instruments(p_instruments jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  -- In the order of the symbols, as all that insert here do: two at once wait for each other, and never in a circle.
  insert into absfin.instruments (symbol, display_name, currency, groups, lot_size, state)
  select distinct on (x.symbol collate "C") x.symbol, x.display_name, x.currency, x.groups, x.lot_size, x.state
  from rows from (jsonb_to_recordset(p_instruments) as (
    symbol text, display_name text, currency text, groups jsonb, lot_size double precision, state text
  )) with ordinality x (symbol, display_name, currency, groups, lot_size, state, place)
  order by x.symbol collate "C", x.place desc
  on conflict (symbol) do update set
    display_name = excluded.display_name, currency = excluded.currency, groups = excluded.groups,
    lot_size = excluded.lot_size, state = excluded.state;
  delete from absfin.instrument_labels
    where symbol in (select e ->> 'symbol' from jsonb_array_elements(p_instruments) e);
  insert into absfin.instrument_labels (label, symbol)
  select g.key || '=' || g.value, i.symbol
  from absfin.instruments i, jsonb_each_text(i.groups) g
  where i.symbol in (select e ->> 'symbol' from jsonb_array_elements(p_instruments) e)
  on conflict do nothing;
  return to_jsonb(jsonb_array_length(p_instruments));
end
$$;

select absfin.complete_migration('20261128020003');
