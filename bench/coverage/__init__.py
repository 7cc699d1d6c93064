"""Which memory of which library a heap profile sees, and on the right line."""
