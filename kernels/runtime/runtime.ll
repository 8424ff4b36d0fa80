; Made from runtime.c by build.py; do not edit.
; sources: 20656a43d2882fe6ca3aa9ec3150a166f19eca97d9b23e6f91f7b3e4ff884b74
; imports: PyBool_Type PyCallable_Check PyComplex_Type PyContextVar_Get PyDict_GetItemWithError PyDict_New PyDict_Next PyDict_SetItem PyDict_Size PyDict_Type PyErr_CheckSignals PyErr_Clear PyErr_NoMemory PyErr_Occurred PyErr_SetObject PyErr_SetString PyEval_RestoreThread PyEval_SaveThread PyExc_BufferError PyExc_RuntimeError PyExc_TypeError PyFloat_Type PyGILState_Ensure PyGILState_Release PyList_New PyList_Type PyLong_AsLongLongAndOverflow PyLong_AsSsize_t PyLong_FromSsize_t PyLong_Type PyMethod_New PyObject_CallOneArg PyObject_ClearWeakRefs PyObject_Free PyObject_GC_Del PyObject_GC_UnTrack PyObject_GetAttr PyObject_RichCompareBool PyObject_Vectorcall PyTuple_New PyTuple_Size PyTuple_Type PyType_GenericAlloc Py_DecRef Py_IncRef _PyObject_New _Py_FalseStruct _Py_NoneStruct _Py_TrueStruct
; exports: add_plan address array_dealloc array_get array_getbuffer clear_plans collective_fetch collective_place collective_stack delete_array devices_call devices_complain devices_forget devices_prepare devices_run devices_run_released devices_timeout_ns devices_workers empty from_numpy function_clear function_dealloc function_descr_get function_new function_traverse function_vectorcall group_bytes group_end group_exchange group_leave group_meet group_start group_stop guard_enter guard_exit idle_bytes is_deleted plan_count pool_class_of python self_test_kernel threads_forget threads_helpers threads_limit threads_run trim view wrap writable

%struct.pool_class = type { ptr, i64, i64, i64 }
%struct.environment = type { ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr }
%struct.signal_t = type { [16 x i64], [16 x i64] }
%struct.job = type { i64, i64, ptr, ptr, i64, i64, i64, i64 }
%struct.device_slot = type { ptr, i64, [6 x i64] }
%struct.timespec_t = type { i64, i64 }
%struct.place = type { ptr, i64 }
%struct.frame = type { ptr, ptr, ptr, ptr, ptr, ptr, i64, i64 }

@pool = internal global [344 x %struct.pool_class] zeroinitializer, align 16
@pool_idle = internal unnamed_addr global i64 0, align 8
@OBJECT_SIZE = external local_unnamed_addr constant i64, align 8
@python = local_unnamed_addr global %struct.environment zeroinitializer, align 8
@PyExc_BufferError = external local_unnamed_addr global ptr, align 8
@.str = private unnamed_addr constant [21 x i8] c"arrays are read-only\00", align 1
@.str.1 = private unnamed_addr constant [45 x i8] c"the buffer protocol does not know this dtype\00", align 1
@_Py_NoneStruct = external global [0 x i8], align 1
@_Py_FalseStruct = external global [0 x i8], align 1
@_Py_TrueStruct = external global [0 x i8], align 1
@spare_workers = internal unnamed_addr global ptr null, align 8
@spare_lock = internal global i64 0, align 8
@worker_count = internal global i64 0, align 8
@place_key_made = internal unnamed_addr global i1 false, align 8
@place_key = internal global i32 0, align 4
@devices_timeout_ns = local_unnamed_addr global i64 60000000000, align 8
@devices_complain = local_unnamed_addr global ptr null, align 8
@threads_limit = local_unnamed_addr global i64 1, align 8
@helpers = internal unnamed_addr global i64 0, align 8
@work_number = internal global i64 0, align 8
@sleeping = internal global i64 0, align 8
@work_to_do = internal global %struct.signal_t zeroinitializer, align 8
@jobs = internal global [16 x %struct.job] zeroinitializer, align 16
@helpers_lock = internal global i64 0, align 8
@threads_ready = internal unnamed_addr global i1 false, align 8
@guard_count = external local_unnamed_addr global i64, align 8
@PyExc_RuntimeError = external local_unnamed_addr global ptr, align 8
@.str.2 = private unnamed_addr constant [32 x i8] c"the function is being destroyed\00", align 1
@PyExc_TypeError = external local_unnamed_addr global ptr, align 8
@.str.3 = private unnamed_addr constant [45 x i8] c"JitFunction expects one argument, a callable\00", align 1
@TUPLE_ITEMS = external local_unnamed_addr constant i64, align 8
@.str.4 = private unnamed_addr constant [31 x i8] c"JitFunction expects a callable\00", align 1
@.str.5 = private unnamed_addr constant [35 x i8] c"an error was expected to be raised\00", align 1
@.str.6 = private unnamed_addr constant [26 x i8] c"wrong number of arguments\00", align 1
@.str.7 = private unnamed_addr constant [24 x i8] c"expected an xform array\00", align 1
@scoped_ever = external local_unnamed_addr global i64, align 8
@LIST_ITEMS = external local_unnamed_addr constant i64, align 8
@PyBool_Type = external global [0 x i8], align 1
@PyFloat_Type = external global [0 x i8], align 1
@FLOAT_VALUE = external local_unnamed_addr constant i64, align 8
@PyComplex_Type = external global [0 x i8], align 1
@COMPLEX_VALUE = external local_unnamed_addr constant i64, align 8
@PyLong_Type = external global [0 x i8], align 1
@PyList_Type = external global [0 x i8], align 1
@PyTuple_Type = external global [0 x i8], align 1
@PyDict_Type = external global [0 x i8], align 1
@.str.8 = private unnamed_addr constant [35 x i8] c"a kernel failed without saying why\00", align 1
@.str.9 = private unnamed_addr constant [23 x i8] c"expected a JitFunction\00", align 1

; Function Attrs: mustprogress nofree norecurse nosync nounwind willreturn memory(readwrite, argmem: none, inaccessiblemem: none, target_mem0: none, target_mem1: none) uwtable(sync)
define ptr @pool_class_of(i64 noundef %0) local_unnamed_addr #0 {
  %2 = icmp slt i64 %0, 4097
  br i1 %2, label %3, label %10

3:                                                ; preds = %1
  %4 = icmp slt i64 %0, 65
  %5 = add nsw i64 %0, -1
  %6 = lshr i64 %5, 6
  %7 = select i1 %4, i64 0, i64 %6
  %8 = shl nuw i64 %7, 6
  %9 = add i64 %8, 64
  br label %26

10:                                               ; preds = %1
  %11 = add nsw i64 %0, -1
  %12 = tail call range(i64 0, 65) i64 @llvm.ctlz.i64(i64 %11, i1 true)
  %13 = xor i64 %12, 63
  %14 = icmp samesign ult i64 %13, 47
  br i1 %14, label %15, label %38

15:                                               ; preds = %10
  %16 = shl nuw nsw i64 1, %13
  %17 = sub nsw i64 %11, %16
  %18 = lshr i64 %16, 3
  %19 = sdiv i64 %17, %18
  %20 = shl nuw nsw i64 %12, 3
  %21 = sub nsw i64 %19, %20
  %22 = add nsw i64 %21, 472
  %23 = add nsw i64 %19, 1
  %24 = mul nsw i64 %23, %18
  %25 = add nsw i64 %24, %16
  br label %26

26:                                               ; preds = %15, %3
  %27 = phi i64 [ %9, %3 ], [ %25, %15 ]
  %28 = phi i64 [ %7, %3 ], [ %22, %15 ]
  %29 = getelementptr inbounds %struct.pool_class, ptr @pool, i64 %28
  %30 = getelementptr inbounds nuw i8, ptr %29, i64 24
  %31 = load i64, ptr %30, align 8
  %32 = icmp eq i64 %31, 0
  br i1 %32, label %33, label %38

33:                                               ; preds = %26
  %34 = sdiv i64 67108864, %27
  %35 = tail call i64 @llvm.smax.i64(i64 %34, i64 4)
  %36 = tail call i64 @llvm.umin.i64(i64 %35, i64 256)
  %37 = getelementptr inbounds nuw i8, ptr %29, i64 16
  store i64 %36, ptr %37, align 16
  store i64 %27, ptr %30, align 8
  br label %38

38:                                               ; preds = %10, %26, %33
  %39 = phi ptr [ %29, %26 ], [ null, %10 ], [ %29, %33 ]
  ret ptr %39
}

; Function Attrs: mustprogress nocallback nofree nosync nounwind willreturn memory(argmem: readwrite)
declare void @llvm.lifetime.start.p0(ptr captures(none)) #1

; Function Attrs: mustprogress nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare i64 @llvm.ctlz.i64(i64, i1 immarg) #2

; Function Attrs: mustprogress nocallback nofree nosync nounwind willreturn memory(argmem: readwrite)
declare void @llvm.lifetime.end.p0(ptr captures(none)) #1

; Function Attrs: nounwind uwtable(sync)
define ptr @idle_bytes(ptr noundef readnone captures(none) %0, ptr noundef readnone captures(none) %1, i64 noundef %2) local_unnamed_addr #3 {
  %4 = load i64, ptr @pool_idle, align 8
  %5 = tail call ptr @PyLong_FromSsize_t(i64 noundef %4) #22
  ret ptr %5
}

declare ptr @PyLong_FromSsize_t(i64 noundef) local_unnamed_addr #4

; Function Attrs: nounwind uwtable(sync)
define ptr @trim(ptr noundef readnone captures(none) %0, ptr noundef readnone captures(none) %1, i64 noundef %2) local_unnamed_addr #3 {
  %4 = load i64, ptr @pool_idle, align 8
  br label %5

5:                                                ; preds = %14, %3
  %6 = phi i64 [ 0, %3 ], [ %15, %14 ]
  %7 = getelementptr inbounds nuw %struct.pool_class, ptr @pool, i64 %6
  %8 = load ptr, ptr %7, align 16
  %9 = icmp eq ptr %8, null
  tail call void @llvm.memset.p0.i64(ptr noundef nonnull align 16 dereferenceable(16) %7, i8 0, i64 16, i1 false)
  br i1 %9, label %14, label %10

10:                                               ; preds = %5, %10
  %11 = phi ptr [ %12, %10 ], [ %8, %5 ]
  %12 = load ptr, ptr %11, align 8
  tail call void @free(ptr noundef nonnull %11)
  %13 = icmp eq ptr %12, null
  br i1 %13, label %14, label %10, !llvm.loop !5

14:                                               ; preds = %10, %5
  %15 = add nuw nsw i64 %6, 1
  %16 = icmp eq i64 %15, 344
  br i1 %16, label %17, label %5, !llvm.loop !7

17:                                               ; preds = %14
  store i64 0, ptr @pool_idle, align 8
  %18 = tail call ptr @PyLong_FromSsize_t(i64 noundef %4) #22
  ret ptr %18
}

; Function Attrs: nounwind uwtable(sync)
define void @array_dealloc(ptr noundef %0) local_unnamed_addr #3 {
  %2 = load i64, ptr @OBJECT_SIZE, align 8
  %3 = getelementptr inbounds i8, ptr %0, i64 %2
  %4 = getelementptr i8, ptr %3, i64 -8
  %5 = load ptr, ptr %4, align 8
  %6 = getelementptr inbounds nuw i8, ptr %3, i64 24
  %7 = load ptr, ptr %6, align 8
  %8 = icmp eq ptr %7, null
  br i1 %8, label %10, label %9, !prof !8

9:                                                ; preds = %1
  tail call void @PyObject_ClearWeakRefs(ptr noundef nonnull %0) #22
  br label %10

10:                                               ; preds = %9, %1
  %11 = load ptr, ptr %3, align 8
  %12 = icmp eq ptr %11, null
  br i1 %12, label %13, label %17

13:                                               ; preds = %10
  %14 = getelementptr inbounds nuw i8, ptr %3, i64 32
  %15 = load ptr, ptr %14, align 8
  %16 = icmp eq ptr %15, null
  br i1 %16, label %46, label %17, !prof !9

17:                                               ; preds = %10, %13
  %18 = phi ptr [ %15, %13 ], [ %11, %10 ]
  %19 = getelementptr inbounds nuw i8, ptr %3, i64 16
  %20 = load ptr, ptr %19, align 8
  %21 = icmp eq ptr %20, null
  br i1 %21, label %23, label %22

22:                                               ; preds = %17
  store ptr null, ptr %19, align 8
  tail call void @Py_DecRef(ptr noundef nonnull %20) #22
  br label %46

23:                                               ; preds = %17
  %24 = getelementptr inbounds nuw i8, ptr %3, i64 8
  %25 = load ptr, ptr %24, align 8
  %26 = getelementptr inbounds nuw i8, ptr %25, i64 8
  %27 = load ptr, ptr %26, align 8
  %28 = getelementptr inbounds nuw i8, ptr %27, i64 8
  %29 = load i64, ptr %28, align 8
  %30 = getelementptr inbounds nuw i8, ptr %27, i64 16
  %31 = load i64, ptr %30, align 8
  %32 = icmp slt i64 %29, %31
  br i1 %32, label %33, label %39, !prof !8

33:                                               ; preds = %23
  %34 = load i64, ptr @pool_idle, align 8
  %35 = getelementptr inbounds nuw i8, ptr %27, i64 24
  %36 = load i64, ptr %35, align 8
  %37 = add nsw i64 %36, %34
  %38 = icmp sgt i64 %37, 536870912
  br i1 %38, label %39, label %40, !prof !10

39:                                               ; preds = %33, %23
  tail call void @free(ptr noundef nonnull %18)
  br label %46

40:                                               ; preds = %33
  %41 = load ptr, ptr %27, align 8
  store ptr %41, ptr %18, align 8
  store ptr %18, ptr %27, align 8
  %42 = load i64, ptr %28, align 8
  %43 = add nsw i64 %42, 1
  store i64 %43, ptr %28, align 8
  %44 = load i64, ptr %35, align 8
  %45 = add nsw i64 %44, %34
  store i64 %45, ptr @pool_idle, align 8
  br label %46

46:                                               ; preds = %40, %39, %22, %13
  tail call void @PyObject_Free(ptr noundef nonnull %0) #22
  tail call void @Py_DecRef(ptr noundef %5) #22
  ret void
}

declare void @PyObject_ClearWeakRefs(ptr noundef) local_unnamed_addr #4

; Function Attrs: inlinehint nounwind uwtable(sync)
define internal fastcc void @array_release(ptr noundef captures(none) %0, ptr noundef nonnull %1) unnamed_addr #5 {
  %3 = getelementptr inbounds nuw i8, ptr %0, i64 16
  %4 = load ptr, ptr %3, align 8
  %5 = icmp eq ptr %4, null
  br i1 %5, label %7, label %6

6:                                                ; preds = %2
  store ptr null, ptr %3, align 8
  tail call void @Py_DecRef(ptr noundef nonnull %4) #22
  br label %30

7:                                                ; preds = %2
  %8 = getelementptr inbounds nuw i8, ptr %0, i64 8
  %9 = load ptr, ptr %8, align 8
  %10 = getelementptr inbounds nuw i8, ptr %9, i64 8
  %11 = load ptr, ptr %10, align 8
  %12 = getelementptr inbounds nuw i8, ptr %11, i64 8
  %13 = load i64, ptr %12, align 8
  %14 = getelementptr inbounds nuw i8, ptr %11, i64 16
  %15 = load i64, ptr %14, align 8
  %16 = icmp slt i64 %13, %15
  br i1 %16, label %17, label %23, !prof !8

17:                                               ; preds = %7
  %18 = load i64, ptr @pool_idle, align 8
  %19 = getelementptr inbounds nuw i8, ptr %11, i64 24
  %20 = load i64, ptr %19, align 8
  %21 = add nsw i64 %20, %18
  %22 = icmp sgt i64 %21, 536870912
  br i1 %22, label %23, label %24, !prof !10

23:                                               ; preds = %17, %7
  tail call void @free(ptr noundef nonnull %1)
  br label %30

24:                                               ; preds = %17
  %25 = load ptr, ptr %11, align 8
  store ptr %25, ptr %1, align 8
  store ptr %1, ptr %11, align 8
  %26 = load i64, ptr %12, align 8
  %27 = add nsw i64 %26, 1
  store i64 %27, ptr %12, align 8
  %28 = load i64, ptr %19, align 8
  %29 = add nsw i64 %28, %18
  store i64 %29, ptr @pool_idle, align 8
  br label %30

30:                                               ; preds = %24, %23, %6
  ret void
}

declare void @PyObject_Free(ptr noundef) local_unnamed_addr #4

declare void @Py_DecRef(ptr noundef) local_unnamed_addr #4

; Function Attrs: nounwind uwtable(sync)
define range(i32 -1, 1) i32 @array_getbuffer(ptr noundef %0, ptr noundef writeonly captures(none) initializes((8, 16)) %1, i32 noundef %2) local_unnamed_addr #3 {
  %4 = load i64, ptr @OBJECT_SIZE, align 8
  %5 = getelementptr inbounds i8, ptr %0, i64 %4
  %6 = getelementptr inbounds nuw i8, ptr %1, i64 8
  store ptr null, ptr %6, align 8
  %7 = load ptr, ptr %5, align 8
  %8 = icmp eq ptr %7, null
  br i1 %8, label %9, label %15

9:                                                ; preds = %3
  %10 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 48), align 8
  %11 = tail call ptr @PyObject_CallOneArg(ptr noundef %10, ptr noundef nonnull %0) #22
  %12 = icmp eq ptr %11, null
  br i1 %12, label %62, label %13

13:                                               ; preds = %9
  tail call void @Py_DecRef(ptr noundef nonnull %11) #22
  %14 = load ptr, ptr @PyExc_RuntimeError, align 8
  tail call void @PyErr_SetString(ptr noundef %14, ptr noundef nonnull @.str.5) #22
  br label %62

15:                                               ; preds = %3
  %16 = and i32 %2, 1
  %17 = icmp eq i32 %16, 0
  br i1 %17, label %20, label %18

18:                                               ; preds = %15
  %19 = load ptr, ptr @PyExc_BufferError, align 8
  tail call void @PyErr_SetString(ptr noundef %19, ptr noundef nonnull @.str) #22
  br label %62

20:                                               ; preds = %15
  %21 = getelementptr inbounds nuw i8, ptr %5, i64 8
  %22 = load ptr, ptr %21, align 8
  %23 = getelementptr inbounds nuw i8, ptr %22, i64 96
  %24 = load ptr, ptr %23, align 8
  %25 = icmp eq ptr %24, null
  br i1 %25, label %26, label %28

26:                                               ; preds = %20
  %27 = load ptr, ptr @PyExc_BufferError, align 8
  tail call void @PyErr_SetString(ptr noundef %27, ptr noundef nonnull @.str.1) #22
  br label %62

28:                                               ; preds = %20
  %29 = getelementptr inbounds nuw i8, ptr %5, i64 44
  store i32 1, ptr %29, align 4
  tail call void @Py_IncRef(ptr noundef nonnull %0) #22
  %30 = load ptr, ptr %5, align 8
  store ptr %30, ptr %1, align 8
  store ptr %0, ptr %6, align 8
  %31 = load ptr, ptr %21, align 8
  %32 = load i64, ptr %31, align 8
  %33 = getelementptr inbounds nuw i8, ptr %1, i64 16
  store i64 %32, ptr %33, align 8
  %34 = load ptr, ptr %21, align 8
  %35 = getelementptr inbounds nuw i8, ptr %34, i64 80
  %36 = load i64, ptr %35, align 8
  %37 = getelementptr inbounds nuw i8, ptr %1, i64 24
  store i64 %36, ptr %37, align 8
  %38 = getelementptr inbounds nuw i8, ptr %1, i64 32
  store i32 1, ptr %38, align 8
  %39 = load ptr, ptr %21, align 8
  %40 = getelementptr inbounds nuw i8, ptr %39, i64 88
  %41 = load i64, ptr %40, align 8
  %42 = trunc i64 %41 to i32
  %43 = getelementptr inbounds nuw i8, ptr %1, i64 36
  store i32 %42, ptr %43, align 4
  %44 = and i32 %2, 4
  %45 = icmp eq i32 %44, 0
  br i1 %45, label %50, label %46

46:                                               ; preds = %28
  %47 = load ptr, ptr %21, align 8
  %48 = getelementptr inbounds nuw i8, ptr %47, i64 96
  %49 = load ptr, ptr %48, align 8
  br label %50

50:                                               ; preds = %28, %46
  %51 = phi ptr [ %49, %46 ], [ null, %28 ]
  %52 = getelementptr inbounds nuw i8, ptr %1, i64 40
  store ptr %51, ptr %52, align 8
  %53 = load ptr, ptr %21, align 8
  %54 = getelementptr inbounds nuw i8, ptr %53, i64 104
  %55 = load ptr, ptr %54, align 8
  %56 = getelementptr inbounds nuw i8, ptr %1, i64 48
  store ptr %55, ptr %56, align 8
  %57 = load ptr, ptr %21, align 8
  %58 = getelementptr inbounds nuw i8, ptr %57, i64 112
  %59 = load ptr, ptr %58, align 8
  %60 = getelementptr inbounds nuw i8, ptr %1, i64 56
  store ptr %59, ptr %60, align 8
  %61 = getelementptr inbounds nuw i8, ptr %1, i64 64
  tail call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(16) %61, i8 0, i64 16, i1 false)
  br label %62

62:                                               ; preds = %13, %9, %50, %26, %18
  %63 = phi i32 [ -1, %18 ], [ 0, %50 ], [ -1, %26 ], [ -1, %9 ], [ -1, %13 ]
  ret i32 %63
}

; Function Attrs: nounwind uwtable(sync)
define internal fastcc void @complain(ptr noundef %0, ptr noundef %1) unnamed_addr #3 {
  %3 = tail call ptr @PyObject_CallOneArg(ptr noundef %0, ptr noundef %1) #22
  %4 = icmp eq ptr %3, null
  br i1 %4, label %7, label %5

5:                                                ; preds = %2
  tail call void @Py_DecRef(ptr noundef nonnull %3) #22
  %6 = load ptr, ptr @PyExc_RuntimeError, align 8
  tail call void @PyErr_SetString(ptr noundef %6, ptr noundef nonnull @.str.5) #22
  br label %7

7:                                                ; preds = %5, %2
  ret void
}

declare void @PyErr_SetString(ptr noundef, ptr noundef) local_unnamed_addr #4

declare void @Py_IncRef(ptr noundef) local_unnamed_addr #4

; Function Attrs: nounwind uwtable(sync)
define noundef ptr @array_get(ptr noundef readonly captures(none) %0, ptr noundef %1) local_unnamed_addr #3 {
  %3 = load i64, ptr @OBJECT_SIZE, align 8
  %4 = getelementptr inbounds i8, ptr %0, i64 %3
  %5 = getelementptr inbounds nuw i8, ptr %4, i64 8
  %6 = load ptr, ptr %5, align 8
  %7 = ptrtoint ptr %1 to i64
  %8 = getelementptr inbounds i8, ptr %6, i64 %7
  %9 = load ptr, ptr %8, align 8
  tail call void @Py_IncRef(ptr noundef %9) #22
  ret ptr %9
}

; Function Attrs: nounwind uwtable(sync)
define ptr @empty(ptr noundef readnone captures(none) %0, ptr noundef readonly captures(none) %1, i64 noundef %2) local_unnamed_addr #3 {
  %4 = icmp eq i64 %2, 1
  br i1 %4, label %7, label %5, !prof !8

5:                                                ; preds = %3
  %6 = load ptr, ptr @PyExc_TypeError, align 8
  tail call void @PyErr_SetString(ptr noundef %6, ptr noundef nonnull @.str.6) #22
  br label %56

7:                                                ; preds = %3
  %8 = load ptr, ptr %1, align 8
  %9 = tail call fastcc ptr @descriptor_of(ptr noundef %8)
  %10 = icmp eq ptr %9, null
  br i1 %10, label %56, label %11

11:                                               ; preds = %7
  %12 = getelementptr inbounds nuw i8, ptr %9, i64 8
  %13 = load ptr, ptr %12, align 8
  %14 = icmp eq ptr %13, null
  br i1 %14, label %30, label %15

15:                                               ; preds = %11
  %16 = load ptr, ptr %13, align 8
  %17 = icmp eq ptr %16, null
  br i1 %17, label %27, label %18, !prof !10

18:                                               ; preds = %15
  %19 = load ptr, ptr %16, align 8
  store ptr %19, ptr %13, align 8
  %20 = getelementptr inbounds nuw i8, ptr %13, i64 8
  %21 = load i64, ptr %20, align 8
  %22 = add nsw i64 %21, -1
  store i64 %22, ptr %20, align 8
  %23 = getelementptr inbounds nuw i8, ptr %13, i64 24
  %24 = load i64, ptr %23, align 8
  %25 = load i64, ptr @pool_idle, align 8
  %26 = sub nsw i64 %25, %24
  store i64 %26, ptr @pool_idle, align 8
  br label %44

27:                                               ; preds = %15
  %28 = tail call fastcc ptr @pool_grow(ptr noundef nonnull %13)
  %29 = icmp eq ptr %28, null
  br i1 %29, label %30, label %44, !prof !11

30:                                               ; preds = %27, %11
  %31 = load i64, ptr %9, align 8
  %32 = tail call ptr @PyErr_Occurred() #22
  %33 = icmp eq ptr %32, null
  br i1 %33, label %34, label %56

34:                                               ; preds = %30
  %35 = tail call ptr @PyLong_FromSsize_t(i64 noundef %31) #22
  %36 = icmp eq ptr %35, null
  br i1 %36, label %56, label %37

37:                                               ; preds = %34
  %38 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 56), align 8
  %39 = tail call ptr @PyObject_CallOneArg(ptr noundef %38, ptr noundef nonnull %35) #22
  %40 = icmp eq ptr %39, null
  br i1 %40, label %43, label %41

41:                                               ; preds = %37
  tail call void @Py_DecRef(ptr noundef nonnull %39) #22
  %42 = load ptr, ptr @PyExc_RuntimeError, align 8
  tail call void @PyErr_SetString(ptr noundef %42, ptr noundef nonnull @.str.5) #22
  br label %43

43:                                               ; preds = %41, %37
  tail call void @Py_DecRef(ptr noundef nonnull %35) #22
  br label %56

44:                                               ; preds = %27, %18
  %45 = phi ptr [ %16, %18 ], [ %28, %27 ]
  %46 = load ptr, ptr @python, align 8
  %47 = tail call ptr @_PyObject_New(ptr noundef %46) #22
  %48 = icmp eq ptr %47, null
  br i1 %48, label %54, label %49, !prof !10

49:                                               ; preds = %44
  %50 = load i64, ptr @OBJECT_SIZE, align 8
  %51 = getelementptr inbounds i8, ptr %47, i64 %50
  store ptr %45, ptr %51, align 8
  %52 = getelementptr inbounds nuw i8, ptr %51, i64 8
  store ptr %9, ptr %52, align 8
  %53 = getelementptr inbounds nuw i8, ptr %51, i64 16
  tail call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(32) %53, i8 0, i64 32, i1 false)
  br label %56

54:                                               ; preds = %44
  %55 = load ptr, ptr %12, align 8
  tail call fastcc void @pool_give(ptr noundef %55, ptr noundef nonnull %45)
  br label %56

56:                                               ; preds = %54, %49, %30, %34, %43, %5, %7
  %57 = phi ptr [ null, %5 ], [ null, %7 ], [ %47, %49 ], [ null, %54 ], [ null, %30 ], [ null, %34 ], [ null, %43 ]
  ret ptr %57
}

; Function Attrs: nounwind uwtable(sync)
define internal fastcc ptr @descriptor_of(ptr noundef %0) unnamed_addr #3 {
  %2 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 24), align 8
  %3 = tail call ptr @PyObject_GetAttr(ptr noundef %0, ptr noundef %2) #22
  %4 = icmp eq ptr %3, null
  br i1 %4, label %19, label %5

5:                                                ; preds = %1
  %6 = tail call i64 @PyLong_AsSsize_t(ptr noundef nonnull %3) #22
  tail call void @Py_DecRef(ptr noundef nonnull %3) #22
  %7 = icmp eq i64 %6, 0
  br i1 %7, label %8, label %14

8:                                                ; preds = %5
  %9 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 32), align 8
  %10 = tail call ptr @PyObject_CallOneArg(ptr noundef %9, ptr noundef %0) #22
  %11 = icmp eq ptr %10, null
  br i1 %11, label %19, label %12

12:                                               ; preds = %8
  %13 = tail call i64 @PyLong_AsSsize_t(ptr noundef nonnull %10) #22
  tail call void @Py_DecRef(ptr noundef nonnull %10) #22
  br label %14

14:                                               ; preds = %12, %5
  %15 = phi i64 [ %13, %12 ], [ %6, %5 ]
  %16 = icmp eq i64 %15, -1
  %17 = inttoptr i64 %15 to ptr
  %18 = select i1 %16, ptr null, ptr %17
  br label %19

19:                                               ; preds = %14, %8, %1
  %20 = phi ptr [ null, %1 ], [ %18, %14 ], [ null, %8 ]
  ret ptr %20
}

; Function Attrs: nounwind uwtable(sync)
define ptr @wrap(ptr noundef readnone captures(none) %0, ptr noundef %1, i64 noundef %2) local_unnamed_addr #3 {
  %4 = icmp eq i64 %2, 2
  br i1 %4, label %7, label %5, !prof !8

5:                                                ; preds = %3
  %6 = load ptr, ptr @PyExc_TypeError, align 8
  tail call void @PyErr_SetString(ptr noundef %6, ptr noundef nonnull @.str.6) #22
  br label %76

7:                                                ; preds = %3
  %8 = getelementptr inbounds nuw i8, ptr %1, i64 8
  %9 = load ptr, ptr %8, align 8
  %10 = tail call fastcc ptr @descriptor_of(ptr noundef %9)
  %11 = icmp eq ptr %10, null
  br i1 %11, label %76, label %12

12:                                               ; preds = %7
  %13 = load ptr, ptr %1, align 8
  %14 = load i64, ptr @OBJECT_SIZE, align 8
  %15 = getelementptr i8, ptr %13, i64 %14
  %16 = getelementptr i8, ptr %15, i64 -8
  %17 = load ptr, ptr %16, align 8
  %18 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 16), align 8
  %19 = icmp eq ptr %17, %18
  br i1 %19, label %20, label %55

20:                                               ; preds = %12
  %21 = getelementptr i8, ptr %15, i64 8
  %22 = load i32, ptr %21, align 4
  %23 = sext i32 %22 to i64
  %24 = getelementptr inbounds nuw i8, ptr %10, i64 88
  %25 = load i64, ptr %24, align 8
  %26 = icmp eq i64 %25, %23
  br i1 %26, label %27, label %55

27:                                               ; preds = %20
  %28 = getelementptr i8, ptr %15, i64 40
  %29 = load ptr, ptr %28, align 8
  %30 = getelementptr inbounds nuw i8, ptr %10, i64 32
  %31 = load ptr, ptr %30, align 8
  %32 = icmp eq ptr %29, %31
  br i1 %32, label %33, label %55

33:                                               ; preds = %27
  %34 = getelementptr i8, ptr %15, i64 48
  %35 = load i32, ptr %34, align 4
  %36 = and i32 %35, 257
  %37 = icmp eq i32 %36, 257
  br i1 %37, label %38, label %55

38:                                               ; preds = %33
  %39 = icmp slt i32 %22, 1
  br i1 %39, label %61, label %40

40:                                               ; preds = %38
  %41 = getelementptr i8, ptr %15, i64 16
  %42 = load ptr, ptr %41, align 8
  %43 = getelementptr inbounds nuw i8, ptr %10, i64 104
  %44 = load ptr, ptr %43, align 8
  br label %48

45:                                               ; preds = %48
  %46 = add nuw nsw i64 %49, 1
  %47 = icmp eq i64 %46, %23
  br i1 %47, label %61, label %48, !llvm.loop !12

48:                                               ; preds = %45, %40
  %49 = phi i64 [ 0, %40 ], [ %46, %45 ]
  %50 = getelementptr inbounds nuw i64, ptr %42, i64 %49
  %51 = load i64, ptr %50, align 8
  %52 = getelementptr inbounds nuw i64, ptr %44, i64 %49
  %53 = load i64, ptr %52, align 8
  %54 = icmp eq i64 %51, %53
  br i1 %54, label %45, label %55

55:                                               ; preds = %48, %33, %12, %27, %20
  %56 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 40), align 8
  %57 = tail call ptr @PyObject_Vectorcall(ptr noundef %56, ptr noundef nonnull %1, i64 noundef 2, ptr noundef null) #22
  %58 = icmp eq ptr %57, null
  br i1 %58, label %76, label %59

59:                                               ; preds = %55
  tail call void @Py_DecRef(ptr noundef nonnull %57) #22
  %60 = load ptr, ptr %1, align 8
  br label %61

61:                                               ; preds = %45, %59, %38
  %62 = phi ptr [ %13, %38 ], [ %60, %59 ], [ %13, %45 ]
  tail call void @Py_IncRef(ptr noundef %62) #22
  %63 = load ptr, ptr %1, align 8
  %64 = getelementptr inbounds i8, ptr %63, i64 %14
  %65 = load ptr, ptr %64, align 8
  %66 = load ptr, ptr @python, align 8
  %67 = tail call ptr @_PyObject_New(ptr noundef %66) #22
  %68 = icmp eq ptr %67, null
  br i1 %68, label %74, label %69, !prof !10

69:                                               ; preds = %61
  %70 = getelementptr inbounds i8, ptr %67, i64 %14
  store ptr %65, ptr %70, align 8
  %71 = getelementptr inbounds nuw i8, ptr %70, i64 8
  store ptr %10, ptr %71, align 8
  %72 = getelementptr inbounds nuw i8, ptr %70, i64 16
  store ptr %63, ptr %72, align 8
  %73 = getelementptr inbounds nuw i8, ptr %70, i64 24
  tail call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(24) %73, i8 0, i64 24, i1 false)
  br label %76

74:                                               ; preds = %61
  %75 = load ptr, ptr %1, align 8
  tail call void @Py_DecRef(ptr noundef %75) #22
  br label %76

76:                                               ; preds = %55, %69, %5, %74, %7
  %77 = phi ptr [ null, %7 ], [ null, %5 ], [ null, %74 ], [ %67, %69 ], [ null, %55 ]
  ret ptr %77
}

; Function Attrs: nounwind uwtable(sync)
define ptr @from_numpy(ptr noundef readnone captures(none) %0, ptr noundef %1, i64 noundef %2) local_unnamed_addr #3 {
  %4 = alloca [2 x ptr], align 16
  %5 = icmp eq i64 %2, 2
  br i1 %5, label %8, label %6, !prof !8

6:                                                ; preds = %3
  %7 = load ptr, ptr @PyExc_TypeError, align 8
  tail call void @PyErr_SetString(ptr noundef %7, ptr noundef nonnull @.str.6) #22
  br label %162

8:                                                ; preds = %3
  %9 = getelementptr inbounds nuw i8, ptr %1, i64 8
  %10 = load ptr, ptr %9, align 8
  %11 = tail call fastcc ptr @descriptor_of(ptr noundef %10)
  %12 = icmp eq ptr %11, null
  br i1 %12, label %162, label %13

13:                                               ; preds = %8
  call void @llvm.lifetime.start.p0(ptr nonnull %4) #22
  %14 = load ptr, ptr %1, align 8
  store ptr %14, ptr %4, align 16
  %15 = getelementptr inbounds nuw i8, ptr %4, i64 8
  %16 = load ptr, ptr %9, align 8
  store ptr %16, ptr %15, align 8
  %17 = load i64, ptr @OBJECT_SIZE, align 8
  %18 = getelementptr i8, ptr %14, i64 %17
  %19 = getelementptr i8, ptr %18, i64 -8
  %20 = load ptr, ptr %19, align 8
  %21 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 16), align 8
  %22 = icmp eq ptr %20, %21
  br i1 %22, label %23, label %59

23:                                               ; preds = %13
  %24 = getelementptr i8, ptr %18, i64 8
  %25 = load i32, ptr %24, align 4
  %26 = sext i32 %25 to i64
  %27 = getelementptr inbounds nuw i8, ptr %11, i64 88
  %28 = load i64, ptr %27, align 8
  %29 = icmp eq i64 %28, %26
  br i1 %29, label %30, label %59

30:                                               ; preds = %23
  %31 = getelementptr i8, ptr %18, i64 40
  %32 = load ptr, ptr %31, align 8
  %33 = getelementptr inbounds nuw i8, ptr %11, i64 32
  %34 = load ptr, ptr %33, align 8
  %35 = icmp eq ptr %32, %34
  br i1 %35, label %36, label %59

36:                                               ; preds = %30
  %37 = getelementptr i8, ptr %18, i64 48
  %38 = load i32, ptr %37, align 4
  %39 = and i32 %38, 257
  %40 = icmp eq i32 %39, 257
  br i1 %40, label %41, label %59

41:                                               ; preds = %36
  %42 = icmp slt i32 %25, 1
  br i1 %42, label %58, label %43

43:                                               ; preds = %41
  %44 = getelementptr i8, ptr %18, i64 16
  %45 = load ptr, ptr %44, align 8
  %46 = getelementptr inbounds nuw i8, ptr %11, i64 104
  %47 = load ptr, ptr %46, align 8
  br label %51

48:                                               ; preds = %51
  %49 = add nuw nsw i64 %52, 1
  %50 = icmp eq i64 %49, %26
  br i1 %50, label %58, label %51, !llvm.loop !12

51:                                               ; preds = %48, %43
  %52 = phi i64 [ 0, %43 ], [ %49, %48 ]
  %53 = getelementptr inbounds nuw i64, ptr %45, i64 %52
  %54 = load i64, ptr %53, align 8
  %55 = getelementptr inbounds nuw i64, ptr %47, i64 %52
  %56 = load i64, ptr %55, align 8
  %57 = icmp eq i64 %54, %56
  br i1 %57, label %48, label %59

58:                                               ; preds = %48, %41
  tail call void @Py_IncRef(ptr noundef %14) #22
  br label %109

59:                                               ; preds = %51, %36, %13, %30, %23
  %60 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 64), align 8
  %61 = tail call ptr @PyObject_Vectorcall(ptr noundef %60, ptr noundef nonnull %1, i64 noundef 2, ptr noundef null) #22
  store ptr %61, ptr %4, align 16
  %62 = icmp eq ptr %61, null
  br i1 %62, label %160, label %63

63:                                               ; preds = %59
  %64 = getelementptr i8, ptr %61, i64 %17
  %65 = getelementptr i8, ptr %64, i64 -8
  %66 = load ptr, ptr %65, align 8
  %67 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 16), align 8
  %68 = icmp eq ptr %66, %67
  br i1 %68, label %69, label %104

69:                                               ; preds = %63
  %70 = getelementptr i8, ptr %64, i64 8
  %71 = load i32, ptr %70, align 4
  %72 = sext i32 %71 to i64
  %73 = getelementptr inbounds nuw i8, ptr %11, i64 88
  %74 = load i64, ptr %73, align 8
  %75 = icmp eq i64 %74, %72
  br i1 %75, label %76, label %104

76:                                               ; preds = %69
  %77 = getelementptr i8, ptr %64, i64 40
  %78 = load ptr, ptr %77, align 8
  %79 = getelementptr inbounds nuw i8, ptr %11, i64 32
  %80 = load ptr, ptr %79, align 8
  %81 = icmp eq ptr %78, %80
  br i1 %81, label %82, label %104

82:                                               ; preds = %76
  %83 = getelementptr i8, ptr %64, i64 48
  %84 = load i32, ptr %83, align 4
  %85 = and i32 %84, 257
  %86 = icmp eq i32 %85, 257
  br i1 %86, label %87, label %104

87:                                               ; preds = %82
  %88 = icmp slt i32 %71, 1
  br i1 %88, label %109, label %89

89:                                               ; preds = %87
  %90 = getelementptr i8, ptr %64, i64 16
  %91 = load ptr, ptr %90, align 8
  %92 = getelementptr inbounds nuw i8, ptr %11, i64 104
  %93 = load ptr, ptr %92, align 8
  br label %97

94:                                               ; preds = %97
  %95 = add nuw nsw i64 %98, 1
  %96 = icmp eq i64 %95, %72
  br i1 %96, label %109, label %97, !llvm.loop !12

97:                                               ; preds = %94, %89
  %98 = phi i64 [ 0, %89 ], [ %95, %94 ]
  %99 = getelementptr inbounds nuw i64, ptr %91, i64 %98
  %100 = load i64, ptr %99, align 8
  %101 = getelementptr inbounds nuw i64, ptr %93, i64 %98
  %102 = load i64, ptr %101, align 8
  %103 = icmp eq i64 %100, %102
  br i1 %103, label %94, label %104

104:                                              ; preds = %97, %82, %63, %76, %69
  %105 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 40), align 8
  %106 = call ptr @PyObject_Vectorcall(ptr noundef %105, ptr noundef nonnull %4, i64 noundef 2, ptr noundef null) #22
  %107 = icmp eq ptr %106, null
  br i1 %107, label %157, label %108

108:                                              ; preds = %104
  call void @Py_DecRef(ptr noundef nonnull %106) #22
  br label %109

109:                                              ; preds = %94, %108, %87, %58
  %110 = getelementptr inbounds nuw i8, ptr %11, i64 8
  %111 = load ptr, ptr %110, align 8
  %112 = icmp eq ptr %111, null
  br i1 %112, label %128, label %113

113:                                              ; preds = %109
  %114 = load ptr, ptr %111, align 8
  %115 = icmp eq ptr %114, null
  br i1 %115, label %125, label %116, !prof !10

116:                                              ; preds = %113
  %117 = load ptr, ptr %114, align 8
  store ptr %117, ptr %111, align 8
  %118 = getelementptr inbounds nuw i8, ptr %111, i64 8
  %119 = load i64, ptr %118, align 8
  %120 = add nsw i64 %119, -1
  store i64 %120, ptr %118, align 8
  %121 = getelementptr inbounds nuw i8, ptr %111, i64 24
  %122 = load i64, ptr %121, align 8
  %123 = load i64, ptr @pool_idle, align 8
  %124 = sub nsw i64 %123, %122
  store i64 %124, ptr @pool_idle, align 8
  br label %142

125:                                              ; preds = %113
  %126 = call fastcc ptr @pool_grow(ptr noundef nonnull %111)
  %127 = icmp eq ptr %126, null
  br i1 %127, label %128, label %142, !prof !11

128:                                              ; preds = %125, %109
  %129 = load i64, ptr %11, align 8
  %130 = call ptr @PyErr_Occurred() #22
  %131 = icmp eq ptr %130, null
  br i1 %131, label %132, label %157

132:                                              ; preds = %128
  %133 = call ptr @PyLong_FromSsize_t(i64 noundef %129) #22
  %134 = icmp eq ptr %133, null
  br i1 %134, label %157, label %135

135:                                              ; preds = %132
  %136 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 56), align 8
  %137 = call ptr @PyObject_CallOneArg(ptr noundef %136, ptr noundef nonnull %133) #22
  %138 = icmp eq ptr %137, null
  br i1 %138, label %141, label %139

139:                                              ; preds = %135
  call void @Py_DecRef(ptr noundef nonnull %137) #22
  %140 = load ptr, ptr @PyExc_RuntimeError, align 8
  call void @PyErr_SetString(ptr noundef %140, ptr noundef nonnull @.str.5) #22
  br label %141

141:                                              ; preds = %139, %135
  call void @Py_DecRef(ptr noundef nonnull %133) #22
  br label %157

142:                                              ; preds = %125, %116
  %143 = phi ptr [ %114, %116 ], [ %126, %125 ]
  %144 = load ptr, ptr @python, align 8
  %145 = call ptr @_PyObject_New(ptr noundef %144) #22
  %146 = icmp eq ptr %145, null
  br i1 %146, label %147, label %149, !prof !10

147:                                              ; preds = %142
  %148 = load ptr, ptr %110, align 8
  call fastcc void @pool_give(ptr noundef %148, ptr noundef nonnull %143)
  br label %157

149:                                              ; preds = %142
  %150 = getelementptr inbounds i8, ptr %145, i64 %17
  store ptr %143, ptr %150, align 8
  %151 = getelementptr inbounds nuw i8, ptr %150, i64 8
  store ptr %11, ptr %151, align 8
  %152 = getelementptr inbounds nuw i8, ptr %150, i64 16
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(32) %152, i8 0, i64 32, i1 false)
  %153 = load ptr, ptr %4, align 16
  %154 = getelementptr inbounds i8, ptr %153, i64 %17
  %155 = load ptr, ptr %154, align 8
  %156 = load i64, ptr %11, align 8
  call void @llvm.memcpy.p0.p0.i64(ptr nonnull align 1 %143, ptr align 1 %155, i64 %156, i1 false)
  br label %157

157:                                              ; preds = %149, %147, %128, %132, %141, %104
  %158 = phi ptr [ null, %104 ], [ %145, %149 ], [ null, %147 ], [ null, %128 ], [ null, %132 ], [ null, %141 ]
  %159 = load ptr, ptr %4, align 16
  call void @Py_DecRef(ptr noundef %159) #22
  br label %160

160:                                              ; preds = %157, %59
  %161 = phi ptr [ null, %59 ], [ %158, %157 ]
  call void @llvm.lifetime.end.p0(ptr nonnull %4) #22
  br label %162

162:                                              ; preds = %6, %8, %160
  %163 = phi ptr [ %161, %160 ], [ null, %8 ], [ null, %6 ]
  ret ptr %163
}

declare ptr @PyObject_Vectorcall(ptr noundef, ptr noundef, i64 noundef, ptr noundef) local_unnamed_addr #4

; Function Attrs: mustprogress nocallback nofree nounwind willreturn memory(argmem: readwrite)
declare void @llvm.memcpy.p0.p0.i64(ptr noalias writeonly captures(none), ptr noalias readonly captures(none), i64, i1 immarg) #6

; Function Attrs: nounwind uwtable(sync)
define ptr @view(ptr noundef readnone captures(none) %0, ptr noundef readonly captures(none) %1, i64 noundef %2) local_unnamed_addr #3 {
  %4 = icmp eq i64 %2, 1
  br i1 %4, label %5, label %13, !prof !8

5:                                                ; preds = %3
  %6 = load ptr, ptr %1, align 8
  %7 = load i64, ptr @OBJECT_SIZE, align 8
  %8 = getelementptr i8, ptr %6, i64 %7
  %9 = getelementptr i8, ptr %8, i64 -8
  %10 = load ptr, ptr %9, align 8
  %11 = load ptr, ptr @python, align 8
  %12 = icmp eq ptr %10, %11
  br i1 %12, label %16, label %13

13:                                               ; preds = %5, %3
  %14 = phi ptr [ @.str.6, %3 ], [ @.str.7, %5 ]
  %15 = load ptr, ptr @PyExc_TypeError, align 8
  tail call void @PyErr_SetString(ptr noundef %15, ptr noundef nonnull %14) #22
  br label %48

16:                                               ; preds = %5
  %17 = load ptr, ptr %8, align 8
  %18 = icmp eq ptr %17, null
  br i1 %18, label %19, label %21, !prof !10

19:                                               ; preds = %16
  %20 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 48), align 8
  tail call fastcc void @complain(ptr noundef %20, ptr noundef nonnull %6)
  br label %48

21:                                               ; preds = %16
  %22 = getelementptr inbounds nuw i8, ptr %8, i64 44
  store i32 1, ptr %22, align 4
  %23 = load ptr, ptr %1, align 8
  %24 = getelementptr inbounds i8, ptr %23, i64 %7
  %25 = getelementptr inbounds nuw i8, ptr %24, i64 8
  %26 = load ptr, ptr %25, align 8
  %27 = getelementptr inbounds nuw i8, ptr %26, i64 88
  %28 = load i64, ptr %27, align 8
  %29 = icmp eq i64 %28, 0
  %30 = select i1 %29, i32 259, i32 257
  %31 = getelementptr inbounds nuw i8, ptr %26, i64 32
  %32 = load ptr, ptr %31, align 8
  tail call void @Py_IncRef(ptr noundef %32) #22
  %33 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 96), align 8
  %34 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 16), align 8
  %35 = load ptr, ptr %31, align 8
  %36 = load i64, ptr %27, align 8
  %37 = trunc i64 %36 to i32
  %38 = getelementptr inbounds nuw i8, ptr %26, i64 104
  %39 = load ptr, ptr %38, align 8
  %40 = load ptr, ptr %24, align 8
  %41 = tail call ptr %33(ptr noundef %34, ptr noundef %35, i32 noundef %37, ptr noundef %39, ptr noundef null, ptr noundef %40, i32 noundef %30, ptr noundef null) #22
  %42 = icmp eq ptr %41, null
  br i1 %42, label %48, label %43

43:                                               ; preds = %21
  tail call void @Py_IncRef(ptr noundef nonnull %23) #22
  %44 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 104), align 8
  %45 = tail call i32 %44(ptr noundef nonnull %41, ptr noundef nonnull %23) #22
  %46 = icmp slt i32 %45, 0
  br i1 %46, label %47, label %48

47:                                               ; preds = %43
  tail call void @Py_DecRef(ptr noundef nonnull %41) #22
  br label %48

48:                                               ; preds = %19, %13, %47, %43, %21
  %49 = phi ptr [ %41, %43 ], [ null, %19 ], [ null, %47 ], [ null, %21 ], [ null, %13 ]
  ret ptr %49
}

; Function Attrs: nounwind uwtable(sync)
define ptr @writable(ptr noundef readnone captures(none) %0, ptr noundef readonly captures(none) %1, i64 noundef %2) local_unnamed_addr #3 {
  %4 = icmp eq i64 %2, 1
  br i1 %4, label %5, label %13, !prof !8

5:                                                ; preds = %3
  %6 = load ptr, ptr %1, align 8
  %7 = load i64, ptr @OBJECT_SIZE, align 8
  %8 = getelementptr i8, ptr %6, i64 %7
  %9 = getelementptr i8, ptr %8, i64 -8
  %10 = load ptr, ptr %9, align 8
  %11 = load ptr, ptr @python, align 8
  %12 = icmp eq ptr %10, %11
  br i1 %12, label %16, label %13

13:                                               ; preds = %5, %3
  %14 = phi ptr [ @.str.6, %3 ], [ @.str.7, %5 ]
  %15 = load ptr, ptr @PyExc_TypeError, align 8
  tail call void @PyErr_SetString(ptr noundef %15, ptr noundef nonnull %14) #22
  br label %48

16:                                               ; preds = %5
  %17 = load ptr, ptr %8, align 8
  %18 = icmp eq ptr %17, null
  br i1 %18, label %19, label %21, !prof !10

19:                                               ; preds = %16
  %20 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 48), align 8
  tail call fastcc void @complain(ptr noundef %20, ptr noundef nonnull %6)
  br label %48

21:                                               ; preds = %16
  %22 = getelementptr inbounds nuw i8, ptr %8, i64 44
  store i32 1, ptr %22, align 4
  %23 = load ptr, ptr %1, align 8
  %24 = getelementptr inbounds i8, ptr %23, i64 %7
  %25 = getelementptr inbounds nuw i8, ptr %24, i64 8
  %26 = load ptr, ptr %25, align 8
  %27 = getelementptr inbounds nuw i8, ptr %26, i64 88
  %28 = load i64, ptr %27, align 8
  %29 = icmp eq i64 %28, 0
  %30 = select i1 %29, i32 1283, i32 1281
  %31 = getelementptr inbounds nuw i8, ptr %26, i64 32
  %32 = load ptr, ptr %31, align 8
  tail call void @Py_IncRef(ptr noundef %32) #22
  %33 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 96), align 8
  %34 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 16), align 8
  %35 = load ptr, ptr %31, align 8
  %36 = load i64, ptr %27, align 8
  %37 = trunc i64 %36 to i32
  %38 = getelementptr inbounds nuw i8, ptr %26, i64 104
  %39 = load ptr, ptr %38, align 8
  %40 = load ptr, ptr %24, align 8
  %41 = tail call ptr %33(ptr noundef %34, ptr noundef %35, i32 noundef %37, ptr noundef %39, ptr noundef null, ptr noundef %40, i32 noundef %30, ptr noundef null) #22
  %42 = icmp eq ptr %41, null
  br i1 %42, label %48, label %43

43:                                               ; preds = %21
  tail call void @Py_IncRef(ptr noundef nonnull %23) #22
  %44 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 104), align 8
  %45 = tail call i32 %44(ptr noundef nonnull %41, ptr noundef nonnull %23) #22
  %46 = icmp slt i32 %45, 0
  br i1 %46, label %47, label %48

47:                                               ; preds = %43
  tail call void @Py_DecRef(ptr noundef nonnull %41) #22
  br label %48

48:                                               ; preds = %19, %13, %47, %43, %21
  %49 = phi ptr [ %41, %43 ], [ null, %19 ], [ null, %47 ], [ null, %21 ], [ null, %13 ]
  ret ptr %49
}

; Function Attrs: nounwind uwtable(sync)
define ptr @address(ptr noundef readnone captures(none) %0, ptr noundef readonly captures(none) %1, i64 noundef %2) local_unnamed_addr #3 {
  %4 = icmp eq i64 %2, 1
  br i1 %4, label %5, label %13, !prof !8

5:                                                ; preds = %3
  %6 = load ptr, ptr %1, align 8
  %7 = load i64, ptr @OBJECT_SIZE, align 8
  %8 = getelementptr i8, ptr %6, i64 %7
  %9 = getelementptr i8, ptr %8, i64 -8
  %10 = load ptr, ptr %9, align 8
  %11 = load ptr, ptr @python, align 8
  %12 = icmp eq ptr %10, %11
  br i1 %12, label %16, label %13

13:                                               ; preds = %5, %3
  %14 = phi ptr [ @.str.6, %3 ], [ @.str.7, %5 ]
  %15 = load ptr, ptr @PyExc_TypeError, align 8
  tail call void @PyErr_SetString(ptr noundef %15, ptr noundef nonnull %14) #22
  br label %24

16:                                               ; preds = %5
  %17 = load ptr, ptr %8, align 8
  %18 = icmp eq ptr %17, null
  br i1 %18, label %19, label %21, !prof !10

19:                                               ; preds = %16
  %20 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 48), align 8
  tail call fastcc void @complain(ptr noundef %20, ptr noundef nonnull %6)
  br label %24

21:                                               ; preds = %16
  %22 = ptrtoint ptr %17 to i64
  %23 = tail call ptr @PyLong_FromSsize_t(i64 noundef %22) #22
  br label %24

24:                                               ; preds = %19, %13, %21
  %25 = phi ptr [ %23, %21 ], [ null, %19 ], [ null, %13 ]
  ret ptr %25
}

; Function Attrs: nounwind uwtable(sync)
define noundef ptr @delete_array(ptr noundef readnone captures(none) %0, ptr noundef readonly captures(none) %1, i64 noundef %2) local_unnamed_addr #3 {
  %4 = icmp eq i64 %2, 1
  br i1 %4, label %5, label %13, !prof !8

5:                                                ; preds = %3
  %6 = load ptr, ptr %1, align 8
  %7 = load i64, ptr @OBJECT_SIZE, align 8
  %8 = getelementptr i8, ptr %6, i64 %7
  %9 = getelementptr i8, ptr %8, i64 -8
  %10 = load ptr, ptr %9, align 8
  %11 = load ptr, ptr @python, align 8
  %12 = icmp eq ptr %10, %11
  br i1 %12, label %16, label %13

13:                                               ; preds = %3, %5
  %14 = phi ptr [ @.str.6, %3 ], [ @.str.7, %5 ]
  %15 = load ptr, ptr @PyExc_TypeError, align 8
  tail call void @PyErr_SetString(ptr noundef %15, ptr noundef nonnull %14) #22
  br label %58

16:                                               ; preds = %5
  %17 = load ptr, ptr %8, align 8
  %18 = icmp eq ptr %17, null
  br i1 %18, label %57, label %19

19:                                               ; preds = %16
  store ptr null, ptr %8, align 8
  %20 = getelementptr inbounds nuw i8, ptr %8, i64 40
  %21 = load i32, ptr %20, align 8
  %22 = icmp eq i32 %21, 0
  br i1 %22, label %23, label %27

23:                                               ; preds = %19
  %24 = getelementptr inbounds nuw i8, ptr %8, i64 44
  %25 = load i32, ptr %24, align 4
  %26 = icmp eq i32 %25, 0
  br i1 %26, label %29, label %27

27:                                               ; preds = %23, %19
  %28 = getelementptr inbounds nuw i8, ptr %8, i64 32
  store ptr %17, ptr %28, align 8
  br label %57

29:                                               ; preds = %23
  %30 = getelementptr inbounds nuw i8, ptr %8, i64 16
  %31 = load ptr, ptr %30, align 8
  %32 = icmp eq ptr %31, null
  br i1 %32, label %34, label %33

33:                                               ; preds = %29
  store ptr null, ptr %30, align 8
  tail call void @Py_DecRef(ptr noundef nonnull %31) #22
  br label %57

34:                                               ; preds = %29
  %35 = getelementptr inbounds nuw i8, ptr %8, i64 8
  %36 = load ptr, ptr %35, align 8
  %37 = getelementptr inbounds nuw i8, ptr %36, i64 8
  %38 = load ptr, ptr %37, align 8
  %39 = getelementptr inbounds nuw i8, ptr %38, i64 8
  %40 = load i64, ptr %39, align 8
  %41 = getelementptr inbounds nuw i8, ptr %38, i64 16
  %42 = load i64, ptr %41, align 8
  %43 = icmp slt i64 %40, %42
  br i1 %43, label %44, label %50, !prof !8

44:                                               ; preds = %34
  %45 = load i64, ptr @pool_idle, align 8
  %46 = getelementptr inbounds nuw i8, ptr %38, i64 24
  %47 = load i64, ptr %46, align 8
  %48 = add nsw i64 %47, %45
  %49 = icmp sgt i64 %48, 536870912
  br i1 %49, label %50, label %51, !prof !10

50:                                               ; preds = %44, %34
  tail call void @free(ptr noundef nonnull %17)
  br label %57

51:                                               ; preds = %44
  %52 = load ptr, ptr %38, align 8
  store ptr %52, ptr %17, align 8
  store ptr %17, ptr %38, align 8
  %53 = load i64, ptr %39, align 8
  %54 = add nsw i64 %53, 1
  store i64 %54, ptr %39, align 8
  %55 = load i64, ptr %46, align 8
  %56 = add nsw i64 %55, %45
  store i64 %56, ptr @pool_idle, align 8
  br label %57

57:                                               ; preds = %16, %27, %33, %50, %51
  tail call void @Py_IncRef(ptr noundef nonnull @_Py_NoneStruct) #22
  br label %58

58:                                               ; preds = %13, %57
  %59 = phi ptr [ @_Py_NoneStruct, %57 ], [ null, %13 ]
  ret ptr %59
}

; Function Attrs: nounwind uwtable(sync)
define noundef ptr @is_deleted(ptr noundef readnone captures(none) %0, ptr noundef readonly captures(none) %1, i64 noundef %2) local_unnamed_addr #3 {
  %4 = icmp eq i64 %2, 1
  br i1 %4, label %5, label %13, !prof !8

5:                                                ; preds = %3
  %6 = load ptr, ptr %1, align 8
  %7 = load i64, ptr @OBJECT_SIZE, align 8
  %8 = getelementptr i8, ptr %6, i64 %7
  %9 = getelementptr i8, ptr %8, i64 -8
  %10 = load ptr, ptr %9, align 8
  %11 = load ptr, ptr @python, align 8
  %12 = icmp eq ptr %10, %11
  br i1 %12, label %16, label %13

13:                                               ; preds = %3, %5
  %14 = phi ptr [ @.str.6, %3 ], [ @.str.7, %5 ]
  %15 = load ptr, ptr @PyExc_TypeError, align 8
  tail call void @PyErr_SetString(ptr noundef %15, ptr noundef nonnull %14) #22
  br label %20

16:                                               ; preds = %5
  %17 = load ptr, ptr %8, align 8
  %18 = icmp eq ptr %17, null
  %19 = select i1 %18, ptr @_Py_TrueStruct, ptr @_Py_FalseStruct
  tail call void @Py_IncRef(ptr noundef nonnull %19) #22
  br label %20

20:                                               ; preds = %13, %16
  %21 = phi ptr [ %19, %16 ], [ null, %13 ]
  ret ptr %21
}

; Function Attrs: mustprogress nofree norecurse nosync nounwind willreturn memory(none) uwtable(sync)
define range(i64 -9223372036854775464, -9223372036854775808) i64 @group_bytes(i64 noundef %0) local_unnamed_addr #7 {
  %2 = shl nsw i64 %0, 6
  %3 = add nsw i64 %2, 344
  ret i64 %3
}

; Function Attrs: nounwind uwtable(sync)
define void @group_start(ptr noundef initializes((0, 8), (32, 48)) %0, i64 noundef %1, i64 noundef %2, i64 noundef %3) local_unnamed_addr #3 {
  %5 = shl nsw i64 %1, 6
  %6 = add nsw i64 %5, 344
  tail call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(1) %0, i8 0, i64 %6, i1 false)
  store i64 %1, ptr %0, align 8
  %7 = getelementptr inbounds nuw i8, ptr %0, i64 32
  store i64 %2, ptr %7, align 8
  %8 = getelementptr inbounds nuw i8, ptr %0, i64 40
  store i64 %3, ptr %8, align 8
  %9 = icmp sgt i64 %1, 0
  br i1 %9, label %10, label %28

10:                                               ; preds = %4
  %11 = and i64 %1, 7
  %12 = icmp ult i64 %1, 8
  br i1 %12, label %17, label %13

13:                                               ; preds = %10
  %14 = and i64 %1, 9223372036854775800
  br label %33

15:                                               ; preds = %33
  %16 = icmp eq i64 %11, 0
  br i1 %16, label %28, label %17

17:                                               ; preds = %15, %10
  %18 = phi i64 [ 0, %10 ], [ %52, %15 ]
  %19 = icmp ne i64 %11, 0
  tail call void @llvm.assume(i1 %19)
  br label %20

20:                                               ; preds = %20, %17
  %21 = phi i64 [ %25, %20 ], [ %18, %17 ]
  %22 = phi i64 [ %26, %20 ], [ 0, %17 ]
  %23 = getelementptr inbounds nuw %struct.device_slot, ptr %0, i64 %21
  %24 = getelementptr inbounds nuw i8, ptr %23, i64 352
  store i64 -1, ptr %24, align 8
  %25 = add nuw nsw i64 %21, 1
  %26 = add i64 %22, 1
  %27 = icmp eq i64 %26, %11
  br i1 %27, label %28, label %20, !llvm.loop !13

28:                                               ; preds = %15, %20, %4
  %29 = getelementptr inbounds nuw i8, ptr %0, i64 88
  %30 = tail call i32 @pthread_mutex_init(ptr noundef nonnull %29, ptr noundef null) #22
  %31 = getelementptr inbounds nuw i8, ptr %0, i64 216
  %32 = tail call i32 @pthread_cond_init(ptr noundef nonnull %31, ptr noundef null) #22
  ret void

33:                                               ; preds = %33, %13
  %34 = phi i64 [ 0, %13 ], [ %52, %33 ]
  %35 = phi i64 [ 0, %13 ], [ %53, %33 ]
  %36 = getelementptr inbounds nuw %struct.device_slot, ptr %0, i64 %34
  %37 = getelementptr inbounds nuw i8, ptr %36, i64 352
  store i64 -1, ptr %37, align 8
  %38 = getelementptr inbounds nuw %struct.device_slot, ptr %0, i64 %34
  %39 = getelementptr inbounds nuw i8, ptr %38, i64 416
  store i64 -1, ptr %39, align 8
  %40 = getelementptr inbounds nuw %struct.device_slot, ptr %0, i64 %34
  %41 = getelementptr inbounds nuw i8, ptr %40, i64 480
  store i64 -1, ptr %41, align 8
  %42 = getelementptr inbounds nuw %struct.device_slot, ptr %0, i64 %34
  %43 = getelementptr inbounds nuw i8, ptr %42, i64 544
  store i64 -1, ptr %43, align 8
  %44 = getelementptr inbounds nuw %struct.device_slot, ptr %0, i64 %34
  %45 = getelementptr inbounds nuw i8, ptr %44, i64 608
  store i64 -1, ptr %45, align 8
  %46 = getelementptr inbounds nuw %struct.device_slot, ptr %0, i64 %34
  %47 = getelementptr inbounds nuw i8, ptr %46, i64 672
  store i64 -1, ptr %47, align 8
  %48 = getelementptr inbounds nuw %struct.device_slot, ptr %0, i64 %34
  %49 = getelementptr inbounds nuw i8, ptr %48, i64 736
  store i64 -1, ptr %49, align 8
  %50 = getelementptr inbounds nuw %struct.device_slot, ptr %0, i64 %34
  %51 = getelementptr inbounds nuw i8, ptr %50, i64 800
  store i64 -1, ptr %51, align 8
  %52 = add nuw nsw i64 %34, 8
  %53 = add i64 %35, 8
  %54 = icmp eq i64 %53, %14
  br i1 %54, label %15, label %33, !llvm.loop !15
}

; Function Attrs: mustprogress nocallback nofree nounwind willreturn memory(argmem: write)
declare void @llvm.memset.p0.i64(ptr writeonly captures(none), i8, i64, i1 immarg) #8

; Function Attrs: nounwind uwtable(sync)
define void @group_end(ptr noundef %0) local_unnamed_addr #3 {
  %2 = getelementptr inbounds nuw i8, ptr %0, i64 88
  %3 = getelementptr inbounds nuw i8, ptr %0, i64 216
  %4 = tail call i32 @pthread_cond_destroy(ptr noundef nonnull %3) #22
  %5 = tail call i32 @pthread_mutex_destroy(ptr noundef nonnull %2) #22
  ret void
}

declare i32 @pthread_cond_destroy(ptr noundef) local_unnamed_addr #4

declare i32 @pthread_mutex_destroy(ptr noundef) local_unnamed_addr #4

; Function Attrs: nounwind uwtable(sync)
define void @group_stop(ptr noundef %0, i64 noundef %1, i64 noundef %2, i64 noundef %3) local_unnamed_addr #3 {
  %5 = getelementptr inbounds nuw i8, ptr %0, i64 8
  %6 = cmpxchg ptr %5, i64 0, i64 %2 seq_cst seq_cst, align 8
  %7 = extractvalue { i64, i1 } %6, 1
  br i1 %7, label %8, label %11

8:                                                ; preds = %4
  %9 = getelementptr inbounds nuw i8, ptr %0, i64 16
  store i64 %1, ptr %9, align 8
  %10 = getelementptr inbounds nuw i8, ptr %0, i64 24
  store i64 %3, ptr %10, align 8
  br label %11

11:                                               ; preds = %8, %4
  %12 = getelementptr inbounds nuw i8, ptr %0, i64 88
  %13 = tail call i32 @pthread_mutex_lock(ptr noundef nonnull %12) #22
  %14 = getelementptr inbounds nuw i8, ptr %0, i64 216
  %15 = tail call i32 @pthread_cond_broadcast(ptr noundef nonnull %14) #22
  %16 = tail call i32 @pthread_mutex_unlock(ptr noundef nonnull %12) #22
  ret void
}

; Function Attrs: nounwind uwtable(sync)
define range(i32 -1, 1) i32 @group_meet(ptr noundef %0, i64 noundef %1, i64 noundef %2) local_unnamed_addr #3 {
  %4 = alloca i32, align 4
  %5 = alloca %struct.timespec_t, align 8
  %6 = alloca %struct.timespec_t, align 8
  %7 = alloca %struct.timespec_t, align 8
  %8 = alloca %struct.timespec_t, align 8
  %9 = getelementptr inbounds nuw i8, ptr %0, i64 8
  %10 = load atomic i64, ptr %9 seq_cst, align 8
  %11 = icmp eq i64 %10, 0
  br i1 %11, label %12, label %201

12:                                               ; preds = %3
  %13 = icmp eq i64 %1, 0
  br i1 %13, label %14, label %51

14:                                               ; preds = %12
  %15 = getelementptr inbounds nuw i8, ptr %0, i64 72
  %16 = load i64, ptr %15, align 8
  %17 = add nsw i64 %16, 1
  store i64 %17, ptr %15, align 8
  %18 = and i64 %17, 63
  %19 = icmp eq i64 %18, 0
  br i1 %19, label %20, label %51

20:                                               ; preds = %14
  call void @llvm.lifetime.start.p0(ptr nonnull %8) #22
  %21 = call i32 @clock_gettime(i32 noundef 1, ptr noundef nonnull %8) #22
  %22 = load i64, ptr %8, align 8
  %23 = mul nsw i64 %22, 1000000000
  %24 = getelementptr inbounds nuw i8, ptr %8, i64 8
  %25 = load i64, ptr %24, align 8
  %26 = add nsw i64 %23, %25
  call void @llvm.lifetime.end.p0(ptr nonnull %8) #22
  %27 = getelementptr inbounds nuw i8, ptr %0, i64 80
  %28 = load i64, ptr %27, align 8
  %29 = sub nsw i64 %26, %28
  %30 = icmp slt i64 %29, 50000000
  br i1 %30, label %51, label %31

31:                                               ; preds = %20
  store i64 %26, ptr %27, align 8
  %32 = getelementptr inbounds nuw i8, ptr %0, i64 40
  %33 = load i64, ptr %32, align 8
  %34 = icmp eq i64 %33, 0
  br i1 %34, label %51, label %35

35:                                               ; preds = %31
  %36 = call i32 @PyGILState_Ensure() #22
  %37 = call i32 @PyErr_CheckSignals() #22
  call void @PyGILState_Release(i32 noundef %36) #22
  %38 = icmp eq i32 %37, 0
  br i1 %38, label %51, label %39

39:                                               ; preds = %35
  %40 = cmpxchg ptr %9, i64 0, i64 2 seq_cst seq_cst, align 8
  %41 = extractvalue { i64, i1 } %40, 1
  br i1 %41, label %42, label %45

42:                                               ; preds = %39
  %43 = getelementptr inbounds nuw i8, ptr %0, i64 16
  store i64 0, ptr %43, align 8
  %44 = getelementptr inbounds nuw i8, ptr %0, i64 24
  store i64 -1, ptr %44, align 8
  br label %45

45:                                               ; preds = %39, %42
  %46 = getelementptr inbounds nuw i8, ptr %0, i64 88
  %47 = call i32 @pthread_mutex_lock(ptr noundef nonnull %46) #22
  %48 = getelementptr inbounds nuw i8, ptr %0, i64 216
  %49 = call i32 @pthread_cond_broadcast(ptr noundef nonnull %48) #22
  %50 = call i32 @pthread_mutex_unlock(ptr noundef nonnull %46) #22
  br label %201

51:                                               ; preds = %12, %14, %20, %31, %35
  %52 = getelementptr inbounds nuw i8, ptr %0, i64 56
  %53 = load atomic i64, ptr %52 seq_cst, align 8
  %54 = getelementptr %struct.device_slot, ptr %0, i64 %1
  %55 = getelementptr i8, ptr %54, i64 352
  store atomic i64 %2, ptr %55 seq_cst, align 8
  %56 = getelementptr inbounds nuw i8, ptr %0, i64 48
  %57 = atomicrmw add ptr %56, i64 1 seq_cst, align 8
  %58 = add i64 %57, 1
  %59 = load i64, ptr %0, align 8
  %60 = icmp eq i64 %58, %59
  br i1 %60, label %64, label %61

61:                                               ; preds = %51
  %62 = load atomic i64, ptr %52 seq_cst, align 8
  %63 = icmp eq i64 %62, %53
  br i1 %63, label %99, label %200

64:                                               ; preds = %51
  %65 = getelementptr inbounds nuw i8, ptr %0, i64 344
  %66 = getelementptr inbounds %struct.device_slot, ptr %65, i64 %1
  %67 = getelementptr inbounds nuw i8, ptr %66, i64 8
  %68 = load i64, ptr %67, align 8
  %69 = icmp ult i64 %57, 9223372036854775807
  br i1 %69, label %74, label %86

70:                                               ; preds = %74
  %71 = add nuw nsw i64 %75, 1
  %72 = load i64, ptr %0, align 8
  %73 = icmp slt i64 %71, %72
  br i1 %73, label %74, label %86, !llvm.loop !16

74:                                               ; preds = %64, %70
  %75 = phi i64 [ %71, %70 ], [ 0, %64 ]
  %76 = getelementptr inbounds nuw %struct.device_slot, ptr %65, i64 %75
  %77 = getelementptr inbounds nuw i8, ptr %76, i64 8
  %78 = load atomic i64, ptr %77 seq_cst, align 8
  %79 = icmp eq i64 %78, %68
  br i1 %79, label %70, label %80

80:                                               ; preds = %74
  %81 = cmpxchg ptr %9, i64 0, i64 4 seq_cst seq_cst, align 8
  %82 = extractvalue { i64, i1 } %81, 1
  br i1 %82, label %83, label %92

83:                                               ; preds = %80
  %84 = getelementptr inbounds nuw i8, ptr %0, i64 16
  store i64 %1, ptr %84, align 8
  %85 = getelementptr inbounds nuw i8, ptr %0, i64 24
  store i64 -1, ptr %85, align 8
  br label %92

86:                                               ; preds = %70, %64
  store atomic i64 0, ptr %56 seq_cst, align 8
  store atomic i64 -1, ptr %67 seq_cst, align 8
  %87 = load i64, ptr %52, align 8
  %88 = add nsw i64 %87, 1
  store atomic i64 %88, ptr %52 seq_cst, align 8
  %89 = getelementptr inbounds nuw i8, ptr %0, i64 64
  %90 = load atomic i64, ptr %89 seq_cst, align 8
  %91 = icmp eq i64 %90, 0
  br i1 %91, label %201, label %92

92:                                               ; preds = %86, %83, %80
  %93 = phi i32 [ -1, %83 ], [ -1, %80 ], [ 0, %86 ]
  %94 = getelementptr inbounds nuw i8, ptr %0, i64 88
  %95 = call i32 @pthread_mutex_lock(ptr noundef nonnull %94) #22
  %96 = getelementptr inbounds nuw i8, ptr %0, i64 216
  %97 = call i32 @pthread_cond_broadcast(ptr noundef nonnull %96) #22
  %98 = call i32 @pthread_mutex_unlock(ptr noundef nonnull %94) #22
  br label %201

99:                                               ; preds = %61, %196
  %100 = phi i64 [ %197, %196 ], [ 0, %61 ]
  %101 = load atomic i64, ptr %9 seq_cst, align 8
  %102 = icmp eq i64 %101, 0
  br i1 %102, label %103, label %201

103:                                              ; preds = %99
  %104 = icmp eq i64 %100, 4000
  br i1 %104, label %105, label %183

105:                                              ; preds = %103
  call void @llvm.lifetime.start.p0(ptr nonnull %7) #22
  %106 = call i32 @clock_gettime(i32 noundef 1, ptr noundef nonnull %7) #22
  %107 = load i64, ptr %7, align 8
  %108 = getelementptr inbounds nuw i8, ptr %7, i64 8
  %109 = load i64, ptr %108, align 8
  call void @llvm.lifetime.end.p0(ptr nonnull %7) #22
  %110 = getelementptr inbounds nuw i8, ptr %0, i64 88
  %111 = call i32 @pthread_mutex_lock(ptr noundef nonnull %110) #22
  %112 = getelementptr inbounds nuw i8, ptr %0, i64 64
  %113 = atomicrmw add ptr %112, i64 1 seq_cst, align 8
  %114 = load atomic i64, ptr %52 seq_cst, align 8
  %115 = icmp eq i64 %114, %53
  br i1 %115, label %116, label %178

116:                                              ; preds = %105
  %117 = getelementptr inbounds nuw i8, ptr %6, i64 8
  %118 = getelementptr inbounds nuw i8, ptr %0, i64 216
  %119 = getelementptr inbounds nuw i8, ptr %0, i64 40
  %120 = icmp ne i64 %1, 0
  %121 = getelementptr inbounds nuw i8, ptr %0, i64 16
  %122 = getelementptr inbounds nuw i8, ptr %0, i64 24
  %123 = getelementptr inbounds nuw i8, ptr %5, i64 8
  %124 = getelementptr inbounds nuw i8, ptr %0, i64 32
  br label %125

125:                                              ; preds = %174, %116
  %126 = load atomic i64, ptr %9 seq_cst, align 8
  %127 = icmp eq i64 %126, 0
  br i1 %127, label %128, label %178

128:                                              ; preds = %125
  call void @llvm.lifetime.start.p0(ptr nonnull %6) #22
  %129 = call i32 @clock_gettime(i32 noundef 0, ptr noundef nonnull %6) #22
  %130 = load i64, ptr %117, align 8
  %131 = add nsw i64 %130, 50000000
  store i64 %131, ptr %117, align 8
  %132 = icmp sgt i64 %130, 949999999
  br i1 %132, label %133, label %137

133:                                              ; preds = %128
  %134 = add nsw i64 %130, -950000000
  store i64 %134, ptr %117, align 8
  %135 = load i64, ptr %6, align 8
  %136 = add nsw i64 %135, 1
  store i64 %136, ptr %6, align 8
  br label %137

137:                                              ; preds = %133, %128
  %138 = call i32 @pthread_cond_timedwait(ptr noundef nonnull %118, ptr noundef nonnull %110, ptr noundef nonnull %6) #22
  call void @llvm.lifetime.end.p0(ptr nonnull %6) #22
  %139 = load atomic i64, ptr %52 seq_cst, align 8
  %140 = icmp eq i64 %139, %53
  br i1 %140, label %141, label %178

141:                                              ; preds = %137
  %142 = load atomic i64, ptr %9 seq_cst, align 8
  %143 = icmp eq i64 %142, 0
  br i1 %143, label %144, label %178

144:                                              ; preds = %141
  %145 = call i32 @pthread_mutex_unlock(ptr noundef nonnull %110) #22
  %146 = load i64, ptr %119, align 8
  %147 = icmp eq i64 %146, 0
  %148 = or i1 %120, %147
  br i1 %148, label %156, label %149

149:                                              ; preds = %144
  %150 = call i32 @PyGILState_Ensure() #22
  %151 = call i32 @PyErr_CheckSignals() #22
  call void @PyGILState_Release(i32 noundef %150) #22
  %152 = icmp eq i32 %151, 0
  br i1 %152, label %156, label %153

153:                                              ; preds = %149
  %154 = cmpxchg ptr %9, i64 0, i64 2 seq_cst seq_cst, align 8
  %155 = extractvalue { i64, i1 } %154, 1
  br i1 %155, label %169, label %170

156:                                              ; preds = %149, %144
  call void @llvm.lifetime.start.p0(ptr nonnull %5) #22
  %157 = call i32 @clock_gettime(i32 noundef 1, ptr noundef nonnull %5) #22
  %158 = load i64, ptr %5, align 8
  %159 = load i64, ptr %123, align 8
  call void @llvm.lifetime.end.p0(ptr nonnull %5) #22
  %160 = sub i64 %158, %107
  %161 = mul i64 %160, 1000000000
  %162 = sub i64 %159, %109
  %163 = add i64 %162, %161
  %164 = load i64, ptr %124, align 8
  %165 = icmp sgt i64 %163, %164
  br i1 %165, label %166, label %174

166:                                              ; preds = %156
  %167 = cmpxchg ptr %9, i64 0, i64 3 seq_cst seq_cst, align 8
  %168 = extractvalue { i64, i1 } %167, 1
  br i1 %168, label %169, label %170

169:                                              ; preds = %166, %153
  store i64 %1, ptr %121, align 8
  store i64 -1, ptr %122, align 8
  br label %170

170:                                              ; preds = %169, %166, %153
  %171 = call i32 @pthread_mutex_lock(ptr noundef nonnull %110) #22
  %172 = call i32 @pthread_cond_broadcast(ptr noundef nonnull %118) #22
  %173 = call i32 @pthread_mutex_unlock(ptr noundef nonnull %110) #22
  br label %174

174:                                              ; preds = %170, %156
  %175 = call i32 @pthread_mutex_lock(ptr noundef nonnull %110) #22
  %176 = load atomic i64, ptr %52 seq_cst, align 8
  %177 = icmp eq i64 %176, %53
  br i1 %177, label %125, label %178, !llvm.loop !17

178:                                              ; preds = %125, %137, %141, %174, %105
  %179 = atomicrmw sub ptr %112, i64 1 seq_cst, align 8
  %180 = load atomic i64, ptr %52 seq_cst, align 8
  %181 = icmp eq i64 %180, %53
  %182 = call i32 @pthread_mutex_unlock(ptr noundef nonnull %110) #22
  br i1 %181, label %201, label %200

183:                                              ; preds = %103
  %184 = and i64 %100, 255
  %185 = icmp eq i64 %184, 255
  br i1 %185, label %186, label %188

186:                                              ; preds = %183
  %187 = call i32 @sched_yield() #22
  br label %188

188:                                              ; preds = %186, %183
  call void @llvm.lifetime.start.p0(ptr nonnull %4)
  store volatile i32 0, ptr %4, align 4
  %189 = load volatile i32, ptr %4, align 4
  %190 = icmp slt i32 %189, 16
  br i1 %190, label %191, label %196

191:                                              ; preds = %188, %191
  %192 = load volatile i32, ptr %4, align 4
  %193 = add nsw i32 %192, 1
  store volatile i32 %193, ptr %4, align 4
  %194 = load volatile i32, ptr %4, align 4
  %195 = icmp slt i32 %194, 16
  br i1 %195, label %191, label %196, !llvm.loop !18

196:                                              ; preds = %191, %188
  call void @llvm.lifetime.end.p0(ptr nonnull %4)
  %197 = add nuw nsw i64 %100, 1
  %198 = load atomic i64, ptr %52 seq_cst, align 8
  %199 = icmp eq i64 %198, %53
  br i1 %199, label %99, label %200, !llvm.loop !19

200:                                              ; preds = %196, %61, %178
  store atomic i64 -1, ptr %55 seq_cst, align 8
  br label %201

201:                                              ; preds = %99, %92, %86, %45, %200, %178, %3
  %202 = phi i32 [ -1, %3 ], [ -1, %45 ], [ %93, %92 ], [ 0, %200 ], [ -1, %178 ], [ 0, %86 ], [ -1, %99 ]
  ret i32 %202
}

; Function Attrs: nounwind uwtable(sync)
define range(i32 -1, 1) i32 @group_exchange(ptr noundef %0, i64 noundef %1, i64 noundef %2, ptr noundef %3, ptr noundef writeonly captures(none) %4) local_unnamed_addr #3 {
  %6 = getelementptr inbounds nuw i8, ptr %0, i64 344
  %7 = getelementptr inbounds %struct.device_slot, ptr %6, i64 %1
  %8 = ptrtoint ptr %3 to i64
  store atomic i64 %8, ptr %7 seq_cst, align 8
  %9 = tail call i32 @group_meet(ptr noundef %0, i64 noundef %1, i64 noundef %2)
  %10 = icmp eq i32 %9, 0
  br i1 %10, label %11, label %23

11:                                               ; preds = %5
  %12 = load i64, ptr %0, align 8
  %13 = icmp sgt i64 %12, 0
  br i1 %13, label %14, label %23

14:                                               ; preds = %11, %14
  %15 = phi i64 [ %20, %14 ], [ 0, %11 ]
  %16 = getelementptr inbounds nuw %struct.device_slot, ptr %6, i64 %15
  %17 = load atomic i64, ptr %16 seq_cst, align 8
  %18 = inttoptr i64 %17 to ptr
  %19 = getelementptr inbounds nuw ptr, ptr %4, i64 %15
  store ptr %18, ptr %19, align 8
  %20 = add nuw nsw i64 %15, 1
  %21 = load i64, ptr %0, align 8
  %22 = icmp slt i64 %20, %21
  br i1 %22, label %14, label %23, !llvm.loop !20

23:                                               ; preds = %14, %11, %5
  %24 = phi i32 [ -1, %5 ], [ 0, %11 ], [ 0, %14 ]
  ret i32 %24
}

; Function Attrs: nounwind uwtable(sync)
define range(i32 -1, 1) i32 @group_leave(ptr noundef %0, i64 noundef %1, i64 noundef %2) local_unnamed_addr #3 {
  %4 = tail call i32 @group_meet(ptr noundef %0, i64 noundef %1, i64 noundef %2)
  ret i32 %4
}

; Function Attrs: mustprogress nofree norecurse nosync nounwind willreturn memory(write, argmem: none, inaccessiblemem: none, target_mem0: none, target_mem1: none) uwtable(sync)
define void @devices_forget() local_unnamed_addr #9 {
  store ptr null, ptr @spare_workers, align 8
  store i64 0, ptr @spare_lock, align 8
  store i64 0, ptr @worker_count, align 8
  ret void
}

; Function Attrs: mustprogress nofree norecurse nounwind willreturn memory(readwrite, argmem: none, inaccessiblemem: none, target_mem0: none, target_mem1: none) uwtable(sync)
define i64 @devices_workers() local_unnamed_addr #10 {
  %1 = load atomic i64, ptr @worker_count seq_cst, align 8
  ret i64 %1
}

; Function Attrs: nounwind uwtable(sync)
define i32 @devices_run(ptr noundef %0, ptr noundef readonly captures(none) %1, i64 noundef %2, ptr noundef %3) local_unnamed_addr #3 {
  %5 = alloca i32, align 4
  %6 = alloca i32, align 4
  %7 = alloca i32, align 4
  %8 = alloca i64, align 8
  %9 = icmp slt i64 %2, 2
  br i1 %9, label %107, label %10

10:                                               ; preds = %4, %92
  %11 = phi i64 [ %13, %92 ], [ %2, %4 ]
  %12 = phi ptr [ %93, %92 ], [ null, %4 ]
  %13 = add nsw i64 %11, -1
  %14 = atomicrmw xchg ptr @spare_lock, i64 1 acquire, align 8
  %15 = icmp eq i64 %14, 0
  br i1 %15, label %34, label %16

16:                                               ; preds = %10, %30
  %17 = phi i64 [ %31, %30 ], [ 0, %10 ]
  %18 = and i64 %17, 255
  %19 = icmp eq i64 %18, 255
  br i1 %19, label %20, label %22

20:                                               ; preds = %16
  %21 = call i32 @sched_yield() #22
  br label %22

22:                                               ; preds = %20, %16
  call void @llvm.lifetime.start.p0(ptr nonnull %7)
  store volatile i32 0, ptr %7, align 4
  %23 = load volatile i32, ptr %7, align 4
  %24 = icmp slt i32 %23, 16
  br i1 %24, label %25, label %30

25:                                               ; preds = %22, %25
  %26 = load volatile i32, ptr %7, align 4
  %27 = add nsw i32 %26, 1
  store volatile i32 %27, ptr %7, align 4
  %28 = load volatile i32, ptr %7, align 4
  %29 = icmp slt i32 %28, 16
  br i1 %29, label %25, label %30, !llvm.loop !18

30:                                               ; preds = %25, %22
  call void @llvm.lifetime.end.p0(ptr nonnull %7)
  %31 = add nuw nsw i64 %17, 1
  %32 = atomicrmw xchg ptr @spare_lock, i64 1 acquire, align 8
  %33 = icmp eq i64 %32, 0
  br i1 %33, label %34, label %16, !llvm.loop !21

34:                                               ; preds = %30, %10
  %35 = load ptr, ptr @spare_workers, align 8
  %36 = icmp eq ptr %35, null
  br i1 %36, label %40, label %37

37:                                               ; preds = %34
  %38 = getelementptr inbounds nuw i8, ptr %35, i64 56
  %39 = load ptr, ptr %38, align 8
  store ptr %39, ptr @spare_workers, align 8
  store atomic i64 0, ptr @spare_lock release, align 8
  store ptr %12, ptr %38, align 8
  br label %92

40:                                               ; preds = %34
  store atomic i64 0, ptr @spare_lock release, align 8
  call void @llvm.lifetime.start.p0(ptr nonnull %8) #22
  %41 = call dereferenceable_or_null(320) ptr @calloc(i64 1, i64 320)
  %42 = icmp eq ptr %41, null
  br i1 %42, label %51, label %43

43:                                               ; preds = %40
  %44 = getelementptr inbounds nuw i8, ptr %41, i64 64
  %45 = call i32 @pthread_mutex_init(ptr noundef nonnull %44, ptr noundef null) #22
  %46 = getelementptr inbounds nuw i8, ptr %41, i64 192
  %47 = call i32 @pthread_cond_init(ptr noundef nonnull %46, ptr noundef null) #22
  %48 = call i32 @pthread_create(ptr noundef nonnull %8, ptr noundef null, ptr noundef nonnull @worker_main, ptr noundef nonnull %41) #22
  %49 = icmp eq i32 %48, 0
  br i1 %49, label %87, label %50

50:                                               ; preds = %43
  call void @free(ptr noundef nonnull %41)
  br label %51

51:                                               ; preds = %40, %50
  call void @llvm.lifetime.end.p0(ptr nonnull %8) #22
  %52 = icmp eq ptr %12, null
  br i1 %52, label %80, label %53

53:                                               ; preds = %51, %77
  %54 = phi ptr [ %56, %77 ], [ %12, %51 ]
  %55 = getelementptr inbounds nuw i8, ptr %54, i64 56
  %56 = load ptr, ptr %55, align 8
  %57 = atomicrmw xchg ptr @spare_lock, i64 1 acquire, align 8
  %58 = icmp eq i64 %57, 0
  br i1 %58, label %77, label %59

59:                                               ; preds = %53, %73
  %60 = phi i64 [ %74, %73 ], [ 0, %53 ]
  %61 = and i64 %60, 255
  %62 = icmp eq i64 %61, 255
  br i1 %62, label %63, label %65

63:                                               ; preds = %59
  %64 = call i32 @sched_yield() #22
  br label %65

65:                                               ; preds = %63, %59
  call void @llvm.lifetime.start.p0(ptr nonnull %6)
  store volatile i32 0, ptr %6, align 4
  %66 = load volatile i32, ptr %6, align 4
  %67 = icmp slt i32 %66, 16
  br i1 %67, label %68, label %73

68:                                               ; preds = %65, %68
  %69 = load volatile i32, ptr %6, align 4
  %70 = add nsw i32 %69, 1
  store volatile i32 %70, ptr %6, align 4
  %71 = load volatile i32, ptr %6, align 4
  %72 = icmp slt i32 %71, 16
  br i1 %72, label %68, label %73, !llvm.loop !18

73:                                               ; preds = %68, %65
  call void @llvm.lifetime.end.p0(ptr nonnull %6)
  %74 = add nuw nsw i64 %60, 1
  %75 = atomicrmw xchg ptr @spare_lock, i64 1 acquire, align 8
  %76 = icmp eq i64 %75, 0
  br i1 %76, label %77, label %59, !llvm.loop !21

77:                                               ; preds = %73, %53
  %78 = load ptr, ptr @spare_workers, align 8
  store ptr %78, ptr %55, align 8
  store ptr %54, ptr @spare_workers, align 8
  store atomic i64 0, ptr @spare_lock release, align 8
  %79 = icmp eq ptr %56, null
  br i1 %79, label %80, label %53, !llvm.loop !22

80:                                               ; preds = %77, %51
  %81 = getelementptr inbounds nuw i8, ptr %3, i64 8
  %82 = cmpxchg ptr %81, i64 0, i64 5 seq_cst seq_cst, align 8
  %83 = extractvalue { i64, i1 } %82, 1
  br i1 %83, label %84, label %101

84:                                               ; preds = %80
  %85 = getelementptr inbounds nuw i8, ptr %3, i64 16
  store i64 %13, ptr %85, align 8
  %86 = getelementptr inbounds nuw i8, ptr %3, i64 24
  store i64 -1, ptr %86, align 8
  br label %101

87:                                               ; preds = %43
  %88 = load i64, ptr %8, align 8
  %89 = call i32 @pthread_detach(i64 noundef %88) #22
  %90 = atomicrmw add ptr @worker_count, i64 1 seq_cst, align 8
  call void @llvm.lifetime.end.p0(ptr nonnull %8) #22
  %91 = getelementptr inbounds nuw i8, ptr %41, i64 56
  store ptr %12, ptr %91, align 8
  br label %92

92:                                               ; preds = %87, %37
  %93 = phi ptr [ %41, %87 ], [ %35, %37 ]
  %94 = getelementptr inbounds nuw i8, ptr %93, i64 16
  store ptr %0, ptr %94, align 8
  %95 = getelementptr inbounds nuw ptr, ptr %1, i64 %13
  %96 = load ptr, ptr %95, align 8
  %97 = getelementptr inbounds nuw i8, ptr %93, i64 24
  store ptr %96, ptr %97, align 8
  %98 = getelementptr inbounds nuw i8, ptr %93, i64 32
  store i64 %13, ptr %98, align 8
  %99 = getelementptr inbounds nuw i8, ptr %93, i64 40
  store ptr %3, ptr %99, align 8
  %100 = icmp slt i64 %11, 3
  br i1 %100, label %127, label %10, !llvm.loop !23

101:                                              ; preds = %80, %84
  %102 = getelementptr inbounds nuw i8, ptr %3, i64 88
  %103 = call i32 @pthread_mutex_lock(ptr noundef nonnull %102) #22
  %104 = getelementptr inbounds nuw i8, ptr %3, i64 216
  %105 = call i32 @pthread_cond_broadcast(ptr noundef nonnull %104) #22
  %106 = call i32 @pthread_mutex_unlock(ptr noundef nonnull %102) #22
  br label %179

107:                                              ; preds = %138, %4
  %108 = phi ptr [ null, %4 ], [ %93, %138 ]
  %109 = load ptr, ptr %1, align 8
  %110 = call i32 %0(ptr noundef %109, i64 noundef 0, ptr noundef %3) #22
  %111 = sext i32 %110 to i64
  %112 = icmp eq i32 %110, 0
  br i1 %112, label %126, label %113

113:                                              ; preds = %107
  %114 = getelementptr inbounds nuw i8, ptr %3, i64 8
  %115 = cmpxchg ptr %114, i64 0, i64 1 seq_cst seq_cst, align 8
  %116 = extractvalue { i64, i1 } %115, 1
  br i1 %116, label %117, label %120

117:                                              ; preds = %113
  %118 = getelementptr inbounds nuw i8, ptr %3, i64 16
  store i64 0, ptr %118, align 8
  %119 = getelementptr inbounds nuw i8, ptr %3, i64 24
  store i64 %111, ptr %119, align 8
  br label %120

120:                                              ; preds = %117, %113
  %121 = getelementptr inbounds nuw i8, ptr %3, i64 88
  %122 = call i32 @pthread_mutex_lock(ptr noundef nonnull %121) #22
  %123 = getelementptr inbounds nuw i8, ptr %3, i64 216
  %124 = call i32 @pthread_cond_broadcast(ptr noundef nonnull %123) #22
  %125 = call i32 @pthread_mutex_unlock(ptr noundef nonnull %121) #22
  br label %126

126:                                              ; preds = %107, %120
  br i1 %9, label %169, label %142

127:                                              ; preds = %92, %138
  %128 = phi ptr [ %140, %138 ], [ %93, %92 ]
  store atomic i64 1, ptr %128 seq_cst, align 8
  %129 = getelementptr inbounds nuw i8, ptr %128, i64 8
  %130 = load atomic i64, ptr %129 seq_cst, align 8
  %131 = icmp eq i64 %130, 0
  br i1 %131, label %138, label %132

132:                                              ; preds = %127
  %133 = getelementptr inbounds nuw i8, ptr %128, i64 64
  %134 = call i32 @pthread_mutex_lock(ptr noundef nonnull %133) #22
  %135 = getelementptr inbounds nuw i8, ptr %128, i64 192
  %136 = call i32 @pthread_cond_broadcast(ptr noundef nonnull %135) #22
  %137 = call i32 @pthread_mutex_unlock(ptr noundef nonnull %133) #22
  br label %138

138:                                              ; preds = %127, %132
  %139 = getelementptr inbounds nuw i8, ptr %128, i64 56
  %140 = load ptr, ptr %139, align 8
  %141 = icmp eq ptr %140, null
  br i1 %141, label %107, label %127, !llvm.loop !24

142:                                              ; preds = %126, %166
  %143 = phi ptr [ %145, %166 ], [ %108, %126 ]
  %144 = getelementptr inbounds nuw i8, ptr %143, i64 56
  %145 = load ptr, ptr %144, align 8
  call fastcc void @worker_wait(ptr noundef nonnull %143, i64 noundef 2, ptr noundef %3)
  store atomic i64 0, ptr %143 seq_cst, align 8
  %146 = atomicrmw xchg ptr @spare_lock, i64 1 acquire, align 8
  %147 = icmp eq i64 %146, 0
  br i1 %147, label %166, label %148

148:                                              ; preds = %142, %162
  %149 = phi i64 [ %163, %162 ], [ 0, %142 ]
  %150 = and i64 %149, 255
  %151 = icmp eq i64 %150, 255
  br i1 %151, label %152, label %154

152:                                              ; preds = %148
  %153 = call i32 @sched_yield() #22
  br label %154

154:                                              ; preds = %152, %148
  call void @llvm.lifetime.start.p0(ptr nonnull %5)
  store volatile i32 0, ptr %5, align 4
  %155 = load volatile i32, ptr %5, align 4
  %156 = icmp slt i32 %155, 16
  br i1 %156, label %157, label %162

157:                                              ; preds = %154, %157
  %158 = load volatile i32, ptr %5, align 4
  %159 = add nsw i32 %158, 1
  store volatile i32 %159, ptr %5, align 4
  %160 = load volatile i32, ptr %5, align 4
  %161 = icmp slt i32 %160, 16
  br i1 %161, label %157, label %162, !llvm.loop !18

162:                                              ; preds = %157, %154
  call void @llvm.lifetime.end.p0(ptr nonnull %5)
  %163 = add nuw nsw i64 %149, 1
  %164 = atomicrmw xchg ptr @spare_lock, i64 1 acquire, align 8
  %165 = icmp eq i64 %164, 0
  br i1 %165, label %166, label %148, !llvm.loop !21

166:                                              ; preds = %162, %142
  %167 = load ptr, ptr @spare_workers, align 8
  store ptr %167, ptr %144, align 8
  store ptr %143, ptr @spare_workers, align 8
  store atomic i64 0, ptr @spare_lock release, align 8
  %168 = icmp eq ptr %145, null
  br i1 %168, label %169, label %142, !llvm.loop !25

169:                                              ; preds = %166, %126
  %170 = getelementptr inbounds nuw i8, ptr %3, i64 8
  %171 = load atomic i64, ptr %170 seq_cst, align 8
  %172 = icmp eq i64 %171, 0
  br i1 %172, label %179, label %173

173:                                              ; preds = %169
  %174 = getelementptr inbounds nuw i8, ptr %3, i64 24
  %175 = load i64, ptr %174, align 8
  %176 = icmp eq i64 %175, 0
  %177 = trunc i64 %175 to i32
  %178 = select i1 %176, i32 -1, i32 %177
  br label %179

179:                                              ; preds = %101, %173, %169
  %180 = phi i32 [ -1, %101 ], [ 0, %169 ], [ %178, %173 ]
  ret i32 %180
}

; Function Attrs: nounwind uwtable(sync)
define internal fastcc void @worker_wait(ptr noundef %0, i64 noundef range(i64 1, 3) %1, ptr noundef %2) unnamed_addr #3 {
  %4 = alloca %struct.timespec_t, align 8
  %5 = alloca i32, align 4
  br label %6

6:                                                ; preds = %3, %23
  %7 = phi i64 [ 0, %3 ], [ %24, %23 ]
  %8 = load atomic i64, ptr %0 seq_cst, align 8
  %9 = icmp eq i64 %8, %1
  br i1 %9, label %86, label %10

10:                                               ; preds = %6
  %11 = and i64 %7, 255
  %12 = icmp eq i64 %11, 255
  br i1 %12, label %13, label %15

13:                                               ; preds = %10
  %14 = tail call i32 @sched_yield() #22
  br label %15

15:                                               ; preds = %13, %10
  call void @llvm.lifetime.start.p0(ptr nonnull %5)
  store volatile i32 0, ptr %5, align 4
  %16 = load volatile i32, ptr %5, align 4
  %17 = icmp slt i32 %16, 16
  br i1 %17, label %18, label %23

18:                                               ; preds = %15, %18
  %19 = load volatile i32, ptr %5, align 4
  %20 = add nsw i32 %19, 1
  store volatile i32 %20, ptr %5, align 4
  %21 = load volatile i32, ptr %5, align 4
  %22 = icmp slt i32 %21, 16
  br i1 %22, label %18, label %23, !llvm.loop !18

23:                                               ; preds = %18, %15
  call void @llvm.lifetime.end.p0(ptr nonnull %5)
  %24 = add nuw nsw i64 %7, 1
  %25 = icmp eq i64 %24, 4000
  br i1 %25, label %26, label %6, !llvm.loop !26

26:                                               ; preds = %23
  %27 = getelementptr inbounds nuw i8, ptr %0, i64 64
  %28 = tail call i32 @pthread_mutex_lock(ptr noundef nonnull %27) #22
  %29 = getelementptr inbounds nuw i8, ptr %0, i64 8
  %30 = atomicrmw add ptr %29, i64 1 seq_cst, align 8
  %31 = load atomic i64, ptr %0 seq_cst, align 8
  %32 = icmp eq i64 %31, %1
  br i1 %32, label %83, label %33

33:                                               ; preds = %26
  %34 = icmp eq ptr %2, null
  %35 = getelementptr inbounds nuw i8, ptr %4, i64 8
  %36 = getelementptr inbounds nuw i8, ptr %0, i64 192
  %37 = getelementptr inbounds nuw i8, ptr %2, i64 8
  %38 = getelementptr inbounds nuw i8, ptr %2, i64 40
  %39 = getelementptr inbounds nuw i8, ptr %2, i64 16
  %40 = getelementptr inbounds nuw i8, ptr %2, i64 24
  %41 = getelementptr inbounds nuw i8, ptr %2, i64 88
  %42 = getelementptr inbounds nuw i8, ptr %2, i64 216
  br label %43

43:                                               ; preds = %33, %46
  br i1 %34, label %44, label %49

44:                                               ; preds = %43
  %45 = call i32 @pthread_cond_wait(ptr noundef nonnull %36, ptr noundef nonnull %27) #22
  br label %46

46:                                               ; preds = %58, %62, %81, %44
  %47 = load atomic i64, ptr %0 seq_cst, align 8
  %48 = icmp eq i64 %47, %1
  br i1 %48, label %83, label %43, !llvm.loop !27

49:                                               ; preds = %43
  call void @llvm.lifetime.start.p0(ptr nonnull %4) #22
  %50 = call i32 @clock_gettime(i32 noundef 0, ptr noundef nonnull %4) #22
  %51 = load i64, ptr %35, align 8
  %52 = add nsw i64 %51, 50000000
  store i64 %52, ptr %35, align 8
  %53 = icmp sgt i64 %51, 949999999
  br i1 %53, label %54, label %58

54:                                               ; preds = %49
  %55 = add nsw i64 %51, -950000000
  store i64 %55, ptr %35, align 8
  %56 = load i64, ptr %4, align 8
  %57 = add nsw i64 %56, 1
  store i64 %57, ptr %4, align 8
  br label %58

58:                                               ; preds = %49, %54
  %59 = call i32 @pthread_cond_timedwait(ptr noundef nonnull %36, ptr noundef nonnull %27, ptr noundef nonnull %4) #22
  call void @llvm.lifetime.end.p0(ptr nonnull %4) #22
  %60 = load atomic i64, ptr %0 seq_cst, align 8
  %61 = icmp eq i64 %60, %1
  br i1 %61, label %46, label %62

62:                                               ; preds = %58
  %63 = load atomic i64, ptr %37 seq_cst, align 8
  %64 = icmp eq i64 %63, 0
  br i1 %64, label %65, label %46

65:                                               ; preds = %62
  %66 = call i32 @pthread_mutex_unlock(ptr noundef nonnull %27) #22
  %67 = load i64, ptr %38, align 8
  %68 = icmp eq i64 %67, 0
  br i1 %68, label %81, label %69

69:                                               ; preds = %65
  %70 = call i32 @PyGILState_Ensure() #22
  %71 = call i32 @PyErr_CheckSignals() #22
  call void @PyGILState_Release(i32 noundef %70) #22
  %72 = icmp eq i32 %71, 0
  br i1 %72, label %81, label %73

73:                                               ; preds = %69
  %74 = cmpxchg ptr %37, i64 0, i64 2 seq_cst seq_cst, align 8
  %75 = extractvalue { i64, i1 } %74, 1
  br i1 %75, label %76, label %77

76:                                               ; preds = %73
  store i64 0, ptr %39, align 8
  store i64 -1, ptr %40, align 8
  br label %77

77:                                               ; preds = %76, %73
  %78 = call i32 @pthread_mutex_lock(ptr noundef nonnull %41) #22
  %79 = call i32 @pthread_cond_broadcast(ptr noundef nonnull %42) #22
  %80 = call i32 @pthread_mutex_unlock(ptr noundef nonnull %41) #22
  br label %81

81:                                               ; preds = %65, %69, %77
  %82 = call i32 @pthread_mutex_lock(ptr noundef nonnull %27) #22
  br label %46

83:                                               ; preds = %46, %26
  %84 = atomicrmw sub ptr %29, i64 1 seq_cst, align 8
  %85 = call i32 @pthread_mutex_unlock(ptr noundef nonnull %27) #22
  br label %86

86:                                               ; preds = %6, %83
  ret void
}

; Function Attrs: nounwind uwtable(sync)
define i32 @devices_run_released(ptr noundef %0, ptr noundef readonly captures(none) %1, i64 noundef %2, ptr noundef %3) local_unnamed_addr #3 {
  %5 = tail call ptr @PyEval_SaveThread() #22
  %6 = tail call i32 @devices_run(ptr noundef %0, ptr noundef %1, i64 noundef %2, ptr noundef %3)
  tail call void @PyEval_RestoreThread(ptr noundef %5) #22
  ret i32 %6
}

declare ptr @PyEval_SaveThread() local_unnamed_addr #4

declare void @PyEval_RestoreThread(ptr noundef) local_unnamed_addr #4

; Function Attrs: nounwind uwtable(sync)
define void @devices_prepare() local_unnamed_addr #3 {
  %1 = load i1, ptr @place_key_made, align 8
  br i1 %1, label %4, label %2

2:                                                ; preds = %0
  %3 = tail call i32 @pthread_key_create(ptr noundef nonnull @place_key, ptr noundef null) #22
  store i1 true, ptr @place_key_made, align 8
  br label %4

4:                                                ; preds = %2, %0
  ret void
}

declare i32 @pthread_key_create(ptr noundef, ptr noundef) local_unnamed_addr #4

; Function Attrs: nounwind uwtable(sync)
define i32 @devices_call(ptr noundef readonly captures(none) %0, i64 noundef %1, ptr noundef %2) local_unnamed_addr #3 {
  %4 = alloca [2 x ptr], align 16
  %5 = shl nsw i64 %1, 6
  %6 = add nsw i64 %5, 344
  %7 = tail call ptr @calloc(i64 1, i64 %6)
  %8 = icmp eq ptr %7, null
  br i1 %8, label %79, label %9

9:                                                ; preds = %3
  %10 = load i64, ptr @devices_timeout_ns, align 8
  store i64 %1, ptr %7, align 8
  %11 = getelementptr inbounds nuw i8, ptr %7, i64 32
  store i64 %10, ptr %11, align 8
  %12 = getelementptr inbounds nuw i8, ptr %7, i64 40
  store i64 1, ptr %12, align 8
  %13 = icmp sgt i64 %1, 0
  br i1 %13, label %14, label %54

14:                                               ; preds = %9
  %15 = and i64 %1, 7
  %16 = icmp ult i64 %1, 8
  br i1 %16, label %43, label %17

17:                                               ; preds = %14
  %18 = and i64 %1, 9223372036854775800
  br label %19

19:                                               ; preds = %19, %17
  %20 = phi i64 [ 0, %17 ], [ %38, %19 ]
  %21 = phi i64 [ 0, %17 ], [ %39, %19 ]
  %22 = getelementptr inbounds nuw %struct.device_slot, ptr %7, i64 %20
  %23 = getelementptr inbounds nuw i8, ptr %22, i64 352
  store i64 -1, ptr %23, align 8
  %24 = getelementptr inbounds nuw %struct.device_slot, ptr %7, i64 %20
  %25 = getelementptr inbounds nuw i8, ptr %24, i64 416
  store i64 -1, ptr %25, align 8
  %26 = getelementptr inbounds nuw %struct.device_slot, ptr %7, i64 %20
  %27 = getelementptr inbounds nuw i8, ptr %26, i64 480
  store i64 -1, ptr %27, align 8
  %28 = getelementptr inbounds nuw %struct.device_slot, ptr %7, i64 %20
  %29 = getelementptr inbounds nuw i8, ptr %28, i64 544
  store i64 -1, ptr %29, align 8
  %30 = getelementptr inbounds nuw %struct.device_slot, ptr %7, i64 %20
  %31 = getelementptr inbounds nuw i8, ptr %30, i64 608
  store i64 -1, ptr %31, align 8
  %32 = getelementptr inbounds nuw %struct.device_slot, ptr %7, i64 %20
  %33 = getelementptr inbounds nuw i8, ptr %32, i64 672
  store i64 -1, ptr %33, align 8
  %34 = getelementptr inbounds nuw %struct.device_slot, ptr %7, i64 %20
  %35 = getelementptr inbounds nuw i8, ptr %34, i64 736
  store i64 -1, ptr %35, align 8
  %36 = getelementptr inbounds nuw %struct.device_slot, ptr %7, i64 %20
  %37 = getelementptr inbounds nuw i8, ptr %36, i64 800
  store i64 -1, ptr %37, align 8
  %38 = add nuw nsw i64 %20, 8
  %39 = add i64 %21, 8
  %40 = icmp eq i64 %39, %18
  br i1 %40, label %41, label %19, !llvm.loop !15

41:                                               ; preds = %19
  %42 = icmp eq i64 %15, 0
  br i1 %42, label %54, label %43

43:                                               ; preds = %41, %14
  %44 = phi i64 [ 0, %14 ], [ %38, %41 ]
  %45 = icmp ne i64 %15, 0
  tail call void @llvm.assume(i1 %45)
  br label %46

46:                                               ; preds = %46, %43
  %47 = phi i64 [ %51, %46 ], [ %44, %43 ]
  %48 = phi i64 [ %52, %46 ], [ 0, %43 ]
  %49 = getelementptr inbounds nuw %struct.device_slot, ptr %7, i64 %47
  %50 = getelementptr inbounds nuw i8, ptr %49, i64 352
  store i64 -1, ptr %50, align 8
  %51 = add nuw nsw i64 %47, 1
  %52 = add i64 %48, 1
  %53 = icmp eq i64 %52, %15
  br i1 %53, label %54, label %46, !llvm.loop !28

54:                                               ; preds = %41, %46, %9
  %55 = getelementptr inbounds nuw i8, ptr %7, i64 88
  %56 = tail call i32 @pthread_mutex_init(ptr noundef nonnull %55, ptr noundef null) #22
  %57 = getelementptr inbounds nuw i8, ptr %7, i64 216
  %58 = tail call i32 @pthread_cond_init(ptr noundef nonnull %57, ptr noundef null) #22
  %59 = tail call i32 @devices_run(ptr noundef nonnull @run_place, ptr noundef %0, i64 noundef %1, ptr noundef nonnull %7)
  %60 = getelementptr inbounds nuw i8, ptr %7, i64 8
  %61 = load atomic i64, ptr %60 seq_cst, align 8
  %62 = icmp ne i32 %59, 0
  %63 = icmp ne i64 %61, 1
  %64 = select i1 %62, i1 %63, i1 false
  %65 = select i1 %64, i32 -2, i32 %59
  %66 = icmp ne i32 %65, 0
  %67 = add i64 %61, -3
  %68 = icmp ult i64 %67, 3
  %69 = select i1 %66, i1 %68, i1 false
  br i1 %69, label %70, label %76

70:                                               ; preds = %54
  call void @llvm.lifetime.start.p0(ptr nonnull %4) #22
  %71 = tail call i32 @PyGILState_Ensure() #22
  %72 = load ptr, ptr @devices_complain, align 8
  call void %72(ptr noundef nonnull %7, ptr noundef %2, ptr noundef nonnull %4) #22
  %73 = load ptr, ptr %4, align 16
  %74 = getelementptr inbounds nuw i8, ptr %4, i64 8
  %75 = load ptr, ptr %74, align 8
  call void @PyErr_SetObject(ptr noundef %73, ptr noundef %75) #22
  call void @PyGILState_Release(i32 noundef %71) #22
  call void @llvm.lifetime.end.p0(ptr nonnull %4) #22
  br label %76

76:                                               ; preds = %70, %54
  %77 = call i32 @pthread_cond_destroy(ptr noundef nonnull %57) #22
  %78 = call i32 @pthread_mutex_destroy(ptr noundef nonnull %55) #22
  call void @free(ptr noundef nonnull %7)
  br label %79

79:                                               ; preds = %3, %76
  %80 = phi i32 [ %65, %76 ], [ -2, %3 ]
  ret i32 %80
}

; Function Attrs: mustprogress nofree nounwind willreturn allockind("alloc,uninitialized") allocsize(0) memory(inaccessiblemem: readwrite)
declare noalias noundef ptr @malloc(i64 noundef) local_unnamed_addr #11

; Function Attrs: nounwind uwtable(sync)
define internal i32 @run_place(ptr noundef %0, i64 noundef %1, ptr noundef %2) #3 {
  %4 = alloca %struct.place, align 8
  call void @llvm.lifetime.start.p0(ptr nonnull %4) #22
  store ptr %2, ptr %4, align 8
  %5 = getelementptr inbounds nuw i8, ptr %4, i64 8
  store i64 %1, ptr %5, align 8
  %6 = load i32, ptr @place_key, align 4
  %7 = tail call ptr @pthread_getspecific(i32 noundef %6) #22
  %8 = load i32, ptr @place_key, align 4
  %9 = call i32 @pthread_setspecific(i32 noundef %8, ptr noundef nonnull %4) #22
  %10 = load ptr, ptr %0, align 8
  %11 = getelementptr inbounds nuw i8, ptr %0, i64 8
  %12 = call i32 %10(ptr noundef nonnull %11) #22
  %13 = load i32, ptr @place_key, align 4
  %14 = call i32 @pthread_setspecific(i32 noundef %13, ptr noundef %7) #22
  call void @llvm.lifetime.end.p0(ptr nonnull %4) #22
  ret i32 %12
}

declare i32 @PyGILState_Ensure() local_unnamed_addr #4

declare void @PyErr_SetObject(ptr noundef, ptr noundef) local_unnamed_addr #4

declare void @PyGILState_Release(i32 noundef) local_unnamed_addr #4

; Function Attrs: mustprogress nounwind willreturn allockind("free") memory(argmem: readwrite, inaccessiblemem: readwrite)
declare void @free(ptr allocptr noundef captures(none)) local_unnamed_addr #12

; Function Attrs: nounwind uwtable(sync)
define range(i32 -1, 1) i32 @collective_stack(i64 noundef %0, ptr noundef readonly captures(none) %1, i64 noundef %2, ptr noundef %3, ptr noundef writeonly captures(none) %4, i64 noundef %5) local_unnamed_addr #3 {
  %7 = load i32, ptr @place_key, align 4
  %8 = tail call ptr @pthread_getspecific(i32 noundef %7) #22
  %9 = load ptr, ptr %8, align 8
  %10 = load i64, ptr %9, align 8
  %11 = shl i64 %10, 3
  %12 = alloca i8, i64 %11, align 16
  %13 = getelementptr inbounds nuw i8, ptr %8, i64 8
  %14 = load i64, ptr %13, align 8
  %15 = getelementptr inbounds nuw i8, ptr %9, i64 344
  %16 = getelementptr inbounds %struct.device_slot, ptr %15, i64 %14
  %17 = ptrtoint ptr %3 to i64
  store atomic i64 %17, ptr %16 seq_cst, align 8
  %18 = tail call i32 @group_meet(ptr noundef nonnull %9, i64 noundef %14, i64 noundef %0)
  %19 = icmp eq i32 %18, 0
  br i1 %19, label %20, label %78

20:                                               ; preds = %6
  %21 = load i64, ptr %9, align 8
  %22 = icmp sgt i64 %21, 0
  br i1 %22, label %23, label %32

23:                                               ; preds = %20, %23
  %24 = phi i64 [ %29, %23 ], [ 0, %20 ]
  %25 = getelementptr inbounds nuw %struct.device_slot, ptr %15, i64 %24
  %26 = load atomic i64, ptr %25 seq_cst, align 8
  %27 = inttoptr i64 %26 to ptr
  %28 = getelementptr inbounds nuw ptr, ptr %12, i64 %24
  store ptr %27, ptr %28, align 8
  %29 = add nuw nsw i64 %24, 1
  %30 = load i64, ptr %9, align 8
  %31 = icmp slt i64 %29, %30
  br i1 %31, label %23, label %32, !llvm.loop !20

32:                                               ; preds = %23, %20
  %33 = load i64, ptr %13, align 8
  %34 = mul nsw i64 %33, %2
  %35 = getelementptr inbounds i64, ptr %1, i64 %34
  %36 = icmp sgt i64 %2, 0
  br i1 %36, label %37, label %55

37:                                               ; preds = %32
  %38 = and i64 %2, 1
  %39 = icmp eq i64 %2, 1
  br i1 %39, label %44, label %40

40:                                               ; preds = %37
  %41 = and i64 %2, 9223372036854775806
  br label %59

42:                                               ; preds = %59
  %43 = icmp eq i64 %38, 0
  br i1 %43, label %53, label %44

44:                                               ; preds = %42, %37
  %45 = phi i64 [ 0, %37 ], [ %75, %42 ]
  %46 = icmp ne i64 %38, 0
  tail call void @llvm.assume(i1 %46)
  %47 = mul nsw i64 %45, %5
  %48 = getelementptr inbounds i8, ptr %4, i64 %47
  %49 = getelementptr inbounds nuw i64, ptr %35, i64 %45
  %50 = load i64, ptr %49, align 8
  %51 = getelementptr inbounds ptr, ptr %12, i64 %50
  %52 = load ptr, ptr %51, align 8
  tail call void @llvm.memcpy.p0.p0.i64(ptr align 1 %48, ptr align 1 %52, i64 %5, i1 false)
  br label %53

53:                                               ; preds = %42, %44
  %54 = load i64, ptr %13, align 8
  br label %55

55:                                               ; preds = %53, %32
  %56 = phi i64 [ %54, %53 ], [ %33, %32 ]
  %57 = load ptr, ptr %8, align 8
  %58 = tail call range(i32 -1, 1) i32 @group_meet(ptr noundef %57, i64 noundef %56, i64 noundef %0)
  br label %78

59:                                               ; preds = %59, %40
  %60 = phi i64 [ 0, %40 ], [ %75, %59 ]
  %61 = phi i64 [ 0, %40 ], [ %76, %59 ]
  %62 = mul nsw i64 %60, %5
  %63 = getelementptr inbounds i8, ptr %4, i64 %62
  %64 = getelementptr inbounds nuw i64, ptr %35, i64 %60
  %65 = load i64, ptr %64, align 8
  %66 = getelementptr inbounds ptr, ptr %12, i64 %65
  %67 = load ptr, ptr %66, align 8
  tail call void @llvm.memcpy.p0.p0.i64(ptr align 1 %63, ptr align 1 %67, i64 %5, i1 false)
  %68 = or disjoint i64 %60, 1
  %69 = mul nsw i64 %68, %5
  %70 = getelementptr inbounds i8, ptr %4, i64 %69
  %71 = getelementptr inbounds nuw i64, ptr %35, i64 %68
  %72 = load i64, ptr %71, align 8
  %73 = getelementptr inbounds ptr, ptr %12, i64 %72
  %74 = load ptr, ptr %73, align 8
  tail call void @llvm.memcpy.p0.p0.i64(ptr align 1 %70, ptr align 1 %74, i64 %5, i1 false)
  %75 = add nuw nsw i64 %60, 2
  %76 = add i64 %61, 2
  %77 = icmp eq i64 %76, %41
  br i1 %77, label %42, label %59, !llvm.loop !29

78:                                               ; preds = %6, %55
  %79 = phi i32 [ %58, %55 ], [ -1, %6 ]
  ret i32 %79
}

declare ptr @pthread_getspecific(i32 noundef) local_unnamed_addr #4

; Function Attrs: nounwind uwtable(sync)
define range(i32 -1, 1) i32 @collective_fetch(i64 noundef %0, ptr noundef readonly captures(none) %1, ptr noundef %2, ptr noundef writeonly captures(none) %3, i64 noundef %4) local_unnamed_addr #3 {
  %6 = load i32, ptr @place_key, align 4
  %7 = tail call ptr @pthread_getspecific(i32 noundef %6) #22
  %8 = load ptr, ptr %7, align 8
  %9 = load i64, ptr %8, align 8
  %10 = shl i64 %9, 3
  %11 = alloca i8, i64 %10, align 16
  %12 = getelementptr inbounds nuw i8, ptr %7, i64 8
  %13 = load i64, ptr %12, align 8
  %14 = getelementptr inbounds nuw i8, ptr %8, i64 344
  %15 = getelementptr inbounds %struct.device_slot, ptr %14, i64 %13
  %16 = ptrtoint ptr %2 to i64
  store atomic i64 %16, ptr %15 seq_cst, align 8
  %17 = tail call i32 @group_meet(ptr noundef nonnull %8, i64 noundef %13, i64 noundef %0)
  %18 = icmp eq i32 %17, 0
  br i1 %18, label %19, label %44

19:                                               ; preds = %5
  %20 = load i64, ptr %8, align 8
  %21 = icmp sgt i64 %20, 0
  br i1 %21, label %22, label %31

22:                                               ; preds = %19, %22
  %23 = phi i64 [ %28, %22 ], [ 0, %19 ]
  %24 = getelementptr inbounds nuw %struct.device_slot, ptr %14, i64 %23
  %25 = load atomic i64, ptr %24 seq_cst, align 8
  %26 = inttoptr i64 %25 to ptr
  %27 = getelementptr inbounds nuw ptr, ptr %11, i64 %23
  store ptr %26, ptr %27, align 8
  %28 = add nuw nsw i64 %23, 1
  %29 = load i64, ptr %8, align 8
  %30 = icmp slt i64 %28, %29
  br i1 %30, label %22, label %31, !llvm.loop !20

31:                                               ; preds = %22, %19
  %32 = load i64, ptr %12, align 8
  %33 = getelementptr inbounds i64, ptr %1, i64 %32
  %34 = load i64, ptr %33, align 8
  %35 = icmp slt i64 %34, 0
  br i1 %35, label %36, label %37

36:                                               ; preds = %31
  tail call void @llvm.memset.p0.i64(ptr align 1 %3, i8 0, i64 %4, i1 false)
  br label %40

37:                                               ; preds = %31
  %38 = getelementptr inbounds nuw ptr, ptr %11, i64 %34
  %39 = load ptr, ptr %38, align 8
  tail call void @llvm.memcpy.p0.p0.i64(ptr align 1 %3, ptr align 1 %39, i64 %4, i1 false)
  br label %40

40:                                               ; preds = %37, %36
  %41 = load ptr, ptr %7, align 8
  %42 = load i64, ptr %12, align 8
  %43 = tail call range(i32 -1, 1) i32 @group_meet(ptr noundef %41, i64 noundef %42, i64 noundef %0)
  br label %44

44:                                               ; preds = %5, %40
  %45 = phi i32 [ %43, %40 ], [ -1, %5 ]
  ret i32 %45
}

; Function Attrs: nounwind uwtable(sync)
define noundef i32 @collective_place(ptr noundef readonly captures(none) %0, ptr noundef writeonly captures(none) initializes((0, 4)) %1) local_unnamed_addr #3 {
  %3 = load i32, ptr @place_key, align 4
  %4 = tail call ptr @pthread_getspecific(i32 noundef %3) #22
  %5 = getelementptr inbounds nuw i8, ptr %4, i64 8
  %6 = load i64, ptr %5, align 8
  %7 = getelementptr inbounds i64, ptr %0, i64 %6
  %8 = load i64, ptr %7, align 8
  %9 = trunc i64 %8 to i32
  store i32 %9, ptr %1, align 4
  ret i32 0
}

; Function Attrs: nounwind uwtable(sync)
define void @threads_run(ptr noundef %0, ptr noundef %1, i64 noundef %2, i64 noundef %3) local_unnamed_addr #3 {
  %5 = alloca i32, align 4
  %6 = alloca i64, align 8
  %7 = load atomic i64, ptr @threads_limit acquire, align 8
  %8 = load i1, ptr @place_key_made, align 8
  br i1 %8, label %9, label %17

9:                                                ; preds = %4
  %10 = load i32, ptr @place_key, align 4
  %11 = tail call ptr @pthread_getspecific(i32 noundef %10) #22
  %12 = icmp eq ptr %11, null
  br i1 %12, label %17, label %13

13:                                               ; preds = %9
  %14 = load ptr, ptr %11, align 8
  %15 = load i64, ptr %14, align 8
  %16 = sdiv i64 %7, %15
  br label %17

17:                                               ; preds = %4, %13, %9
  %18 = phi i64 [ %16, %13 ], [ %7, %9 ], [ %7, %4 ]
  %19 = tail call i64 @llvm.smax.i64(i64 %3, i64 1)
  %20 = sdiv i64 %2, %19
  %21 = icmp slt i64 %18, 2
  %22 = icmp slt i64 %20, 2
  %23 = or i1 %21, %22
  br i1 %23, label %24, label %25

24:                                               ; preds = %17
  tail call void %0(ptr noundef %1, i64 noundef 0, i64 noundef %2) #22
  br label %191

25:                                               ; preds = %17
  %26 = load atomic i64, ptr @helpers seq_cst, align 8
  %27 = add nsw i64 %18, -1
  %28 = icmp slt i64 %26, %27
  br i1 %28, label %29, label %51

29:                                               ; preds = %25
  %30 = atomicrmw xchg ptr @helpers_lock, i64 1 acquire, align 8
  %31 = icmp eq i64 %30, 0
  br i1 %31, label %32, label %51

32:                                               ; preds = %29
  %33 = load i1, ptr @threads_ready, align 8
  br i1 %33, label %37, label %34

34:                                               ; preds = %32
  %35 = tail call i32 @pthread_mutex_init(ptr noundef nonnull @work_to_do, ptr noundef null) #22
  %36 = tail call i32 @pthread_cond_init(ptr noundef nonnull getelementptr inbounds nuw (i8, ptr @work_to_do, i64 128), ptr noundef null) #22
  store i1 true, ptr @threads_ready, align 8
  br label %37

37:                                               ; preds = %34, %32
  %38 = load i64, ptr @helpers, align 8
  %39 = icmp slt i64 %38, %27
  br i1 %39, label %40, label %50

40:                                               ; preds = %37, %44
  call void @llvm.lifetime.start.p0(ptr nonnull %6) #22
  %41 = call i32 @pthread_create(ptr noundef nonnull %6, ptr noundef null, ptr noundef nonnull @helper_main, ptr noundef null) #22
  %42 = icmp eq i32 %41, 0
  br i1 %42, label %44, label %43

43:                                               ; preds = %40
  call void @llvm.lifetime.end.p0(ptr nonnull %6) #22
  br label %50

44:                                               ; preds = %40
  %45 = load i64, ptr %6, align 8
  %46 = call i32 @pthread_detach(i64 noundef %45) #22
  %47 = load i64, ptr @helpers, align 8
  %48 = add nsw i64 %47, 1
  store atomic i64 %48, ptr @helpers seq_cst, align 8
  call void @llvm.lifetime.end.p0(ptr nonnull %6) #22
  %49 = icmp slt i64 %48, %27
  br i1 %49, label %40, label %50

50:                                               ; preds = %44, %43, %37
  store atomic i64 0, ptr @helpers_lock release, align 8
  br label %51

51:                                               ; preds = %50, %29, %25
  %52 = atomicrmw xchg ptr getelementptr inbounds nuw (i8, ptr @jobs, i64 8), i64 1 acq_rel, align 8
  %53 = icmp eq i64 %52, 0
  br i1 %53, label %100, label %54

54:                                               ; preds = %51
  %55 = atomicrmw xchg ptr getelementptr inbounds nuw (i8, ptr @jobs, i64 72), i64 1 acq_rel, align 8
  %56 = icmp eq i64 %55, 0
  br i1 %56, label %100, label %57

57:                                               ; preds = %54
  %58 = atomicrmw xchg ptr getelementptr inbounds nuw (i8, ptr @jobs, i64 136), i64 1 acq_rel, align 8
  %59 = icmp eq i64 %58, 0
  br i1 %59, label %100, label %60

60:                                               ; preds = %57
  %61 = atomicrmw xchg ptr getelementptr inbounds nuw (i8, ptr @jobs, i64 200), i64 1 acq_rel, align 8
  %62 = icmp eq i64 %61, 0
  br i1 %62, label %100, label %63

63:                                               ; preds = %60
  %64 = atomicrmw xchg ptr getelementptr inbounds nuw (i8, ptr @jobs, i64 264), i64 1 acq_rel, align 8
  %65 = icmp eq i64 %64, 0
  br i1 %65, label %100, label %66

66:                                               ; preds = %63
  %67 = atomicrmw xchg ptr getelementptr inbounds nuw (i8, ptr @jobs, i64 328), i64 1 acq_rel, align 8
  %68 = icmp eq i64 %67, 0
  br i1 %68, label %100, label %69

69:                                               ; preds = %66
  %70 = atomicrmw xchg ptr getelementptr inbounds nuw (i8, ptr @jobs, i64 392), i64 1 acq_rel, align 8
  %71 = icmp eq i64 %70, 0
  br i1 %71, label %100, label %72

72:                                               ; preds = %69
  %73 = atomicrmw xchg ptr getelementptr inbounds nuw (i8, ptr @jobs, i64 456), i64 1 acq_rel, align 8
  %74 = icmp eq i64 %73, 0
  br i1 %74, label %100, label %75

75:                                               ; preds = %72
  %76 = atomicrmw xchg ptr getelementptr inbounds nuw (i8, ptr @jobs, i64 520), i64 1 acq_rel, align 8
  %77 = icmp eq i64 %76, 0
  br i1 %77, label %100, label %78

78:                                               ; preds = %75
  %79 = atomicrmw xchg ptr getelementptr inbounds nuw (i8, ptr @jobs, i64 584), i64 1 acq_rel, align 8
  %80 = icmp eq i64 %79, 0
  br i1 %80, label %100, label %81

81:                                               ; preds = %78
  %82 = atomicrmw xchg ptr getelementptr inbounds nuw (i8, ptr @jobs, i64 648), i64 1 acq_rel, align 8
  %83 = icmp eq i64 %82, 0
  br i1 %83, label %100, label %84

84:                                               ; preds = %81
  %85 = atomicrmw xchg ptr getelementptr inbounds nuw (i8, ptr @jobs, i64 712), i64 1 acq_rel, align 8
  %86 = icmp eq i64 %85, 0
  br i1 %86, label %100, label %87

87:                                               ; preds = %84
  %88 = atomicrmw xchg ptr getelementptr inbounds nuw (i8, ptr @jobs, i64 776), i64 1 acq_rel, align 8
  %89 = icmp eq i64 %88, 0
  br i1 %89, label %100, label %90

90:                                               ; preds = %87
  %91 = atomicrmw xchg ptr getelementptr inbounds nuw (i8, ptr @jobs, i64 840), i64 1 acq_rel, align 8
  %92 = icmp eq i64 %91, 0
  br i1 %92, label %100, label %93

93:                                               ; preds = %90
  %94 = atomicrmw xchg ptr getelementptr inbounds nuw (i8, ptr @jobs, i64 904), i64 1 acq_rel, align 8
  %95 = icmp eq i64 %94, 0
  br i1 %95, label %100, label %96

96:                                               ; preds = %93
  %97 = atomicrmw xchg ptr getelementptr inbounds nuw (i8, ptr @jobs, i64 968), i64 1 acq_rel, align 8
  %98 = icmp eq i64 %97, 0
  br i1 %98, label %100, label %99

99:                                               ; preds = %96
  call void %0(ptr noundef %1, i64 noundef 0, i64 noundef %2) #22
  br label %191

100:                                              ; preds = %96, %51, %75, %54, %57, %81, %60, %93, %63, %78, %66, %90, %69, %84, %72, %87
  %101 = phi ptr [ @jobs, %51 ], [ getelementptr inbounds nuw (i8, ptr @jobs, i64 768), %87 ], [ getelementptr inbounds nuw (i8, ptr @jobs, i64 448), %72 ], [ getelementptr inbounds nuw (i8, ptr @jobs, i64 704), %84 ], [ getelementptr inbounds nuw (i8, ptr @jobs, i64 384), %69 ], [ getelementptr inbounds nuw (i8, ptr @jobs, i64 832), %90 ], [ getelementptr inbounds nuw (i8, ptr @jobs, i64 320), %66 ], [ getelementptr inbounds nuw (i8, ptr @jobs, i64 576), %78 ], [ getelementptr inbounds nuw (i8, ptr @jobs, i64 256), %63 ], [ getelementptr inbounds nuw (i8, ptr @jobs, i64 896), %93 ], [ getelementptr inbounds nuw (i8, ptr @jobs, i64 192), %60 ], [ getelementptr inbounds nuw (i8, ptr @jobs, i64 640), %81 ], [ getelementptr inbounds nuw (i8, ptr @jobs, i64 128), %57 ], [ getelementptr inbounds nuw (i8, ptr @jobs, i64 64), %54 ], [ getelementptr inbounds nuw (i8, ptr @jobs, i64 512), %75 ], [ getelementptr inbounds nuw (i8, ptr @jobs, i64 960), %96 ]
  %102 = shl nsw i64 %18, 2
  %103 = call i64 @llvm.smin.i64(i64 %20, i64 %102)
  %104 = add i64 %2, -1
  %105 = add i64 %104, %103
  %106 = sdiv i64 %105, %103
  %107 = load i64, ptr %101, align 8
  %108 = lshr i64 %107, 32
  %109 = add nuw nsw i64 %108, 1
  %110 = and i64 %109, 4294967295
  %111 = shl nuw i64 %110, 32
  %112 = or disjoint i64 %111, 4294967295
  store atomic i64 %112, ptr %101 seq_cst, align 8
  %113 = getelementptr inbounds nuw i8, ptr %101, i64 40
  store atomic i64 %106, ptr %113 release, align 8
  %114 = getelementptr inbounds nuw i8, ptr %101, i64 16
  %115 = ptrtoint ptr %0 to i64
  store atomic i64 %115, ptr %114 release, align 8
  %116 = getelementptr inbounds nuw i8, ptr %101, i64 24
  %117 = ptrtoint ptr %1 to i64
  store atomic i64 %117, ptr %116 release, align 8
  %118 = getelementptr inbounds nuw i8, ptr %101, i64 32
  store atomic i64 %2, ptr %118 release, align 8
  %119 = getelementptr inbounds nuw i8, ptr %101, i64 48
  %120 = add i64 %104, %106
  %121 = sdiv i64 %120, %106
  store atomic i64 %121, ptr %119 release, align 8
  %122 = getelementptr inbounds nuw i8, ptr %101, i64 56
  store atomic i64 0, ptr %122 release, align 8
  store atomic i64 %111, ptr %101 release, align 8
  %123 = atomicrmw add ptr @work_number, i64 1 seq_cst, align 8
  %124 = load atomic i64, ptr @sleeping seq_cst, align 8
  %125 = icmp eq i64 %124, 0
  br i1 %125, label %130, label %126

126:                                              ; preds = %100
  %127 = call i32 @pthread_mutex_lock(ptr noundef nonnull @work_to_do) #22
  %128 = call i32 @pthread_cond_broadcast(ptr noundef nonnull getelementptr inbounds nuw (i8, ptr @work_to_do, i64 128)) #22
  %129 = call i32 @pthread_mutex_unlock(ptr noundef nonnull @work_to_do) #22
  br label %130

130:                                              ; preds = %126, %100
  %131 = load atomic i64, ptr %101 acquire, align 8
  %132 = load atomic i64, ptr %114 acquire, align 8
  %133 = load atomic i64, ptr %116 acquire, align 8
  %134 = load atomic i64, ptr %118 acquire, align 8
  %135 = load atomic i64, ptr %113 acquire, align 8
  %136 = lshr i64 %131, 32
  %137 = icmp eq i64 %136, %110
  br i1 %137, label %138, label %166

138:                                              ; preds = %130, %158
  %139 = phi i64 [ %163, %158 ], [ %135, %130 ]
  %140 = phi i64 [ %162, %158 ], [ %134, %130 ]
  %141 = phi i64 [ %161, %158 ], [ %133, %130 ]
  %142 = phi i64 [ %160, %158 ], [ %132, %130 ]
  %143 = phi i64 [ %159, %158 ], [ %131, %130 ]
  %144 = and i64 %143, 4294967295
  %145 = inttoptr i64 %142 to ptr
  %146 = inttoptr i64 %141 to ptr
  %147 = load atomic i64, ptr %119 acquire, align 8
  %148 = icmp slt i64 %144, %147
  br i1 %148, label %149, label %166

149:                                              ; preds = %138
  %150 = add i64 %143, 1
  %151 = cmpxchg ptr %101, i64 %143, i64 %150 acq_rel monotonic, align 8
  %152 = extractvalue { i64, i1 } %151, 1
  br i1 %152, label %153, label %158

153:                                              ; preds = %149
  %154 = mul nsw i64 %144, %139
  %155 = add nsw i64 %154, %139
  %156 = call i64 @llvm.smin.i64(i64 %155, i64 %140)
  call void %145(ptr noundef %146, i64 noundef %154, i64 noundef %156) #22
  %157 = atomicrmw add ptr %122, i64 1 release, align 8
  br label %158

158:                                              ; preds = %153, %149
  %159 = load atomic i64, ptr %101 acquire, align 8
  %160 = load atomic i64, ptr %114 acquire, align 8
  %161 = load atomic i64, ptr %116 acquire, align 8
  %162 = load atomic i64, ptr %118 acquire, align 8
  %163 = load atomic i64, ptr %113 acquire, align 8
  %164 = lshr i64 %159, 32
  %165 = icmp eq i64 %164, %110
  br i1 %165, label %138, label %166

166:                                              ; preds = %138, %158, %130
  %167 = load atomic i64, ptr %122 seq_cst, align 8
  %168 = load i64, ptr %119, align 8
  %169 = icmp eq i64 %167, %168
  br i1 %169, label %170, label %172

170:                                              ; preds = %186, %166
  %171 = getelementptr inbounds nuw i8, ptr %101, i64 8
  store atomic i64 0, ptr %171 seq_cst, align 8
  br label %191

172:                                              ; preds = %166, %186
  %173 = phi i64 [ %187, %186 ], [ 0, %166 ]
  %174 = icmp samesign ugt i64 %173, 200
  br i1 %174, label %175, label %177

175:                                              ; preds = %172
  %176 = call i32 @sched_yield() #22
  br label %186

177:                                              ; preds = %172
  call void @llvm.lifetime.start.p0(ptr nonnull %5)
  store volatile i32 0, ptr %5, align 4
  %178 = load volatile i32, ptr %5, align 4
  %179 = icmp slt i32 %178, 16
  br i1 %179, label %180, label %185

180:                                              ; preds = %177, %180
  %181 = load volatile i32, ptr %5, align 4
  %182 = add nsw i32 %181, 1
  store volatile i32 %182, ptr %5, align 4
  %183 = load volatile i32, ptr %5, align 4
  %184 = icmp slt i32 %183, 16
  br i1 %184, label %180, label %185, !llvm.loop !18

185:                                              ; preds = %180, %177
  call void @llvm.lifetime.end.p0(ptr nonnull %5)
  br label %186

186:                                              ; preds = %175, %185
  %187 = add nuw nsw i64 %173, 1
  %188 = load atomic i64, ptr %122 seq_cst, align 8
  %189 = load i64, ptr %119, align 8
  %190 = icmp eq i64 %188, %189
  br i1 %190, label %170, label %172, !llvm.loop !30

191:                                              ; preds = %99, %170, %24
  ret void
}

declare i32 @sched_yield() local_unnamed_addr #4

; Function Attrs: mustprogress nofree norecurse nosync nounwind willreturn memory(write, argmem: none, inaccessiblemem: none, target_mem0: none, target_mem1: none) uwtable(sync)
define void @threads_forget() local_unnamed_addr #9 {
  tail call void @llvm.memset.p0.i64(ptr noundef nonnull align 16 dereferenceable(1024) @jobs, i8 0, i64 1024, i1 false)
  tail call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(256) @work_to_do, i8 0, i64 256, i1 false)
  store i64 0, ptr @sleeping, align 8
  store i64 0, ptr @helpers, align 8
  store i64 0, ptr @helpers_lock, align 8
  store i1 false, ptr @threads_ready, align 8
  ret void
}

; Function Attrs: mustprogress nofree norecurse nounwind willreturn memory(readwrite, argmem: none, inaccessiblemem: none, target_mem0: none, target_mem1: none) uwtable(sync)
define i64 @threads_helpers() local_unnamed_addr #10 {
  %1 = load atomic i64, ptr @helpers seq_cst, align 8
  ret i64 %1
}

; Function Attrs: nounwind uwtable(sync)
define ptr @function_vectorcall(ptr noundef captures(none) %0, ptr noundef %1, i64 noundef %2, ptr noundef %3) #3 {
  %5 = alloca ptr, align 8
  %6 = alloca ptr, align 8
  %7 = load i64, ptr @OBJECT_SIZE, align 8
  %8 = getelementptr inbounds i8, ptr %0, i64 %7
  %9 = and i64 %2, 9223372036854775807
  %10 = icmp eq ptr %3, null
  br i1 %10, label %14, label %11

11:                                               ; preds = %4
  %12 = getelementptr inbounds i8, ptr %3, i64 %7
  %13 = load i64, ptr %12, align 8
  br label %14

14:                                               ; preds = %4, %11
  %15 = phi i64 [ %13, %11 ], [ 0, %4 ]
  %16 = add nsw i64 %15, %9
  %17 = load i64, ptr @guard_count, align 8
  %18 = icmp eq i64 %17, 0
  br i1 %18, label %19, label %101, !prof !8

19:                                               ; preds = %14
  %20 = getelementptr inbounds nuw i8, ptr %8, i64 48
  %21 = load i64, ptr %20, align 8
  call void @llvm.lifetime.start.p0(ptr nonnull %5) #22
  store ptr null, ptr %5, align 8
  %22 = load i64, ptr @scoped_ever, align 8
  %23 = icmp eq i64 %22, 0
  br i1 %23, label %24, label %26, !prof !8

24:                                               ; preds = %19
  %25 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 88), align 8
  br label %39

26:                                               ; preds = %19
  %27 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 80), align 8
  %28 = call i32 @PyContextVar_Get(ptr noundef %27, ptr noundef null, ptr noundef nonnull %5) #22
  %29 = icmp sgt i32 %28, -1
  %30 = load ptr, ptr %5, align 8
  %31 = icmp ne ptr %30, null
  %32 = select i1 %29, i1 %31, i1 false
  br i1 %32, label %34, label %33

33:                                               ; preds = %26
  call void @PyErr_Clear() #22
  br label %39

34:                                               ; preds = %26
  %35 = load i64, ptr @LIST_ITEMS, align 8
  %36 = getelementptr inbounds i8, ptr %30, i64 %35
  %37 = load ptr, ptr %36, align 8
  %38 = load ptr, ptr %37, align 8
  call void @Py_DecRef(ptr noundef nonnull %30) #22
  br label %39

39:                                               ; preds = %24, %33, %34
  %40 = phi ptr [ %25, %24 ], [ %38, %34 ], [ null, %33 ]
  call void @llvm.lifetime.end.p0(ptr nonnull %5) #22
  %41 = getelementptr inbounds nuw i8, ptr %8, i64 32
  %42 = load ptr, ptr %41, align 8
  %43 = icmp eq ptr %42, null
  br i1 %43, label %101, label %44

44:                                               ; preds = %39, %94
  %45 = phi ptr [ %96, %94 ], [ %42, %39 ]
  %46 = phi i64 [ %95, %94 ], [ 0, %39 ]
  call void @llvm.lifetime.start.p0(ptr nonnull %6) #22
  %47 = getelementptr inbounds nuw i8, ptr %45, i64 24
  %48 = load i64, ptr %47, align 8
  %49 = icmp eq i64 %48, %16
  br i1 %49, label %50, label %94

50:                                               ; preds = %44
  %51 = getelementptr inbounds nuw i8, ptr %45, i64 32
  %52 = load i64, ptr %51, align 8
  %53 = icmp eq i64 %52, %15
  br i1 %53, label %54, label %94

54:                                               ; preds = %50
  %55 = getelementptr inbounds nuw i8, ptr %45, i64 160
  %56 = load ptr, ptr %55, align 8
  %57 = icmp eq ptr %56, %40
  br i1 %57, label %60, label %58, !prof !8

58:                                               ; preds = %54
  %59 = icmp eq ptr %56, null
  br i1 %59, label %60, label %94

60:                                               ; preds = %58, %54
  %61 = icmp samesign ugt i64 %46, 3
  br i1 %61, label %62, label %88, !prof !10

62:                                               ; preds = %60
  %63 = getelementptr inbounds nuw i8, ptr %45, i64 8
  %64 = load ptr, ptr %63, align 8
  call void @Py_IncRef(ptr noundef %64) #22
  %65 = call fastcc i32 @try_plan(ptr noundef %45, ptr noundef %1, ptr noundef %3, ptr noundef %6)
  %66 = icmp eq i32 %65, 0
  br i1 %66, label %86, label %67

67:                                               ; preds = %62
  %68 = load i64, ptr %20, align 8
  %69 = icmp eq i64 %68, %21
  br i1 %69, label %70, label %87

70:                                               ; preds = %67, %70
  %71 = phi ptr [ %72, %70 ], [ %41, %67 ]
  %72 = load ptr, ptr %71, align 8
  %73 = icmp eq ptr %72, %45
  br i1 %73, label %74, label %70, !llvm.loop !31

74:                                               ; preds = %70
  %75 = load ptr, ptr %45, align 8
  store ptr %75, ptr %71, align 8
  %76 = getelementptr inbounds nuw i8, ptr %8, i64 40
  %77 = load i64, ptr %76, align 8
  %78 = add nsw i64 %77, -1
  store i64 %78, ptr %76, align 8
  %79 = load i64, ptr %20, align 8
  %80 = add nsw i64 %79, 1
  store i64 %80, ptr %20, align 8
  %81 = load ptr, ptr %41, align 8
  store ptr %81, ptr %45, align 8
  store ptr %45, ptr %41, align 8
  %82 = load i64, ptr %76, align 8
  %83 = add nsw i64 %82, 1
  store i64 %83, ptr %76, align 8
  %84 = load i64, ptr %20, align 8
  %85 = add nsw i64 %84, 1
  store i64 %85, ptr %20, align 8
  br label %87

86:                                               ; preds = %62
  call void @Py_DecRef(ptr noundef %64) #22
  br label %91

87:                                               ; preds = %67, %74
  call void @Py_DecRef(ptr noundef %64) #22
  br label %98

88:                                               ; preds = %60
  %89 = call fastcc i32 @try_plan(ptr noundef %45, ptr noundef %1, ptr noundef %3, ptr noundef %6)
  %90 = icmp eq i32 %89, 0
  br i1 %90, label %91, label %98, !prof !10

91:                                               ; preds = %86, %88
  %92 = load i64, ptr %20, align 8
  %93 = icmp eq i64 %92, %21
  br i1 %93, label %94, label %100, !prof !8

94:                                               ; preds = %91, %44, %58, %50
  call void @llvm.lifetime.end.p0(ptr nonnull %6) #22
  %95 = add nuw nsw i64 %46, 1
  %96 = load ptr, ptr %45, align 8
  %97 = icmp eq ptr %96, null
  br i1 %97, label %101, label %44, !llvm.loop !32

98:                                               ; preds = %88, %87
  %99 = load ptr, ptr %6, align 8
  call void @llvm.lifetime.end.p0(ptr nonnull %6) #22
  br label %109

100:                                              ; preds = %91
  call void @llvm.lifetime.end.p0(ptr nonnull %6) #22
  br label %101

101:                                              ; preds = %94, %39, %100, %14
  %102 = getelementptr inbounds nuw i8, ptr %8, i64 8
  %103 = load ptr, ptr %102, align 8
  %104 = icmp eq ptr %103, null
  br i1 %104, label %105, label %107, !prof !10

105:                                              ; preds = %101
  %106 = load ptr, ptr @PyExc_RuntimeError, align 8
  call void @PyErr_SetString(ptr noundef %106, ptr noundef nonnull @.str.2) #22
  br label %109

107:                                              ; preds = %101
  call void @Py_IncRef(ptr noundef nonnull %103) #22
  %108 = call ptr @PyObject_Vectorcall(ptr noundef nonnull %103, ptr noundef %1, i64 noundef %9, ptr noundef %3) #22
  call void @Py_DecRef(ptr noundef nonnull %103) #22
  br label %109

109:                                              ; preds = %98, %107, %105
  %110 = phi ptr [ null, %105 ], [ %108, %107 ], [ %99, %98 ]
  ret ptr %110
}

; Function Attrs: noinline nounwind uwtable(sync)
define internal fastcc range(i32 0, 2) i32 @try_plan(ptr noundef nonnull readonly captures(none) %0, ptr noundef readonly captures(none) %1, ptr noundef readonly captures(address) %2, ptr noundef nonnull writeonly captures(none) %3) unnamed_addr #13 {
  %5 = alloca ptr, align 8
  %6 = alloca %struct.frame, align 8
  %7 = getelementptr inbounds nuw i8, ptr %0, i64 64
  %8 = load i64, ptr %7, align 8
  %9 = getelementptr inbounds nuw i8, ptr %0, i64 72
  %10 = load i64, ptr %9, align 8
  %11 = add nsw i64 %10, %8
  %12 = getelementptr inbounds nuw i8, ptr %0, i64 80
  %13 = load i64, ptr %12, align 8
  %14 = getelementptr inbounds nuw i8, ptr %0, i64 88
  %15 = load i64, ptr %14, align 8
  %16 = add i64 %11, %10
  %17 = add i64 %16, %13
  %18 = add i64 %17, %15
  %19 = shl i64 %18, 1
  %20 = add i64 %19, 3
  %21 = shl nsw i64 %20, 3
  %22 = icmp sgt i64 %20, 1024
  %23 = getelementptr inbounds nuw i8, ptr %0, i64 32
  %24 = load i64, ptr %23, align 8
  %25 = icmp eq i64 %24, 0
  br i1 %25, label %53, label %26

26:                                               ; preds = %4
  %27 = getelementptr inbounds nuw i8, ptr %0, i64 40
  %28 = load ptr, ptr %27, align 8
  %29 = icmp eq ptr %2, %28
  br i1 %29, label %53, label %30, !prof !8

30:                                               ; preds = %26
  %31 = load i64, ptr @TUPLE_ITEMS, align 8
  %32 = getelementptr inbounds i8, ptr %2, i64 %31
  %33 = getelementptr inbounds i8, ptr %28, i64 %31
  %34 = icmp slt i64 %24, 1
  br i1 %34, label %53, label %35

35:                                               ; preds = %30, %48
  %36 = phi i64 [ %49, %48 ], [ %24, %30 ]
  %37 = phi i64 [ %50, %48 ], [ 0, %30 ]
  %38 = getelementptr inbounds nuw ptr, ptr %32, i64 %37
  %39 = load ptr, ptr %38, align 8
  %40 = getelementptr inbounds nuw ptr, ptr %33, i64 %37
  %41 = load ptr, ptr %40, align 8
  %42 = icmp eq ptr %39, %41
  br i1 %42, label %48, label %43

43:                                               ; preds = %35
  %44 = tail call i32 @PyObject_RichCompareBool(ptr noundef %41, ptr noundef %39, i32 noundef 2) #22
  %45 = icmp sgt i32 %44, 0
  br i1 %45, label %46, label %52

46:                                               ; preds = %43
  %47 = load i64, ptr %23, align 8
  br label %48

48:                                               ; preds = %46, %35
  %49 = phi i64 [ %47, %46 ], [ %36, %35 ]
  %50 = add nuw nsw i64 %37, 1
  %51 = icmp slt i64 %50, %49
  br i1 %51, label %35, label %53, !llvm.loop !33

52:                                               ; preds = %43
  tail call void @PyErr_Clear() #22
  br label %468

53:                                               ; preds = %48, %30, %26, %4
  %54 = getelementptr inbounds nuw i8, ptr %0, i64 48
  %55 = load ptr, ptr %54, align 8
  %56 = load i64, ptr %55, align 8
  %57 = icmp eq i64 %56, 0
  br i1 %57, label %58, label %77

58:                                               ; preds = %53
  %59 = getelementptr inbounds nuw i8, ptr %0, i64 24
  %60 = load i64, ptr %59, align 8
  %61 = icmp eq i64 %60, 0
  br i1 %61, label %77, label %62

62:                                               ; preds = %58
  %63 = load ptr, ptr %1, align 8
  %64 = load i64, ptr @OBJECT_SIZE, align 8
  %65 = getelementptr i8, ptr %63, i64 %64
  %66 = getelementptr i8, ptr %65, i64 -8
  %67 = load ptr, ptr %66, align 8
  %68 = load ptr, ptr @python, align 8
  %69 = icmp eq ptr %67, %68
  br i1 %69, label %70, label %468

70:                                               ; preds = %62
  %71 = getelementptr inbounds nuw i8, ptr %65, i64 8
  %72 = load ptr, ptr %71, align 8
  %73 = ptrtoint ptr %72 to i64
  %74 = getelementptr inbounds nuw i8, ptr %55, i64 8
  %75 = load i64, ptr %74, align 8
  %76 = icmp eq i64 %75, %73
  br i1 %76, label %77, label %468

77:                                               ; preds = %70, %58, %53
  br i1 %22, label %80, label %78

78:                                               ; preds = %77
  %79 = alloca i8, i64 %21, align 16
  br label %85

80:                                               ; preds = %77
  %81 = tail call ptr @malloc(i64 noundef %21) #23
  %82 = icmp eq ptr %81, null
  br i1 %82, label %83, label %85, !prof !34

83:                                               ; preds = %80
  %84 = tail call ptr @PyErr_NoMemory() #22
  store ptr null, ptr %3, align 8
  br label %468

85:                                               ; preds = %78, %80
  %86 = phi ptr [ %79, %78 ], [ %81, %80 ]
  call void @llvm.lifetime.start.p0(ptr nonnull %6) #22
  store ptr %55, ptr %6, align 8
  %87 = getelementptr inbounds nuw i8, ptr %6, i64 40
  store ptr %86, ptr %87, align 8
  %88 = load i64, ptr %14, align 8
  %89 = shl i64 %88, 4
  %90 = getelementptr i8, ptr %86, i64 %89
  %91 = getelementptr i8, ptr %90, i64 16
  %92 = load i64, ptr %7, align 8
  %93 = getelementptr inbounds ptr, ptr %91, i64 %92
  %94 = getelementptr inbounds nuw i8, ptr %6, i64 8
  store ptr %93, ptr %94, align 8
  %95 = getelementptr inbounds ptr, ptr %91, i64 %11
  %96 = load i64, ptr %12, align 8
  %97 = getelementptr inbounds ptr, ptr %95, i64 %96
  %98 = getelementptr inbounds nuw i8, ptr %97, i64 8
  %99 = getelementptr inbounds nuw i8, ptr %6, i64 16
  store ptr %98, ptr %99, align 8
  %100 = load i64, ptr %9, align 8
  %101 = getelementptr inbounds ptr, ptr %98, i64 %100
  %102 = getelementptr inbounds nuw i8, ptr %6, i64 24
  store ptr %101, ptr %102, align 8
  %103 = getelementptr inbounds ptr, ptr %101, i64 %11
  %104 = getelementptr inbounds nuw i8, ptr %6, i64 32
  store ptr %103, ptr %104, align 8
  %105 = getelementptr inbounds nuw i8, ptr %6, i64 48
  %106 = getelementptr inbounds nuw i8, ptr %6, i64 56
  %107 = getelementptr inbounds ptr, ptr %103, i64 %100
  %108 = getelementptr inbounds nuw i8, ptr %0, i64 8
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(16) %105, i8 0, i64 16, i1 false)
  %109 = load ptr, ptr %108, align 8
  call void @Py_IncRef(ptr noundef %109) #22
  %110 = getelementptr inbounds nuw i8, ptr %0, i64 24
  %111 = load i64, ptr @OBJECT_SIZE, align 8
  %112 = load i64, ptr %110, align 8
  %113 = icmp sgt i64 %112, 0
  br i1 %113, label %114, label %162

114:                                              ; preds = %85, %158
  %115 = phi i64 [ %159, %158 ], [ 0, %85 ]
  %116 = load ptr, ptr %6, align 8
  %117 = load i64, ptr %116, align 8
  %118 = icmp eq i64 %117, 0
  %119 = getelementptr inbounds nuw ptr, ptr %1, i64 %115
  %120 = load ptr, ptr %119, align 8
  br i1 %118, label %121, label %155, !prof !8

121:                                              ; preds = %114
  %122 = getelementptr inbounds nuw i8, ptr %116, i64 24
  store ptr %122, ptr %6, align 8
  %123 = getelementptr i8, ptr %120, i64 %111
  %124 = getelementptr i8, ptr %123, i64 -8
  %125 = load ptr, ptr %124, align 8
  %126 = load ptr, ptr @python, align 8
  %127 = icmp eq ptr %125, %126
  br i1 %127, label %128, label %426, !prof !8

128:                                              ; preds = %121
  %129 = getelementptr inbounds nuw i8, ptr %123, i64 8
  %130 = load ptr, ptr %129, align 8
  %131 = ptrtoint ptr %130 to i64
  %132 = getelementptr inbounds nuw i8, ptr %116, i64 8
  %133 = load i64, ptr %132, align 8
  %134 = icmp eq i64 %133, %131
  br i1 %134, label %135, label %426, !prof !8

135:                                              ; preds = %128
  %136 = load ptr, ptr %123, align 8
  %137 = icmp eq ptr %136, null
  br i1 %137, label %426, label %138, !prof !10

138:                                              ; preds = %135
  %139 = getelementptr inbounds nuw i8, ptr %116, i64 16
  %140 = load i64, ptr %139, align 8
  %141 = icmp sgt i64 %140, -1
  br i1 %141, label %142, label %158, !prof !8

142:                                              ; preds = %138
  %143 = getelementptr inbounds nuw i8, ptr %123, i64 40
  %144 = load i32, ptr %143, align 8
  %145 = add nsw i32 %144, 1
  store i32 %145, ptr %143, align 8
  %146 = load ptr, ptr %102, align 8
  %147 = load i64, ptr %105, align 8
  %148 = add nsw i64 %147, 1
  store i64 %148, ptr %105, align 8
  %149 = getelementptr inbounds ptr, ptr %146, i64 %147
  store ptr %120, ptr %149, align 8
  %150 = load ptr, ptr %99, align 8
  %151 = getelementptr inbounds nuw ptr, ptr %150, i64 %140
  store ptr %120, ptr %151, align 8
  %152 = load ptr, ptr %123, align 8
  %153 = load ptr, ptr %94, align 8
  %154 = getelementptr inbounds nuw ptr, ptr %153, i64 %140
  store ptr %152, ptr %154, align 8
  br label %158

155:                                              ; preds = %114
  %156 = call fastcc i32 @match(ptr noundef %6, ptr noundef %120, i32 noundef 0)
  %157 = icmp eq i32 %156, 0
  br i1 %157, label %426, label %158

158:                                              ; preds = %138, %142, %155
  %159 = add nuw nsw i64 %115, 1
  %160 = load i64, ptr %110, align 8
  %161 = icmp slt i64 %159, %160
  br i1 %161, label %114, label %162, !llvm.loop !35

162:                                              ; preds = %158, %85
  %163 = getelementptr inbounds nuw i8, ptr %0, i64 96
  %164 = load i64, ptr %7, align 8
  %165 = icmp sgt i64 %164, 0
  br i1 %165, label %166, label %190

166:                                              ; preds = %162, %174
  %167 = phi i64 [ %187, %174 ], [ 0, %162 ]
  %168 = load ptr, ptr %163, align 8
  %169 = getelementptr inbounds nuw ptr, ptr %168, i64 %167
  %170 = load ptr, ptr %169, align 8
  %171 = getelementptr inbounds i8, ptr %170, i64 %111
  %172 = load ptr, ptr %171, align 8
  %173 = icmp eq ptr %172, null
  br i1 %173, label %426, label %174

174:                                              ; preds = %166
  %175 = getelementptr inbounds nuw i8, ptr %171, i64 40
  %176 = load i32, ptr %175, align 8
  %177 = add nsw i32 %176, 1
  store i32 %177, ptr %175, align 8
  %178 = load ptr, ptr %163, align 8
  %179 = getelementptr inbounds nuw ptr, ptr %178, i64 %167
  %180 = load ptr, ptr %179, align 8
  %181 = load ptr, ptr %102, align 8
  %182 = load i64, ptr %105, align 8
  %183 = add nsw i64 %182, 1
  store i64 %183, ptr %105, align 8
  %184 = getelementptr inbounds ptr, ptr %181, i64 %182
  store ptr %180, ptr %184, align 8
  %185 = load ptr, ptr %171, align 8
  %186 = getelementptr inbounds nuw ptr, ptr %91, i64 %167
  store ptr %185, ptr %186, align 8
  %187 = add nuw nsw i64 %167, 1
  %188 = load i64, ptr %7, align 8
  %189 = icmp slt i64 %187, %188
  br i1 %189, label %166, label %190, !llvm.loop !36

190:                                              ; preds = %174, %162
  %191 = phi i64 [ %164, %162 ], [ %188, %174 ]
  %192 = getelementptr inbounds ptr, ptr %91, i64 %191
  %193 = load i64, ptr %9, align 8
  %194 = getelementptr inbounds ptr, ptr %192, i64 %193
  %195 = load i64, ptr %12, align 8
  %196 = icmp sgt i64 %195, 0
  br i1 %196, label %197, label %300

197:                                              ; preds = %190
  %198 = getelementptr inbounds nuw i8, ptr %0, i64 104
  %199 = getelementptr inbounds nuw i8, ptr %0, i64 112
  br label %200

200:                                              ; preds = %291, %197
  %201 = phi i64 [ 0, %197 ], [ %297, %291 ]
  %202 = load ptr, ptr %198, align 8
  %203 = getelementptr inbounds nuw ptr, ptr %202, i64 %201
  %204 = load ptr, ptr %203, align 8
  %205 = load ptr, ptr %199, align 8
  %206 = icmp eq ptr %205, null
  br i1 %206, label %246, label %207, !prof !8

207:                                              ; preds = %200
  %208 = getelementptr inbounds nuw i64, ptr %205, i64 %201
  %209 = load i64, ptr %208, align 8
  %210 = icmp sgt i64 %209, -1
  br i1 %210, label %211, label %246

211:                                              ; preds = %207
  %212 = load ptr, ptr %99, align 8
  %213 = getelementptr inbounds nuw ptr, ptr %212, i64 %209
  %214 = load ptr, ptr %213, align 8
  %215 = getelementptr inbounds i8, ptr %214, i64 %111
  %216 = getelementptr inbounds nuw i8, ptr %215, i64 40
  %217 = load i32, ptr %216, align 8
  %218 = icmp eq i32 %217, 1
  br i1 %218, label %219, label %246

219:                                              ; preds = %211
  %220 = getelementptr inbounds nuw i8, ptr %215, i64 44
  %221 = load i32, ptr %220, align 4
  %222 = icmp eq i32 %221, 0
  br i1 %222, label %223, label %246

223:                                              ; preds = %219
  %224 = load ptr, ptr %215, align 8
  %225 = icmp eq ptr %224, null
  br i1 %225, label %246, label %226

226:                                              ; preds = %223
  %227 = getelementptr inbounds nuw i8, ptr %215, i64 16
  %228 = load ptr, ptr %227, align 8
  %229 = icmp eq ptr %228, null
  br i1 %229, label %230, label %246

230:                                              ; preds = %226
  %231 = getelementptr inbounds nuw i8, ptr %215, i64 8
  %232 = load ptr, ptr %231, align 8
  %233 = getelementptr inbounds nuw i8, ptr %232, i64 8
  %234 = load ptr, ptr %233, align 8
  %235 = getelementptr inbounds nuw i8, ptr %204, i64 8
  %236 = load ptr, ptr %235, align 8
  %237 = icmp eq ptr %234, %236
  br i1 %237, label %238, label %246

238:                                              ; preds = %230
  %239 = load ptr, ptr @python, align 8
  %240 = call ptr @_PyObject_New(ptr noundef %239) #22
  %241 = icmp eq ptr %240, null
  br i1 %241, label %415, label %242, !prof !10

242:                                              ; preds = %238
  %243 = getelementptr inbounds i8, ptr %240, i64 %111
  store ptr %224, ptr %243, align 8
  %244 = getelementptr inbounds nuw i8, ptr %243, i64 8
  store ptr %204, ptr %244, align 8
  %245 = getelementptr inbounds nuw i8, ptr %243, i64 16
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(32) %245, i8 0, i64 32, i1 false)
  store ptr null, ptr %215, align 8
  br label %291

246:                                              ; preds = %230, %226, %223, %219, %211, %207, %200
  %247 = getelementptr inbounds nuw i8, ptr %204, i64 8
  %248 = load ptr, ptr %247, align 8
  %249 = icmp eq ptr %248, null
  br i1 %249, label %265, label %250

250:                                              ; preds = %246
  %251 = load ptr, ptr %248, align 8
  %252 = icmp eq ptr %251, null
  br i1 %252, label %262, label %253, !prof !10

253:                                              ; preds = %250
  %254 = load ptr, ptr %251, align 8
  store ptr %254, ptr %248, align 8
  %255 = getelementptr inbounds nuw i8, ptr %248, i64 8
  %256 = load i64, ptr %255, align 8
  %257 = add nsw i64 %256, -1
  store i64 %257, ptr %255, align 8
  %258 = getelementptr inbounds nuw i8, ptr %248, i64 24
  %259 = load i64, ptr %258, align 8
  %260 = load i64, ptr @pool_idle, align 8
  %261 = sub nsw i64 %260, %259
  store i64 %261, ptr @pool_idle, align 8
  br label %279

262:                                              ; preds = %250
  %263 = call fastcc ptr @pool_grow(ptr noundef nonnull %248)
  %264 = icmp eq ptr %263, null
  br i1 %264, label %265, label %279, !prof !11

265:                                              ; preds = %262, %246
  %266 = load i64, ptr %204, align 8
  %267 = call ptr @PyErr_Occurred() #22
  %268 = icmp eq ptr %267, null
  br i1 %268, label %269, label %415

269:                                              ; preds = %265
  %270 = call ptr @PyLong_FromSsize_t(i64 noundef %266) #22
  %271 = icmp eq ptr %270, null
  br i1 %271, label %415, label %272

272:                                              ; preds = %269
  %273 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 56), align 8
  %274 = call ptr @PyObject_CallOneArg(ptr noundef %273, ptr noundef nonnull %270) #22
  %275 = icmp eq ptr %274, null
  br i1 %275, label %278, label %276

276:                                              ; preds = %272
  call void @Py_DecRef(ptr noundef nonnull %274) #22
  %277 = load ptr, ptr @PyExc_RuntimeError, align 8
  call void @PyErr_SetString(ptr noundef %277, ptr noundef nonnull @.str.5) #22
  br label %278

278:                                              ; preds = %276, %272
  call void @Py_DecRef(ptr noundef nonnull %270) #22
  br label %415

279:                                              ; preds = %262, %253
  %280 = phi ptr [ %251, %253 ], [ %263, %262 ]
  %281 = load ptr, ptr @python, align 8
  %282 = call ptr @_PyObject_New(ptr noundef %281) #22
  %283 = icmp eq ptr %282, null
  br i1 %283, label %288, label %284, !prof !10

284:                                              ; preds = %279
  %285 = getelementptr inbounds i8, ptr %282, i64 %111
  store ptr %280, ptr %285, align 8
  %286 = getelementptr inbounds nuw i8, ptr %285, i64 8
  store ptr %204, ptr %286, align 8
  %287 = getelementptr inbounds nuw i8, ptr %285, i64 16
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(32) %287, i8 0, i64 32, i1 false)
  br label %291

288:                                              ; preds = %279
  %289 = getelementptr inbounds nuw i8, ptr %204, i64 8
  %290 = load ptr, ptr %289, align 8
  call fastcc void @pool_give(ptr noundef %290, ptr noundef nonnull %280)
  br label %415

291:                                              ; preds = %284, %242
  %292 = phi ptr [ %240, %242 ], [ %282, %284 ]
  %293 = getelementptr inbounds nuw ptr, ptr %107, i64 %201
  store ptr %292, ptr %293, align 8
  %294 = getelementptr inbounds i8, ptr %292, i64 %111
  %295 = load ptr, ptr %294, align 8
  %296 = getelementptr inbounds nuw ptr, ptr %194, i64 %201
  store ptr %295, ptr %296, align 8
  %297 = add nuw nsw i64 %201, 1
  %298 = load i64, ptr %12, align 8
  %299 = icmp slt i64 %297, %298
  br i1 %299, label %200, label %300, !llvm.loop !37

300:                                              ; preds = %291, %190
  %301 = phi i64 [ 0, %190 ], [ %297, %291 ]
  %302 = getelementptr inbounds nuw i8, ptr %0, i64 136
  %303 = load ptr, ptr %302, align 8
  %304 = icmp eq ptr %303, null
  br i1 %304, label %328, label %305

305:                                              ; preds = %300
  %306 = load ptr, ptr %303, align 8
  %307 = icmp eq ptr %306, null
  br i1 %307, label %317, label %308, !prof !10

308:                                              ; preds = %305
  %309 = load ptr, ptr %306, align 8
  store ptr %309, ptr %303, align 8
  %310 = getelementptr inbounds nuw i8, ptr %303, i64 8
  %311 = load i64, ptr %310, align 8
  %312 = add nsw i64 %311, -1
  store i64 %312, ptr %310, align 8
  %313 = getelementptr inbounds nuw i8, ptr %303, i64 24
  %314 = load i64, ptr %313, align 8
  %315 = load i64, ptr @pool_idle, align 8
  %316 = sub nsw i64 %315, %314
  store i64 %316, ptr @pool_idle, align 8
  br label %324

317:                                              ; preds = %305
  %318 = call fastcc ptr @pool_grow(ptr noundef nonnull %303)
  %319 = icmp eq ptr %318, null
  br i1 %319, label %320, label %324, !prof !38

320:                                              ; preds = %317
  %321 = load ptr, ptr %302, align 8
  %322 = getelementptr inbounds nuw i8, ptr %321, i64 24
  %323 = load i64, ptr %322, align 8
  call fastcc void @complain_no_memory(i64 noundef %323)
  br label %415

324:                                              ; preds = %317, %308
  %325 = phi ptr [ %306, %308 ], [ %318, %317 ]
  %326 = load i64, ptr %12, align 8
  %327 = getelementptr inbounds ptr, ptr %194, i64 %326
  store ptr %325, ptr %327, align 8
  br label %328

328:                                              ; preds = %324, %300
  %329 = phi ptr [ %325, %324 ], [ null, %300 ]
  %330 = getelementptr inbounds nuw i8, ptr %0, i64 152
  %331 = load i64, ptr %330, align 8
  %332 = icmp eq i64 %331, 0
  br i1 %332, label %338, label %333

333:                                              ; preds = %328
  %334 = call ptr @PyEval_SaveThread() #22
  %335 = getelementptr inbounds nuw i8, ptr %0, i64 144
  %336 = load ptr, ptr %335, align 8
  %337 = call i32 %336(ptr noundef %91) #22
  call void @PyEval_RestoreThread(ptr noundef %334) #22
  br label %342

338:                                              ; preds = %328
  %339 = getelementptr inbounds nuw i8, ptr %0, i64 144
  %340 = load ptr, ptr %339, align 8
  %341 = call i32 %340(ptr noundef %91) #22
  br label %342

342:                                              ; preds = %338, %333
  %343 = phi i32 [ %337, %333 ], [ %341, %338 ]
  %344 = icmp eq i32 %343, 0
  br i1 %344, label %350, label %345, !prof !8

345:                                              ; preds = %342
  %346 = call ptr @PyErr_Occurred() #22
  %347 = icmp eq ptr %346, null
  br i1 %347, label %348, label %391

348:                                              ; preds = %345
  %349 = load ptr, ptr @PyExc_RuntimeError, align 8
  call void @PyErr_SetString(ptr noundef %349, ptr noundef nonnull @.str.8) #22
  br label %391

350:                                              ; preds = %342
  %351 = getelementptr inbounds nuw i8, ptr %0, i64 120
  %352 = load i64, ptr %351, align 8
  %353 = icmp sgt i64 %352, 0
  br i1 %353, label %354, label %379

354:                                              ; preds = %350
  %355 = getelementptr inbounds nuw i8, ptr %0, i64 128
  br label %356

356:                                              ; preds = %375, %354
  %357 = phi i64 [ %352, %354 ], [ %376, %375 ]
  %358 = phi i64 [ 0, %354 ], [ %377, %375 ]
  %359 = load ptr, ptr %99, align 8
  %360 = load ptr, ptr %355, align 8
  %361 = getelementptr inbounds nuw i64, ptr %360, i64 %358
  %362 = load i64, ptr %361, align 8
  %363 = getelementptr inbounds ptr, ptr %359, i64 %362
  %364 = load ptr, ptr %363, align 8
  %365 = getelementptr inbounds i8, ptr %364, i64 %111
  %366 = getelementptr inbounds nuw i8, ptr %365, i64 40
  %367 = load i32, ptr %366, align 8
  %368 = icmp eq i32 %367, 1
  br i1 %368, label %369, label %375

369:                                              ; preds = %356
  %370 = load ptr, ptr %365, align 8
  %371 = icmp eq ptr %370, null
  br i1 %371, label %375, label %372

372:                                              ; preds = %369
  store ptr null, ptr %365, align 8
  %373 = getelementptr inbounds nuw i8, ptr %365, i64 32
  store ptr %370, ptr %373, align 8
  %374 = load i64, ptr %351, align 8
  br label %375

375:                                              ; preds = %372, %369, %356
  %376 = phi i64 [ %374, %372 ], [ %357, %369 ], [ %357, %356 ]
  %377 = add nuw nsw i64 %358, 1
  %378 = icmp slt i64 %377, %376
  br i1 %378, label %356, label %379, !llvm.loop !39

379:                                              ; preds = %375, %350
  %380 = getelementptr inbounds nuw i8, ptr %0, i64 56
  %381 = load ptr, ptr %380, align 8
  %382 = load i64, ptr %381, align 8
  %383 = icmp eq i64 %382, 0
  br i1 %383, label %384, label %389, !prof !8

384:                                              ; preds = %379
  %385 = load i64, ptr %12, align 8
  %386 = icmp eq i64 %385, 1
  br i1 %386, label %387, label %389, !prof !8

387:                                              ; preds = %384
  %388 = load ptr, ptr %107, align 8
  br label %391

389:                                              ; preds = %384, %379
  call void @llvm.lifetime.start.p0(ptr nonnull %5) #22
  store ptr %381, ptr %5, align 8
  %390 = call fastcc ptr @build(ptr noundef %5, ptr noundef nonnull %107)
  call void @llvm.lifetime.end.p0(ptr nonnull %5) #22
  br label %391

391:                                              ; preds = %389, %387, %348, %345
  %392 = phi ptr [ %390, %389 ], [ %388, %387 ], [ null, %345 ], [ null, %348 ]
  %393 = phi i64 [ %301, %389 ], [ 0, %387 ], [ %301, %345 ], [ %301, %348 ]
  %394 = icmp eq ptr %329, null
  br i1 %394, label %415, label %395

395:                                              ; preds = %391
  %396 = load ptr, ptr %302, align 8
  %397 = getelementptr inbounds nuw i8, ptr %396, i64 8
  %398 = load i64, ptr %397, align 8
  %399 = getelementptr inbounds nuw i8, ptr %396, i64 16
  %400 = load i64, ptr %399, align 8
  %401 = icmp slt i64 %398, %400
  br i1 %401, label %402, label %408, !prof !8

402:                                              ; preds = %395
  %403 = load i64, ptr @pool_idle, align 8
  %404 = getelementptr inbounds nuw i8, ptr %396, i64 24
  %405 = load i64, ptr %404, align 8
  %406 = add nsw i64 %405, %403
  %407 = icmp sgt i64 %406, 536870912
  br i1 %407, label %408, label %409, !prof !10

408:                                              ; preds = %402, %395
  call void @free(ptr noundef nonnull %329)
  br label %415

409:                                              ; preds = %402
  %410 = load ptr, ptr %396, align 8
  store ptr %410, ptr %329, align 8
  store ptr %329, ptr %396, align 8
  %411 = load i64, ptr %397, align 8
  %412 = add nsw i64 %411, 1
  store i64 %412, ptr %397, align 8
  %413 = load i64, ptr %404, align 8
  %414 = add nsw i64 %413, %403
  store i64 %414, ptr @pool_idle, align 8
  br label %415

415:                                              ; preds = %238, %409, %408, %391, %320, %288, %278, %269, %265
  %416 = phi i64 [ %393, %409 ], [ %393, %391 ], [ %393, %408 ], [ %301, %320 ], [ %201, %278 ], [ %201, %288 ], [ %201, %265 ], [ %201, %269 ], [ %201, %238 ]
  %417 = phi ptr [ %392, %409 ], [ %392, %391 ], [ %392, %408 ], [ null, %320 ], [ null, %278 ], [ null, %288 ], [ null, %265 ], [ null, %269 ], [ null, %238 ]
  %418 = icmp eq i64 %416, 0
  br i1 %418, label %425, label %419

419:                                              ; preds = %415, %419
  %420 = phi i64 [ %423, %419 ], [ 0, %415 ]
  %421 = getelementptr inbounds nuw ptr, ptr %107, i64 %420
  %422 = load ptr, ptr %421, align 8
  call void @Py_DecRef(ptr noundef %422) #22
  %423 = add nuw nsw i64 %420, 1
  %424 = icmp eq i64 %423, %416
  br i1 %424, label %425, label %419, !llvm.loop !40

425:                                              ; preds = %419, %415
  store ptr %417, ptr %3, align 8
  br label %426

426:                                              ; preds = %128, %135, %121, %155, %166, %425
  %427 = phi i32 [ 0, %166 ], [ 1, %425 ], [ 0, %155 ], [ 0, %121 ], [ 0, %135 ], [ 0, %128 ]
  %428 = load i64, ptr %105, align 8
  %429 = icmp sgt i64 %428, 0
  br i1 %429, label %433, label %430

430:                                              ; preds = %452, %426
  %431 = load i64, ptr %106, align 8
  %432 = icmp sgt i64 %431, 0
  br i1 %432, label %456, label %464

433:                                              ; preds = %426, %452
  %434 = phi i64 [ %453, %452 ], [ 0, %426 ]
  %435 = load ptr, ptr %102, align 8
  %436 = getelementptr inbounds nuw ptr, ptr %435, i64 %434
  %437 = load ptr, ptr %436, align 8
  %438 = getelementptr inbounds i8, ptr %437, i64 %111
  %439 = getelementptr inbounds nuw i8, ptr %438, i64 40
  %440 = load i32, ptr %439, align 8
  %441 = add nsw i32 %440, -1
  store i32 %441, ptr %439, align 8
  %442 = icmp eq i32 %441, 0
  br i1 %442, label %443, label %452

443:                                              ; preds = %433
  %444 = getelementptr inbounds nuw i8, ptr %438, i64 32
  %445 = load ptr, ptr %444, align 8
  %446 = icmp eq ptr %445, null
  br i1 %446, label %452, label %447, !prof !8

447:                                              ; preds = %443
  %448 = getelementptr inbounds nuw i8, ptr %438, i64 44
  %449 = load i32, ptr %448, align 4
  %450 = icmp eq i32 %449, 0
  br i1 %450, label %451, label %452

451:                                              ; preds = %447
  store ptr null, ptr %444, align 8
  call fastcc void @array_release(ptr noundef nonnull %438, ptr noundef %445)
  br label %452

452:                                              ; preds = %451, %447, %443, %433
  %453 = add nuw nsw i64 %434, 1
  %454 = load i64, ptr %105, align 8
  %455 = icmp slt i64 %453, %454
  br i1 %455, label %433, label %430, !llvm.loop !41

456:                                              ; preds = %430, %456
  %457 = phi i64 [ %461, %456 ], [ 0, %430 ]
  %458 = load ptr, ptr %104, align 8
  %459 = getelementptr inbounds nuw ptr, ptr %458, i64 %457
  %460 = load ptr, ptr %459, align 8
  call void @Py_DecRef(ptr noundef %460) #22
  %461 = add nuw nsw i64 %457, 1
  %462 = load i64, ptr %106, align 8
  %463 = icmp slt i64 %461, %462
  br i1 %463, label %456, label %464, !llvm.loop !42

464:                                              ; preds = %456, %430
  br i1 %22, label %465, label %466, !prof !10

465:                                              ; preds = %464
  call void @free(ptr noundef nonnull %86)
  br label %466

466:                                              ; preds = %465, %464
  %467 = load ptr, ptr %108, align 8
  call void @Py_DecRef(ptr noundef %467) #22
  call void @llvm.lifetime.end.p0(ptr nonnull %6) #22
  br label %468

468:                                              ; preds = %52, %83, %466, %62, %70
  %469 = phi i32 [ 0, %52 ], [ 0, %62 ], [ 0, %70 ], [ 1, %83 ], [ %427, %466 ]
  ret i32 %469
}

; Function Attrs: nounwind uwtable(sync)
define ptr @function_new(ptr noundef %0, ptr noundef %1, ptr noundef %2) local_unnamed_addr #3 {
  %4 = tail call i64 @PyTuple_Size(ptr noundef %1) #22
  %5 = icmp eq i64 %4, 1
  br i1 %5, label %6, label %11

6:                                                ; preds = %3
  %7 = icmp eq ptr %2, null
  br i1 %7, label %13, label %8

8:                                                ; preds = %6
  %9 = tail call i64 @PyDict_Size(ptr noundef nonnull %2) #22
  %10 = icmp eq i64 %9, 0
  br i1 %10, label %13, label %11

11:                                               ; preds = %8, %3
  %12 = load ptr, ptr @PyExc_TypeError, align 8
  tail call void @PyErr_SetString(ptr noundef %12, ptr noundef nonnull @.str.3) #22
  br label %28

13:                                               ; preds = %8, %6
  %14 = load i64, ptr @TUPLE_ITEMS, align 8
  %15 = getelementptr inbounds i8, ptr %1, i64 %14
  %16 = load ptr, ptr %15, align 8
  %17 = tail call i32 @PyCallable_Check(ptr noundef %16) #22
  %18 = icmp eq i32 %17, 0
  br i1 %18, label %19, label %21

19:                                               ; preds = %13
  %20 = load ptr, ptr @PyExc_TypeError, align 8
  tail call void @PyErr_SetString(ptr noundef %20, ptr noundef nonnull @.str.4) #22
  br label %28

21:                                               ; preds = %13
  %22 = tail call ptr @PyType_GenericAlloc(ptr noundef %0, i64 noundef 0) #22
  %23 = icmp eq ptr %22, null
  br i1 %23, label %28, label %24

24:                                               ; preds = %21
  %25 = load i64, ptr @OBJECT_SIZE, align 8
  %26 = getelementptr inbounds i8, ptr %22, i64 %25
  tail call void @Py_IncRef(ptr noundef %16) #22
  %27 = getelementptr inbounds nuw i8, ptr %26, i64 8
  store ptr %16, ptr %27, align 8
  store ptr @function_vectorcall, ptr %26, align 8
  br label %28

28:                                               ; preds = %19, %21, %24, %11
  %29 = phi ptr [ null, %11 ], [ null, %19 ], [ %22, %24 ], [ null, %21 ]
  ret ptr %29
}

declare i64 @PyTuple_Size(ptr noundef) local_unnamed_addr #4

declare i64 @PyDict_Size(ptr noundef) local_unnamed_addr #4

declare i32 @PyCallable_Check(ptr noundef) local_unnamed_addr #4

declare ptr @PyType_GenericAlloc(ptr noundef, i64 noundef) local_unnamed_addr #4

; Function Attrs: nounwind uwtable(sync)
define i32 @function_traverse(ptr noundef readonly captures(none) %0, ptr noundef readonly captures(none) %1, ptr noundef %2) local_unnamed_addr #3 {
  %4 = load i64, ptr @OBJECT_SIZE, align 8
  %5 = getelementptr inbounds i8, ptr %0, i64 %4
  %6 = getelementptr i8, ptr %5, i64 -8
  %7 = load ptr, ptr %6, align 8
  %8 = getelementptr inbounds nuw i8, ptr %5, i64 8
  %9 = load ptr, ptr %8, align 8
  %10 = getelementptr inbounds nuw i8, ptr %5, i64 16
  %11 = load ptr, ptr %10, align 8
  %12 = icmp eq ptr %7, null
  br i1 %12, label %16, label %13

13:                                               ; preds = %3
  %14 = tail call i32 %1(ptr noundef nonnull %7, ptr noundef %2) #22
  %15 = icmp eq i32 %14, 0
  br i1 %15, label %16, label %37

16:                                               ; preds = %3, %13
  %17 = icmp eq ptr %9, null
  br i1 %17, label %21, label %18

18:                                               ; preds = %16
  %19 = tail call i32 %1(ptr noundef nonnull %9, ptr noundef %2) #22
  %20 = icmp eq i32 %19, 0
  br i1 %20, label %21, label %37

21:                                               ; preds = %18, %16
  %22 = icmp eq ptr %11, null
  br i1 %22, label %26, label %23

23:                                               ; preds = %21
  %24 = tail call i32 %1(ptr noundef nonnull %11, ptr noundef %2) #22
  %25 = icmp eq i32 %24, 0
  br i1 %25, label %26, label %37

26:                                               ; preds = %23, %21
  %27 = getelementptr inbounds nuw i8, ptr %5, i64 32
  br label %28

28:                                               ; preds = %32, %26
  %29 = phi ptr [ %27, %26 ], [ %30, %32 ]
  %30 = load ptr, ptr %29, align 8
  %31 = icmp eq ptr %30, null
  br i1 %31, label %37, label %32

32:                                               ; preds = %28
  %33 = getelementptr inbounds nuw i8, ptr %30, i64 8
  %34 = load ptr, ptr %33, align 8
  %35 = tail call i32 %1(ptr noundef %34, ptr noundef %2) #22
  %36 = icmp eq i32 %35, 0
  br i1 %36, label %28, label %37, !llvm.loop !43

37:                                               ; preds = %32, %28, %13, %18, %23
  %38 = phi i32 [ %19, %18 ], [ %24, %23 ], [ %14, %13 ], [ 0, %28 ], [ %35, %32 ]
  ret i32 %38
}

; Function Attrs: nounwind uwtable(sync)
define noundef i32 @function_clear(ptr noundef captures(none) %0) local_unnamed_addr #3 {
  %2 = load i64, ptr @OBJECT_SIZE, align 8
  %3 = getelementptr inbounds i8, ptr %0, i64 %2
  %4 = getelementptr inbounds nuw i8, ptr %3, i64 8
  %5 = load ptr, ptr %4, align 8
  %6 = getelementptr inbounds nuw i8, ptr %3, i64 16
  %7 = load ptr, ptr %6, align 8
  %8 = getelementptr inbounds nuw i8, ptr %3, i64 32
  tail call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(16) %4, i8 0, i64 16, i1 false)
  %9 = load ptr, ptr %8, align 8
  %10 = getelementptr inbounds nuw i8, ptr %3, i64 48
  tail call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(16) %8, i8 0, i64 16, i1 false)
  %11 = load i64, ptr %10, align 8
  %12 = add nsw i64 %11, 1
  store i64 %12, ptr %10, align 8
  %13 = icmp eq ptr %9, null
  br i1 %13, label %20, label %14

14:                                               ; preds = %1, %14
  %15 = phi ptr [ %16, %14 ], [ %9, %1 ]
  %16 = load ptr, ptr %15, align 8
  %17 = getelementptr inbounds nuw i8, ptr %15, i64 8
  %18 = load ptr, ptr %17, align 8
  tail call void @Py_DecRef(ptr noundef %18) #22
  %19 = icmp eq ptr %16, null
  br i1 %19, label %20, label %14, !llvm.loop !44

20:                                               ; preds = %14, %1
  %21 = icmp eq ptr %5, null
  br i1 %21, label %23, label %22

22:                                               ; preds = %20
  tail call void @Py_DecRef(ptr noundef nonnull %5) #22
  br label %23

23:                                               ; preds = %22, %20
  %24 = icmp eq ptr %7, null
  br i1 %24, label %26, label %25

25:                                               ; preds = %23
  tail call void @Py_DecRef(ptr noundef nonnull %7) #22
  br label %26

26:                                               ; preds = %25, %23
  ret i32 0
}

; Function Attrs: nounwind uwtable(sync)
define void @function_dealloc(ptr noundef %0) local_unnamed_addr #3 {
  %2 = load i64, ptr @OBJECT_SIZE, align 8
  %3 = getelementptr i8, ptr %0, i64 %2
  %4 = getelementptr i8, ptr %3, i64 -8
  %5 = load ptr, ptr %4, align 8
  tail call void @PyObject_GC_UnTrack(ptr noundef %0) #22
  %6 = getelementptr inbounds nuw i8, ptr %3, i64 24
  %7 = load ptr, ptr %6, align 8
  %8 = icmp eq ptr %7, null
  br i1 %8, label %10, label %9

9:                                                ; preds = %1
  tail call void @PyObject_ClearWeakRefs(ptr noundef nonnull %0) #22
  br label %10

10:                                               ; preds = %9, %1
  %11 = getelementptr inbounds nuw i8, ptr %3, i64 8
  %12 = load ptr, ptr %11, align 8
  %13 = getelementptr inbounds nuw i8, ptr %3, i64 16
  %14 = load ptr, ptr %13, align 8
  %15 = getelementptr inbounds nuw i8, ptr %3, i64 32
  tail call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(16) %11, i8 0, i64 16, i1 false)
  %16 = load ptr, ptr %15, align 8
  %17 = getelementptr inbounds nuw i8, ptr %3, i64 48
  tail call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(16) %15, i8 0, i64 16, i1 false)
  %18 = load i64, ptr %17, align 8
  %19 = add nsw i64 %18, 1
  store i64 %19, ptr %17, align 8
  %20 = icmp eq ptr %16, null
  br i1 %20, label %27, label %21

21:                                               ; preds = %10, %21
  %22 = phi ptr [ %23, %21 ], [ %16, %10 ]
  %23 = load ptr, ptr %22, align 8
  %24 = getelementptr inbounds nuw i8, ptr %22, i64 8
  %25 = load ptr, ptr %24, align 8
  tail call void @Py_DecRef(ptr noundef %25) #22
  %26 = icmp eq ptr %23, null
  br i1 %26, label %27, label %21, !llvm.loop !44

27:                                               ; preds = %21, %10
  %28 = icmp eq ptr %12, null
  br i1 %28, label %30, label %29

29:                                               ; preds = %27
  tail call void @Py_DecRef(ptr noundef nonnull %12) #22
  br label %30

30:                                               ; preds = %29, %27
  %31 = icmp eq ptr %14, null
  br i1 %31, label %33, label %32

32:                                               ; preds = %30
  tail call void @Py_DecRef(ptr noundef nonnull %14) #22
  br label %33

33:                                               ; preds = %30, %32
  tail call void @PyObject_GC_Del(ptr noundef nonnull %0) #22
  tail call void @Py_DecRef(ptr noundef %5) #22
  ret void
}

declare void @PyObject_GC_UnTrack(ptr noundef) local_unnamed_addr #4

declare void @PyObject_GC_Del(ptr noundef) local_unnamed_addr #4

; Function Attrs: nounwind uwtable(sync)
define ptr @function_descr_get(ptr noundef %0, ptr noundef %1, ptr noundef readnone captures(none) %2) local_unnamed_addr #3 {
  %4 = icmp eq ptr %1, null
  %5 = icmp eq ptr %1, @_Py_NoneStruct
  %6 = or i1 %4, %5
  br i1 %6, label %7, label %8

7:                                                ; preds = %3
  tail call void @Py_IncRef(ptr noundef %0) #22
  br label %10

8:                                                ; preds = %3
  %9 = tail call ptr @PyMethod_New(ptr noundef %0, ptr noundef nonnull %1) #22
  br label %10

10:                                               ; preds = %8, %7
  %11 = phi ptr [ %0, %7 ], [ %9, %8 ]
  ret ptr %11
}

declare ptr @PyMethod_New(ptr noundef, ptr noundef) local_unnamed_addr #4

; Function Attrs: nounwind uwtable(sync)
define noundef ptr @add_plan(ptr noundef readnone captures(none) %0, ptr noundef readonly captures(none) %1, i64 noundef %2) local_unnamed_addr #3 {
  %4 = icmp eq i64 %2, 3
  br i1 %4, label %5, label %13, !prof !8

5:                                                ; preds = %3
  %6 = load ptr, ptr %1, align 8
  %7 = load i64, ptr @OBJECT_SIZE, align 8
  %8 = getelementptr i8, ptr %6, i64 %7
  %9 = getelementptr i8, ptr %8, i64 -8
  %10 = load ptr, ptr %9, align 8
  %11 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 8), align 8
  %12 = icmp eq ptr %10, %11
  br i1 %12, label %16, label %13

13:                                               ; preds = %3, %5
  %14 = phi ptr [ @.str.6, %3 ], [ @.str.9, %5 ]
  %15 = load ptr, ptr @PyExc_TypeError, align 8
  tail call void @PyErr_SetString(ptr noundef %15, ptr noundef nonnull %14) #22
  br label %87

16:                                               ; preds = %5
  %17 = icmp eq ptr %8, null
  br i1 %17, label %87, label %18

18:                                               ; preds = %16
  %19 = getelementptr inbounds nuw i8, ptr %1, i64 16
  %20 = load ptr, ptr %19, align 8
  %21 = tail call i64 @PyLong_AsSsize_t(ptr noundef %20) #22
  %22 = inttoptr i64 %21 to ptr
  %23 = icmp eq i64 %21, 0
  br i1 %23, label %87, label %24

24:                                               ; preds = %18
  %25 = tail call ptr @PyErr_Occurred() #22
  %26 = icmp eq ptr %25, null
  br i1 %26, label %27, label %87

27:                                               ; preds = %24
  %28 = getelementptr inbounds nuw i8, ptr %8, i64 32
  %29 = load ptr, ptr %28, align 8
  %30 = icmp eq ptr %29, null
  br i1 %30, label %31, label %33

31:                                               ; preds = %27
  %32 = getelementptr inbounds nuw i8, ptr %8, i64 40
  br label %75

33:                                               ; preds = %27
  %34 = getelementptr inbounds nuw i8, ptr %22, i64 16
  %35 = load ptr, ptr %34, align 8
  br label %38

36:                                               ; preds = %38
  %37 = icmp eq ptr %44, null
  br i1 %37, label %47, label %51

38:                                               ; preds = %33, %38
  %39 = phi ptr [ %29, %33 ], [ %45, %38 ]
  %40 = phi ptr [ null, %33 ], [ %44, %38 ]
  %41 = getelementptr inbounds nuw i8, ptr %39, i64 16
  %42 = load ptr, ptr %41, align 8
  %43 = icmp eq ptr %42, %35
  %44 = select i1 %43, ptr %39, ptr %40
  %45 = load ptr, ptr %39, align 8
  %46 = icmp eq ptr %45, null
  br i1 %46, label %36, label %38, !llvm.loop !45

47:                                               ; preds = %36
  %48 = getelementptr inbounds nuw i8, ptr %8, i64 40
  %49 = load i64, ptr %48, align 8
  %50 = icmp slt i64 %49, 256
  br i1 %50, label %75, label %51

51:                                               ; preds = %47, %36
  %52 = phi ptr [ %39, %47 ], [ %44, %36 ]
  br label %53

53:                                               ; preds = %53, %51
  %54 = phi ptr [ %28, %51 ], [ %55, %53 ]
  %55 = load ptr, ptr %54, align 8
  %56 = icmp eq ptr %55, %52
  br i1 %56, label %57, label %53, !llvm.loop !31

57:                                               ; preds = %53
  %58 = load ptr, ptr %52, align 8
  store ptr %58, ptr %54, align 8
  %59 = getelementptr inbounds nuw i8, ptr %8, i64 40
  %60 = load i64, ptr %59, align 8
  %61 = add nsw i64 %60, -1
  store i64 %61, ptr %59, align 8
  %62 = getelementptr inbounds nuw i8, ptr %8, i64 48
  %63 = load i64, ptr %62, align 8
  %64 = add nsw i64 %63, 1
  store i64 %64, ptr %62, align 8
  %65 = getelementptr inbounds nuw i8, ptr %1, i64 8
  %66 = load ptr, ptr %65, align 8
  %67 = getelementptr inbounds nuw i8, ptr %22, i64 8
  store ptr %66, ptr %67, align 8
  tail call void @Py_IncRef(ptr noundef %66) #22
  %68 = load ptr, ptr %28, align 8
  store ptr %68, ptr %22, align 8
  store ptr %22, ptr %28, align 8
  %69 = load i64, ptr %59, align 8
  %70 = add nsw i64 %69, 1
  store i64 %70, ptr %59, align 8
  %71 = load i64, ptr %62, align 8
  %72 = add nsw i64 %71, 1
  store i64 %72, ptr %62, align 8
  %73 = getelementptr inbounds nuw i8, ptr %52, i64 8
  %74 = load ptr, ptr %73, align 8
  tail call void @Py_DecRef(ptr noundef %74) #22
  br label %86

75:                                               ; preds = %31, %47
  %76 = phi ptr [ %32, %31 ], [ %48, %47 ]
  %77 = getelementptr inbounds nuw i8, ptr %1, i64 8
  %78 = load ptr, ptr %77, align 8
  %79 = getelementptr inbounds nuw i8, ptr %22, i64 8
  store ptr %78, ptr %79, align 8
  tail call void @Py_IncRef(ptr noundef %78) #22
  %80 = load ptr, ptr %28, align 8
  store ptr %80, ptr %22, align 8
  store ptr %22, ptr %28, align 8
  %81 = load i64, ptr %76, align 8
  %82 = add nsw i64 %81, 1
  store i64 %82, ptr %76, align 8
  %83 = getelementptr inbounds nuw i8, ptr %8, i64 48
  %84 = load i64, ptr %83, align 8
  %85 = add nsw i64 %84, 1
  store i64 %85, ptr %83, align 8
  br label %86

86:                                               ; preds = %75, %57
  tail call void @Py_IncRef(ptr noundef nonnull @_Py_NoneStruct) #22
  br label %87

87:                                               ; preds = %13, %16, %18, %24, %86
  %88 = phi ptr [ @_Py_NoneStruct, %86 ], [ null, %24 ], [ null, %18 ], [ null, %16 ], [ null, %13 ]
  ret ptr %88
}

declare i64 @PyLong_AsSsize_t(ptr noundef) local_unnamed_addr #4

declare ptr @PyErr_Occurred() local_unnamed_addr #4

; Function Attrs: nounwind uwtable(sync)
define noundef ptr @clear_plans(ptr noundef readnone captures(none) %0, ptr noundef readonly captures(none) %1, i64 noundef %2) local_unnamed_addr #3 {
  %4 = icmp eq i64 %2, 1
  br i1 %4, label %5, label %13, !prof !8

5:                                                ; preds = %3
  %6 = load ptr, ptr %1, align 8
  %7 = load i64, ptr @OBJECT_SIZE, align 8
  %8 = getelementptr i8, ptr %6, i64 %7
  %9 = getelementptr i8, ptr %8, i64 -8
  %10 = load ptr, ptr %9, align 8
  %11 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 8), align 8
  %12 = icmp eq ptr %10, %11
  br i1 %12, label %16, label %13

13:                                               ; preds = %3, %5
  %14 = phi ptr [ @.str.6, %3 ], [ @.str.9, %5 ]
  %15 = load ptr, ptr @PyExc_TypeError, align 8
  tail call void @PyErr_SetString(ptr noundef %15, ptr noundef nonnull %14) #22
  br label %32

16:                                               ; preds = %5
  %17 = icmp eq ptr %8, null
  br i1 %17, label %32, label %18

18:                                               ; preds = %16
  %19 = getelementptr inbounds nuw i8, ptr %8, i64 32
  %20 = load ptr, ptr %19, align 8
  %21 = getelementptr inbounds nuw i8, ptr %8, i64 48
  tail call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(16) %19, i8 0, i64 16, i1 false)
  %22 = load i64, ptr %21, align 8
  %23 = add nsw i64 %22, 1
  store i64 %23, ptr %21, align 8
  %24 = icmp eq ptr %20, null
  br i1 %24, label %31, label %25

25:                                               ; preds = %18, %25
  %26 = phi ptr [ %27, %25 ], [ %20, %18 ]
  %27 = load ptr, ptr %26, align 8
  %28 = getelementptr inbounds nuw i8, ptr %26, i64 8
  %29 = load ptr, ptr %28, align 8
  tail call void @Py_DecRef(ptr noundef %29) #22
  %30 = icmp eq ptr %27, null
  br i1 %30, label %31, label %25, !llvm.loop !44

31:                                               ; preds = %25, %18
  tail call void @Py_IncRef(ptr noundef nonnull @_Py_NoneStruct) #22
  br label %32

32:                                               ; preds = %13, %16, %31
  %33 = phi ptr [ @_Py_NoneStruct, %31 ], [ null, %16 ], [ null, %13 ]
  ret ptr %33
}

; Function Attrs: nounwind uwtable(sync)
define ptr @plan_count(ptr noundef readnone captures(none) %0, ptr noundef readonly captures(none) %1, i64 noundef %2) local_unnamed_addr #3 {
  %4 = icmp eq i64 %2, 1
  br i1 %4, label %5, label %13, !prof !8

5:                                                ; preds = %3
  %6 = load ptr, ptr %1, align 8
  %7 = load i64, ptr @OBJECT_SIZE, align 8
  %8 = getelementptr i8, ptr %6, i64 %7
  %9 = getelementptr i8, ptr %8, i64 -8
  %10 = load ptr, ptr %9, align 8
  %11 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 8), align 8
  %12 = icmp eq ptr %10, %11
  br i1 %12, label %16, label %13

13:                                               ; preds = %3, %5
  %14 = phi ptr [ @.str.6, %3 ], [ @.str.9, %5 ]
  %15 = load ptr, ptr @PyExc_TypeError, align 8
  tail call void @PyErr_SetString(ptr noundef %15, ptr noundef nonnull %14) #22
  br label %22

16:                                               ; preds = %5
  %17 = icmp eq ptr %8, null
  br i1 %17, label %22, label %18

18:                                               ; preds = %16
  %19 = getelementptr inbounds nuw i8, ptr %8, i64 40
  %20 = load i64, ptr %19, align 8
  %21 = tail call ptr @PyLong_FromSsize_t(i64 noundef %20) #22
  br label %22

22:                                               ; preds = %13, %16, %18
  %23 = phi ptr [ %21, %18 ], [ null, %16 ], [ null, %13 ]
  ret ptr %23
}

; Function Attrs: nounwind uwtable(sync)
define noundef nonnull ptr @guard_enter(ptr noundef readnone captures(none) %0, ptr noundef readnone captures(none) %1, i64 noundef %2) local_unnamed_addr #3 {
  %4 = load i64, ptr @guard_count, align 8
  %5 = add nsw i64 %4, 1
  store i64 %5, ptr @guard_count, align 8
  tail call void @Py_IncRef(ptr noundef nonnull @_Py_NoneStruct) #22
  ret ptr @_Py_NoneStruct
}

; Function Attrs: nounwind uwtable(sync)
define noundef nonnull ptr @guard_exit(ptr noundef readnone captures(none) %0, ptr noundef readnone captures(none) %1, i64 noundef %2) local_unnamed_addr #3 {
  %4 = load i64, ptr @guard_count, align 8
  %5 = add nsw i64 %4, -1
  store i64 %5, ptr @guard_count, align 8
  tail call void @Py_IncRef(ptr noundef nonnull @_Py_NoneStruct) #22
  ret ptr @_Py_NoneStruct
}

; Function Attrs: mustprogress nofree norecurse nosync nounwind willreturn memory(readwrite, inaccessiblemem: none, target_mem0: none, target_mem1: none) uwtable(sync)
define noundef i32 @self_test_kernel(ptr noundef readonly captures(none) %0) local_unnamed_addr #14 {
  %2 = load ptr, ptr %0, align 8
  %3 = getelementptr inbounds nuw i8, ptr %0, i64 8
  %4 = load ptr, ptr %3, align 8
  %5 = getelementptr inbounds nuw i8, ptr %0, i64 16
  %6 = load ptr, ptr %5, align 8
  %7 = load float, ptr %2, align 4
  %8 = load i32, ptr %4, align 4
  %9 = sitofp i32 %8 to float
  %10 = tail call float @llvm.fmuladd.f32(float %7, float 2.000000e+00, float %9)
  store float %10, ptr %6, align 4
  %11 = getelementptr inbounds nuw i8, ptr %2, i64 4
  %12 = load float, ptr %11, align 4
  %13 = load i32, ptr %4, align 4
  %14 = sitofp i32 %13 to float
  %15 = tail call float @llvm.fmuladd.f32(float %12, float 2.000000e+00, float %14)
  %16 = getelementptr inbounds nuw i8, ptr %6, i64 4
  store float %15, ptr %16, align 4
  %17 = getelementptr inbounds nuw i8, ptr %2, i64 8
  %18 = load float, ptr %17, align 4
  %19 = load i32, ptr %4, align 4
  %20 = sitofp i32 %19 to float
  %21 = tail call float @llvm.fmuladd.f32(float %18, float 2.000000e+00, float %20)
  %22 = getelementptr inbounds nuw i8, ptr %6, i64 8
  store float %21, ptr %22, align 4
  ret i32 0
}

; Function Attrs: mustprogress nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare float @llvm.fmuladd.f32(float, float, float) #15

; Function Attrs: inlinehint mustprogress nounwind willreturn memory(readwrite, target_mem0: none, target_mem1: none) uwtable(sync)
define internal fastcc void @pool_give(ptr noundef captures(none) %0, ptr noundef %1) unnamed_addr #16 {
  %3 = getelementptr inbounds nuw i8, ptr %0, i64 8
  %4 = load i64, ptr %3, align 8
  %5 = getelementptr inbounds nuw i8, ptr %0, i64 16
  %6 = load i64, ptr %5, align 8
  %7 = icmp slt i64 %4, %6
  br i1 %7, label %8, label %14, !prof !8

8:                                                ; preds = %2
  %9 = load i64, ptr @pool_idle, align 8
  %10 = getelementptr inbounds nuw i8, ptr %0, i64 24
  %11 = load i64, ptr %10, align 8
  %12 = add nsw i64 %11, %9
  %13 = icmp sgt i64 %12, 536870912
  br i1 %13, label %14, label %15, !prof !10

14:                                               ; preds = %2, %8
  tail call void @free(ptr noundef %1)
  br label %21

15:                                               ; preds = %8
  %16 = load ptr, ptr %0, align 8
  store ptr %16, ptr %1, align 8
  store ptr %1, ptr %0, align 8
  %17 = load i64, ptr %3, align 8
  %18 = add nsw i64 %17, 1
  store i64 %18, ptr %3, align 8
  %19 = load i64, ptr %10, align 8
  %20 = add nsw i64 %19, %9
  store i64 %20, ptr @pool_idle, align 8
  br label %21

21:                                               ; preds = %15, %14
  ret void
}

declare ptr @PyObject_CallOneArg(ptr noundef, ptr noundef) local_unnamed_addr #4

declare ptr @PyObject_GetAttr(ptr noundef, ptr noundef) local_unnamed_addr #4

; Function Attrs: nounwind uwtable(sync)
define internal fastcc void @complain_no_memory(i64 noundef %0) unnamed_addr #3 {
  %2 = tail call ptr @PyErr_Occurred() #22
  %3 = icmp eq ptr %2, null
  br i1 %3, label %4, label %14

4:                                                ; preds = %1
  %5 = tail call ptr @PyLong_FromSsize_t(i64 noundef %0) #22
  %6 = icmp eq ptr %5, null
  br i1 %6, label %14, label %7

7:                                                ; preds = %4
  %8 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 56), align 8
  %9 = tail call ptr @PyObject_CallOneArg(ptr noundef %8, ptr noundef nonnull %5) #22
  %10 = icmp eq ptr %9, null
  br i1 %10, label %13, label %11

11:                                               ; preds = %7
  tail call void @Py_DecRef(ptr noundef nonnull %9) #22
  %12 = load ptr, ptr @PyExc_RuntimeError, align 8
  tail call void @PyErr_SetString(ptr noundef %12, ptr noundef nonnull @.str.5) #22
  br label %13

13:                                               ; preds = %7, %11
  tail call void @Py_DecRef(ptr noundef nonnull %5) #22
  br label %14

14:                                               ; preds = %1, %13, %4
  ret void
}

; Function Attrs: noinline nounwind uwtable(sync)
define internal fastcc ptr @pool_grow(ptr noundef nonnull readonly captures(none) %0) unnamed_addr #13 {
  %2 = alloca ptr, align 8
  call void @llvm.lifetime.start.p0(ptr nonnull %2) #22
  store ptr null, ptr %2, align 8
  %3 = getelementptr inbounds nuw i8, ptr %0, i64 24
  %4 = load i64, ptr %3, align 8
  %5 = icmp sgt i64 %4, 268435455
  br i1 %5, label %6, label %39

6:                                                ; preds = %1
  %7 = tail call ptr @PyLong_FromSsize_t(i64 noundef %4) #22
  %8 = icmp eq ptr %7, null
  br i1 %8, label %13, label %9

9:                                                ; preds = %6
  %10 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 72), align 8
  %11 = tail call ptr @PyObject_CallOneArg(ptr noundef %10, ptr noundef nonnull %7) #22
  tail call void @Py_DecRef(ptr noundef nonnull %7) #22
  %12 = icmp eq ptr %11, null
  br i1 %12, label %13, label %37

13:                                               ; preds = %9, %6
  %14 = load i64, ptr @pool_idle, align 8
  br label %15

15:                                               ; preds = %24, %13
  %16 = phi i64 [ 0, %13 ], [ %25, %24 ]
  %17 = getelementptr inbounds nuw %struct.pool_class, ptr @pool, i64 %16
  %18 = load ptr, ptr %17, align 16
  %19 = icmp eq ptr %18, null
  tail call void @llvm.memset.p0.i64(ptr noundef nonnull align 16 dereferenceable(16) %17, i8 0, i64 16, i1 false)
  br i1 %19, label %24, label %20

20:                                               ; preds = %15, %20
  %21 = phi ptr [ %22, %20 ], [ %18, %15 ]
  %22 = load ptr, ptr %21, align 8
  tail call void @free(ptr noundef nonnull %21)
  %23 = icmp eq ptr %22, null
  br i1 %23, label %24, label %20, !llvm.loop !5

24:                                               ; preds = %20, %15
  %25 = add nuw nsw i64 %16, 1
  %26 = icmp eq i64 %25, 344
  br i1 %26, label %27, label %15, !llvm.loop !7

27:                                               ; preds = %24
  store i64 0, ptr @pool_idle, align 8
  %28 = icmp eq i64 %14, 0
  br i1 %28, label %67, label %29

29:                                               ; preds = %27
  tail call void @PyErr_Clear() #22
  %30 = load i64, ptr %3, align 8
  %31 = tail call ptr @PyLong_FromSsize_t(i64 noundef %30) #22
  %32 = icmp eq ptr %31, null
  br i1 %32, label %67, label %33

33:                                               ; preds = %29
  %34 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 72), align 8
  %35 = tail call ptr @PyObject_CallOneArg(ptr noundef %34, ptr noundef nonnull %31) #22
  tail call void @Py_DecRef(ptr noundef nonnull %31) #22
  %36 = icmp eq ptr %35, null
  br i1 %36, label %67, label %37

37:                                               ; preds = %33, %9
  %38 = phi ptr [ %11, %9 ], [ %35, %33 ]
  tail call void @Py_DecRef(ptr noundef nonnull %38) #22
  br label %39

39:                                               ; preds = %37, %1
  %40 = load i64, ptr %3, align 8
  %41 = call i32 @posix_memalign(ptr noundef nonnull %2, i64 noundef 64, i64 noundef %40) #22
  %42 = icmp eq i32 %41, 0
  br i1 %42, label %43, label %45

43:                                               ; preds = %39
  %44 = load ptr, ptr %2, align 8
  br label %67

45:                                               ; preds = %39
  %46 = load i64, ptr @pool_idle, align 8
  br label %47

47:                                               ; preds = %56, %45
  %48 = phi i64 [ 0, %45 ], [ %57, %56 ]
  %49 = getelementptr inbounds nuw %struct.pool_class, ptr @pool, i64 %48
  %50 = load ptr, ptr %49, align 16
  %51 = icmp eq ptr %50, null
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 16 dereferenceable(16) %49, i8 0, i64 16, i1 false)
  br i1 %51, label %56, label %52

52:                                               ; preds = %47, %52
  %53 = phi ptr [ %54, %52 ], [ %50, %47 ]
  %54 = load ptr, ptr %53, align 8
  call void @free(ptr noundef nonnull %53)
  %55 = icmp eq ptr %54, null
  br i1 %55, label %56, label %52, !llvm.loop !5

56:                                               ; preds = %52, %47
  %57 = add nuw nsw i64 %48, 1
  %58 = icmp eq i64 %57, 344
  br i1 %58, label %59, label %47, !llvm.loop !7

59:                                               ; preds = %56
  store i64 0, ptr @pool_idle, align 8
  %60 = icmp sgt i64 %46, 0
  br i1 %60, label %61, label %67

61:                                               ; preds = %59
  %62 = load i64, ptr %3, align 8
  %63 = call i32 @posix_memalign(ptr noundef nonnull %2, i64 noundef 64, i64 noundef %62) #22
  %64 = icmp eq i32 %63, 0
  %65 = load ptr, ptr %2, align 8
  %66 = select i1 %64, ptr %65, ptr null
  br label %67

67:                                               ; preds = %29, %33, %61, %59, %27, %43
  %68 = phi ptr [ %44, %43 ], [ null, %59 ], [ %66, %61 ], [ null, %27 ], [ null, %33 ], [ null, %29 ]
  call void @llvm.lifetime.end.p0(ptr nonnull %2) #22
  ret ptr %68
}

declare void @PyErr_Clear() local_unnamed_addr #4

; Function Attrs: nofree
declare i32 @posix_memalign(ptr noundef, i64 noundef, i64 noundef) local_unnamed_addr #17

declare ptr @_PyObject_New(ptr noundef) local_unnamed_addr #4

declare i32 @pthread_mutex_init(ptr noundef, ptr noundef) local_unnamed_addr #4

declare i32 @pthread_cond_init(ptr noundef, ptr noundef) local_unnamed_addr #4

declare i32 @pthread_mutex_lock(ptr noundef) local_unnamed_addr #4

declare i32 @pthread_cond_broadcast(ptr noundef) local_unnamed_addr #4

declare i32 @pthread_mutex_unlock(ptr noundef) local_unnamed_addr #4

declare i32 @clock_gettime(i32 noundef, ptr noundef) local_unnamed_addr #4

declare i32 @PyErr_CheckSignals() local_unnamed_addr #4

declare i32 @pthread_cond_timedwait(ptr noundef, ptr noundef, ptr noundef) local_unnamed_addr #4

declare i32 @pthread_create(ptr noundef, ptr noundef, ptr noundef, ptr noundef) local_unnamed_addr #4

; Function Attrs: noreturn nounwind uwtable(sync)
define internal noalias noundef nonnull ptr @worker_main(ptr noundef %0) #18 {
  %2 = getelementptr inbounds nuw i8, ptr %0, i64 16
  %3 = getelementptr inbounds nuw i8, ptr %0, i64 24
  %4 = getelementptr inbounds nuw i8, ptr %0, i64 32
  %5 = getelementptr inbounds nuw i8, ptr %0, i64 40
  %6 = getelementptr inbounds nuw i8, ptr %0, i64 48
  %7 = getelementptr inbounds nuw i8, ptr %0, i64 8
  %8 = getelementptr inbounds nuw i8, ptr %0, i64 64
  %9 = getelementptr inbounds nuw i8, ptr %0, i64 192
  br label %10

10:                                               ; preds = %34, %1
  tail call fastcc void @worker_wait(ptr noundef %0, i64 noundef 1, ptr noundef null)
  %11 = load ptr, ptr %2, align 8
  %12 = load ptr, ptr %3, align 8
  %13 = load i64, ptr %4, align 8
  %14 = load ptr, ptr %5, align 8
  %15 = tail call i32 %11(ptr noundef %12, i64 noundef %13, ptr noundef %14) #22
  %16 = sext i32 %15 to i64
  %17 = icmp eq i32 %15, 0
  br i1 %17, label %31, label %18

18:                                               ; preds = %10
  %19 = getelementptr inbounds nuw i8, ptr %14, i64 8
  %20 = cmpxchg ptr %19, i64 0, i64 1 seq_cst seq_cst, align 8
  %21 = extractvalue { i64, i1 } %20, 1
  br i1 %21, label %22, label %25

22:                                               ; preds = %18
  %23 = getelementptr inbounds nuw i8, ptr %14, i64 16
  store i64 %13, ptr %23, align 8
  %24 = getelementptr inbounds nuw i8, ptr %14, i64 24
  store i64 %16, ptr %24, align 8
  br label %25

25:                                               ; preds = %22, %18
  %26 = getelementptr inbounds nuw i8, ptr %14, i64 88
  %27 = tail call i32 @pthread_mutex_lock(ptr noundef nonnull %26) #22
  %28 = getelementptr inbounds nuw i8, ptr %14, i64 216
  %29 = tail call i32 @pthread_cond_broadcast(ptr noundef nonnull %28) #22
  %30 = tail call i32 @pthread_mutex_unlock(ptr noundef nonnull %26) #22
  br label %31

31:                                               ; preds = %10, %25
  store i64 %16, ptr %6, align 8
  store atomic i64 2, ptr %0 seq_cst, align 8
  %32 = load atomic i64, ptr %7 seq_cst, align 8
  %33 = icmp eq i64 %32, 0
  br i1 %33, label %34, label %35

34:                                               ; preds = %31, %35
  br label %10

35:                                               ; preds = %31
  %36 = tail call i32 @pthread_mutex_lock(ptr noundef nonnull %8) #22
  %37 = tail call i32 @pthread_cond_broadcast(ptr noundef nonnull %9) #22
  %38 = tail call i32 @pthread_mutex_unlock(ptr noundef nonnull %8) #22
  br label %34
}

declare i32 @pthread_detach(i64 noundef) local_unnamed_addr #4

declare i32 @pthread_cond_wait(ptr noundef, ptr noundef) local_unnamed_addr #4

declare i32 @pthread_setspecific(i32 noundef, ptr noundef) local_unnamed_addr #4

; Function Attrs: noreturn nounwind uwtable(sync)
define internal noalias noundef nonnull ptr @helper_main(ptr readnone captures(none) %0) #18 {
  %2 = alloca i32, align 4
  br label %4

3:                                                ; preds = %96
  br label %4, !llvm.loop !46

4:                                                ; preds = %3, %1
  %5 = phi i64 [ 0, %1 ], [ %44, %3 ]
  %6 = load atomic i64, ptr @work_number seq_cst, align 8
  %7 = icmp eq i64 %6, %5
  br i1 %7, label %8, label %28

8:                                                ; preds = %4, %23
  %9 = phi i64 [ %10, %23 ], [ 0, %4 ]
  %10 = add nuw nsw i64 %9, 1
  %11 = and i64 %9, 255
  %12 = icmp eq i64 %11, 255
  br i1 %12, label %13, label %15

13:                                               ; preds = %8
  %14 = tail call i32 @sched_yield() #22
  br label %15

15:                                               ; preds = %13, %8
  call void @llvm.lifetime.start.p0(ptr nonnull %2)
  store volatile i32 0, ptr %2, align 4
  %16 = load volatile i32, ptr %2, align 4
  %17 = icmp slt i32 %16, 16
  br i1 %17, label %18, label %23

18:                                               ; preds = %15, %18
  %19 = load volatile i32, ptr %2, align 4
  %20 = add nsw i32 %19, 1
  store volatile i32 %20, ptr %2, align 4
  %21 = load volatile i32, ptr %2, align 4
  %22 = icmp slt i32 %21, 16
  br i1 %22, label %18, label %23, !llvm.loop !18

23:                                               ; preds = %18, %15
  call void @llvm.lifetime.end.p0(ptr nonnull %2)
  %24 = load atomic i64, ptr @work_number seq_cst, align 8
  %25 = icmp eq i64 %24, %5
  %26 = icmp samesign ult i64 %9, 599
  %27 = select i1 %25, i1 %26, i1 false
  br i1 %27, label %8, label %28, !llvm.loop !47

28:                                               ; preds = %23, %4
  %29 = load atomic i64, ptr @work_number seq_cst, align 8
  %30 = icmp eq i64 %29, %5
  br i1 %30, label %31, label %43

31:                                               ; preds = %28
  %32 = tail call i32 @pthread_mutex_lock(ptr noundef nonnull @work_to_do) #22
  %33 = atomicrmw add ptr @sleeping, i64 1 seq_cst, align 8
  %34 = load atomic i64, ptr @work_number seq_cst, align 8
  %35 = icmp eq i64 %34, %5
  br i1 %35, label %36, label %40

36:                                               ; preds = %31, %36
  %37 = tail call i32 @pthread_cond_wait(ptr noundef nonnull getelementptr inbounds nuw (i8, ptr @work_to_do, i64 128), ptr noundef nonnull @work_to_do) #22
  %38 = load atomic i64, ptr @work_number seq_cst, align 8
  %39 = icmp eq i64 %38, %5
  br i1 %39, label %36, label %40, !llvm.loop !48

40:                                               ; preds = %36, %31
  %41 = atomicrmw sub ptr @sleeping, i64 1 seq_cst, align 8
  %42 = tail call i32 @pthread_mutex_unlock(ptr noundef nonnull @work_to_do) #22
  br label %43

43:                                               ; preds = %40, %28
  %44 = load atomic i64, ptr @work_number seq_cst, align 8
  br label %45

45:                                               ; preds = %43, %96
  %46 = phi i64 [ 0, %43 ], [ %97, %96 ]
  %47 = getelementptr inbounds nuw %struct.job, ptr @jobs, i64 %46
  %48 = getelementptr inbounds nuw i8, ptr %47, i64 8
  %49 = load atomic i64, ptr %48 seq_cst, align 8
  %50 = icmp eq i64 %49, 0
  br i1 %50, label %96, label %51

51:                                               ; preds = %45
  %52 = load atomic i64, ptr %47 acquire, align 16
  %53 = lshr i64 %52, 32
  %54 = getelementptr inbounds nuw i8, ptr %47, i64 48
  %55 = getelementptr inbounds nuw i8, ptr %47, i64 16
  %56 = getelementptr inbounds nuw i8, ptr %47, i64 24
  %57 = getelementptr inbounds nuw i8, ptr %47, i64 32
  %58 = getelementptr inbounds nuw i8, ptr %47, i64 40
  %59 = load atomic i64, ptr %47 acquire, align 16
  %60 = load atomic i64, ptr %55 acquire, align 16
  %61 = load atomic i64, ptr %56 acquire, align 8
  %62 = load atomic i64, ptr %57 acquire, align 16
  %63 = load atomic i64, ptr %58 acquire, align 8
  %64 = lshr i64 %59, 32
  %65 = icmp eq i64 %64, %53
  br i1 %65, label %66, label %96

66:                                               ; preds = %51
  %67 = getelementptr inbounds nuw i8, ptr %47, i64 56
  br label %68

68:                                               ; preds = %88, %66
  %69 = phi i64 [ %63, %66 ], [ %93, %88 ]
  %70 = phi i64 [ %62, %66 ], [ %92, %88 ]
  %71 = phi i64 [ %61, %66 ], [ %91, %88 ]
  %72 = phi i64 [ %60, %66 ], [ %90, %88 ]
  %73 = phi i64 [ %59, %66 ], [ %89, %88 ]
  %74 = and i64 %73, 4294967295
  %75 = inttoptr i64 %72 to ptr
  %76 = inttoptr i64 %71 to ptr
  %77 = load atomic i64, ptr %54 acquire, align 16
  %78 = icmp slt i64 %74, %77
  br i1 %78, label %79, label %96

79:                                               ; preds = %68
  %80 = add i64 %73, 1
  %81 = cmpxchg ptr %47, i64 %73, i64 %80 acq_rel monotonic, align 8
  %82 = extractvalue { i64, i1 } %81, 1
  br i1 %82, label %83, label %88

83:                                               ; preds = %79
  %84 = mul nsw i64 %74, %69
  %85 = add nsw i64 %84, %69
  %86 = tail call i64 @llvm.smin.i64(i64 %85, i64 %70)
  tail call void %75(ptr noundef %76, i64 noundef %84, i64 noundef %86) #22
  %87 = atomicrmw add ptr %67, i64 1 release, align 8
  br label %88

88:                                               ; preds = %83, %79
  %89 = load atomic i64, ptr %47 acquire, align 16
  %90 = load atomic i64, ptr %55 acquire, align 16
  %91 = load atomic i64, ptr %56 acquire, align 8
  %92 = load atomic i64, ptr %57 acquire, align 16
  %93 = load atomic i64, ptr %58 acquire, align 8
  %94 = lshr i64 %89, 32
  %95 = icmp eq i64 %94, %53
  br i1 %95, label %68, label %96

96:                                               ; preds = %88, %68, %51, %45
  %97 = add nuw nsw i64 %46, 1
  %98 = icmp eq i64 %97, 16
  br i1 %98, label %3, label %45, !llvm.loop !46
}

declare i32 @PyContextVar_Get(ptr noundef, ptr noundef, ptr noundef) local_unnamed_addr #4

declare ptr @PyErr_NoMemory() local_unnamed_addr #4

; Function Attrs: nounwind uwtable(sync)
define internal fastcc range(i32 0, 2) i32 @match(ptr noundef nonnull %0, ptr noundef %1, i32 noundef range(i32 0, 2) %2) unnamed_addr #3 {
  %4 = alloca i64, align 8
  %5 = alloca ptr, align 8
  %6 = alloca ptr, align 8
  %7 = alloca i32, align 4
  %8 = load ptr, ptr %0, align 8
  %9 = load i64, ptr %8, align 8
  switch i64 %9, label %328 [
    i64 0, label %10
    i64 1, label %58
    i64 2, label %125
    i64 3, label %212
    i64 4, label %249
    i64 5, label %253
    i64 6, label %290
  ]

10:                                               ; preds = %3
  %11 = getelementptr inbounds nuw i8, ptr %8, i64 24
  store ptr %11, ptr %0, align 8
  %12 = load i64, ptr @OBJECT_SIZE, align 8
  %13 = getelementptr i8, ptr %1, i64 %12
  %14 = getelementptr i8, ptr %13, i64 -8
  %15 = load ptr, ptr %14, align 8
  %16 = load ptr, ptr @python, align 8
  %17 = icmp eq ptr %15, %16
  br i1 %17, label %18, label %376, !prof !8

18:                                               ; preds = %10
  %19 = getelementptr inbounds nuw i8, ptr %13, i64 8
  %20 = load ptr, ptr %19, align 8
  %21 = ptrtoint ptr %20 to i64
  %22 = getelementptr inbounds nuw i8, ptr %8, i64 8
  %23 = load i64, ptr %22, align 8
  %24 = icmp eq i64 %23, %21
  br i1 %24, label %25, label %376, !prof !8

25:                                               ; preds = %18
  %26 = load ptr, ptr %13, align 8
  %27 = icmp eq ptr %26, null
  br i1 %27, label %376, label %28, !prof !10

28:                                               ; preds = %25
  %29 = getelementptr inbounds nuw i8, ptr %8, i64 16
  %30 = load i64, ptr %29, align 8
  %31 = icmp sgt i64 %30, -1
  br i1 %31, label %32, label %376, !prof !8

32:                                               ; preds = %28
  %33 = icmp eq i32 %2, 0
  br i1 %33, label %41, label %34

34:                                               ; preds = %32
  tail call void @Py_IncRef(ptr noundef nonnull %1) #22
  %35 = getelementptr inbounds nuw i8, ptr %0, i64 32
  %36 = load ptr, ptr %35, align 8
  %37 = getelementptr inbounds nuw i8, ptr %0, i64 56
  %38 = load i64, ptr %37, align 8
  %39 = add nsw i64 %38, 1
  store i64 %39, ptr %37, align 8
  %40 = getelementptr inbounds ptr, ptr %36, i64 %38
  store ptr %1, ptr %40, align 8
  br label %41

41:                                               ; preds = %34, %32
  %42 = getelementptr inbounds nuw i8, ptr %13, i64 40
  %43 = load i32, ptr %42, align 8
  %44 = add nsw i32 %43, 1
  store i32 %44, ptr %42, align 8
  %45 = getelementptr inbounds nuw i8, ptr %0, i64 24
  %46 = load ptr, ptr %45, align 8
  %47 = getelementptr inbounds nuw i8, ptr %0, i64 48
  %48 = load i64, ptr %47, align 8
  %49 = add nsw i64 %48, 1
  store i64 %49, ptr %47, align 8
  %50 = getelementptr inbounds ptr, ptr %46, i64 %48
  store ptr %1, ptr %50, align 8
  %51 = getelementptr inbounds nuw i8, ptr %0, i64 16
  %52 = load ptr, ptr %51, align 8
  %53 = getelementptr inbounds nuw ptr, ptr %52, i64 %30
  store ptr %1, ptr %53, align 8
  %54 = load ptr, ptr %13, align 8
  %55 = getelementptr inbounds nuw i8, ptr %0, i64 8
  %56 = load ptr, ptr %55, align 8
  %57 = getelementptr inbounds nuw ptr, ptr %56, i64 %30
  store ptr %54, ptr %57, align 8
  br label %376

58:                                               ; preds = %3
  %59 = getelementptr inbounds nuw i8, ptr %8, i64 16
  %60 = load i64, ptr %59, align 8
  %61 = getelementptr inbounds nuw i8, ptr %8, i64 24
  %62 = load i64, ptr %61, align 8
  %63 = getelementptr inbounds nuw i8, ptr %8, i64 32
  %64 = getelementptr inbounds i64, ptr %63, i64 %62
  store ptr %64, ptr %0, align 8
  %65 = load i64, ptr @OBJECT_SIZE, align 8
  %66 = getelementptr i8, ptr %1, i64 %65
  %67 = getelementptr i8, ptr %66, i64 -8
  %68 = load ptr, ptr %67, align 8
  %69 = load ptr, ptr getelementptr inbounds nuw (i8, ptr @python, i64 16), align 8
  %70 = icmp eq ptr %68, %69
  br i1 %70, label %71, label %376

71:                                               ; preds = %58
  %72 = getelementptr i8, ptr %66, i64 8
  %73 = load i32, ptr %72, align 4
  %74 = sext i32 %73 to i64
  %75 = icmp eq i64 %62, %74
  br i1 %75, label %76, label %376

76:                                               ; preds = %71
  %77 = getelementptr i8, ptr %66, i64 48
  %78 = load i32, ptr %77, align 4
  %79 = and i32 %78, 257
  %80 = icmp eq i32 %79, 257
  br i1 %80, label %81, label %376

81:                                               ; preds = %76
  %82 = icmp sgt i64 %62, 0
  br i1 %82, label %83, label %97

83:                                               ; preds = %81
  %84 = getelementptr i8, ptr %66, i64 16
  %85 = load ptr, ptr %84, align 8
  br label %89

86:                                               ; preds = %89
  %87 = add nuw nsw i64 %90, 1
  %88 = icmp eq i64 %87, %62
  br i1 %88, label %97, label %89, !llvm.loop !49

89:                                               ; preds = %86, %83
  %90 = phi i64 [ 0, %83 ], [ %87, %86 ]
  %91 = getelementptr inbounds nuw i64, ptr %85, i64 %90
  %92 = load i64, ptr %91, align 8
  %93 = getelementptr inbounds nuw i64, ptr %8, i64 %90
  %94 = getelementptr inbounds nuw i8, ptr %93, i64 32
  %95 = load i64, ptr %94, align 8
  %96 = icmp eq i64 %92, %95
  br i1 %96, label %86, label %376

97:                                               ; preds = %86, %81
  %98 = getelementptr i8, ptr %66, i64 40
  %99 = load ptr, ptr %98, align 8
  %100 = ptrtoint ptr %99 to i64
  %101 = getelementptr inbounds nuw i8, ptr %8, i64 8
  %102 = load i64, ptr %101, align 8
  %103 = icmp eq i64 %102, %100
  br i1 %103, label %109, label %104, !prof !8

104:                                              ; preds = %97
  %105 = inttoptr i64 %102 to ptr
  %106 = tail call i32 @PyObject_RichCompareBool(ptr noundef %105, ptr noundef %99, i32 noundef 2) #22
  %107 = icmp sgt i32 %106, 0
  br i1 %107, label %109, label %108

108:                                              ; preds = %104
  tail call void @PyErr_Clear() #22
  br label %376

109:                                              ; preds = %104, %97
  %110 = icmp sgt i64 %60, -1
  br i1 %110, label %111, label %376

111:                                              ; preds = %109
  %112 = icmp eq i32 %2, 0
  br i1 %112, label %120, label %113

113:                                              ; preds = %111
  tail call void @Py_IncRef(ptr noundef nonnull %1) #22
  %114 = getelementptr inbounds nuw i8, ptr %0, i64 32
  %115 = load ptr, ptr %114, align 8
  %116 = getelementptr inbounds nuw i8, ptr %0, i64 56
  %117 = load i64, ptr %116, align 8
  %118 = add nsw i64 %117, 1
  store i64 %118, ptr %116, align 8
  %119 = getelementptr inbounds ptr, ptr %115, i64 %117
  store ptr %1, ptr %119, align 8
  br label %120

120:                                              ; preds = %113, %111
  %121 = load ptr, ptr %66, align 8
  %122 = getelementptr inbounds nuw i8, ptr %0, i64 8
  %123 = load ptr, ptr %122, align 8
  %124 = getelementptr inbounds nuw ptr, ptr %123, i64 %60
  store ptr %121, ptr %124, align 8
  br label %376

125:                                              ; preds = %3
  %126 = getelementptr inbounds nuw i8, ptr %8, i64 8
  %127 = load i64, ptr %126, align 8
  %128 = getelementptr inbounds nuw i8, ptr %8, i64 16
  %129 = load i64, ptr %128, align 8
  %130 = getelementptr inbounds nuw i8, ptr %8, i64 24
  %131 = load i64, ptr %130, align 8
  %132 = getelementptr inbounds nuw i8, ptr %0, i64 40
  %133 = load ptr, ptr %132, align 8
  %134 = getelementptr inbounds nuw i8, ptr %8, i64 32
  store ptr %134, ptr %0, align 8
  %135 = load i64, ptr @OBJECT_SIZE, align 8
  %136 = getelementptr i8, ptr %1, i64 %135
  %137 = getelementptr i8, ptr %136, i64 -8
  %138 = load ptr, ptr %137, align 8
  switch i64 %127, label %171 [
    i64 0, label %139
    i64 3, label %144
    i64 4, label %154
  ]

139:                                              ; preds = %125
  %140 = icmp eq ptr %138, @PyBool_Type
  br i1 %140, label %141, label %376

141:                                              ; preds = %139
  %142 = icmp eq ptr %1, @_Py_TrueStruct
  %143 = zext i1 %142 to i8
  store i8 %143, ptr %133, align 1
  br label %205

144:                                              ; preds = %125
  %145 = icmp eq ptr %138, @PyFloat_Type
  br i1 %145, label %146, label %376

146:                                              ; preds = %144
  %147 = load i64, ptr @FLOAT_VALUE, align 8
  %148 = getelementptr inbounds i8, ptr %1, i64 %147
  %149 = load double, ptr %148, align 8
  %150 = icmp eq i64 %129, 4
  br i1 %150, label %151, label %153

151:                                              ; preds = %146
  %152 = fptrunc double %149 to float
  store float %152, ptr %133, align 4
  br label %205

153:                                              ; preds = %146
  store double %149, ptr %133, align 8
  br label %205

154:                                              ; preds = %125
  %155 = icmp eq ptr %138, @PyComplex_Type
  br i1 %155, label %156, label %376

156:                                              ; preds = %154
  %157 = load i64, ptr @COMPLEX_VALUE, align 8
  %158 = getelementptr inbounds i8, ptr %1, i64 %157
  %159 = load double, ptr %158, align 8
  %160 = icmp eq i64 %129, 4
  br i1 %160, label %161, label %167

161:                                              ; preds = %156
  %162 = fptrunc double %159 to float
  store float %162, ptr %133, align 4
  %163 = getelementptr i8, ptr %158, i64 8
  %164 = load double, ptr %163, align 8
  %165 = getelementptr inbounds nuw i8, ptr %133, i64 4
  %166 = fptrunc double %164 to float
  store float %166, ptr %165, align 4
  br label %205

167:                                              ; preds = %156
  store double %159, ptr %133, align 8
  %168 = getelementptr i8, ptr %158, i64 8
  %169 = load double, ptr %168, align 8
  %170 = getelementptr inbounds i8, ptr %133, i64 %129
  store double %169, ptr %170, align 8
  br label %205

171:                                              ; preds = %125
  %172 = icmp eq ptr %138, @PyLong_Type
  br i1 %172, label %173, label %376

173:                                              ; preds = %171
  call void @llvm.lifetime.start.p0(ptr nonnull %7) #22
  store i32 0, ptr %7, align 4
  %174 = call i64 @PyLong_AsLongLongAndOverflow(ptr noundef nonnull %1, ptr noundef nonnull %7) #22
  %175 = load i32, ptr %7, align 4
  %176 = icmp eq i32 %175, 0
  br i1 %176, label %177, label %203

177:                                              ; preds = %173
  %178 = icmp eq i64 %127, 2
  br i1 %178, label %179, label %187

179:                                              ; preds = %177
  %180 = icmp slt i64 %174, 0
  br i1 %180, label %203, label %181

181:                                              ; preds = %179
  %182 = icmp slt i64 %129, 8
  br i1 %182, label %183, label %195

183:                                              ; preds = %181
  %184 = shl nsw i64 %129, 3
  %185 = lshr i64 %174, %184
  %186 = icmp eq i64 %185, 0
  br i1 %186, label %195, label %203

187:                                              ; preds = %177
  %188 = icmp slt i64 %129, 8
  br i1 %188, label %189, label %195

189:                                              ; preds = %187
  %190 = shl nsw i64 %129, 3
  %191 = add nsw i64 %190, -1
  %192 = ashr i64 %174, %191
  %193 = add i64 %192, 1
  %194 = icmp ult i64 %193, 2
  br i1 %194, label %195, label %203

195:                                              ; preds = %189, %187, %183, %181
  switch i64 %129, label %202 [
    i64 1, label %196
    i64 2, label %198
    i64 4, label %200
  ]

196:                                              ; preds = %195
  %197 = trunc i64 %174 to i8
  store i8 %197, ptr %133, align 1
  br label %204

198:                                              ; preds = %195
  %199 = trunc i64 %174 to i16
  store i16 %199, ptr %133, align 2
  br label %204

200:                                              ; preds = %195
  %201 = trunc i64 %174 to i32
  store i32 %201, ptr %133, align 4
  br label %204

202:                                              ; preds = %195
  store i64 %174, ptr %133, align 8
  br label %204

203:                                              ; preds = %189, %183, %179, %173
  call void @llvm.lifetime.end.p0(ptr nonnull %7) #22
  br label %376

204:                                              ; preds = %202, %200, %198, %196
  call void @llvm.lifetime.end.p0(ptr nonnull %7) #22
  br label %205

205:                                              ; preds = %204, %167, %161, %153, %151, %141
  %206 = icmp sgt i64 %131, -1
  br i1 %206, label %207, label %376

207:                                              ; preds = %205
  %208 = getelementptr inbounds nuw i8, ptr %0, i64 8
  %209 = load ptr, ptr %208, align 8
  %210 = getelementptr inbounds nuw ptr, ptr %209, i64 %131
  store ptr %133, ptr %210, align 8
  %211 = getelementptr inbounds nuw i8, ptr %133, i64 16
  store ptr %211, ptr %132, align 8
  br label %376

212:                                              ; preds = %3
  %213 = getelementptr inbounds nuw i8, ptr %8, i64 8
  %214 = load i64, ptr %213, align 8
  %215 = inttoptr i64 %214 to ptr
  %216 = getelementptr inbounds nuw i8, ptr %8, i64 16
  store ptr %216, ptr %0, align 8
  %217 = icmp eq ptr %1, %215
  br i1 %217, label %246, label %218

218:                                              ; preds = %212
  %219 = load i64, ptr @OBJECT_SIZE, align 8
  %220 = add nsw i64 %219, -8
  %221 = getelementptr inbounds i8, ptr %1, i64 %220
  %222 = load ptr, ptr %221, align 8
  %223 = getelementptr inbounds i8, ptr %215, i64 %220
  %224 = load ptr, ptr %223, align 8
  %225 = icmp eq ptr %222, %224
  br i1 %225, label %226, label %246

226:                                              ; preds = %218
  %227 = icmp eq ptr %222, @PyFloat_Type
  br i1 %227, label %228, label %240

228:                                              ; preds = %226
  %229 = load i64, ptr @FLOAT_VALUE, align 8
  %230 = getelementptr inbounds i8, ptr %1, i64 %229
  %231 = load double, ptr %230, align 8
  %232 = getelementptr inbounds i8, ptr %215, i64 %229
  %233 = load double, ptr %232, align 8
  %234 = fcmp oeq double %231, %233
  br i1 %234, label %235, label %246

235:                                              ; preds = %228
  %236 = bitcast double %231 to i64
  %237 = bitcast double %233 to i64
  %238 = xor i64 %237, %236
  %239 = icmp sgt i64 %238, -1
  br label %246

240:                                              ; preds = %226
  %241 = tail call i32 @PyObject_RichCompareBool(ptr noundef nonnull %215, ptr noundef nonnull %1, i32 noundef 2) #22
  %242 = icmp slt i32 %241, 0
  br i1 %242, label %243, label %244

243:                                              ; preds = %240
  tail call void @PyErr_Clear() #22
  br label %244

244:                                              ; preds = %243, %240
  %245 = icmp sgt i32 %241, 0
  br label %246

246:                                              ; preds = %212, %218, %228, %235, %244
  %247 = phi i1 [ %245, %244 ], [ true, %212 ], [ false, %218 ], [ false, %228 ], [ %239, %235 ]
  %248 = zext i1 %247 to i32
  br label %376

249:                                              ; preds = %3
  %250 = getelementptr inbounds nuw i8, ptr %8, i64 8
  store ptr %250, ptr %0, align 8
  %251 = icmp eq ptr %1, @_Py_NoneStruct
  %252 = zext i1 %251 to i32
  br label %376

253:                                              ; preds = %3
  %254 = getelementptr inbounds nuw i8, ptr %8, i64 8
  %255 = load i64, ptr %254, align 8
  %256 = getelementptr inbounds nuw i8, ptr %8, i64 16
  store ptr %256, ptr %0, align 8
  %257 = load i64, ptr @OBJECT_SIZE, align 8
  %258 = getelementptr i8, ptr %1, i64 %257
  %259 = getelementptr i8, ptr %258, i64 -8
  %260 = load ptr, ptr %259, align 8
  %261 = icmp eq ptr %260, @PyTuple_Type
  br i1 %261, label %262, label %376

262:                                              ; preds = %253
  %263 = load i64, ptr %258, align 8
  %264 = icmp eq i64 %263, %255
  br i1 %264, label %265, label %376

265:                                              ; preds = %262
  %266 = icmp slt i64 %255, 1
  br i1 %266, label %376, label %267

267:                                              ; preds = %265
  %268 = load i64, ptr @TUPLE_ITEMS, align 8
  %269 = getelementptr inbounds i8, ptr %1, i64 %268
  br label %273

270:                                              ; preds = %287
  %271 = add nuw nsw i64 %274, 1
  %272 = icmp eq i64 %271, %255
  br i1 %272, label %376, label %273, !llvm.loop !50

273:                                              ; preds = %267, %270
  %274 = phi i64 [ 0, %267 ], [ %271, %270 ]
  %275 = load i64, ptr %258, align 8
  %276 = icmp eq i64 %275, %255
  br i1 %276, label %277, label %376

277:                                              ; preds = %273
  %278 = getelementptr inbounds nuw ptr, ptr %269, i64 %274
  %279 = load ptr, ptr %278, align 8
  %280 = load ptr, ptr %0, align 8
  %281 = load i64, ptr %280, align 8
  %282 = icmp slt i64 %281, 3
  br i1 %282, label %283, label %285

283:                                              ; preds = %277
  %284 = tail call fastcc i32 @match(ptr noundef nonnull %0, ptr noundef %279, i32 noundef 1)
  br label %287

285:                                              ; preds = %277
  tail call void @Py_IncRef(ptr noundef %279) #22
  %286 = tail call fastcc i32 @match(ptr noundef nonnull %0, ptr noundef %279, i32 noundef 1)
  tail call void @Py_DecRef(ptr noundef %279) #22
  br label %287

287:                                              ; preds = %283, %285
  %288 = phi i32 [ %284, %283 ], [ %286, %285 ]
  %289 = icmp eq i32 %288, 0
  br i1 %289, label %376, label %270

290:                                              ; preds = %3
  %291 = getelementptr inbounds nuw i8, ptr %8, i64 8
  %292 = load i64, ptr %291, align 8
  %293 = getelementptr inbounds nuw i8, ptr %8, i64 16
  store ptr %293, ptr %0, align 8
  %294 = load i64, ptr @OBJECT_SIZE, align 8
  %295 = getelementptr i8, ptr %1, i64 %294
  %296 = getelementptr i8, ptr %295, i64 -8
  %297 = load ptr, ptr %296, align 8
  %298 = icmp eq ptr %297, @PyList_Type
  br i1 %298, label %299, label %376

299:                                              ; preds = %290
  %300 = load i64, ptr %295, align 8
  %301 = icmp eq i64 %300, %292
  br i1 %301, label %302, label %376

302:                                              ; preds = %299
  %303 = icmp slt i64 %292, 1
  br i1 %303, label %376, label %304

304:                                              ; preds = %302
  %305 = load i64, ptr @LIST_ITEMS, align 8
  %306 = getelementptr inbounds i8, ptr %1, i64 %305
  br label %310

307:                                              ; preds = %325
  %308 = add nuw nsw i64 %311, 1
  %309 = icmp eq i64 %308, %292
  br i1 %309, label %376, label %310, !llvm.loop !50

310:                                              ; preds = %304, %307
  %311 = phi i64 [ 0, %304 ], [ %308, %307 ]
  %312 = load i64, ptr %295, align 8
  %313 = icmp eq i64 %312, %292
  br i1 %313, label %314, label %376

314:                                              ; preds = %310
  %315 = load ptr, ptr %306, align 8
  %316 = getelementptr inbounds nuw ptr, ptr %315, i64 %311
  %317 = load ptr, ptr %316, align 8
  %318 = load ptr, ptr %0, align 8
  %319 = load i64, ptr %318, align 8
  %320 = icmp slt i64 %319, 3
  br i1 %320, label %321, label %323

321:                                              ; preds = %314
  %322 = tail call fastcc i32 @match(ptr noundef nonnull %0, ptr noundef %317, i32 noundef 1)
  br label %325

323:                                              ; preds = %314
  tail call void @Py_IncRef(ptr noundef %317) #22
  %324 = tail call fastcc i32 @match(ptr noundef nonnull %0, ptr noundef %317, i32 noundef 1)
  tail call void @Py_DecRef(ptr noundef %317) #22
  br label %325

325:                                              ; preds = %321, %323
  %326 = phi i32 [ %322, %321 ], [ %324, %323 ]
  %327 = icmp eq i32 %326, 0
  br i1 %327, label %376, label %307

328:                                              ; preds = %3
  %329 = getelementptr inbounds nuw i8, ptr %8, i64 8
  %330 = load i64, ptr %329, align 8
  call void @llvm.lifetime.start.p0(ptr nonnull %4) #22
  store i64 0, ptr %4, align 8
  %331 = getelementptr inbounds nuw i8, ptr %8, i64 16
  store ptr %331, ptr %0, align 8
  %332 = load i64, ptr @OBJECT_SIZE, align 8
  %333 = getelementptr i8, ptr %1, i64 %332
  %334 = getelementptr i8, ptr %333, i64 -8
  %335 = load ptr, ptr %334, align 8
  %336 = icmp eq ptr %335, @PyDict_Type
  br i1 %336, label %337, label %374

337:                                              ; preds = %328
  %338 = tail call i64 @PyDict_Size(ptr noundef nonnull %1) #22
  %339 = icmp eq i64 %338, %330
  br i1 %339, label %340, label %374

340:                                              ; preds = %337
  %341 = icmp slt i64 %330, 1
  br i1 %341, label %374, label %345

342:                                              ; preds = %371
  %343 = add nuw nsw i64 %346, 1
  %344 = icmp eq i64 %343, %330
  br i1 %344, label %374, label %345, !llvm.loop !51

345:                                              ; preds = %340, %342
  %346 = phi i64 [ %343, %342 ], [ 0, %340 ]
  call void @llvm.lifetime.start.p0(ptr nonnull %5) #22
  store ptr null, ptr %5, align 8
  call void @llvm.lifetime.start.p0(ptr nonnull %6) #22
  store ptr null, ptr %6, align 8
  %347 = load ptr, ptr %0, align 8
  %348 = getelementptr inbounds nuw i8, ptr %347, i64 8
  store ptr %348, ptr %0, align 8
  %349 = load i64, ptr %347, align 8
  %350 = inttoptr i64 %349 to ptr
  %351 = call i32 @PyDict_Next(ptr noundef nonnull %1, ptr noundef nonnull %4, ptr noundef nonnull %5, ptr noundef nonnull %6) #22
  %352 = icmp ne i32 %351, 0
  %353 = load ptr, ptr %5, align 8
  %354 = icmp eq ptr %353, %350
  %355 = select i1 %352, i1 %354, i1 false, !prof !52
  br i1 %355, label %356, label %358, !prof !52

356:                                              ; preds = %345
  %357 = load ptr, ptr %6, align 8
  br label %362

358:                                              ; preds = %345
  %359 = call ptr @PyDict_GetItemWithError(ptr noundef nonnull %1, ptr noundef %350) #22
  store ptr %359, ptr %6, align 8
  %360 = icmp eq ptr %359, null
  br i1 %360, label %361, label %362

361:                                              ; preds = %358
  call void @PyErr_Clear() #22
  call void @llvm.lifetime.end.p0(ptr nonnull %6) #22
  call void @llvm.lifetime.end.p0(ptr nonnull %5) #22
  br label %374

362:                                              ; preds = %356, %358
  %363 = phi ptr [ %357, %356 ], [ %359, %358 ]
  %364 = load ptr, ptr %0, align 8
  %365 = load i64, ptr %364, align 8
  %366 = icmp slt i64 %365, 3
  br i1 %366, label %367, label %369

367:                                              ; preds = %362
  %368 = call fastcc i32 @match(ptr noundef nonnull %0, ptr noundef %363, i32 noundef 1)
  br label %371

369:                                              ; preds = %362
  call void @Py_IncRef(ptr noundef %363) #22
  %370 = call fastcc i32 @match(ptr noundef nonnull %0, ptr noundef %363, i32 noundef 1)
  call void @Py_DecRef(ptr noundef %363) #22
  br label %371

371:                                              ; preds = %367, %369
  %372 = phi i32 [ %368, %367 ], [ %370, %369 ]
  %373 = icmp eq i32 %372, 0
  call void @llvm.lifetime.end.p0(ptr nonnull %6) #22
  call void @llvm.lifetime.end.p0(ptr nonnull %5) #22
  br i1 %373, label %374, label %342

374:                                              ; preds = %371, %342, %361, %340, %328, %337
  %375 = phi i32 [ 0, %337 ], [ 0, %328 ], [ 0, %361 ], [ 1, %340 ], [ 1, %342 ], [ 0, %371 ]
  call void @llvm.lifetime.end.p0(ptr nonnull %4) #22
  br label %376

376:                                              ; preds = %325, %310, %307, %287, %273, %270, %89, %302, %265, %299, %290, %262, %253, %207, %205, %203, %171, %154, %144, %139, %120, %109, %108, %76, %71, %58, %41, %28, %25, %18, %10, %374, %249, %246
  %377 = phi i32 [ %375, %374 ], [ 0, %89 ], [ 0, %18 ], [ 1, %302 ], [ %248, %246 ], [ %252, %249 ], [ 1, %205 ], [ 0, %10 ], [ 0, %25 ], [ 1, %28 ], [ 1, %41 ], [ 1, %109 ], [ 0, %58 ], [ 0, %76 ], [ 0, %71 ], [ 0, %108 ], [ 1, %120 ], [ 0, %171 ], [ 0, %154 ], [ 0, %144 ], [ 0, %139 ], [ 0, %203 ], [ 1, %207 ], [ 0, %253 ], [ 0, %262 ], [ 0, %290 ], [ 0, %299 ], [ 1, %265 ], [ 0, %287 ], [ 0, %273 ], [ 1, %270 ], [ 0, %325 ], [ 1, %307 ], [ 0, %310 ]
  ret i32 %377
}

declare i32 @PyObject_RichCompareBool(ptr noundef, ptr noundef, i32 noundef) local_unnamed_addr #4

declare i64 @PyLong_AsLongLongAndOverflow(ptr noundef, ptr noundef) local_unnamed_addr #4

declare i32 @PyDict_Next(ptr noundef, ptr noundef, ptr noundef, ptr noundef) local_unnamed_addr #4

declare ptr @PyDict_GetItemWithError(ptr noundef, ptr noundef) local_unnamed_addr #4

; Function Attrs: nounwind uwtable(sync)
define internal fastcc ptr @build(ptr noundef nonnull captures(none) %0, ptr noundef readonly captures(none) %1) unnamed_addr #3 {
  %3 = load ptr, ptr %0, align 8
  %4 = getelementptr inbounds nuw i8, ptr %3, i64 8
  %5 = load i64, ptr %4, align 8
  %6 = load i64, ptr %3, align 8
  switch i64 %6, label %22 [
    i64 0, label %7
    i64 3, label %13
    i64 4, label %17
    i64 7, label %18
    i64 6, label %20
  ]

7:                                                ; preds = %2
  %8 = getelementptr inbounds nuw i8, ptr %3, i64 24
  store ptr %8, ptr %0, align 8
  %9 = getelementptr inbounds nuw i8, ptr %3, i64 16
  %10 = load i64, ptr %9, align 8
  %11 = getelementptr inbounds ptr, ptr %1, i64 %10
  %12 = load ptr, ptr %11, align 8
  tail call void @Py_IncRef(ptr noundef %12) #22
  br label %63

13:                                               ; preds = %2
  %14 = getelementptr inbounds nuw i8, ptr %3, i64 16
  store ptr %14, ptr %0, align 8
  %15 = load i64, ptr %4, align 8
  %16 = inttoptr i64 %15 to ptr
  tail call void @Py_IncRef(ptr noundef %16) #22
  br label %63

17:                                               ; preds = %2
  store ptr %4, ptr %0, align 8
  tail call void @Py_IncRef(ptr noundef nonnull @_Py_NoneStruct) #22
  br label %63

18:                                               ; preds = %2
  %19 = tail call ptr @PyDict_New() #22
  br label %24

20:                                               ; preds = %2
  %21 = tail call ptr @PyList_New(i64 noundef %5) #22
  br label %24

22:                                               ; preds = %2
  %23 = tail call ptr @PyTuple_New(i64 noundef %5) #22
  br label %24

24:                                               ; preds = %22, %20, %18
  %25 = phi ptr [ %23, %22 ], [ %19, %18 ], [ %21, %20 ]
  %26 = icmp eq ptr %25, null
  br i1 %26, label %63, label %27

27:                                               ; preds = %24
  %28 = getelementptr inbounds nuw i8, ptr %3, i64 16
  store ptr %28, ptr %0, align 8
  %29 = icmp sgt i64 %5, 0
  br i1 %29, label %30, label %63

30:                                               ; preds = %27
  %31 = load i64, ptr @LIST_ITEMS, align 8
  %32 = getelementptr inbounds i8, ptr %25, i64 %31
  %33 = load i64, ptr @TUPLE_ITEMS, align 8
  %34 = getelementptr inbounds i8, ptr %25, i64 %33
  br label %35

35:                                               ; preds = %30, %60
  %36 = phi i64 [ 0, %30 ], [ %61, %60 ]
  %37 = load i64, ptr %3, align 8
  %38 = icmp eq i64 %37, 7
  br i1 %38, label %39, label %44

39:                                               ; preds = %35
  %40 = load ptr, ptr %0, align 8
  %41 = getelementptr inbounds nuw i8, ptr %40, i64 8
  store ptr %41, ptr %0, align 8
  %42 = load i64, ptr %40, align 8
  %43 = inttoptr i64 %42 to ptr
  br label %44

44:                                               ; preds = %35, %39
  %45 = phi ptr [ %43, %39 ], [ null, %35 ]
  %46 = tail call fastcc ptr @build(ptr noundef %0, ptr noundef %1)
  %47 = icmp eq ptr %46, null
  br i1 %47, label %48, label %49

48:                                               ; preds = %44
  tail call void @Py_DecRef(ptr noundef nonnull %25) #22
  br label %63

49:                                               ; preds = %44
  %50 = load i64, ptr %3, align 8
  switch i64 %50, label %57 [
    i64 7, label %51
    i64 6, label %55
  ]

51:                                               ; preds = %49
  %52 = tail call i32 @PyDict_SetItem(ptr noundef nonnull %25, ptr noundef %45, ptr noundef nonnull %46) #22
  tail call void @Py_DecRef(ptr noundef nonnull %46) #22
  %53 = icmp sgt i32 %52, -1
  br i1 %53, label %60, label %54

54:                                               ; preds = %51
  tail call void @Py_DecRef(ptr noundef nonnull %25) #22
  br label %63

55:                                               ; preds = %49
  %56 = load ptr, ptr %32, align 8
  br label %57

57:                                               ; preds = %49, %55
  %58 = phi ptr [ %56, %55 ], [ %34, %49 ]
  %59 = getelementptr inbounds nuw ptr, ptr %58, i64 %36
  store ptr %46, ptr %59, align 8
  br label %60

60:                                               ; preds = %57, %51
  %61 = add nuw nsw i64 %36, 1
  %62 = icmp eq i64 %61, %5
  br i1 %62, label %63, label %35, !llvm.loop !53

63:                                               ; preds = %60, %27, %48, %54, %24, %17, %13, %7
  %64 = phi ptr [ null, %24 ], [ %16, %13 ], [ @_Py_NoneStruct, %17 ], [ %12, %7 ], [ null, %54 ], [ null, %48 ], [ %25, %27 ], [ %25, %60 ]
  ret ptr %64
}

declare ptr @PyDict_New() local_unnamed_addr #4

declare ptr @PyList_New(i64 noundef) local_unnamed_addr #4

declare ptr @PyTuple_New(i64 noundef) local_unnamed_addr #4

declare i32 @PyDict_SetItem(ptr noundef, ptr noundef, ptr noundef) local_unnamed_addr #4

; Function Attrs: nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare i64 @llvm.smin.i64(i64, i64) #19

; Function Attrs: nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare i64 @llvm.smax.i64(i64, i64) #19

; Function Attrs: nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare i64 @llvm.umin.i64(i64, i64) #19

; Function Attrs: nofree nounwind willreturn allockind("alloc,zeroed") allocsize(0,1) memory(inaccessiblemem: readwrite)
declare noalias noundef ptr @calloc(i64 noundef, i64 noundef) local_unnamed_addr #20

; Function Attrs: nocallback nofree nosync nounwind willreturn memory(inaccessiblemem: write)
declare void @llvm.assume(i1 noundef) #21

attributes #0 = { mustprogress nofree norecurse nosync nounwind willreturn memory(readwrite, argmem: none, inaccessiblemem: none, target_mem0: none, target_mem1: none) uwtable(sync) "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #1 = { mustprogress nocallback nofree nosync nounwind willreturn memory(argmem: readwrite) }
attributes #2 = { mustprogress nocallback nofree nosync nounwind speculatable willreturn memory(none) }
attributes #3 = { nounwind uwtable(sync) "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #4 = { "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #5 = { inlinehint nounwind uwtable(sync) "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #6 = { mustprogress nocallback nofree nounwind willreturn memory(argmem: readwrite) }
attributes #7 = { mustprogress nofree norecurse nosync nounwind willreturn memory(none) uwtable(sync) "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #8 = { mustprogress nocallback nofree nounwind willreturn memory(argmem: write) }
attributes #9 = { mustprogress nofree norecurse nosync nounwind willreturn memory(write, argmem: none, inaccessiblemem: none, target_mem0: none, target_mem1: none) uwtable(sync) "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #10 = { mustprogress nofree norecurse nounwind willreturn memory(readwrite, argmem: none, inaccessiblemem: none, target_mem0: none, target_mem1: none) uwtable(sync) "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #11 = { mustprogress nofree nounwind willreturn allockind("alloc,uninitialized") allocsize(0) memory(inaccessiblemem: readwrite) "alloc-family"="malloc" "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #12 = { mustprogress nounwind willreturn allockind("free") memory(argmem: readwrite, inaccessiblemem: readwrite) "alloc-family"="malloc" "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #13 = { noinline nounwind uwtable(sync) "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #14 = { mustprogress nofree norecurse nosync nounwind willreturn memory(readwrite, inaccessiblemem: none, target_mem0: none, target_mem1: none) uwtable(sync) "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #15 = { mustprogress nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none) }
attributes #16 = { inlinehint mustprogress nounwind willreturn memory(readwrite, target_mem0: none, target_mem1: none) uwtable(sync) "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #17 = { nofree "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #18 = { noreturn nounwind uwtable(sync) "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #19 = { nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none) }
attributes #20 = { nofree nounwind willreturn allockind("alloc,zeroed") allocsize(0,1) memory(inaccessiblemem: readwrite) "alloc-family"="malloc" }
attributes #21 = { nocallback nofree nosync nounwind willreturn memory(inaccessiblemem: write) }
attributes #22 = { nounwind }
attributes #23 = { allocsize(0) }

!llvm.module.flags = !{!0, !1, !2, !3}

!0 = !{i32 7, !"Dwarf Version", i32 4}
!1 = !{i32 1, !"wchar_size", i32 4}
!2 = !{i32 8, !"PIC Level", i32 2}
!3 = !{i32 7, !"uwtable", i32 1}
!4 = !{!"clang version 22.1.8"}
!5 = distinct !{!5, !6}
!6 = !{!"llvm.loop.mustprogress"}
!7 = distinct !{!7, !6}
!8 = !{!"branch_weights", !"expected", i32 2000, i32 1}
!9 = !{!"branch_weights", !"expected", i32 2861880, i32 2144621768}
!10 = !{!"branch_weights", !"expected", i32 1, i32 2000}
!11 = !{!"branch_weights", !"expected", i32 0, i32 -2147483648}
!12 = distinct !{!12, !6}
!13 = distinct !{!13, !14}
!14 = !{!"llvm.loop.unroll.disable"}
!15 = distinct !{!15, !6}
!16 = distinct !{!16, !6}
!17 = distinct !{!17, !6}
!18 = distinct !{!18, !6}
!19 = distinct !{!19, !6}
!20 = distinct !{!20, !6}
!21 = distinct !{!21, !6}
!22 = distinct !{!22, !6}
!23 = distinct !{!23, !6}
!24 = distinct !{!24, !6}
!25 = distinct !{!25, !6}
!26 = distinct !{!26, !6}
!27 = distinct !{!27, !6}
!28 = distinct !{!28, !14}
!29 = distinct !{!29, !6}
!30 = distinct !{!30, !6}
!31 = distinct !{!31, !6}
!32 = distinct !{!32, !6}
!33 = distinct !{!33, !6}
!34 = !{!"branch_weights", !"expected", i32 2146410, i32 2145337238}
!35 = distinct !{!35, !6}
!36 = distinct !{!36, !6}
!37 = distinct !{!37, !6}
!38 = !{!"branch_weights", !"expected", i32 -2147483648, i32 0}
!39 = distinct !{!39, !6}
!40 = distinct !{!40, !6}
!41 = distinct !{!41, !6}
!42 = distinct !{!42, !6}
!43 = distinct !{!43, !6}
!44 = distinct !{!44, !6}
!45 = distinct !{!45, !6}
!46 = distinct !{!46, !6}
!47 = distinct !{!47, !6}
!48 = distinct !{!48, !6}
!49 = distinct !{!49, !6}
!50 = distinct !{!50, !6}
!51 = distinct !{!51, !6}
!52 = !{!"branch_weights", i32 2000, i32 2002}
!53 = distinct !{!53, !6}
