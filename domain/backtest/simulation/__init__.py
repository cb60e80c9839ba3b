"""The simulation of an account from date to date, compiled: begin with `day`, the order of one date.

`arrays` names what goes in and out; the other modules are the steps. Nothing here runs in Python for each date, and
nothing here decides on weights but the rules that need the state of every date: drift bands, flows and margin.
"""
