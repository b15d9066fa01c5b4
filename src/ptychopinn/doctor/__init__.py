"""What this installation has, what it lacks, and whether it works; for ``ptychopinn doctor``.

`parts` looks for packages and imports none; `machine` and `self_test` need torch, so that the
command imports them last and can tell when that fails.
"""
