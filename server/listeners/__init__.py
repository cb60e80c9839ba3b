"""What follows changes of the stores by itself: the one listener of a store, and recomputations.

Begin with `change_feed`: it takes changes in their order, `reading` says how things are now, `noticing` what follows
from it, and all of that is stored before the next change. `recomputations` then do what mandates want.
"""
