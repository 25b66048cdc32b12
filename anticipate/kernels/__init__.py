"""Pure functions on arrays: everything that training and serving must compute alike.

NumPy and ``scipy.special`` only; no state, no clock, no pandas.
"""
