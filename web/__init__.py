"""Web: the front door, and the only place that opens the other rooms."""
