"""The jobs that cron starts: one file, one command, one story."""
