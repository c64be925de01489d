"""Threads that take parts of the work of a compiled loop: the queue that they take from, and the
pool of them.
"""
