/* Devices of the CPU: one program run by many threads at once, which meet at collectives.
 *
 * Device 0 runs on the calling thread, the others on workers, which are made when there is none to
 * spare and are never ended: a call inside of a device's program finds workers of its own. Whoever
 * waits looks for a short while and then sleeps. Nothing here needs the GIL; a device whose call
 * came from Python looks for signals while it waits, and takes the GIL for that.
 */
#include "python_abi.h"

typedef struct {
    int64_t seconds;
    int64_t nanoseconds;
} timespec_t;

enum { MONOTONIC = 1, REALTIME = 0, OPAQUE_WORDS = 16 };
enum { SPINS = 4000, SPINS_OF_A_MEETING = 4000, MEETINGS_BETWEEN_LOOKS = 64 };
enum { SLICE_NS = 50000000, SECOND_NS = 1000000000 };

/* A lock and a condition of the threads library; larger than any platform's. */
typedef struct {
    int64_t mutex[OPAQUE_WORDS];
    int64_t condition[OPAQUE_WORDS];
} signal_t;

int32_t pthread_create(uint64_t *thread, const void *attributes, void *(*run)(void *), void *);
int32_t pthread_detach(uint64_t thread);
int32_t pthread_mutex_init(void *mutex, const void *attributes);
int32_t pthread_mutex_lock(void *mutex);
int32_t pthread_mutex_unlock(void *mutex);
int32_t pthread_mutex_destroy(void *mutex);
int32_t pthread_cond_init(void *condition, const void *attributes);
int32_t pthread_cond_wait(void *condition, void *mutex);
int32_t pthread_cond_timedwait(void *condition, void *mutex, const timespec_t *until);
int32_t pthread_cond_broadcast(void *condition);
int32_t pthread_cond_destroy(void *condition);
int32_t clock_gettime(int32_t clock, timespec_t *now);
int32_t sched_yield(void);
void *memset(void *, int32_t, uint64_t);
int32_t pthread_key_create(uint32_t *key, void *destroy);
int32_t pthread_setspecific(uint32_t key, const void *value);
void *pthread_getspecific(uint32_t key);
void PyErr_SetObject(object *type, object *value);
int32_t PyGILState_Ensure(void);
void PyGILState_Release(int32_t state);
int32_t PyErr_CheckSignals(void);

#define LOAD(where) __atomic_load_n(&(where), __ATOMIC_SEQ_CST)
#define STORE(where, value) __atomic_store_n(&(where), value, __ATOMIC_SEQ_CST)

static void signal_init(signal_t *s) {
    pthread_mutex_init(s->mutex, NULL);
    pthread_cond_init(s->condition, NULL);
}

static void signal_send(signal_t *s) {
    pthread_mutex_lock(s->mutex);
    pthread_cond_broadcast(s->condition);
    pthread_mutex_unlock(s->mutex);
}

/* Sleep for a slice of time or until a signal; the mutex is held. */
static void signal_wait_slice(signal_t *s) {
    timespec_t until;
    clock_gettime(REALTIME, &until);
    until.nanoseconds += SLICE_NS;
    if (until.nanoseconds >= SECOND_NS) {
        until.nanoseconds -= SECOND_NS;
        until.seconds++;
    }
    pthread_cond_timedwait(s->condition, s->mutex, &until);
}

/* Let a little time go by between two looks at a word. */
static void breathe(int64_t look) {
    if ((look & 255) == 255) {
        sched_yield();
    }
    for (volatile int32_t k = 0; k < 16; k++) {
    }
}

/* Why a group stopped. */
enum { GOING = 0, FAILED = 1, INTERRUPTED = 2, TIMED_OUT = 3, APART = 4, NO_THREADS = 5 };
enum { NOWHERE = -1 };

typedef struct {
    void *pointer;   /* what the device shows to the others */
    int64_t meeting; /* the collective it waits at, or NOWHERE */
    int64_t padding[6];
} device_slot;

/* Devices that run one program. device_group.py knows where the first fields are. */
typedef struct {
    int64_t count;
    int64_t reason;     /* why it stopped */
    int64_t device;     /* the device that stopped it first */
    int64_t status;     /* what that device's program returned */
    int64_t timeout_ns; /* how long a device waits for the others */
    int64_t polls;      /* whether device 0 looks for signals */
    int64_t arrived;
    int64_t generation;
    int64_t sleepers;
    int64_t meetings; /* how often device 0 has met the others */
    int64_t looked;   /* when it last looked for signals */
    signal_t gathering;
    device_slot slots[];
} group;

EXPORT int64_t group_bytes(int64_t count) {
    return (int64_t)sizeof(group) + count * (int64_t)sizeof(device_slot);
}

EXPORT void group_start(group *g, int64_t count, int64_t timeout_ns, int64_t polls) {
    memset(g, 0, (uint64_t)group_bytes(count));
    g->count = count;
    g->timeout_ns = timeout_ns;
    g->polls = polls;
    for (int64_t d = 0; d < count; d++) {
        g->slots[d].meeting = NOWHERE;
    }
    signal_init(&g->gathering);
}

EXPORT void group_end(group *g) {
    pthread_cond_destroy(g->gathering.condition);
    pthread_mutex_destroy(g->gathering.mutex);
}

/* Stop a group; the first reason stays. All that wait wake up. */
EXPORT void group_stop(group *g, int64_t device, int64_t reason, int64_t status) {
    int64_t expected = GOING;
    if (__atomic_compare_exchange_n(&g->reason, &expected, reason, 0, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST)) {
        g->device = device;
        g->status = status;
    }
    signal_send(&g->gathering);
}

static int64_t now_ns(void) {
    timespec_t now;
    clock_gettime(MONOTONIC, &now);
    return now.seconds * SECOND_NS + now.nanoseconds;
}

/* Whether a signal handler of Python raised, which stops the group. */
static int32_t interrupted(group *g, int64_t device) {
    if (!g->polls || device != 0) {
        return 0;
    }
    int32_t state = PyGILState_Ensure();
    int32_t raised = PyErr_CheckSignals();
    PyGILState_Release(state);
    if (raised) {
        group_stop(g, device, INTERRUPTED, -1);
    }
    return raised;
}

/* Device 0 looks for signals now and then, also if the others are always there before it. */
static int32_t interrupted_at_meeting(group *g, int64_t device) {
    if (device != 0 || ++g->meetings % MEETINGS_BETWEEN_LOOKS) {
        return 0;
    }
    const int64_t now = now_ns();
    if (now - g->looked < SLICE_NS) {
        return 0;
    }
    g->looked = now;
    return interrupted(g, device);
}

/* The last device has arrived: all must be at one collective. */
static int32_t meet(group *g, int64_t device) {
    const int64_t meeting = g->slots[device].meeting;
    for (int64_t d = 0; d < g->count; d++) {
        if (LOAD(g->slots[d].meeting) != meeting) {
            group_stop(g, device, APART, -1);
            return -1;
        }
    }
    STORE(g->arrived, 0);
    STORE(g->slots[device].meeting, NOWHERE);
    STORE(g->generation, g->generation + 1);
    if (LOAD(g->sleepers)) {
        signal_send(&g->gathering);
    }
    return 0;
}

static int32_t sleep_until_met(group *g, int64_t device, int64_t generation) {
    const int64_t start = now_ns();
    int32_t status = 0;
    pthread_mutex_lock(g->gathering.mutex);
    __atomic_add_fetch(&g->sleepers, 1, __ATOMIC_SEQ_CST);
    while (LOAD(g->generation) == generation && LOAD(g->reason) == GOING) {
        signal_wait_slice(&g->gathering);
        if (LOAD(g->generation) != generation || LOAD(g->reason) != GOING) {
            break;
        }
        pthread_mutex_unlock(g->gathering.mutex);
        if (!interrupted(g, device) && now_ns() - start > g->timeout_ns) {
            group_stop(g, device, TIMED_OUT, -1);
        }
        pthread_mutex_lock(g->gathering.mutex);
    }
    __atomic_sub_fetch(&g->sleepers, 1, __ATOMIC_SEQ_CST);
    if (LOAD(g->generation) == generation) {
        status = -1;
    }
    pthread_mutex_unlock(g->gathering.mutex);
    return status;
}

/* Wait until every device is here. 0, or -1 where the group has stopped. */
EXPORT int32_t group_meet(group *g, int64_t device, int64_t meeting) {
    if (LOAD(g->reason) != GOING || interrupted_at_meeting(g, device)) {
        return -1;
    }
    const int64_t generation = LOAD(g->generation);
    STORE(g->slots[device].meeting, meeting);
    if (__atomic_add_fetch(&g->arrived, 1, __ATOMIC_SEQ_CST) == g->count) {
        return meet(g, device);
    }
    for (int64_t k = 0; LOAD(g->generation) == generation; k++) {
        if (LOAD(g->reason) != GOING) {
            return -1;
        }
        if (k >= SPINS_OF_A_MEETING) {
            if (sleep_until_met(g, device, generation)) {
                return -1;
            }
            break;
        }
        breathe(k);
    }
    STORE(g->slots[device].meeting, NOWHERE);
    return 0;
}

/* Show a pointer to the other devices, and get theirs, once all are here. */
EXPORT int32_t group_exchange(group *g, int64_t device, int64_t meeting, void *pointer,
                              void **pointers) {
    STORE(g->slots[device].pointer, pointer);
    if (group_meet(g, device, meeting)) {
        return -1;
    }
    for (int64_t d = 0; d < g->count; d++) {
        pointers[d] = LOAD(g->slots[d].pointer);
    }
    return 0;
}

/* Wait until no device needs what another one has shown. */
EXPORT int32_t group_leave(group *g, int64_t device, int64_t meeting) {
    return group_meet(g, device, meeting);
}

/* ---- workers ---- */

typedef int32_t device_program(void **buffers, int64_t device, void *group);

enum { IDLE = 0, READY = 1, DONE = 2 };

typedef struct worker {
    int64_t state;
    int64_t sleeps;
    device_program *program;
    void **buffers;
    int64_t device;
    group *group;
    int64_t status;
    struct worker *next; /* of those that have nothing to do */
    signal_t changed;
} worker;

static worker *spare_workers;
static int64_t spare_lock;
static int64_t worker_count;

static void spare_acquire(void) {
    for (int64_t k = 0; __atomic_exchange_n(&spare_lock, 1, __ATOMIC_ACQUIRE); k++) {
        breathe(k);
    }
}

static void spare_release(void) {
    __atomic_store_n(&spare_lock, 0, __ATOMIC_RELEASE);
}

static void worker_change(worker *w, int64_t state) {
    STORE(w->state, state);
    if (LOAD(w->sleeps)) {
        signal_send(&w->changed);
    }
}

/* Wait until the worker's state is another one; a group's device 0 looks for signals meanwhile. */
static void worker_wait(worker *w, int64_t state, group *g) {
    for (int64_t k = 0; k < SPINS; k++) {
        if (LOAD(w->state) == state) {
            return;
        }
        breathe(k);
    }
    pthread_mutex_lock(w->changed.mutex);
    __atomic_add_fetch(&w->sleeps, 1, __ATOMIC_SEQ_CST);
    while (LOAD(w->state) != state) {
        if (!g) {
            pthread_cond_wait(w->changed.condition, w->changed.mutex);
            continue;
        }
        signal_wait_slice(&w->changed);
        if (LOAD(w->state) != state && LOAD(g->reason) == GOING) {
            pthread_mutex_unlock(w->changed.mutex);
            interrupted(g, 0);
            pthread_mutex_lock(w->changed.mutex);
        }
    }
    __atomic_sub_fetch(&w->sleeps, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(w->changed.mutex);
}

static int64_t run_device(device_program *program, void **buffers, int64_t device, group *g) {
    const int64_t status = program(buffers, device, g);
    if (status) {
        /* A device that comes back from a stopped group did not stop it: the first reason stays. */
        group_stop(g, device, FAILED, status);
    }
    return status;
}

static void *worker_main(void *argument) {
    worker *w = argument;
    for (;;) {
        worker_wait(w, READY, NULL);
        w->status = run_device(w->program, w->buffers, w->device, w->group);
        worker_change(w, DONE);
    }
    return NULL;
}

static worker *worker_take(void) {
    spare_acquire();
    worker *w = spare_workers;
    if (w) {
        spare_workers = w->next;
    }
    spare_release();
    if (w) {
        return w;
    }
    uint64_t thread;
    w = malloc(sizeof(worker));
    if (!w) {
        return NULL;
    }
    memset(w, 0, sizeof(worker));
    signal_init(&w->changed);
    if (pthread_create(&thread, NULL, worker_main, w)) {
        free(w);
        return NULL;
    }
    pthread_detach(thread);
    __atomic_add_fetch(&worker_count, 1, __ATOMIC_SEQ_CST);
    return w;
}

static void worker_give(worker *w) {
    spare_acquire();
    w->next = spare_workers;
    spare_workers = w;
    spare_release();
}

/* After a fork the child has no workers: their threads stayed with the parent. */
EXPORT void devices_forget(void) {
    spare_workers = NULL;
    spare_lock = 0;
    worker_count = 0;
}

EXPORT int64_t devices_workers(void) {
    return LOAD(worker_count);
}

/* Run a program on `count` devices, each with its own table of buffers; waits for all of them.
 * 0, or the status of the device that failed first; -1 where the group stopped for another reason,
 * or there could not be enough threads. */
EXPORT int32_t devices_run(device_program *program, void ***tables, int64_t count, group *g) {
    worker *first = NULL;
    for (int64_t d = count - 1; d >= 1; d--) {
        worker *w = worker_take();
        if (!w) {
            while (first) {
                worker *next = first->next;
                worker_give(first);
                first = next;
            }
            group_stop(g, d, NO_THREADS, -1);
            return -1;
        }
        w->next = first;
        first = w;
        w->program = program;
        w->buffers = tables[d];
        w->device = d;
        w->group = g;
    }
    for (worker *w = first; w; w = w->next) {
        worker_change(w, READY);
    }
    run_device(program, tables[0], 0, g);
    while (first) {
        worker *w = first;
        first = w->next;
        worker_wait(w, DONE, g);
        STORE(w->state, IDLE);
        worker_give(w);
    }
    const int64_t reason = LOAD(g->reason);
    return reason == GOING ? 0 : g->status ? (int32_t)g->status : -1;
}

/* The same for callers that hold the GIL. */
EXPORT int32_t devices_run_released(device_program *program, void ***tables, int64_t count,
                                    group *g) {
    thread_state *state = PyEval_SaveThread();
    int32_t status = devices_run(program, tables, count, g);
    PyEval_RestoreThread(state);
    return status;
}

/* ---- what compiled code calls ---- */

typedef int32_t whole_program(void **buffers);

/* The device that a thread is, for the collectives of the program that it runs. */
typedef struct {
    group *group;
    int64_t device;
} place;

static uint32_t place_key;
static int64_t place_key_made;

/* Called once, before any compiled code runs on devices. */
EXPORT void devices_prepare(void) {
    if (!place_key_made) {
        pthread_key_create(&place_key, NULL);
        place_key_made = 1;
    }
}

/* How long devices wait for each other, and what makes the error, its type and value, that says why
 * a group stopped; meetings are the names of collectives. */
EXPORT int64_t devices_timeout_ns = 60 * (int64_t)SECOND_NS;
EXPORT void (*devices_complain)(group *, const char *const *meetings, object **error) = NULL;

/* The program of one device; its table begins with the address of what it runs. */
static int32_t run_place(void **buffers, int64_t device, void *g) {
    place here = {g, device};
    void *before = pthread_getspecific(place_key);
    pthread_setspecific(place_key, &here);
    const int32_t status = ((whole_program *)buffers[0])(buffers + 1);
    pthread_setspecific(place_key, before);
    return status;
}

enum { NOT_OF_A_DEVICE = -2 };

/* Run a program on devices, whose tables begin with its address. Returns the status of the device
 * that failed, or NOT_OF_A_DEVICE, with an error set in Python, where devices did not meet. */
EXPORT int32_t devices_call(void ***tables, int64_t count, const char *const *meetings) {
    group *g = malloc((uint64_t)group_bytes(count));
    if (!g) {
        return NOT_OF_A_DEVICE;
    }
    group_start(g, count, devices_timeout_ns, 1);
    int32_t status = devices_run(run_place, tables, count, g);
    const int64_t reason = LOAD(g->reason);
    if (status && reason != FAILED) {
        status = NOT_OF_A_DEVICE;
    }
    if (status && (reason == TIMED_OUT || reason == APART || reason == NO_THREADS)) {
        object *error[2];
        int32_t state = PyGILState_Ensure();
        devices_complain(g, meetings, error);
        PyErr_SetObject(error[0], error[1]);
        PyGILState_Release(state);
    }
    group_end(g);
    free(g);
    return status;
}

/* Collectives of a device's program; `table` has what each device needs, device by device. */

static int32_t show(const place *here, int64_t meeting, void *x, void **all) {
    return group_exchange(here->group, here->device, meeting, x, all);
}

/* The values of `members` devices, one after the other. */
EXPORT int32_t collective_stack(int64_t meeting, const int64_t *table, int64_t members, void *x,
                                char *out, int64_t nbytes) {
    const place *here = pthread_getspecific(place_key);
    void **all = __builtin_alloca((uint64_t)here->group->count * sizeof(void *));
    if (show(here, meeting, x, all)) {
        return -1;
    }
    const int64_t *mine = table + here->device * members;
    for (int64_t k = 0; k < members; k++) {
        memcpy(out + k * nbytes, all[mine[k]], (uint64_t)nbytes);
    }
    return group_leave(here->group, here->device, meeting);
}

/* The value of another device, zeros where the table has none. */
EXPORT int32_t collective_fetch(int64_t meeting, const int64_t *table, void *x, char *out,
                                int64_t nbytes) {
    const place *here = pthread_getspecific(place_key);
    void **all = __builtin_alloca((uint64_t)here->group->count * sizeof(void *));
    if (show(here, meeting, x, all)) {
        return -1;
    }
    const int64_t from = table[here->device];
    if (from < 0) {
        memset(out, 0, (uint64_t)nbytes);
    } else {
        memcpy(out, all[from], (uint64_t)nbytes);
    }
    return group_leave(here->group, here->device, meeting);
}

/* The number that the table has for this device. */
EXPORT int32_t collective_place(const int64_t *table, int32_t *out) {
    const place *here = pthread_getspecific(place_key);
    *out = (int32_t)table[here->device];
    return 0;
}
