/* The sampling process. See sampler.h. */
#include "sampler.h"

#include <math.h>
#include <time.h>

/* rate="auto" */
#define LIVE_SAMPLES 2000.0     /* wanted in the table: a site of 5 % of the heap has 100, a standard error of 10 % */
#define RATE_MIN 4096.0         /* a heap below 8 MB has fewer samples; finer costs more memory than it tells */
#define SAMPLES_PER_SECOND 2500.0 /* at 2-4 us a sample, at most 1 % of a core in the long run */
#define BURST 4000.0            /* samples that may be taken at once: about 10 ms, at start-up or after a quiet time */
#define BACKOFF_STEP 1.01       /* per sample: the rate doubles in 70 samples, 30 ms at twice the permitted speed */
#define RECOVERY_STEP 1.05  /* per sample at a new peak: a tenth of the rate after 50 */
#define BACKOFF_MAX 4096.0

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
coarse_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void
gm_sampler_init(gm_sampler *sampler, double fixed, uint64_t seed)
{
    *sampler = (gm_sampler){.fixed = fixed, .random = seed ? seed : 0x9e3779b97f4a7c15u, .tokens = BURST,
                            .backoff = 1, .clock_ns = coarse_ns()};
    for (int i = 0; i < 8; i++) {
        next_random(sampler);
    }
}

/* Fine while the heap is small, coarser as it grows; coarser too while samples come faster than may be paid for. What
 * makes the heap larger than ever is not charged: those samples tell where memory goes, and there are only 1,400 of them
 * from one size to its double. */
static double
auto_rate(gm_sampler *sampler, gm_heap_state state)
{
    int64_t now = coarse_ns();
    sampler->tokens += (double)(now - sampler->clock_ns) * (SAMPLES_PER_SECOND / 1e9) - (state.at_peak ? 0 : 1);
    sampler->clock_ns = now;
    sampler->tokens = fmin(fmax(sampler->tokens, 0), BURST);
    if (state.at_peak) {
        sampler->backoff = fmax(sampler->backoff / RECOVERY_STEP, 1);
    } else if (sampler->tokens < BURST / 4) {
        sampler->backoff = fmin(sampler->backoff * BACKOFF_STEP, BACKOFF_MAX);
    } else if (sampler->tokens > BURST / 2) {
        sampler->backoff = fmax(sampler->backoff / BACKOFF_STEP, 1);
    }
    return fmax(RATE_MIN, state.live_bytes / LIVE_SAMPLES) * sampler->backoff;
}

static void
draw(gm_sampler *sampler, gm_countdown *countdown, gm_heap_state state)
{
    double rate = sampler->fixed > 0 ? sampler->fixed : auto_rate(sampler, state);
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
        draw(sampler, countdown, state);
        if (countdown->rate > 1 && (countdown->bytes -= (int64_t)n) >= 0) {
            return 0;
        }
    }
    double weight = countdown->rate <= 1 ? 1 : -1 / expm1(-(double)n / countdown->rate);
    draw(sampler, countdown, state);
    return weight;
}
