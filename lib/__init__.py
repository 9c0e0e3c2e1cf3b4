"""What the jobs are made of; see the floors in setup.cfg."""
