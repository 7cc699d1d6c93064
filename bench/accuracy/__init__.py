"""How far a sampled heap profile is from the truth, on heaps whose every byte is known."""
