"""The audit log: who saw, exported, changed, deleted, opened what and when. Append-only, hash-chained.

chain.py      one line, and how each holds on to the one before; no I/O
repeats.py    what is told once, and what is told with a count; no I/O
folder.py     the monthly files: added to under a lock, mended after a kill, removed when their days are over
anchor.py     the chain's end, signed with the key that signs exports
log.py        what the service tells, written by a thread of its own
checking.py   is it all there, and as it was written?
searching.py  found from the newest backwards
sealing.py    taken out of the house: JSON lines with a seal, and CSV
worker.py     the three above, in a process of their own

docs/audit.md says how anybody can check a file with a few lines of his own.
"""
