/* A cuBLAS that computes nothing.  FAKE_CUBLAS_MAJOR sets its version, FAKE_CREATE the result of cublasCreate. */

#ifndef FAKE_CUBLAS_MAJOR
#define FAKE_CUBLAS_MAJOR 12
#endif

#ifndef FAKE_CREATE
#define FAKE_CREATE 0
#endif

#define NAME(function) int function(void) { return 0; }

int cublasCreate_v2(void **handle) { *handle = (void *)1; return FAKE_CREATE; }
int cublasGetProperty(int type, int *value) { *value = type == 0 ? FAKE_CUBLAS_MAJOR : 4; return 0; }
NAME(cublasDestroy_v2) NAME(cublasSetStream_v2) NAME(cublasSetPointerMode_v2) NAME(cublasGetPointerMode_v2)
NAME(cublasSetAtomicsMode) NAME(cublasSdot_v2) NAME(cublasDdot_v2) NAME(cublasSgemm_v2) NAME(cublasDgemm_v2)
NAME(cublasSgemv_v2) NAME(cublasDgemv_v2) NAME(cublasSger_v2) NAME(cublasDger_v2) NAME(cublasSgemmEx)
NAME(cublasGemmEx) NAME(cublasSgemmBatched) NAME(cublasDgemmBatched) NAME(cublasHgemmStridedBatched)
NAME(cublasSgemmStridedBatched) NAME(cublasDgemmStridedBatched)
