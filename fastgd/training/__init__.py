"""Training one network: arguments, the loop, what happens between its chunks, and the run that it
leaves.
"""
