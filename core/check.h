/* Assertions of the core. GM_CHECK runs in the debug build (GOMEM_DEBUG=1) and vanishes in a release build. It never
 * calls Python, so that it may stand inside an allocator hook. */
#ifndef GOMEM_CHECK_H
#define GOMEM_CHECK_H

#ifdef GOMEM_DEBUG
#include <stdio.h>
#include <stdlib.h>
#define GM_CHECK(condition)                                                                              \
    do {                                                                                                 \
        if (!(condition)) {                                                                              \
            fprintf(stderr, "gomem: %s:%d: broken invariant: %s\n", __FILE__, __LINE__, #condition);     \
            abort();                                                                                     \
        }                                                                                                \
    } while (0)
#else
#define GM_CHECK(condition) ((void)0)
#endif

#endif
