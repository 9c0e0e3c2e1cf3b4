"""What ops list, show, service and report print."""
