// Max-pooling by 2x2 of a picture whose channels lie together; an odd last row or column is left out.

#include <cmath>
#include <limits>

namespace {

// What is the same by plain summation is not quite by Winograd's method, where `level` (convolution.c) does not see
// to it: small patterns that recur, say.  In double precision such differences can be told from real ones, as a
// share of the largest value; in single precision they can't.
inline double rounding(double largest) { return 64 * std::numeric_limits<double>::epsilon() * largest; }
inline float rounding(float) { return 0; }

template <typename real> int max_pool(PyArrayObject *x, PyArrayObject **y) {
    const npy_intp width = PyArray_DIM(x, 2), channels = PyArray_DIM(x, 3);
    const npy_intp shape[] = {1, PyArray_DIM(x, 1) / 2, width / 2, channels};
    const Contiguous<real> picture(x);
    real *const to = output<real>(y, 4, shape);
    if (!picture.data || !to)
        return 1;
#ifdef _OPENMP
#pragma omp parallel for
#endif
    for (npy_intp row = 0; row < shape[1]; row++)
        for (npy_intp column = 0; column < shape[2]; column++) {
            const real *const a = picture.data + (2 * row * width + 2 * column) * channels, *const b = a + channels;
            const real *const c = a + width * channels, *const d = c + channels;
            real *const out = to + (row * shape[2] + column) * channels;
            for (npy_intp i = 0; i < channels; i++)
                out[i] = std::max(std::max(a[i], b[i]), std::max(c[i], d[i]));
        }
    return 0;
}

// All of several that are the largest get the whole gradient, as in Theano.
template <typename real>
int max_pool_gradient(PyArrayObject *x, PyArrayObject *y, PyArrayObject *gradient, PyArrayObject **result) {
    const npy_intp height = PyArray_DIM(x, 1), width = PyArray_DIM(x, 2), channels = PyArray_DIM(x, 3);
    if (!PyArray_SAMESHAPE(y, gradient) || PyArray_DIM(y, 1) != height / 2 || PyArray_DIM(y, 2) != width / 2
        || PyArray_DIM(y, 3) != channels)
        return wrong_shapes("MaxPoolGradient", x, y, gradient);
    const Contiguous<real> picture(x), pooled(y), upstream(gradient);
    real *const to = output<real>(result, 4, PyArray_DIMS(x));
    if (!picture.data || !pooled.data || !upstream.data || !to)
        return 1;
    real largest = 0;
#ifdef _OPENMP
#pragma omp parallel for reduction(max : largest)
#endif
    for (npy_intp i = 0; i < PyArray_SIZE(y); i++)
        largest = std::max(largest, std::abs(pooled.data[i]));
    const real tolerance = rounding(largest);
#ifdef _OPENMP
#pragma omp parallel for
#endif
    for (npy_intp row = 0; row < height; row++)
        for (npy_intp column = 0; column < width; column++) {
            const npy_intp at = (row * width + column) * channels;
            if (row / 2 == height / 2 || column / 2 == width / 2) {
                std::fill(to + at, to + at + channels, real(0));
                continue;
            }
            const npy_intp from = (row / 2 * (width / 2) + column / 2) * channels;
            for (npy_intp i = 0; i < channels; i++)
                to[at + i] = picture.data[at + i] >= pooled.data[from + i] - tolerance ? upstream.data[from + i] : real(0);
        }
    return 0;
}

}  // namespace
