"""Commands in containers: what is run, what has to be set up for it, and what it leaves."""
