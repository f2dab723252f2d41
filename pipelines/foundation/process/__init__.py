"""Runs programs: the one place that starts processes other than containers.

`running.run` and `running.start` are for the event loop, `blocking.run_blocking` for threads and for code without a loop; they are imported
from their files, as asyncio costs a plan more than all the rest of this. A program gets no terminal, and a session (so a process group) of
its own unless the caller asks otherwise. It does not outlive a caller that is cancelled or runs into its deadline, and a background process
that keeps its pipes open does not keep the caller waiting.
"""
