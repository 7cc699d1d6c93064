"""What ``gomem escape`` prints: one file a form."""
