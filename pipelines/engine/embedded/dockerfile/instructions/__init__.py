"""The instructions as typed values, and how a parsed instruction becomes one."""
