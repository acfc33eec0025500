"""What every layer may use: errors, cancelling, logs, paths, small files of JSON."""
