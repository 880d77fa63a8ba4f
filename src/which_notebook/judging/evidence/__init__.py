"""What in a log names the notebook instance behind a base session: a module for each kind of evidence, with its limits.

None of it is proof. The user of a notebook instance can make most of it by hand, see `kinds`.
"""
