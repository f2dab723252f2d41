"""The command line: arguments in, one call down, text out. The only room that prints and asks; `pipelines.__main__` alone exits."""
