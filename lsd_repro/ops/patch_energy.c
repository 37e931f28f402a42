#section support_code

// A row of patches, written out in full, would hold every pixel `size` times across and
// `size` times down.  It is enough to repeat pixels down: let a "column" be the
// size * channels values under one pixel, and a "strip" the columns of one row of patches, one
// after the other.  Every patch then is `size` consecutive columns of its strip, and
// every size-th patch, from any of the first `size` on, follows its predecessor without
// overlap.  So these patches are a matrix as they lie, and their gradients can be
// added in place by the matrix product itself.  Strips may follow each other without a gap:
// patches that reach from one into the next are computed, and count as zero.

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <algorithm>

#ifdef _OPENMP
#include <omp.h>
// Only OpenBLAS has them; elsewhere they are null.
extern "C" void openblas_set_num_threads(int) __attribute__((weak));
extern "C" int openblas_get_num_threads(void) __attribute__((weak));
#endif

namespace {

// Rows of a matrix product: its result stays in the second-level cache.
const int CHUNK = 512;
// Rows whose logarithms are taken together; below, 4^32 must not overflow.
const int TOGETHER = 32;

inline void gemm(char trans, int m, int n, int k, float alpha, float *a, int lda, float *b, int ldb,
                 float beta, float *c, int ldc) {
    char no = 'N';
    sgemm_(&trans, &no, &m, &n, &k, &alpha, a, &lda, b, &ldb, &beta, c, &ldc);
}

inline void gemm(char trans, int m, int n, int k, double alpha, double *a, int lda, double *b, int ldb,
                 double beta, double *c, int ldc) {
    char no = 'N';
    dgemm_(&trans, &no, &m, &n, &k, &alpha, a, &lda, b, &ldb, &beta, c, &ldc);
}

template <typename real> struct Format;
template <> struct Format<float> {
    typedef npy_uint32 word;
    static const int mantissa = 23;
    static const word exponent = 0x7f800000u;
};
template <> struct Format<double> {
    typedef npy_uint64 word;
    static const int mantissa = 52;
    static const word exponent = 0x7ff0000000000000ull;
};

// Sums over patches, one for each component, with all components of a patch at once.
template <typename real> class Tally {
    typedef typename Format<real>::word word;
    const int components;
    const bool student;
    const real scale;
    const real *const mean;
    real *const partial;    // products of mantissas, or sums of squares
    word *const exponents;  // their sums
    int rows;

public:
    double total;

    Tally(int components, bool student, real scale, const real *mean, real *partial, word *exponents)
        : components(components), student(student), scale(scale), mean(mean), partial(partial),
          exponents(exponents), rows(0), total(0) { clear(); }

    // Count the responses of a patch, and turn them into half the derivatives.
    void add(real *responses) {
        if (student)
            add_student(responses, mean, partial, exponents);
        else
            add_gaussian(responses, mean, partial);
        if (++rows == TOGETHER)
            finish();
    }

    void finish() {
        if (student) {
            // 8 factors below 2^64 fit into a double.
            npy_int64 sum = 0;
            double product = 1;
            for (int k = 0; k < components; k++) {
                sum += exponents[k];
                product *= partial[k];
                if (k % 8 == 7 || k == components - 1) {
                    total += std::log(product);
                    product = 1;
                }
            }
            const int bias = int(Format<real>::exponent >> Format<real>::mantissa) / 2 + 1;
            total += M_LN2 * double(sum - npy_int64(bias) * rows * components);
        } else {
            for (int k = 0; k < components; k++)
                total += partial[k];
        }
        clear();
    }

private:
    void clear() {
        rows = 0;
        std::fill(partial, partial + components, real(student ? 1 : 0));
        std::fill(exponents, exponents + components, word(0));
    }

    // log(a) + log(b) + ... = log(ab...): mantissas are multiplied and exponents added.
    // The mantissa comes out in [2, 4), and as not-a-number where s is infinite or none.
    void add_student(real *__restrict d, const real *__restrict mean, real *__restrict product,
                     word *__restrict exponents) {
        const real v = scale;
        for (int k = 0; k < components; k++) {
            const real deviation = d[k] - mean[k];
            const real s = v + deviation * deviation;
            word bits, inverse;
            real power;
            std::memcpy(&bits, &s, sizeof s);
            bits &= Format<real>::exponent;
            inverse = Format<real>::exponent - bits;
            std::memcpy(&power, &inverse, sizeof s);
            product[k] *= s * power;
            exponents[k] += bits >> Format<real>::mantissa;
            d[k] = deviation / s;
        }
    }

    void add_gaussian(real *__restrict d, const real *__restrict mean, real *__restrict sums) {
        for (int k = 0; k < components; k++) {
            const real deviation = d[k] - mean[k];
            sums[k] += deviation * deviation;
            d[k] = deviation;
        }
    }
};

template <typename real> struct PatchSums {
    int channels, height, width, size, components;
    bool student;
    double scale;
    real *picture, *gradient;  // width x height x channels: columns lie in one piece
    real *filters;             // size * size * channels x components
    real *mean;

    int column() const { return size * channels; }
    int patch() const { return size * column(); }
    // Blocks with one other between them share no pixel.
    int block_rows() const { return size; }
    int blocks() const { return (height - size) / block_rows() + 1; }
    size_t strip() const { return size_t(block_rows()) * width * column(); }
    // In units of `real`, as large as `word`.
    size_t scratch() const { return 2 * strip() + size_t(CHUNK + 2) * components; }

    // Add the block's part to the gradient, and return that of the energy.
    double block(int index, real *scratch) const {
        const int first = index * block_rows(), rows = std::min(block_rows(), height - size + 1 - first);
        real *const strips = scratch, *const back = strips + strip(), *const responses = back + strip();
        real *const partial = responses + size_t(CHUNK) * components;
        Tally<real> tally(components, student, real(scale), mean, partial,
                          reinterpret_cast<typename Format<real>::word *>(partial + components));
        for (int x = 0; x < width; x++)
            for (int y = 0; y < rows; y++)
                std::memcpy(strips + (size_t(y) * width + x) * column(),
                            picture + (size_t(x) * height + first + y) * channels, column() * sizeof(real));
        std::fill(back, back + size_t(rows) * width * column(), real(0));

        const int last = rows * width - size;  // where the last patch begins
        const real alpha = real(2 / count());
        for (int begin = 0; begin <= last; begin += CHUNK * size)
            for (int start = begin; start < begin + size && start <= last; start++) {
                const int many = std::min(CHUNK, (last - start) / size + 1);
                const size_t at = size_t(start) * column();
                gemm('N', components, many, patch(), real(1), filters, components, strips + at, patch(),
                     real(0), responses, components);
                int x = start % width;
                for (int i = 0; i < many; i++) {
                    if (x <= width - size)
                        tally.add(responses + size_t(i) * components);
                    else
                        std::fill(responses + size_t(i) * components, responses + size_t(i + 1) * components, real(0));
                    x += size;
                    if (x >= width)
                        x -= width;
                }
                gemm('T', patch(), many, components, alpha, filters, components, responses, components,
                     real(1), back + at, patch());
            }
        tally.finish();

        for (int x = 0; x < width; x++)
            for (int y = 0; y < rows; y++) {
                const real *__restrict from = back + (size_t(y) * width + x) * column();
                real *__restrict to = gradient + (size_t(x) * height + first + y) * channels;
                for (int i = 0; i < column(); i++)
                    to[i] += from[i];
            }
        return tally.total;
    }

    double count() const { return double(height - size + 1) * (width - size + 1) * components; }
};

// While there are several threads here, each calls BLAS for itself alone.
struct OneBlasThread {
    int before;
    OneBlasThread() : before(0) {
#ifdef _OPENMP
        if (openblas_set_num_threads && openblas_get_num_threads) {
            before = openblas_get_num_threads();
            openblas_set_num_threads(1);
        }
#endif
    }
    ~OneBlasThread() {
#ifdef _OPENMP
        if (before)
            openblas_set_num_threads(before);
#endif
    }
};

template <typename real> inline real &at(PyArrayObject *array, npy_intp i, npy_intp j, npy_intp k) {
    char *const data = PyArray_BYTES(array);
    const npy_intp *const strides = PyArray_STRIDES(array);
    return *reinterpret_cast<real *>(data + i * strides[1] + j * strides[2] + k * strides[3]);
}

// Energy and gradient; -1 if there is no memory for it.
template <typename real>
int energy_and_gradient(PyArrayObject *x, PyArrayObject *filters, PyArrayObject *mean, bool student, double scale,
                        real *energy, PyArrayObject *result) {
    PatchSums<real> sums;
    sums.channels = int(PyArray_DIM(x, 1));
    sums.height = int(PyArray_DIM(x, 2));
    sums.width = int(PyArray_DIM(x, 3));
    sums.components = int(PyArray_DIM(filters, 0));
    sums.size = int(PyArray_DIM(filters, 2));
    sums.student = student;
    sums.scale = scale;
    const int channels = sums.channels, height = sums.height, width = sums.width, size = sums.size;
    const int blocks = sums.blocks();
    int threads = 1;
#ifdef _OPENMP
    threads = std::min(omp_get_max_threads(), (blocks + 1) / 2);
#endif
    const size_t pixels = size_t(channels) * height * width, weights = size_t(sums.patch()) * sums.components;
    const size_t bytes = (2 * pixels + weights + sums.components + threads * sums.scratch()) * sizeof(real)
                         + blocks * sizeof(double);
    double *const energies = static_cast<double *>(std::malloc(bytes));
    if (!energies)
        return -1;
    sums.picture = reinterpret_cast<real *>(energies + blocks);
    sums.gradient = sums.picture + pixels;
    sums.filters = sums.gradient + pixels;
    sums.mean = sums.filters + weights;
    real *const scratch = sums.mean + sums.components;

    // Convolution flips the filters.
    for (int k = 0; k < sums.components; k++) {
        sums.mean[k] = *static_cast<real *>(PyArray_GETPTR1(mean, k));
        for (int j = 0; j < size; j++)
            for (int i = 0; i < size; i++)
                for (int c = 0; c < channels; c++)
                    sums.filters[size_t((j * size + i) * channels + c) * sums.components + k] =
                        *static_cast<real *>(PyArray_GETPTR4(filters, k, c, size - 1 - i, size - 1 - j));
    }
    std::fill(sums.gradient, sums.gradient + pixels, real(0));

    OneBlasThread alone;
#ifdef _OPENMP
#pragma omp parallel num_threads(threads)
#endif
    {
        real *own = scratch;
#ifdef _OPENMP
        own += omp_get_thread_num() * sums.scratch();
#pragma omp for
#endif
        for (int x0 = 0; x0 < width; x0 += 16)
            for (int y = 0; y < height; y++)
                for (int c = 0; c < channels; c++)
                    for (int j = x0; j < std::min(x0 + 16, width); j++)
                        sums.picture[(size_t(j) * height + y) * channels + c] = at<real>(x, c, y, j);
        // Every second block, then the others: who adds to a pixel, and when, is never left to chance.
        for (int phase = 0; phase < 2; phase++) {
#ifdef _OPENMP
#pragma omp for schedule(dynamic)
#endif
            for (int index = phase; index < blocks; index += 2)
                energies[index] = sums.block(index, own);
        }
#ifdef _OPENMP
#pragma omp for
#endif
        for (int x0 = 0; x0 < width; x0 += 16)
            for (int y = 0; y < height; y++)
                for (int c = 0; c < channels; c++)
                    for (int j = x0; j < std::min(x0 + 16, width); j++)
                        at<real>(result, c, y, j) = sums.gradient[(size_t(j) * height + y) * channels + c];
    }

    double total = 0;
    for (int index = 0; index < blocks; index++)
        total += energies[index];
    *energy = real(total / sums.count() - (student ? std::log(scale) : 0));
    std::free(energies);
    return 0;
}

}  // namespace

#section support_code_apply

int APPLY_SPECIFIC(patch_energy)(PyArrayObject *x, PyArrayObject *filters, PyArrayObject *mean,
                                 PyArrayObject **energy, PyArrayObject **gradient, PARAMS_TYPE *params) {
    npy_intp *const picture = PyArray_DIMS(x), *const shape = PyArray_DIMS(filters);
    if (shape[1] != picture[1] || shape[2] != shape[3] || PyArray_DIM(mean, 0) != shape[0]
        || picture[2] < shape[2] || picture[3] < shape[2]) {
        PyErr_Format(PyExc_ValueError,
                     "PatchEnergy: picture (1, %ld, %ld, %ld), filters (%ld, %ld, %ld, %ld) and means (%ld,) do not fit",
                     long(picture[1]), long(picture[2]), long(picture[3]), long(shape[0]), long(shape[1]),
                     long(shape[2]), long(shape[3]), long(PyArray_DIM(mean, 0)));
        return 1;
    }
    Py_XDECREF(*energy);
    Py_XDECREF(*gradient);
    *energy = reinterpret_cast<PyArrayObject *>(PyArray_SimpleNew(0, NULL, TYPENUM_INPUT_0));
    *gradient = reinterpret_cast<PyArrayObject *>(PyArray_SimpleNew(4, picture, TYPENUM_INPUT_0));
    if (!*energy || !*gradient)
        return 1;
    if (energy_and_gradient(x, filters, mean, params->student, params->scale,
                            static_cast<DTYPE_INPUT_0 *>(PyArray_DATA(*energy)), *gradient)) {
        PyErr_NoMemory();
        return 1;
    }
    return 0;
}
