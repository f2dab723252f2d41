"""What every room may use: clock, retry, redaction, durations, atomic files, one runner of programs.

Nothing here imports dagger or pydantic, and of ours only `pipelines.errors`; what is heavy is imported when it is needed.
"""
