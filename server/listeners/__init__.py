"""What follows changes of the stores without being asked: the one listener of a store, and recomputations."""
