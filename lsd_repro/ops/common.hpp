// What the fused Ops share: threads, memory and arrays.

#include <algorithm>
#include <cstdlib>
#include <new>

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

// Vectors that reach from one line of the cache into the next take twice as long to load, and products were a tenth
// slower.
const size_t LINE = 64;

// Memory for `count` values, of any content.  It throws where there is none, so it is never made inside an OpenMP
// region, which no exception may leave.
template <typename value> class Memory {
    void *memory;

public:
    explicit Memory(size_t count) {
        if (count > size_t(-1) / 2 / sizeof(value) || posix_memalign(&memory, LINE, count * sizeof(value)))
            throw std::bad_alloc();
    }
    ~Memory() { std::free(memory); }
    Memory(const Memory &) = delete;
    value *data() const { return static_cast<value *>(memory); }
};

// Do what needs nothing of Python's, so that its other threads can go on; 1, with an exception set, without memory.
template <typename Work> int without_python(Work work) {
    bool failed = false;
    PyThreadState *const state = PyEval_SaveThread();
    try {
        work();
    } catch (const std::bad_alloc &) {
        failed = true;
    }
    PyEval_RestoreThread(state);
    if (failed)
        PyErr_NoMemory();
    return failed;
}

// An input as one piece of memory; copied if it isn't.  Its data are null, and an exception is set, without memory.
template <typename value> struct Contiguous {
    PyArrayObject *const array;
    const value *const data;
    explicit Contiguous(PyArrayObject *input)
        : array(PyArray_GETCONTIGUOUS(input)), data(array ? static_cast<value *>(PyArray_DATA(array)) : nullptr) {}
    ~Contiguous() { Py_XDECREF(array); }
    Contiguous(const Contiguous &) = delete;
};

template <typename value> struct NumpyType;
template <> struct NumpyType<float> { static const int number = NPY_FLOAT; };
template <> struct NumpyType<double> { static const int number = NPY_DOUBLE; };
template <> struct NumpyType<npy_int32> { static const int number = NPY_INT32; };
template <> struct NumpyType<npy_int64> { static const int number = NPY_INT64; };

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

// Whether sizes can be counted in ints, with what is added for padding: 67 million for each, a thousand million pixels.
const npy_intp LARGEST = npy_intp(1) << 26, MOST_PIXELS = npy_intp(1) << 30;

inline bool countable(npy_intp height, npy_intp width, npy_intp channels, npy_intp more_channels) {
    return std::max(std::max(height, width), std::max(channels, more_channels)) <= LARGEST
           && height * width <= MOST_PIXELS;
}

inline bool any_empty(npy_intp height, npy_intp width, npy_intp channels, npy_intp more_channels) {
    return std::min(std::min(height, width), std::min(channels, more_channels)) < 1;
}

inline PyObject *shape_of(PyArrayObject *array) {
    return PyObject_GetAttrString(reinterpret_cast<PyObject *>(array), "shape");
}

// Raise an exception that names the shapes; 1.
inline int wrong_shapes(const char *op, const char *why, PyArrayObject *a) {
    PyObject *const shape = shape_of(a);
    PyErr_Format(PyExc_ValueError, "%s: shape %S %s", op, shape, why);
    Py_XDECREF(shape);
    return 1;
}

inline int wrong_shapes(const char *op, const char *why, PyArrayObject *a, PyArrayObject *b, PyArrayObject *c) {
    PyObject *const shapes[] = {shape_of(a), shape_of(b), shape_of(c)};
    PyErr_Format(PyExc_ValueError, "%s: shapes %S, %S and %S %s", op, shapes[0], shapes[1], shapes[2], why);
    for (PyObject *shape : shapes)
        Py_XDECREF(shape);
    return 1;
}

const char *const DO_NOT_FIT = "do not fit";
const char *const ARE_TOO_LARGE = "are too large";

}  // namespace
