// Products of tall matrices with small ones that stay the same, such as filters, and are laid out
// for it once.  BLAS would lay out both anew at every call, which takes as long as the product
// where a matrix has a few dozen rows.

#include <cstring>

namespace {

// Results of ROWS x PANELS vectors nearly fill the registers; so do those of ROWS_OF_THREE x 3.
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
const int ROWS = 14, PANELS = 2, ROWS_OF_THREE = 9;
#elif defined(__AVX__)
#define VECTOR_BYTES 32
const int ROWS = 6, PANELS = 2, ROWS_OF_THREE = 4;
#else
#define VECTOR_BYTES 16
const int ROWS = 6, PANELS = 2, ROWS_OF_THREE = 4;
#endif

template <typename real> struct Vector;
template <> struct Vector<float> {
    typedef float type __attribute__((vector_size(VECTOR_BYTES)));
    static const int lanes = VECTOR_BYTES / sizeof(float);
};
template <> struct Vector<double> {
    typedef double type __attribute__((vector_size(VECTOR_BYTES)));
    static const int lanes = VECTOR_BYTES / sizeof(double);
};

template <typename real, typename integer> inline integer padded(integer columns) {
    const int lanes = Vector<real>::lanes;
    return (columns + lanes - 1) / lanes * lanes;
}

template <typename real> inline typename Vector<real>::type load(const real *from) {
    typename Vector<real>::type v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

template <typename real> inline void store(real *to, const typename Vector<real>::type &v) {
    std::memcpy(to, &v, sizeof v);
}

// The matrix b, `rows` x `columns`, as panels of as many columns as a vector has lanes, the last filled up with zeros.
template <typename real>
void lay_out(const real *b, int rows, int columns, size_t row_stride, size_t column_stride, real *panels) {
    const int lanes = Vector<real>::lanes;
    for (int first = 0; first < columns; first += lanes)
        for (int row = 0; row < rows; row++)
            for (int i = 0; i < lanes; i++)
                *panels++ = first + i < columns ? b[row * row_stride + (first + i) * column_stride] : real(0);
}

template <typename real, int rows, int panels, bool add>
inline void multiply_some(int depth, const real *__restrict a, size_t a_pitch, const real *__restrict b, real *c,
                          size_t c_pitch) {
    typedef typename Vector<real>::type vec;
    const int lanes = Vector<real>::lanes;
    vec sums[rows][panels];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 3
        for (int j = 0; j < panels; j++)
            sums[i][j] = vec{};
    for (int p = 0; p < depth; p++) {
        vec factors[panels];
#pragma GCC unroll 3
        for (int j = 0; j < panels; j++)
            std::memcpy(&factors[j], b + (size_t(j) * depth + p) * lanes, sizeof(vec));
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            const real factor = a[i * a_pitch + p];
#pragma GCC unroll 3
            for (int j = 0; j < panels; j++)
                sums[i][j] += factor * factors[j];
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 3
        for (int j = 0; j < panels; j++) {
            real *const to = c + i * c_pitch + j * lanes;
            if (add) {
                vec before;
                std::memcpy(&before, to, sizeof before);
                sums[i][j] += before;
            }
            std::memcpy(to, &sums[i][j], sizeof(vec));
        }
}

template <typename real, int at_once, int panels, bool add>
void multiply_panels(int rows, int depth, const real *a, size_t a_pitch, const real *b, real *c, size_t c_pitch) {
    int i = 0;
    for (; i + at_once <= rows; i += at_once)
        multiply_some<real, at_once, panels, add>(depth, a + i * a_pitch, a_pitch, b, c + i * c_pitch, c_pitch);
    for (; i + 3 <= rows; i += 3)
        multiply_some<real, 3, panels, add>(depth, a + i * a_pitch, a_pitch, b, c + i * c_pitch, c_pitch);
    for (; i < rows; i++)
        multiply_some<real, 1, panels, add>(depth, a + i * a_pitch, a_pitch, b, c + i * c_pitch, c_pitch);
}

// c = a b, or c += a b, where a is `rows` x `depth` and b, `depth` x `columns`, was laid out.  The rows of a and c
// lie `a_pitch` and `c_pitch` apart.  The columns that fill up b's last panel are written to c, too.
template <bool add, typename real>
void multiply(int rows, int columns, int depth, const real *a, size_t a_pitch, const real *b, real *c, size_t c_pitch) {
    const int lanes = Vector<real>::lanes, panels = padded<real>(columns) / lanes;
    const auto part = [=](int j) { return b + size_t(j) * depth * lanes; };
    int j = 0;
    for (; j + PANELS <= panels && j + 3 != panels; j += PANELS)
        multiply_panels<real, ROWS, PANELS, add>(rows, depth, a, a_pitch, part(j), c + j * lanes, c_pitch);
    if (j + 3 == panels)
        multiply_panels<real, ROWS_OF_THREE, 3, add>(rows, depth, a, a_pitch, part(j), c + j * lanes, c_pitch);
    else if (j < panels)
        multiply_panels<real, ROWS, 1, add>(rows, depth, a, a_pitch, part(j), c + j * lanes, c_pitch);
}

}  // namespace
