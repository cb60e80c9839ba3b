"""Which assets to hold or to trade at all, by branch and bound.

Begin with `cardinality`: numbers of assets, mutual exclusions, minimum positions, bounded by `perspective`.
`fixed_costs` decides which trades are worth their fee.
"""
