"""The manner all commands share: options, files, provenance, tables, exit codes. No mathematics."""
