"""Weights along a tree of clusters: HRP, HERC and NCO.

Begin with `hierarchical`; `entropy_projection` moves its weights within bounds.
"""
