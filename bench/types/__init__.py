"""Benchmarks of LRUCache, cached, Pool and Builder against what one would use instead."""
