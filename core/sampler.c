/* The sampling process. See sampler.h. */
#include "sampler.h"

#include <math.h>
#include <time.h>

/* rate="auto" */
#define LIVE_SAMPLES 2000.0       /* wanted in the table: a site of 5 % of the heap has 100, a standard error of 10 % */
#define RATE_MIN 4096.0           /* a heap below 8 MB has fewer samples; finer costs more memory than it tells */
#define SAMPLES_PER_SECOND 2500.0 /* of CPU time, in the long run: at about 1.5 us a sample less than half a per cent of it */
#define BURST 1200.0              /* samples that may be taken at once: some 2 ms, at the start or after a quiet time */
#define GROWTH_GRANT 700.0        /* samples granted when the heap doubles: half of those that would stay in the table */
#define GROWTH_FROM 250e3         /* bytes; doublings below are paid by the first burst */
#define SPEED_AT_FIRST 100e6      /* bytes a second: what programs do; stands until a window has been measured */
#define WINDOW_CPU_NS 10000000    /* CPU time over which the speed of allocation is measured, at least */
#define LOOK_NS 20000000          /* how often the CPU clock is read, a system call; the coarse clock ticks each 1 to 4 ms */

static uint64_t
next_random(gm_sampler *sampler)
{
    uint64_t x = sampler->random; /* xorshift64* (Vigna 2014) */
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    sampler->random = x;
    return x * 0x2545f4914f6cdd1du;
}

static int64_t
clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void
gm_sampler_init(gm_sampler *sampler, double fixed, uint64_t seed)
{
    *sampler = (gm_sampler){.fixed = fixed, .random = seed ? seed : 0x9e3779b97f4a7c15u, .tokens = BURST,
                            .peak_bytes = GROWTH_FROM, .bytes_per_second = SPEED_AT_FIRST,
                            .look_ns = clock_ns(CLOCK_MONOTONIC_COARSE) + LOOK_NS,
                            .window_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID)};
    for (int i = 0; i < 8; i++) {
        next_random(sampler);
    }
}

/* The speed of allocation, from the bytes that the samples of a window stood for, and the tokens that its CPU time earns.
 * CPU time and not the wall's: on a busy machine, or under a quota, a program must not pay more of what it gets. */
static void
measure_speed(gm_sampler *sampler, double bytes)
{
    sampler->window_bytes += bytes;
    int64_t now = clock_ns(CLOCK_MONOTONIC_COARSE);
    if (now < sampler->look_ns) {
        return;
    }
    sampler->look_ns = now + LOOK_NS;
    int64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID), took = cpu - sampler->window_cpu_ns;
    if (took >= WINDOW_CPU_NS) {
        sampler->bytes_per_second = (sampler->bytes_per_second + sampler->window_bytes * 1e9 / (double)took) / 2;
        sampler->tokens += (double)took * (SAMPLES_PER_SECOND / 1e9);
        sampler->window_cpu_ns = cpu;
        sampler->window_bytes = 0;
    }
}

/* Fine while the heap is small, coarser as it grows; and coarser while samples come faster than may be paid for: the
 * fewer tokens are left, the nearer to the rate at which the speed of allocation gives SAMPLES_PER_SECOND. A growing
 * heap earns tokens of its own, since those samples tell where memory goes. */
static double
auto_rate(gm_sampler *sampler, size_t n, gm_heap_state state)
{
    measure_speed(sampler, fmax(sampler->last, (double)n));
    sampler->tokens -= 1;
    if (state.peak_bytes > sampler->peak_bytes) {
        sampler->tokens += GROWTH_GRANT * log2(state.peak_bytes / sampler->peak_bytes);
        sampler->peak_bytes = state.peak_bytes;
    }
    sampler->tokens = fmin(fmax(sampler->tokens, 0), BURST);
    double affordable = sampler->bytes_per_second / SAMPLES_PER_SECOND * (1 - 2 * sampler->tokens / BURST);
    return fmax(fmax(RATE_MIN, state.live_bytes / LIVE_SAMPLES), affordable);
}

static void
draw(gm_sampler *sampler, gm_countdown *countdown, size_t n, gm_heap_state state)
{
    double rate = sampler->fixed > 0 ? sampler->fixed : auto_rate(sampler, n, state);
    sampler->last = rate;
    countdown->rate = rate;
    if (rate <= 1) {
        countdown->bytes = -1;
        return;
    }
    double uniform = ((double)(next_random(sampler) >> 11) + 1) * 0x1p-53; /* in (0, 1] */
    countdown->bytes = (int64_t)fmin(-log(uniform) * rate, 0x1p62);
}

double
gm_fire_locked(gm_sampler *sampler, gm_countdown *countdown, size_t n, gm_heap_state state)
{
    if (countdown->rate == 0) {
        draw(sampler, countdown, n, state);
        if (countdown->rate > 1 && (countdown->bytes -= (int64_t)n) >= 0) {
            return 0;
        }
    }
    double weight = countdown->rate <= 1 ? 1 : -1 / expm1(-(double)n / countdown->rate);
    draw(sampler, countdown, n, state);
    return weight;
}
