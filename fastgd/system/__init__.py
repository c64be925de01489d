"""What the operating system has a part in: files, streams, warnings, Ctrl-C, processors,
floating-point errors.
"""
