/* Threads for the loops of one program: a range is cut into pieces, which whoever is free takes.
 *
 * The caller takes pieces too, so that a range is done even if no worker wakes up, and waits only
 * for the pieces that others have taken. Several callers may be at it at a time, each with a job of
 * its own. Workers look for work for a short while and then sleep; they are never ended. Nothing
 * here needs the GIL.
 */

typedef void range_program(void *context, int64_t start, int64_t stop);

/* `next` has the number of the job's use in its upper half and the next piece in its lower half: a
 * worker that is late finds another number there and takes nothing. While the other fields change,
 * the piece is one that no job has. */
typedef struct {
    uint64_t next;
    int64_t busy;
    range_program *program;
    void *context;
    int64_t count;  /* of the range */
    int64_t size;   /* of a piece */
    int64_t pieces;
    int64_t done;
} job;

enum { JOBS = 16, PIECES_FOR_EACH = 4, LOOKS_FOR_WORK = 600, LOOKS_FOR_THE_END = 200 };

#define GET(where) __atomic_load_n(&(where), __ATOMIC_ACQUIRE)
#define PUT(where, value) __atomic_store_n(&(where), value, __ATOMIC_RELEASE)
#define NO_PIECE 0xffffffffu

static job jobs[JOBS];
static signal_t work_to_do;
static int64_t work_number; /* changes with every job */
static int64_t sleeping;
static int64_t helpers; /* workers there are */
static int64_t helpers_lock;
static int64_t threads_ready;

/* How many threads run a range, the caller among them. */
EXPORT int64_t threads_limit = 1;

/* Take pieces of a job until none is left. */
static void job_help(job *j, uint64_t use) {
    for (;;) {
        uint64_t next = GET(j->next);
        const int64_t piece = (int64_t)(next & NO_PIECE);
        range_program *program = GET(j->program);
        void *context = GET(j->context);
        const int64_t count = GET(j->count);
        const int64_t size = GET(j->size);
        if (next >> 32 != use || piece >= GET(j->pieces)) {
            return;
        }
        if (!__atomic_compare_exchange_n(&j->next, &next, next + 1, 0, __ATOMIC_ACQ_REL,
                                         __ATOMIC_RELAXED)) {
            continue;
        }
        const int64_t start = piece * size;
        const int64_t stop = start + size;
        program(context, start, stop < count ? stop : count);
        __atomic_add_fetch(&j->done, 1, __ATOMIC_RELEASE);
    }
}

static void *helper_main(void *argument) {
    int64_t seen = 0;
    for (;;) {
        int64_t look = 0;
        while (LOAD(work_number) == seen && look < LOOKS_FOR_WORK) {
            breathe(look++);
        }
        if (LOAD(work_number) == seen) {
            pthread_mutex_lock(work_to_do.mutex);
            __atomic_add_fetch(&sleeping, 1, __ATOMIC_SEQ_CST);
            while (LOAD(work_number) == seen) {
                pthread_cond_wait(work_to_do.condition, work_to_do.mutex);
            }
            __atomic_sub_fetch(&sleeping, 1, __ATOMIC_SEQ_CST);
            pthread_mutex_unlock(work_to_do.mutex);
        }
        seen = LOAD(work_number);
        for (int64_t k = 0; k < JOBS; k++) {
            if (LOAD(jobs[k].busy)) {
                job_help(&jobs[k], GET(jobs[k].next) >> 32);
            }
        }
    }
    return NULL;
}

/* Make workers until there are as many as may run besides the caller; fewer is no error. */
static void helpers_make(int64_t wanted) {
    if (__atomic_exchange_n(&helpers_lock, 1, __ATOMIC_ACQUIRE)) {
        return;
    }
    if (!threads_ready) {
        signal_init(&work_to_do);
        threads_ready = 1;
    }
    while (helpers < wanted) {
        uint64_t thread;
        if (pthread_create(&thread, NULL, helper_main, NULL)) {
            break;
        }
        pthread_detach(thread);
        STORE(helpers, helpers + 1);
    }
    __atomic_store_n(&helpers_lock, 0, __ATOMIC_RELEASE);
}

static job *job_take(void) {
    for (int64_t k = 0; k < JOBS; k++) {
        if (!__atomic_exchange_n(&jobs[k].busy, 1, __ATOMIC_ACQ_REL)) {
            return &jobs[k];
        }
    }
    return NULL;
}

/* Run a program on the whole range, in pieces of at least `grain`, on several threads. */
EXPORT void threads_run(range_program *program, void *context, int64_t count, int64_t grain) {
    int64_t limit = GET(threads_limit);
    const place *here = place_key_made ? pthread_getspecific(place_key) : NULL;
    if (here) {
        limit /= here->group->count; /* a device has its share of the threads */
    }
    const int64_t most = count / (grain > 1 ? grain : 1);
    if (limit < 2 || most < 2) {
        program(context, 0, count);
        return;
    }
    if (LOAD(helpers) < limit - 1) {
        helpers_make(limit - 1);
    }
    job *j = job_take();
    if (!j) {
        program(context, 0, count);
        return;
    }
    const int64_t wanted = limit * PIECES_FOR_EACH;
    const int64_t pieces = most < wanted ? most : wanted;
    const int64_t size = (count + pieces - 1) / pieces;
    const uint64_t use = ((j->next >> 32) + 1) & NO_PIECE;
    STORE(j->next, use << 32 | NO_PIECE);
    PUT(j->size, size);
    PUT(j->program, program);
    PUT(j->context, context);
    PUT(j->count, count);
    PUT(j->pieces, (count + size - 1) / size);
    PUT(j->done, 0);
    PUT(j->next, use << 32);
    __atomic_add_fetch(&work_number, 1, __ATOMIC_SEQ_CST);
    if (LOAD(sleeping)) {
        signal_send(&work_to_do);
    }
    job_help(j, use);
    for (int64_t look = 0; LOAD(j->done) != j->pieces; look++) {
        if (look > LOOKS_FOR_THE_END) {
            sched_yield();
        } else {
            breathe(0);
        }
    }
    STORE(j->busy, 0);
}

/* After a fork the child has no workers. */
EXPORT void threads_forget(void) {
    memset(jobs, 0, sizeof jobs);
    memset(&work_to_do, 0, sizeof work_to_do);
    sleeping = 0;
    helpers = 0;
    helpers_lock = 0;
    threads_ready = 0;
}

EXPORT int64_t threads_helpers(void) {
    return LOAD(helpers);
}
