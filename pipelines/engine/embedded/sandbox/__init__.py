"""Runs commands in containers: a `Spec` goes in, an OCI runtime (runc or crun) does the containing, an `Exit` comes out.

`spec` (values), `runtime` (runs), `running` (a live container), `config` (the OCI configuration), `output` (captured, masked streams),
`services` (long-running containers, host services and tunnels, shared by those who use them).
"""
