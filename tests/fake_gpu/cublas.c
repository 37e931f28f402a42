/* A cuBLAS that computes nothing. */

#define NAME(function) int function(void) { return 0; }

int cublasCreate_v2(void **handle) { *handle = (void *)1; return 0; }
int cublasGetVersion_v2(void *handle, int *version) { *version = 120400; return 0; }
int cublasGetProperty(int type, int *value) { *value = type == 0 ? 12 : 4; return 0; }
NAME(cublasDestroy_v2) NAME(cublasSetStream_v2) NAME(cublasSetPointerMode_v2) NAME(cublasGetPointerMode_v2)
NAME(cublasSetAtomicsMode) NAME(cublasSdot_v2) NAME(cublasDdot_v2) NAME(cublasSgemm_v2) NAME(cublasDgemm_v2)
NAME(cublasSgemv_v2) NAME(cublasDgemv_v2) NAME(cublasSger_v2) NAME(cublasDger_v2) NAME(cublasSgemmEx)
NAME(cublasGemmEx) NAME(cublasSgemmBatched) NAME(cublasDgemmBatched) NAME(cublasHgemmStridedBatched)
NAME(cublasSgemmStridedBatched) NAME(cublasDgemmStridedBatched)
