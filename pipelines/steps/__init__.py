"""The built-in steps. Written against dagger-io only; nothing here is imported by `plan` but `definition` and `catalog`."""
