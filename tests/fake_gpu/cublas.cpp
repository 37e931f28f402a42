/* A cuBLAS that multiplies matrices on the processor, and refuses all else.

FAKE_CUBLAS_MAJOR sets its version, FAKE_CREATE the result of cublasCreate. */

#ifndef FAKE_CUBLAS_MAJOR
#define FAKE_CUBLAS_MAJOR 12
#endif
#ifndef FAKE_CREATE
#define FAKE_CREATE 0
#endif

/* C = alpha op(A) op(B) + beta C, column by column. */
template <class F>
static int gemm(bool transpose_a, bool transpose_b, int m, int n, int k, F alpha, const F *a, long lda, const F *b, long ldb,
                F beta, F *c, long ldc) {
  for (int j = 0; j < n; j++)
    for (int i = 0; i < m; i++) {
      F sum = 0;
      for (int l = 0; l < k; l++) sum += (transpose_a ? a[l + i * lda] : a[i + l * lda]) *
                                         (transpose_b ? b[j + l * ldb] : b[l + j * ldb]);
      c[i + j * ldc] = alpha * sum + (beta == 0 ? 0 : beta * c[i + j * ldc]);
    }
  return 0;
}

#define GEMM(name, F)                                                                                              \
  int name(void *handle, int transpose_a, int transpose_b, int m, int n, int k, const F *alpha, const F *a, int lda, \
           const F *b, int ldb, const F *beta, F *c, int ldc) {                                                    \
    return gemm<F>(transpose_a, transpose_b, m, n, k, *alpha, a, lda, b, ldb, *beta, c, ldc);                      \
  }
#define NOTHING(name) int name() { return 0; }
#define REFUSED(name) int name() { return 15; } /* CUBLAS_STATUS_NOT_SUPPORTED */

extern "C" {

int cublasCreate_v2(void **handle) { *handle = (void *)1; return FAKE_CREATE; }
int cublasGetProperty(int type, int *value) { *value = type == 0 ? FAKE_CUBLAS_MAJOR : 4; return 0; }
int cublasGetPointerMode_v2(void *handle, int *mode) { *mode = 0; return 0; }
NOTHING(cublasDestroy_v2) NOTHING(cublasSetStream_v2) NOTHING(cublasSetPointerMode_v2) NOTHING(cublasSetAtomicsMode)
GEMM(cublasSgemm_v2, float) GEMM(cublasDgemm_v2, double)
REFUSED(cublasSdot_v2) REFUSED(cublasDdot_v2) REFUSED(cublasSgemv_v2) REFUSED(cublasDgemv_v2) REFUSED(cublasSger_v2)
REFUSED(cublasDger_v2) REFUSED(cublasSgemmEx) REFUSED(cublasGemmEx) REFUSED(cublasSgemmBatched)
REFUSED(cublasDgemmBatched) REFUSED(cublasHgemmStridedBatched) REFUSED(cublasSgemmStridedBatched)
REFUSED(cublasDgemmStridedBatched)

}
