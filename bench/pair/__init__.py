"""What a profiler adds to one allocation and its free, in nanoseconds."""
