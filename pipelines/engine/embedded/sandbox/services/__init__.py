"""Programs that run beside commands: containers, ports of this machine, tunnels."""
