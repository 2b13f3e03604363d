"""The corridor: what passes between the rooms, and how. Standard library only, `redis_bus` excepted."""
