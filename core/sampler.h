/* Which allocations are sampled: a Poisson process over the bytes allocated.
 *
 * Points fall on the line of allocated bytes at random, one in `rate` bytes on average; an allocation that a point
 * falls into is sampled. The distance to the next point is drawn once and counted down, so an allocation that is not
 * sampled costs one subtraction. An allocation of n bytes is sampled with probability 1 - exp(-n / rate), and stands
 * for the inverse of that many allocations. The exponential distribution has no memory: the count may be drawn anew at
 * any time, at any rate, and the estimate stays unbiased as long as each sample is weighted by the rate its own count
 * was drawn with. docs/design/sampling.md derives it. */
#ifndef GOMEM_SAMPLER_H
#define GOMEM_SAMPLER_H

#include "types.h"

/* Bytes to go until the next sample, and the mean it was drawn with; rate 0 means not drawn yet. Python's own
 * allocators share one under the GIL; each thread has one for the rest. */
typedef struct {
    int64_t bytes;
    double rate;
} gm_countdown;

/* Guarded by the profiler's lock. */
typedef struct {
    double fixed;      /* mean bytes between samples; 0: auto */
    uint64_t random;   /* state of the generator, never 0 */
    double tokens;     /* auto: samples that may be taken at once */
    double peak_bytes; /* auto: the largest heap that tokens were granted for */
    double window_bytes, bytes_per_second; /* auto: allocated since window_cpu_ns; the measured speed */
    int64_t window_cpu_ns;                 /* auto: CPU time of the process when tokens were last added */
    int64_t look_ns;                       /* auto: when to look at it again */
    double last;       /* the rate of the latest draw, for reports */
} gm_sampler;

void gm_sampler_init(gm_sampler *sampler, double fixed, uint64_t seed);

/* What auto goes by: the estimated size of the sampled heap, now and at its highest. */
typedef struct {
    double live_bytes, peak_bytes;
} gm_heap_state;

/* A countdown that went below 0 by an allocation of n bytes: the weight of that sample, or 0 if the countdown had not
 * been drawn before and the allocation is not due. Draws the next one. */
double gm_fire_locked(gm_sampler *sampler, gm_countdown *countdown, size_t n, gm_heap_state state);

#endif
