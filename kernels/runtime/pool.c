/* Memory for arrays: blocks aligned to 64 bytes, kept for reuse by size class.
 *
 * The kernel hands out large blocks as untouched pages, and touching 64 MiB of them costs more
 * than most kernels; so blocks are kept, up to a limit per class and one for all together. All
 * functions here run with the GIL held.
 */
#include "python_abi.h"

enum { ALIGNMENT = 64, SMALL = 4096, SMALL_CLASSES = SMALL / ALIGNMENT, STEPS = 8 };
enum { LARGE = 256 << 20 }; /* asked for before it is taken; memory.py has the same number */
enum { OCTAVES = 35, CLASSES = SMALL_CLASSES + OCTAVES * STEPS };

typedef struct {
    void *head;    /* a list through the first words of the idle blocks */
    int64_t count; /* idle blocks */
    int64_t limit; /* idle blocks to keep at most */
    int64_t size;  /* bytes of a block */
} pool_class;

static pool_class pool[CLASSES];
static int64_t pool_idle;
static const int64_t pool_limit = (int64_t)512 << 20;
static const int64_t class_limit = (int64_t)64 << 20;

/* The class of blocks that hold `nbytes`, or NULL when no block can be so large. Above 4 KiB an
 * octave has 8 sizes, so that a block is at most an eighth too large. */
EXPORT pool_class *pool_class_of(int64_t nbytes) {
    int64_t index, size;
    if (nbytes <= SMALL) {
        index = nbytes <= ALIGNMENT ? 0 : (nbytes - 1) / ALIGNMENT;
        size = (index + 1) * ALIGNMENT;
    } else {
        int64_t octave = 63 - __builtin_clzll((uint64_t)(nbytes - 1));
        if (octave >= 12 + OCTAVES) {
            return NULL;
        }
        int64_t base = (int64_t)1 << octave;
        int64_t step = (nbytes - 1 - base) / (base / STEPS);
        index = SMALL_CLASSES + (octave - 12) * STEPS + step;
        size = base + (step + 1) * (base / STEPS);
    }
    pool_class *found = &pool[index];
    if (found->size == 0) {
        int64_t limit = class_limit / size;
        found->limit = limit < 4 ? 4 : limit > 256 ? 256 : limit;
        found->size = size;
    }
    return found;
}

static int64_t pool_trim(void) {
    int64_t released = pool_idle;
    for (int64_t i = 0; i < CLASSES; i++) {
        void *block = pool[i].head;
        pool[i].head = NULL;
        pool[i].count = 0;
        while (block) {
            void *next = *(void **)block;
            free(block);
            block = next;
        }
    }
    pool_idle = 0;
    return released;
}

/* Whether there is memory of this size; if not, an exception is set. */
static int32_t memory_suffices(int64_t size) {
    object *number = PyLong_FromSsize_t(size);
    object *result = number ? PyObject_CallOneArg(python.require_memory, number) : NULL;
    if (number) {
        Py_DecRef(number);
    }
    if (result) {
        Py_DecRef(result);
    }
    return result != NULL;
}

static __attribute__((noinline)) void *pool_grow(pool_class *from) {
    void *block = NULL;
    if (from->size >= LARGE && !memory_suffices(from->size)) {
        if (pool_trim() == 0) {
            return NULL;
        }
        PyErr_Clear();
        if (!memory_suffices(from->size)) {
            return NULL;
        }
    }
    if (posix_memalign(&block, ALIGNMENT, (uint64_t)from->size) == 0) {
        return block;
    }
    /* Idle blocks of other classes may be what is missing. */
    if (pool_trim() > 0 && posix_memalign(&block, ALIGNMENT, (uint64_t)from->size) == 0) {
        return block;
    }
    return NULL;
}

/* A block, or NULL, with or without an exception set. */
static inline void *pool_take(pool_class *from) {
    void *block = from->head;
    if (UNLIKELY(!block)) {
        return pool_grow(from);
    }
    from->head = *(void **)block;
    from->count--;
    pool_idle -= from->size;
    return block;
}

static inline void pool_give(pool_class *to, void *block) {
    if (UNLIKELY(to->count >= to->limit || pool_idle + to->size > pool_limit)) {
        free(block);
        return;
    }
    *(void **)block = to->head;
    to->head = block;
    to->count++;
    pool_idle += to->size;
}

/* Python: idle_bytes() */
EXPORT object *idle_bytes(object *self, object *const *args, int64_t count) {
    return PyLong_FromSsize_t(pool_idle);
}

/* Python: trim() */
EXPORT object *trim(object *self, object *const *args, int64_t count) {
    return PyLong_FromSsize_t(pool_trim());
}
