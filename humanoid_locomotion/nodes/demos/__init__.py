"""The demos `walk` and `navigate`: nodes started, driven and judged by one command."""
