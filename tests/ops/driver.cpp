// The C++ of the fused Ops without Theano, for `native.py` to compile as it likes and to call.

#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#include <Python.h>

#include <cerrno>
#include <cstdlib>
#include <numpy/arrayobject.h>

static long allocations_left = -1;  // before memory is out; negative: any number

static int limited_memalign(void **memory, size_t alignment, size_t bytes) {
    if (allocations_left == 0)
        return ENOMEM;
    allocations_left -= allocations_left > 0;
    return posix_memalign(memory, alignment, bytes);
}

#define posix_memalign limited_memalign
#include "common.hpp"
#include "multiply.hpp"
#include "winograd.hpp"
#include "convolution.hpp"
#include "patch_energy.hpp"

#define FOR(real)                                                                                                      \
    int filters_##real(PyArrayObject *weight, PyArrayObject **filters) {                                               \
        return winograd_filters<real>(weight, filters);                                                                \
    }                                                                                                                  \
    int layer_##real(PyArrayObject *x, PyArrayObject *filters, PyArrayObject *bias, int window, PyArrayObject **y,     \
                     PyArrayObject **open) {                                                                           \
        return rectified_correlation<real>(x, filters, bias, window, y, open);                                         \
    }                                                                                                                  \
    int gradient_##real(PyArrayObject *upstream, PyArrayObject *open, PyArrayObject *filters, PyArrayObject *size,     \
                        int window, PyArrayObject **gradient) {                                                        \
        return rectified_correlation_gradient<real>(upstream, open, filters, size, window, gradient);                  \
    }                                                                                                                  \
    int energy_##real(PyArrayObject *x, PyArrayObject *filters, PyArrayObject *mean, int student, double scale,        \
                      PyArrayObject **energy, PyArrayObject **gradient) {                                              \
        return patch_energy<real>(x, filters, mean, student, scale, energy, gradient);                                 \
    }

extern "C" {
FOR(float)
FOR(double)

int vector_bytes() { return VECTOR_BYTES; }
float read_beyond(int count) { return Memory<float>(count).data()[count]; }
void allow_allocations(long count) { allocations_left = count; }
void *prepare() {
    import_array();
    return nullptr;
}
}
