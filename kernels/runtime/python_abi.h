/* The parts of CPython's and NumPy's binary interfaces that the runtime uses.
 *
 * There is no Python.h here: the object layouts that differ between versions are read from the
 * running interpreter by xform/runtime/native.py, which defines the constants below before LLVM
 * compiles the code. References are counted by calls, so immortal objects need no care.
 */
#ifndef XFORM_PYTHON_ABI_H
#define XFORM_PYTHON_ABI_H

#include <stddef.h>
#include <stdint.h>

typedef struct object object;
typedef struct thread_state thread_state;

/* Offsets in bytes from the start of an object. */
extern const int64_t OBJECT_SIZE;   /* object.__basicsize__: where the fields of a type begin */
extern const int64_t TUPLE_ITEMS;   /* the first item, in place */
extern const int64_t LIST_ITEMS;    /* a pointer to the items */
extern const int64_t FLOAT_VALUE;   /* a double */
extern const int64_t COMPLEX_VALUE; /* two doubles */

#define FIELD(type, o, offset) (*(type *)((char *)(o) + (offset)))
#define TYPE_OF(o) FIELD(object *, o, OBJECT_SIZE - 8)
#define LENGTH_OF(o) FIELD(int64_t, o, OBJECT_SIZE)

/* numpy.ndarray, the same since NumPy 1.7. */
#define NDARRAY_DATA(o) FIELD(char *, o, OBJECT_SIZE)
#define NDARRAY_NDIM(o) FIELD(int32_t, o, OBJECT_SIZE + 8)
#define NDARRAY_SHAPE(o) FIELD(int64_t *, o, OBJECT_SIZE + 16)
#define NDARRAY_DTYPE(o) FIELD(object *, o, OBJECT_SIZE + 40)
#define NDARRAY_FLAGS(o) FIELD(int32_t, o, OBJECT_SIZE + 48)
enum { NDARRAY_CONTIGUOUS = 1, NDARRAY_FORTRAN = 2, NDARRAY_ALIGNED = 0x100 };
enum { NDARRAY_WRITABLE = 0x400 };

/* Py_buffer. */
typedef struct {
    void *data;
    object *exporter;
    int64_t nbytes;
    int64_t itemsize;
    int32_t readonly;
    int32_t ndim;
    const char *format;
    const int64_t *shape;
    const int64_t *strides;
    const int64_t *suboffsets;
    void *internal;
} buffer_view;
enum { BUFFER_WRITABLE = 1, BUFFER_FORMAT = 4, COMPARE_EQUAL = 2 };

extern char PyTuple_Type[], PyList_Type[], PyDict_Type[];
extern char PyBool_Type[], PyLong_Type[], PyFloat_Type[], PyComplex_Type[];
extern char _Py_NoneStruct[], _Py_TrueStruct[], _Py_FalseStruct[];
extern object *PyExc_BufferError, *PyExc_RuntimeError, *PyExc_TypeError;
#define NONE ((object *)_Py_NoneStruct)
#define IS_TYPE(o, type) (TYPE_OF(o) == (object *)(type))

void Py_IncRef(object *);
void Py_DecRef(object *);
object *_PyObject_New(object *type);
object *PyType_GenericAlloc(object *type, int64_t items);
void PyObject_Free(void *);
void PyObject_GC_Del(void *);
void PyObject_GC_UnTrack(void *);
void PyObject_ClearWeakRefs(object *);
object *PyObject_GetAttr(object *, object *name);
object *PyObject_CallOneArg(object *callable, object *argument);
object *PyObject_Vectorcall(object *, object *const *, int64_t, object *keywords);
object *PyMethod_New(object *function, object *self);
int32_t PyCallable_Check(object *);
int32_t PyObject_RichCompareBool(object *, object *, int32_t operation);
int64_t PyLong_AsSsize_t(object *);
int64_t PyLong_AsLongLongAndOverflow(object *, int32_t *overflow);
object *PyLong_FromSsize_t(int64_t);
int64_t PyTuple_Size(object *);
object *PyTuple_New(int64_t);
object *PyList_New(int64_t);
object *PyDict_New(void);
int64_t PyDict_Size(object *);
int32_t PyDict_SetItem(object *, object *key, object *value);
int32_t PyDict_Next(object *, int64_t *position, object **key, object **value);
object *PyDict_GetItemWithError(object *, object *key);
int32_t PyContextVar_Get(object *variable, object *otherwise, object **value);
void PyErr_SetString(object *type, const char *message);
object *PyErr_Occurred(void);
void PyErr_Clear(void);
object *PyErr_NoMemory(void);
thread_state *PyEval_SaveThread(void);
void PyEval_RestoreThread(thread_state *);

int32_t posix_memalign(void **block, uint64_t alignment, uint64_t size);
void *malloc(uint64_t size);
void free(void *);
void *memcpy(void *, const void *, uint64_t);

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define EXPORT __attribute__((visibility("default")))

/* Python objects the runtime refers to, filled in by native.py in this order. */
typedef struct {
    object *array_type;
    object *function_type;
    object *ndarray_type;
    object *descriptor_name; /* the attribute of an aval that holds its descriptor's address */
    object *describe;        /* makes the descriptor of an aval */
    object *check_wrappable; /* raises unless a NumPy array and an aval fit */
    object *raise_deleted;   /* raises the error of using a deleted array */
    object *raise_no_memory; /* raises MemoryError for a number of bytes */
    object *contiguous;      /* copies a NumPy array of an aval in C order */
    object *require_memory;  /* raises unless there are so many bytes */
    object *settings_cell;   /* the context variable of a list whose first item is the settings */
    object *no_settings;     /* those outside of all blocks that set options */
    object *(*new_from_descr)(object *, object *, int32_t, const int64_t *, const int64_t *,
                              void *, int32_t, object *);
    int32_t (*set_base_object)(object *, object *);
} environment;

extern environment python;

#endif
