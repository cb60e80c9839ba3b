"""How a trade of several assets is spread over periods: cost against the risk of waiting (Almgren and Chriss 2000).

`planned_schedule.schedule_plan` spreads the trades of a plan; `almgren_chriss.optimal_schedule` is the same in arrays.
`problem` is what is given; `objective` what is minimised and the proof of an answer; `trajectory` the formula without
limits; `bounded` the quadratic program with them, which `active_trades` makes exact; `whole_lots` turns a schedule into
lots.
"""
