"""Steps to graph to scheduler to results. `graph` is pure; the scheduler is anyio task groups."""
