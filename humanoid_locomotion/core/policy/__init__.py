"""Policy folders: reading, checking, opening, writing and running an exported policy."""
