/* A call of a kernel: outputs, donation, the result. */
#include "match.c"

enum { FRAME_ON_STACK = 8192 };

/* Arrange the outputs by the program at `*pc`; a new reference. */
static object *build(const int64_t **pc, object **outputs) {
    const int64_t *at = *pc;
    int64_t length = at[1];
    object *result;
    switch (at[0]) {
    case ARRAY_LEAF:
        *pc = at + 3;
        result = outputs[at[2]];
        Py_IncRef(result);
        return result;
    case STATIC_LEAF:
        *pc = at + 2;
        result = (object *)at[1];
        Py_IncRef(result);
        return result;
    case NONE_LEAF:
        *pc = at + 1;
        Py_IncRef(NONE);
        return NONE;
    case DICT_NODE:
        result = PyDict_New();
        break;
    case LIST_NODE:
        result = PyList_New(length);
        break;
    default:
        result = PyTuple_New(length);
    }
    if (!result) {
        return NULL;
    }
    *pc = at + 2;
    for (int64_t i = 0; i < length; i++) {
        object *key = at[0] == DICT_NODE ? (object *)*(*pc)++ : NULL;
        object *child = build(pc, outputs);
        if (!child) {
            Py_DecRef(result);
            return NULL;
        }
        if (at[0] == DICT_NODE) {
            int32_t status = PyDict_SetItem(result, key, child);
            Py_DecRef(child);
            if (status < 0) {
                Py_DecRef(result);
                return NULL;
            }
        } else if (at[0] == LIST_NODE) {
            FIELD(object **, result, LIST_ITEMS)[i] = child;
        } else {
            ((object **)((char *)result + TUPLE_ITEMS))[i] = child;
        }
    }
    return result;
}

/* The array of output `j`: the memory of a donated input that nothing else can see, or new. */
static inline object *make_output(const plan *p, const frame *f, int64_t j) {
    const descriptor *kind = p->kinds[j];
    if (UNLIKELY(p->aliases != NULL) && p->aliases[j] >= 0) {
        array *source = ARRAY(f->arrays[p->aliases[j]]);
        int32_t hidden_nowhere = source->pins == 1 && !source->exported && source->data;
        if (hidden_nowhere && !source->owner && source->kind->pool == kind->pool) {
            object *taken = array_make(kind, source->data, NULL);
            if (taken) {
                /* Before the kernel runs, so that no other thread reads what it writes. */
                source->data = NULL;
            }
            return taken;
        }
    }
    return array_empty(kind);
}

static int32_t run_kernel(const plan *p, void **buffers) {
    int32_t status;
    if (p->release_gil) {
        thread_state *state = PyEval_SaveThread();
        status = p->kernel(buffers);
        PyEval_RestoreThread(state);
    } else {
        status = p->kernel(buffers);
    }
    if (UNLIKELY(status != 0) && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_RuntimeError, "a kernel failed without saying why");
    }
    return status;
}

/* Delete the donated inputs, unless another argument or call uses them. */
static void donate(const plan *p, const frame *f) {
    for (int64_t i = 0; i < p->donated; i++) {
        array *a = ARRAY(f->arrays[p->donated_inputs[i]]);
        if (a->pins == 1) {
            array_delete(a);
        }
    }
}

/* Run the kernel on a complete frame. `buffers` are the kernel's; `outputs` is room for them. */
static object *run(const plan *p, frame *f, void **buffers, object **outputs) {
    void **output_buffers = buffers + p->hidden + p->inputs;
    object *result = NULL;
    int64_t made = 0;
    void *workspace = NULL;
    for (; made < p->outputs; made++) {
        object *output = make_output(p, f, made);
        if (UNLIKELY(!output)) {
            goto done;
        }
        outputs[made] = output;
        output_buffers[made] = ARRAY(output)->data;
    }
    if (p->workspace) {
        workspace = pool_take(p->workspace);
        if (UNLIKELY(!workspace)) {
            complain_no_memory(p->workspace->size);
            goto done;
        }
        output_buffers[p->outputs] = workspace;
    }
    if (UNLIKELY(run_kernel(p, buffers) != 0)) {
        goto done;
    }
    donate(p, f);
    if (LIKELY(p->result[0] == ARRAY_LEAF && p->outputs == 1)) {
        result = outputs[0];
        made = 0;
    } else {
        const int64_t *pc = p->result;
        result = build(&pc, outputs);
    }
done:
    if (workspace) {
        pool_give(p->workspace, workspace);
    }
    for (int64_t i = 0; i < made; i++) {
        Py_DecRef(outputs[i]);
    }
    return result;
}

/* Pin the arrays that are no arguments; 0 when one of them was deleted. */
static int32_t pin_hidden(const plan *p, frame *f, void **buffers) {
    for (int64_t i = 0; i < p->hidden; i++) {
        array *a = ARRAY(p->hidden_arrays[i]);
        if (!a->data) {
            return 0;
        }
        a->pins++;
        f->pinned[f->pinned_count++] = p->hidden_arrays[i];
        buffers[i] = a->data;
    }
    return 1;
}

/* Try a plan whose number of arguments fits: 1 and `*result` when it matches, 0 when not. A match
 * with a NULL result has an exception set. */
static __attribute__((noinline)) int32_t try_plan(plan *p, object *const *args, object *names,
                                                  object **result) {
    const int64_t all = p->hidden + p->inputs;
    const int64_t words = all + p->outputs + 1 + p->inputs + all + p->inputs + p->outputs
                          + (p->scalars + 1) * (SCALAR_BYTES / 8);
    const int32_t on_stack = words * 8 <= FRAME_ON_STACK;
    if (p->keywords && !same_keywords(p, names)) {
        return 0;
    }
    /* The first argument decides most misses; look at it before the block is laid out. */
    if (p->pattern[0] == ARRAY_LEAF && p->arguments) {
        if (!IS_ARRAY(args[0]) || (int64_t)ARRAY(args[0])->kind != p->pattern[1]) {
            return 0;
        }
    }
    void **block = on_stack ? __builtin_alloca_with_align((uint64_t)(words * 8), 128)
                            : malloc((uint64_t)(words * 8));
    if (UNLIKELY(!block)) {
        PyErr_NoMemory();
        *result = NULL;
        return 1;
    }
    void **buffers = block;
    frame f;
    f.pc = p->pattern;
    f.scratch = (char *)block;
    buffers = block + (p->scalars + 1) * (SCALAR_BYTES / 8);
    f.buffers = buffers + p->hidden;
    f.arrays = (object **)(buffers + all + p->outputs + 1);
    f.pinned = f.arrays + p->inputs;
    f.retained = f.pinned + all;
    f.pinned_count = 0;
    f.retained_count = 0;
    object **outputs = f.retained + p->inputs;
    /* Comparing and running may execute Python code that drops the plan. */
    Py_IncRef(p->owner);
    int32_t matched = 1;
    for (int64_t i = 0; matched && i < p->arguments; i++) {
        matched = LIKELY(*f.pc == ARRAY_LEAF) ? match_array(&f, args[i], 0)
                                              : match(&f, args[i], 0);
    }
    matched = matched && pin_hidden(p, &f, buffers);
    if (matched) {
        *result = run(p, &f, buffers, outputs);
    }
    frame_release(&f);
    if (UNLIKELY(!on_stack)) {
        free(block);
    }
    Py_DecRef(p->owner);
    return matched;
}
