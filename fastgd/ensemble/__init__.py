"""Many networks at once: what members have of their own, where they stand, how they are trained,
what is left behind.
"""
