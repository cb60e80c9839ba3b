"""What returns say about skill: errors of a Sharpe ratio, differences between two, and the best of many trials.

Functions take returns as arrays and give figures with the reason where one is not defined; nothing here knows a
simulation. Every resampled figure is drawn from `resampling`, whose numbers depend on the seed and the number of the
resample alone. `validation` is the place to begin for one path, `comparison` for many.
"""
