/* A library of the kind that breaks profilers at a fork: its handlers allocate in every phase of one, and wait for a lock
 * of its own under which its threads allocate. */
#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
static volatile int ended;
static void *kept[64];

static void
churn(void)
{
    for (int i = 0; i < 64; i++) {
        free(kept[i]);
        kept[i] = malloc(3000 + (size_t)i);
    }
}

static void
before(void)
{
    pthread_mutex_lock(&own);
    churn();
}

static void
after(void)
{
    churn();
    pthread_mutex_unlock(&own);
}

static void *
work(void *unused)
{
    while (!ended) {
        pthread_mutex_lock(&own);
        churn();
        pthread_mutex_unlock(&own);
    }
    return unused;
}

static pthread_t threads[2];

void
begin(void)
{
    pthread_atfork(before, after, after);
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, work, NULL);
    }
}

void
end(void)
{
    ended = 1;
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
}
