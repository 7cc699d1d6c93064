"""What profiling costs a program: CPU time, instructions and resident memory against the same program without it."""
