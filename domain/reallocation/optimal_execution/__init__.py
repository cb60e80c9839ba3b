"""How a trade of several assets is spread over periods: cost against the risk of waiting (Almgren and Chriss 2000).

`planned_schedule.schedule_plan` spreads the trades of a plan; `almgren_chriss.optimal_schedule` is the same in arrays.
`problem` is what is given; `trajectory` the formula without limits; `bounded` the quadratic program with them and its
proof; `whole_lots` turns a schedule into lots.
"""
