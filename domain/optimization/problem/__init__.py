"""What is solved: a request joined with its data, in arrays.

Begin with `problem`, the complete and checked problem. `feasible_set` turns its constraints into limits on the weight
vector, and `objective_value` computes the objective of given weights: these two definitions decide about every solver's
answer.
"""
