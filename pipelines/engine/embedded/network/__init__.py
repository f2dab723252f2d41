"""The network of a session: one switch (a network namespace with a bridge and a way out), one leased namespace per container.

`switch` (the namespace, leases, dialling and listening inside it), `forward` (ports between the host and containers).
"""
