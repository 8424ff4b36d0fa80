/* Plans, and the walk that checks arguments against one. */
#include "array.c"

/* A plan as native.py lays it out: 64-bit words. The patterns are programs of words too, one
 * operation per node of the argument trees in depth-first order:
 *
 *   ARRAY_LEAF descriptor index       NONE_LEAF
 *   NUMPY_LEAF dtype index ndim dim.. TUPLE_NODE length child..
 *   SCALAR_LEAF kind width index      LIST_NODE length child..
 *   STATIC_LEAF object                DICT_NODE length (key child)..
 *
 * An index of -1 stands for a leaf that is checked and not passed to the kernel. */
enum {
    ARRAY_LEAF, NUMPY_LEAF, SCALAR_LEAF, STATIC_LEAF, NONE_LEAF, TUPLE_NODE, LIST_NODE, DICT_NODE
};
enum { KIND_BOOL, KIND_SIGNED, KIND_UNSIGNED, KIND_FLOAT, KIND_COMPLEX };
enum { SCALAR_BYTES = 16, OPAQUE_WORD = 8 };

typedef int32_t kernel_function(void **buffers);

typedef struct plan {
    struct plan *next;
    object *owner;    /* keeps this memory and everything it points to alive */
    object *identity; /* the Python plan, to recognize it when it is added again */
    int64_t arguments;
    int64_t keywords; /* how many of the arguments are given by keyword */
    object *keyword_names;
    const int64_t *pattern;
    const int64_t *result;
    int64_t hidden, inputs, outputs, scalars;
    object *const *hidden_arrays;
    const descriptor *const *kinds; /* of the outputs */
    const int64_t *aliases;         /* per output, the input whose memory it may take over, or -1 */
    int64_t donated;
    const int64_t *donated_inputs;
    pool_class *workspace;
    kernel_function *kernel;
    int64_t release_gil;
    object *settings; /* those of the configuration it is for; NULL: all */
} plan;

/* One call: what was found in the arguments so far. All of it lies in one block. */
typedef struct {
    const int64_t *pc;
    void **buffers;    /* the inputs of the kernel */
    object **arrays;   /* the array of each input that is one */
    object **pinned;   /* arrays whose pins were raised */
    object **retained; /* objects inside containers, which the caller does not hold for us */
    char *scratch;     /* the values of Python numbers */
    int64_t pinned_count, retained_count;
} frame;

static void frame_release(frame *f) {
    for (int64_t i = 0; i < f->pinned_count; i++) {
        array_unpin(ARRAY(f->pinned[i]));
    }
    for (int64_t i = 0; i < f->retained_count; i++) {
        Py_DecRef(f->retained[i]);
    }
}

static inline void retain(frame *f, object *o, int32_t nested) {
    if (nested) {
        Py_IncRef(o);
        f->retained[f->retained_count++] = o;
    }
}

static inline int32_t match_array(frame *f, object *o, int32_t nested) {
    const int64_t *pc = f->pc;
    f->pc = pc + 3;
    if (UNLIKELY(!IS_ARRAY(o))) {
        return 0;
    }
    array *a = ARRAY(o);
    if (UNLIKELY((int64_t)a->kind != pc[1] || !a->data)) {
        return 0;
    }
    int64_t index = pc[2];
    if (LIKELY(index >= 0)) {
        retain(f, o, nested);
        a->pins++;
        f->pinned[f->pinned_count++] = o;
        f->arrays[index] = o;
        f->buffers[index] = a->data;
    }
    return 1;
}

static int32_t match_numpy(frame *f, object *o, int32_t nested) {
    const int64_t *pc = f->pc;
    const int32_t needed = NDARRAY_CONTIGUOUS | NDARRAY_ALIGNED;
    int64_t index = pc[2], ndim = pc[3];
    f->pc = pc + 4 + ndim;
    if (TYPE_OF(o) != python.ndarray_type || NDARRAY_NDIM(o) != ndim) {
        return 0;
    }
    if ((NDARRAY_FLAGS(o) & needed) != needed) {
        return 0;
    }
    for (int64_t i = 0; i < ndim; i++) {
        if (NDARRAY_SHAPE(o)[i] != pc[4 + i]) {
            return 0;
        }
    }
    object *dtype = NDARRAY_DTYPE(o);
    if (UNLIKELY((int64_t)dtype != pc[1])) {
        /* Equal dtypes are rarely different objects: those that were unpickled may be. */
        int32_t same = PyObject_RichCompareBool((object *)pc[1], dtype, COMPARE_EQUAL);
        if (same <= 0) {
            PyErr_Clear();
            return 0;
        }
    }
    if (index >= 0) {
        retain(f, o, nested);
        f->buffers[index] = NDARRAY_DATA(o);
    }
    return 1;
}

static int32_t store_integer(object *o, int64_t kind, int64_t width, char *target) {
    int32_t overflow = 0;
    int64_t value = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (overflow) {
        return 0;
    }
    if (kind == KIND_UNSIGNED) {
        if (value < 0 || (width < 8 && value >> (8 * width))) {
            return 0;
        }
    } else if (width < 8) {
        int64_t high = value >> (8 * width - 1);
        if (high != 0 && high != -1) {
            return 0;
        }
    }
    switch (width) {
    case 1: *(int8_t *)target = (int8_t)value; break;
    case 2: *(int16_t *)target = (int16_t)value; break;
    case 4: *(int32_t *)target = (int32_t)value; break;
    default: *(int64_t *)target = value;
    }
    return 1;
}

static inline void store_float(double value, int64_t width, char *target) {
    if (width == 4) {
        *(float *)target = (float)value;
    } else {
        *(double *)target = value;
    }
}

static int32_t match_scalar(frame *f, object *o) {
    int64_t kind = f->pc[1], width = f->pc[2], index = f->pc[3];
    char *target = f->scratch;
    f->pc += 4;
    switch (kind) {
    case KIND_BOOL:
        if (!IS_TYPE(o, PyBool_Type)) {
            return 0;
        }
        *target = o == (object *)_Py_TrueStruct;
        break;
    case KIND_FLOAT:
        if (!IS_TYPE(o, PyFloat_Type)) {
            return 0;
        }
        store_float(FIELD(double, o, FLOAT_VALUE), width, target);
        break;
    case KIND_COMPLEX:
        if (!IS_TYPE(o, PyComplex_Type)) {
            return 0;
        }
        store_float(FIELD(double, o, COMPLEX_VALUE), width, target);
        store_float(FIELD(double, o, COMPLEX_VALUE + 8), width, target + width);
        break;
    default:
        if (!IS_TYPE(o, PyLong_Type) || !store_integer(o, kind, width, target)) {
            return 0;
        }
    }
    if (index >= 0) {
        f->buffers[index] = target;
        f->scratch = target + SCALAR_BYTES;
    }
    return 1;
}

static int32_t match_static(frame *f, object *o) {
    object *expected = (object *)f->pc[1];
    f->pc += 2;
    if (o == expected) {
        return 1;
    }
    if (TYPE_OF(o) != TYPE_OF(expected)) {
        return 0;
    }
    if (IS_TYPE(o, PyFloat_Type)) {
        /* Equal values of the same sign: 0.0 is not -0.0. A NaN matches itself only. */
        double x = FIELD(double, o, FLOAT_VALUE), y = FIELD(double, expected, FLOAT_VALUE);
        return x == y && __builtin_signbit(x) == __builtin_signbit(y);
    }
    int32_t same = PyObject_RichCompareBool(expected, o, COMPARE_EQUAL);
    if (same < 0) {
        PyErr_Clear();
    }
    return same > 0;
}

static int32_t match(frame *f, object *o, int32_t nested);

/* Comparing static values and keys may run Python code, which may change the containers being
 * walked; so the lengths and items are read again for each child, and the child is held. */
static int32_t match_held(frame *f, object *o) {
    int64_t operation = *f->pc;
    if (operation < STATIC_LEAF) {
        return match(f, o, 1);
    }
    Py_IncRef(o);
    int32_t matched = match(f, o, 1);
    Py_DecRef(o);
    return matched;
}

static int32_t match_sequence(frame *f, object *o, int32_t is_list) {
    int64_t length = f->pc[1];
    f->pc += 2;
    if (!IS_TYPE(o, is_list ? PyList_Type : PyTuple_Type)) {
        return 0;
    }
    if (LENGTH_OF(o) != length) {
        return 0;
    }
    for (int64_t i = 0; i < length; i++) {
        if (LENGTH_OF(o) != length) {
            return 0;
        }
        object **items = is_list ? FIELD(object **, o, LIST_ITEMS)
                                 : (object **)((char *)o + TUPLE_ITEMS);
        if (!match_held(f, items[i])) {
            return 0;
        }
    }
    return 1;
}

static int32_t match_dict(frame *f, object *o) {
    int64_t length = f->pc[1], position = 0;
    f->pc += 2;
    if (!IS_TYPE(o, PyDict_Type) || PyDict_Size(o) != length) {
        return 0;
    }
    for (int64_t i = 0; i < length; i++) {
        object *key = NULL, *value = NULL, *expected = (object *)*f->pc++;
        /* Usually the keys are the same objects in the same order; else look this one up. */
        if (!PyDict_Next(o, &position, &key, &value) || UNLIKELY(key != expected)) {
            value = PyDict_GetItemWithError(o, expected);
            if (!value) {
                PyErr_Clear();
                return 0;
            }
        }
        if (!match_held(f, value)) {
            return 0;
        }
    }
    return 1;
}

/* Check `o` against the operation at `f->pc`, and step over it when it matches. */
static int32_t match(frame *f, object *o, int32_t nested) {
    switch (*f->pc) {
    case ARRAY_LEAF: return match_array(f, o, nested);
    case NUMPY_LEAF: return match_numpy(f, o, nested);
    case SCALAR_LEAF: return match_scalar(f, o);
    case STATIC_LEAF: return match_static(f, o);
    case NONE_LEAF: f->pc++; return o == NONE;
    case TUPLE_NODE: return match_sequence(f, o, 0);
    case LIST_NODE: return match_sequence(f, o, 1);
    default: return match_dict(f, o);
    }
}

/* Whether a call's keywords are those of the plan, in the same order. */
static int32_t same_keywords(const plan *p, object *names) {
    if (LIKELY(names == p->keyword_names)) {
        return 1;
    }
    object **given = (object **)((char *)names + TUPLE_ITEMS);
    object **expected = (object **)((char *)p->keyword_names + TUPLE_ITEMS);
    for (int64_t i = 0; i < p->keywords; i++) {
        if (given[i] == expected[i]) {
            continue;
        }
        int32_t same = PyObject_RichCompareBool(expected[i], given[i], COMPARE_EQUAL);
        if (same <= 0) {
            PyErr_Clear();
            return 0;
        }
    }
    return 1;
}
