// What the fused Ops share: threads and arrays.

#include <algorithm>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace {

inline int most_threads() {
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

inline int own_thread() {
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}

// An input as one piece of memory; copied if it isn't.  Its data are null, and an exception is set, without memory.
template <typename real> struct Contiguous {
    PyArrayObject *const array;
    const real *const data;
    explicit Contiguous(PyArrayObject *input)
        : array(PyArray_GETCONTIGUOUS(input)), data(array ? static_cast<real *>(PyArray_DATA(array)) : nullptr) {}
    ~Contiguous() { Py_XDECREF(array); }
    Contiguous(const Contiguous &) = delete;
};

template <typename real> struct NumpyType;
template <> struct NumpyType<float> { static const int number = NPY_FLOAT; };
template <> struct NumpyType<double> { static const int number = NPY_DOUBLE; };
template <> struct NumpyType<npy_int32> { static const int number = NPY_INT32; };
template <> struct NumpyType<npy_int64> { static const int number = NPY_INT64; };

// Vectors that reach from one line of the cache into the next take twice as long to load.
const size_t LINE = 64;

// An output, that of the call before if it fits; null, with an exception set, without memory.
template <typename value> value *output(PyArrayObject **array, int dimensions, const npy_intp *shape) {
    if (!(*array && PyArray_NDIM(*array) == dimensions && PyArray_IS_C_CONTIGUOUS(*array)
          && std::equal(shape, shape + dimensions, PyArray_DIMS(*array)))) {
        Py_CLEAR(*array);
        npy_intp bytes = PyArray_MultiplyList(shape, dimensions) * sizeof(value) + LINE;
        PyObject *const memory = PyArray_SimpleNew(1, &bytes, NPY_UINT8);
        if (!memory)
            return nullptr;
        const size_t start = reinterpret_cast<size_t>(PyArray_DATA(reinterpret_cast<PyArrayObject *>(memory)));
        *array = reinterpret_cast<PyArrayObject *>(
            PyArray_SimpleNewFromData(dimensions, const_cast<npy_intp *>(shape), NumpyType<value>::number,
                                      reinterpret_cast<void *>((start + LINE - 1) / LINE * LINE)));
        if (!*array)
            Py_DECREF(memory);
        else if (PyArray_SetBaseObject(*array, memory))
            Py_CLEAR(*array);
    }
    return *array ? static_cast<value *>(PyArray_DATA(*array)) : nullptr;
}

inline int wrong_shapes(const char *op, PyArrayObject *a, PyArrayObject *b, PyArrayObject *c) {
    PyObject *shapes[3];
    PyArrayObject *arrays[] = {a, b, c};
    for (int i = 0; i < 3; i++)
        shapes[i] = PyObject_GetAttrString(reinterpret_cast<PyObject *>(arrays[i]), "shape");
    PyErr_Format(PyExc_ValueError, "%s: shapes %S, %S and %S do not fit", op, shapes[0], shapes[1], shapes[2]);
    for (PyObject *shape : shapes)
        Py_XDECREF(shape);
    return 1;
}

}  // namespace
