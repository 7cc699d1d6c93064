/* The worker: a thread that runs no Python code. It takes the GIL for one slice at a time, when nobody has it or when a
 * cycle would otherwise not end, and does without the GIL what needs none: sorting candidates, returning memory, asking
 * the system how much there is. All signals are blocked in it. */
#ifndef GOMEM_WORKER_H
#define GOMEM_WORKER_H

#include "types.h"

/* With the GIL held, which other threads may have meanwhile; false when there can be no thread. A second start changes nothing. */
bool gm_worker_start(void);

/* Stops it and waits for its end, without the GIL. */
void gm_worker_stop(void);

/* Stops it and keeps it from being started until as many releases follow: around a fork, of which two threads may be in
 * the middle. */
void gm_worker_hold(void);
void gm_worker_release(void); /* wants to be called by a Python function that os.fork() calls */

/* Whether a fork has just ended, so that none is started yet. With the GIL held. */
bool gm_worker_is_late(void);

/* Whether there is one. With the GIL held. */
bool gm_worker_is_there(void);

/* In a forked child: there is no such thread here. */
void gm_worker_forget(void);

/* There is something to do. */
void gm_worker_wake_no_python(void);

/* Whether it is cleaning up after a cycle: until then none may begin. With the GIL held. */
bool gm_worker_is_away(void);

#endif
