"""The mathematics, once: activations, losses, updates and schedules, for one float or one vector of
them.
"""
