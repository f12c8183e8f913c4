"""The server: broker, fair queue, worker processes, result spool. docs/protocol.md is what it speaks."""
