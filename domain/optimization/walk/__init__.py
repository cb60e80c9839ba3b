"""Many independent decisions at once: the same long-only problem on the moments of each of D windows, as arrays.

Begin with `decisions`; `windows` has the moments, the other modules one method each. What a window's proof does not
pass has no weights here, and is solved by itself.
"""
