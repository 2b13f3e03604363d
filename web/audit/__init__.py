"""The audit log: who saw, exported, changed, deleted, opened what and when. Append-only, hash-chained."""
