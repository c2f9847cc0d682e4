"""The search language: one line of words and terms, as typed into the filter or the shell.

``lamp -state:paid amount>10 since:7d`` is read by `reading` into the tree of `terms`; `evaluating`
says of one payment whether it matches, and `compiling` says the same in SQL for all of them.
"""
