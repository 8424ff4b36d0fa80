/* The array type: a pointer to memory and a descriptor, which one comparison checks. */
#include "pool.c"

/* What is known of arrays of one abstract value: made once by native.py, never freed. The objects
 * are what the type's attributes return; native.py names their offsets. */
typedef struct {
    int64_t nbytes;
    pool_class *pool;
    object *aval;
    object *shape;
    object *dtype;
    object *weak_type;
    object *ndim_object;
    object *size_object;
    object *nbytes_object;
    object *itemsize_object;
    int64_t itemsize;
    int64_t ndim;
    const char *format; /* of the buffer protocol, NULL where it has none for the dtype */
    const int64_t *dims;
    const int64_t *strides;
} descriptor;

/* The fields of an array, after the object's head; native.py knows the offset of `weakrefs`. */
typedef struct {
    char *data; /* NULL once deleted */
    const descriptor *kind;
    object *owner; /* of the memory; NULL for a block of the pool */
    object *weakrefs;
    char *held;       /* deleted memory that a call or a view still uses */
    int32_t pins;     /* running calls that use the memory */
    int32_t exported; /* whether somebody may hold a view of the memory */
} array;

#define ARRAY(o) ((array *)((char *)(o) + OBJECT_SIZE))
#define IS_ARRAY(o) (TYPE_OF(o) == python.array_type)

static void *complain(object *callable, object *argument) {
    object *result = PyObject_CallOneArg(callable, argument);
    if (result) {
        Py_DecRef(result);
        PyErr_SetString(PyExc_RuntimeError, "an error was expected to be raised");
    }
    return NULL;
}

static void *complain_no_memory(int64_t nbytes) {
    object *size = PyErr_Occurred() ? NULL : PyLong_FromSsize_t(nbytes);
    if (size) {
        complain(python.raise_no_memory, size);
        Py_DecRef(size);
    }
    return NULL;
}

/* A new array of the memory; takes over neither `data` nor `owner` when it fails. */
static inline object *array_make(const descriptor *kind, char *data, object *owner) {
    object *self = _PyObject_New(python.array_type);
    if (UNLIKELY(!self)) {
        return NULL;
    }
    array *a = ARRAY(self);
    a->data = data;
    a->kind = kind;
    a->owner = owner;
    a->weakrefs = NULL;
    a->held = NULL;
    a->pins = 0;
    a->exported = 0;
    return self;
}

static inline object *array_empty(const descriptor *kind) {
    char *data = kind->pool ? pool_take(kind->pool) : NULL;
    if (UNLIKELY(!data)) {
        return complain_no_memory(kind->nbytes);
    }
    object *self = array_make(kind, data, NULL);
    if (UNLIKELY(!self)) {
        pool_give(kind->pool, data);
    }
    return self;
}

static inline void array_release(array *a, char *data) {
    object *owner = a->owner;
    if (owner) {
        a->owner = NULL;
        Py_DecRef(owner);
    } else {
        pool_give(a->kind->pool, data);
    }
}

static inline void array_unpin(array *a) {
    if (--a->pins == 0 && UNLIKELY(a->held != NULL) && !a->exported) {
        char *data = a->held;
        a->held = NULL;
        array_release(a, data);
    }
}

static void array_delete(array *a) {
    char *data = a->data;
    if (!data) {
        return;
    }
    a->data = NULL;
    if (a->pins || a->exported) {
        a->held = data;
    } else {
        array_release(a, data);
    }
}

EXPORT void array_dealloc(object *self) {
    array *a = ARRAY(self);
    object *type = TYPE_OF(self);
    if (UNLIKELY(a->weakrefs != NULL)) {
        PyObject_ClearWeakRefs(self);
    }
    char *data = a->data ? a->data : a->held;
    if (LIKELY(data != NULL)) {
        array_release(a, data);
    }
    PyObject_Free(self);
    Py_DecRef(type);
}

EXPORT int32_t array_getbuffer(object *self, buffer_view *view, int32_t flags) {
    array *a = ARRAY(self);
    view->exporter = NULL;
    if (!a->data) {
        complain(python.raise_deleted, self);
        return -1;
    }
    if (flags & BUFFER_WRITABLE) {
        PyErr_SetString(PyExc_BufferError, "arrays are read-only");
        return -1;
    }
    if (!a->kind->format) {
        PyErr_SetString(PyExc_BufferError, "the buffer protocol does not know this dtype");
        return -1;
    }
    a->exported = 1;
    Py_IncRef(self);
    view->data = a->data;
    view->exporter = self;
    view->nbytes = a->kind->nbytes;
    view->itemsize = a->kind->itemsize;
    view->readonly = 1;
    view->ndim = (int32_t)a->kind->ndim;
    view->format = flags & BUFFER_FORMAT ? a->kind->format : NULL;
    view->shape = a->kind->dims;
    view->strides = a->kind->strides;
    view->suboffsets = NULL;
    view->internal = NULL;
    return 0;
}

/* An attribute: the object at an offset in the descriptor. */
EXPORT object *array_get(object *self, void *offset) {
    object *value = FIELD(object *, ARRAY(self)->kind, (int64_t)offset);
    Py_IncRef(value);
    return value;
}

/* The descriptor of an abstract value, made at its first use. */
static const descriptor *descriptor_of(object *aval) {
    object *number = PyObject_GetAttr(aval, python.descriptor_name);
    if (!number) {
        return NULL;
    }
    int64_t found = PyLong_AsSsize_t(number);
    Py_DecRef(number);
    if (found == 0) {
        number = PyObject_CallOneArg(python.describe, aval);
        if (!number) {
            return NULL;
        }
        found = PyLong_AsSsize_t(number);
        Py_DecRef(number);
    }
    return found == -1 ? NULL : (const descriptor *)found;
}

static int32_t takes(int64_t count, int64_t expected) {
    if (LIKELY(count == expected)) {
        return 1;
    }
    PyErr_SetString(PyExc_TypeError, "wrong number of arguments");
    return 0;
}

/* Whether a function was given one array, deleted or not. */
static int32_t takes_array(object *const *args, int64_t count) {
    if (!takes(count, 1)) {
        return 0;
    }
    if (!IS_ARRAY(args[0])) {
        PyErr_SetString(PyExc_TypeError, "expected an xform array");
        return 0;
    }
    return 1;
}

/* The array a function was given, with its memory; NULL and an exception otherwise. */
static array *usable(object *const *args, int64_t count) {
    if (!takes_array(args, count)) {
        return NULL;
    }
    array *a = ARRAY(args[0]);
    return LIKELY(a->data != NULL) ? a : complain(python.raise_deleted, args[0]);
}

/* Whether `x` is a contiguous NumPy array of this shape and dtype. */
static int32_t fits(object *x, const descriptor *kind) {
    const int32_t needed = NDARRAY_CONTIGUOUS | NDARRAY_ALIGNED;
    if (TYPE_OF(x) != python.ndarray_type || NDARRAY_NDIM(x) != kind->ndim) {
        return 0;
    }
    if (NDARRAY_DTYPE(x) != kind->dtype || (NDARRAY_FLAGS(x) & needed) != needed) {
        return 0;
    }
    for (int64_t i = 0; i < kind->ndim; i++) {
        if (NDARRAY_SHAPE(x)[i] != kind->dims[i]) {
            return 0;
        }
    }
    return 1;
}

/* Raises unless an array and an abstract value fit; for the cases that `fits` does not know. */
static int32_t check_wrappable(object *const *args) {
    object *result = PyObject_Vectorcall(python.check_wrappable, args, 2, NULL);
    if (!result) {
        return 0;
    }
    Py_DecRef(result);
    return 1;
}

/* Python: empty(aval) */
EXPORT object *empty(object *self, object *const *args, int64_t count) {
    if (!takes(count, 1)) {
        return NULL;
    }
    const descriptor *kind = descriptor_of(args[0]);
    return kind ? array_empty(kind) : NULL;
}

/* Python: wrap(x, aval) */
EXPORT object *wrap(object *self, object *const *args, int64_t count) {
    const descriptor *kind = takes(count, 2) ? descriptor_of(args[1]) : NULL;
    if (!kind || (!fits(args[0], kind) && !check_wrappable(args))) {
        return NULL;
    }
    Py_IncRef(args[0]);
    object *result = array_make(kind, NDARRAY_DATA(args[0]), args[0]);
    if (!result) {
        Py_DecRef(args[0]);
    }
    return result;
}

/* Python: from_numpy(x, aval) */
EXPORT object *from_numpy(object *self, object *const *args, int64_t count) {
    const descriptor *kind = takes(count, 2) ? descriptor_of(args[1]) : NULL;
    if (!kind) {
        return NULL;
    }
    object *pair[2] = {args[0], args[1]};
    if (fits(pair[0], kind)) {
        Py_IncRef(pair[0]);
    } else {
        pair[0] = PyObject_Vectorcall(python.contiguous, args, 2, NULL);
        if (!pair[0]) {
            return NULL;
        }
        if (!fits(pair[0], kind) && !check_wrappable(pair)) {
            Py_DecRef(pair[0]);
            return NULL;
        }
    }
    object *result = array_empty(kind);
    if (result) {
        memcpy(ARRAY(result)->data, NDARRAY_DATA(pair[0]), (uint64_t)kind->nbytes);
    }
    Py_DecRef(pair[0]);
    return result;
}

/* A NumPy array of the same memory, which keeps `self` alive. */
static object *as_ndarray(object *self, int32_t flags) {
    const array *a = ARRAY(self);
    const descriptor *kind = a->kind;
    flags |= NDARRAY_CONTIGUOUS | NDARRAY_ALIGNED | (kind->ndim ? 0 : NDARRAY_FORTRAN);
    Py_IncRef(kind->dtype); /* which the next call takes over */
    object *result = python.new_from_descr(python.ndarray_type, kind->dtype, (int32_t)kind->ndim,
                                           kind->dims, NULL, a->data, flags, NULL);
    if (!result) {
        return NULL;
    }
    Py_IncRef(self); /* likewise, even when it fails */
    if (python.set_base_object(result, self) < 0) {
        Py_DecRef(result);
        return NULL;
    }
    return result;
}

/* Python: view(array) */
EXPORT object *view(object *self, object *const *args, int64_t count) {
    array *a = usable(args, count);
    if (!a) {
        return NULL;
    }
    a->exported = 1;
    return as_ndarray(args[0], 0);
}

/* Python: writable(array) */
EXPORT object *writable(object *self, object *const *args, int64_t count) {
    array *a = usable(args, count);
    if (!a) {
        return NULL;
    }
    a->exported = 1;
    return as_ndarray(args[0], NDARRAY_WRITABLE);
}

/* Python: address(array) */
EXPORT object *address(object *self, object *const *args, int64_t count) {
    array *a = usable(args, count);
    return a ? PyLong_FromSsize_t((int64_t)a->data) : NULL;
}

/* Python: delete(array) */
EXPORT object *delete_array(object *self, object *const *args, int64_t count) {
    if (!takes_array(args, count)) {
        return NULL;
    }
    array_delete(ARRAY(args[0]));
    Py_IncRef(NONE);
    return NONE;
}

/* Python: is_deleted(array) */
EXPORT object *is_deleted(object *self, object *const *args, int64_t count) {
    if (!takes_array(args, count)) {
        return NULL;
    }
    object *answer = (object *)(ARRAY(args[0])->data ? _Py_FalseStruct : _Py_TrueStruct);
    Py_IncRef(answer);
    return answer;
}
