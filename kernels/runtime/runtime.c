/* The jitted function type: a chain of plans in front of a Python callable.
 *
 * This file includes the others, so that the compiler sees the runtime whole. `build.py` compiles
 * it to runtime.ll, which is what users get.
 */
#include "call.c"
#include "devices.c"
#include "threads.c"

enum { MAX_PLANS = 256, MAX_DEPTH = 4 };

typedef object *vectorcall_function(object *, object *const *, uint64_t, object *);
typedef int32_t visit_function(object *, void *);

/* The fields of a jitted function, after the object's head; native.py knows their offsets. */
typedef struct {
    vectorcall_function *vectorcall;
    object *slow;
    object *dict;
    object *weakrefs;
    plan *plans;
    int64_t count;
    int64_t version; /* changes with the chain */
} function;

#define FUNCTION(o) ((function *)((char *)(o) + OBJECT_SIZE))

/* While this is not 0, every call takes the slow path. */
extern int64_t guard_count;

static void unlink_plan(function *f, plan *p) {
    plan **link = &f->plans;
    while (*link != p) {
        link = &(*link)->next;
    }
    *link = p->next;
    f->count--;
    f->version++;
}

static void push_plan(function *f, plan *p) {
    p->next = f->plans;
    f->plans = p;
    f->count++;
    f->version++;
}

EXPORT object *function_vectorcall(object *self, object *const *args, uint64_t flags,
                                   object *names) {
    function *f = FUNCTION(self);
    const int64_t positional = (int64_t)(flags & ~((uint64_t)1 << 63));
    const int64_t keywords = names ? LENGTH_OF(names) : 0;
    const int64_t count = positional + keywords;
    if (LIKELY(guard_count == 0)) {
        const int64_t version = f->version;
        int64_t depth = 0;
        for (plan *p = f->plans; p; p = p->next, depth++) {
            object *result;
            if (p->arguments != count || p->keywords != keywords) {
                continue;
            }
            if (UNLIKELY(depth >= MAX_DEPTH)) {
                /* Deep plans move to the front; they may be dropped by the call itself. */
                object *owner = p->owner;
                Py_IncRef(owner);
                int32_t matched = try_plan(p, args, names, &result);
                if (matched && f->version == version) {
                    unlink_plan(f, p);
                    push_plan(f, p);
                }
                Py_DecRef(owner);
                if (matched) {
                    return result;
                }
            } else if (LIKELY(try_plan(p, args, names, &result))) {
                return result;
            }
            if (UNLIKELY(f->version != version)) {
                break; /* The comparison ran code that changed the chain. */
            }
        }
    }
    if (UNLIKELY(!f->slow)) {
        PyErr_SetString(PyExc_RuntimeError, "the function is being destroyed");
        return NULL;
    }
    object *slow = f->slow;
    Py_IncRef(slow);
    object *result = PyObject_Vectorcall(slow, args, positional, names);
    Py_DecRef(slow);
    return result;
}

static void clear_all(function *f) {
    plan *p = f->plans;
    f->plans = NULL;
    f->count = 0;
    f->version++;
    while (p) {
        plan *next = p->next;
        Py_DecRef(p->owner);
        p = next;
    }
}

EXPORT object *function_new(object *type, object *args, object *keywords) {
    if (PyTuple_Size(args) != 1 || (keywords && PyDict_Size(keywords) != 0)) {
        PyErr_SetString(PyExc_TypeError, "JitFunction expects one argument, a callable");
        return NULL;
    }
    object *slow = *(object **)((char *)args + TUPLE_ITEMS);
    if (!PyCallable_Check(slow)) {
        PyErr_SetString(PyExc_TypeError, "JitFunction expects a callable");
        return NULL;
    }
    object *self = PyType_GenericAlloc(type, 0);
    if (!self) {
        return NULL;
    }
    function *f = FUNCTION(self);
    Py_IncRef(slow);
    f->slow = slow;
    f->vectorcall = function_vectorcall;
    return self;
}

EXPORT int32_t function_traverse(object *self, visit_function *visit, void *argument) {
    function *f = FUNCTION(self);
    object *const own[3] = {TYPE_OF(self), f->slow, f->dict};
    for (int64_t i = 0; i < 3; i++) {
        int32_t status = own[i] ? visit(own[i], argument) : 0;
        if (status) {
            return status;
        }
    }
    for (plan *p = f->plans; p; p = p->next) {
        int32_t status = visit(p->owner, argument);
        if (status) {
            return status;
        }
    }
    return 0;
}

EXPORT int32_t function_clear(object *self) {
    function *f = FUNCTION(self);
    object *slow = f->slow, *dict = f->dict;
    f->slow = NULL;
    f->dict = NULL;
    clear_all(f);
    if (slow) {
        Py_DecRef(slow);
    }
    if (dict) {
        Py_DecRef(dict);
    }
    return 0;
}

EXPORT void function_dealloc(object *self) {
    object *type = TYPE_OF(self);
    PyObject_GC_UnTrack(self);
    if (FUNCTION(self)->weakrefs) {
        PyObject_ClearWeakRefs(self);
    }
    function_clear(self);
    PyObject_GC_Del(self);
    Py_DecRef(type);
}

EXPORT object *function_descr_get(object *self, object *instance, object *type) {
    if (!instance || instance == NONE) {
        Py_IncRef(self);
        return self;
    }
    return PyMethod_New(self, instance);
}

static function *function_of(object *const *args, int64_t count, int64_t expected) {
    if (!takes(count, expected)) {
        return NULL;
    }
    if (TYPE_OF(args[0]) != python.function_type) {
        PyErr_SetString(PyExc_TypeError, "expected a JitFunction");
        return NULL;
    }
    return FUNCTION(args[0]);
}

/* Python: push_plan(function, owner, address) */
EXPORT object *add_plan(object *self, object *const *args, int64_t count) {
    function *f = function_of(args, count, 3);
    plan *p = f ? (plan *)PyLong_AsSsize_t(args[2]) : NULL;
    if (!p || PyErr_Occurred()) {
        return NULL;
    }
    plan *dropped = NULL, *last = NULL;
    for (plan *q = f->plans; q; q = q->next) {
        last = q;
        if (q->identity == p->identity) {
            dropped = q;
        }
    }
    if (!dropped && f->count >= MAX_PLANS) {
        dropped = last;
    }
    if (dropped) {
        unlink_plan(f, dropped);
    }
    p->owner = args[1];
    Py_IncRef(p->owner);
    push_plan(f, p);
    if (dropped) {
        Py_DecRef(dropped->owner);
    }
    Py_IncRef(NONE);
    return NONE;
}

/* Python: clear_plans(function) */
EXPORT object *clear_plans(object *self, object *const *args, int64_t count) {
    function *f = function_of(args, count, 1);
    if (!f) {
        return NULL;
    }
    clear_all(f);
    Py_IncRef(NONE);
    return NONE;
}

/* Python: plan_count(function) */
EXPORT object *plan_count(object *self, object *const *args, int64_t count) {
    function *f = function_of(args, count, 1);
    return f ? PyLong_FromSsize_t(f->count) : NULL;
}

/* Python: guard_enter() */
EXPORT object *guard_enter(object *self, object *const *args, int64_t count) {
    guard_count++;
    Py_IncRef(NONE);
    return NONE;
}

/* Python: guard_exit() */
EXPORT object *guard_exit(object *self, object *const *args, int64_t count) {
    guard_count--;
    Py_IncRef(NONE);
    return NONE;
}

/* The kernel of the test at start-up: three floats times two, plus a 32-bit integer. */
EXPORT int32_t self_test_kernel(void **buffers) {
    const float *x = buffers[0];
    const int32_t *n = buffers[1];
    float *out = buffers[2];
    for (int64_t i = 0; i < 3; i++) {
        out[i] = 2.0f * x[i] + (float)*n;
    }
    return 0;
}

EXPORT environment python;
