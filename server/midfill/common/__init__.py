"""What every layer may use: errors, cancellation, logs, paths, the file system, small JSON files."""
