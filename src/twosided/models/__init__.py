"""The mathematics of optimal quotes: pure functions of numbers, no market objects."""
