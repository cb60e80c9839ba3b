insert into absfin.instruments values ('A', 'A corp.', 'CHF', '{"sector": "Tech"}', 0.1, 'HALTED');
insert into absfin.instrument_labels values ('sector=Tech', 'A');
insert into absfin.corporate_actions values
  ('A', 1, 'SPLIT', 2.5, null), ('A', 1, 'CASH_DIVIDEND', 0.1, 5), ('A', 9, 'DELISTING', null, null);
