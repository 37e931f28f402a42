// Winograd's F(4x4, 3x3): of a tile of 6x6 values, 36 numbers; times those of the filter; of the
// products, the 4x4 results.  So 36 multiplications do what takes 144 otherwise, and for all channels
// of many tiles they are 36 matrix products.  The numbers are values of polynomials at six points,
// across and down: 0, A, -A, B, -B and infinity.  With B = 1/A, turning a filter
// around exchanges 0 with infinity and A with B (see FLIPPED).  So the gradient, which is
// a correlation with the filters turned around, needs no others.
// A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks, 2015.
//
// The 16 results of a tile are computed in 16 ways, and differ in rounding where a picture is flat, as in black
// clipped to 0, or the same along one direction, as where that touches the border.  Then one of them would be
// the largest, and alone get the gradient through a max-pool, where by plain summation all are the same and
// all get it.  So results of such surroundings are computed in one way: see `level`.  Likewise a gradient that
// nothing has come to is 0, and not rounding errors of its neighbours, which Adam would make steps of: see `clear`.

#include <cmath>
#include <cstdlib>
#include <numeric>
#include <vector>

namespace {

const int TILE = 4, PATCH = 6, POINTS = PATCH * PATCH;
const double A = M_SQRT2, B = M_SQRT1_2;
// Sums of filters: over all, over each of the 3 columns, over each of the 3 rows.
enum { ALL = POINTS, COLUMNS = ALL + 1, ROWS_OF_3 = COLUMNS + 3, BLOCKS = ROWS_OF_3 + 3 };
const int FLIPPED[PATCH] = {5, 3, 4, 1, 2, 0};
// What is computed at once should stay in the second-level cache; but too few tiles would use the filters too rarely.
const size_t CACHE = 3 << 19;
const int LEAST_TILES = 8 * ROWS;

// So that the compiler knows each size, also for the few channels of a picture.
template <typename real> inline void copy(real *to, const real *from, int count) {
    for (int part = Vector<real>::lanes; part; part /= 2)
        if (count & part) {
            std::memcpy(to, from, part * sizeof(real));
            to += part;
            from += part;
        }
}

template <typename real> inline void load(typename Vector<real>::type &v, const real *from, int lanes) {
    v = typename Vector<real>::type{};
    copy(reinterpret_cast<real *>(&v), from, lanes);
}

template <typename real> inline void store(real *to, const typename Vector<real>::type &v, int lanes) {
    copy(to, reinterpret_cast<const real *>(&v), lanes);
}

// Values of a polynomial with coefficients such that products come out right, every `step`-th of 6.
template <typename real, typename vec> inline void analyse(vec *d, int step) {
    const real a = real(A), b = real(B);
    const vec d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
    const vec even_a = d4 - real(0.5) * d2, odd_a = a * (d3 - real(0.5) * d1);
    const vec even_b = d4 - real(2) * d2, odd_b = b * (d3 - real(2) * d1);
    d[0] = d0 - real(2.5) * d2 + d4;
    d[step] = even_a + odd_a;
    d[2 * step] = even_a - odd_a;
    d[3 * step] = even_b + odd_b;
    d[4 * step] = even_b - odd_b;
    d[5 * step] = d1 - real(2.5) * d3 + d5;
}

// The first 4 of every `step`-th become the results.
template <typename real, typename vec> inline void synthesise(vec *m, int step) {
    // How filters are scaled in `filter_values` is made good here.
    const real fa = real(A / 6), fb = real(-B * 2 / 3);
    const vec m0 = m[0], m5 = m[5 * step];
    const vec sum_a = fa * (m[step] + m[2 * step]), difference_a = real(A) * fa * (m[step] - m[2 * step]);
    const vec sum_b = fb * (m[3 * step] + m[4 * step]), difference_b = real(B) * fb * (m[3 * step] - m[4 * step]);
    m[0] = m0 + sum_a + sum_b;
    m[step] = difference_a + difference_b;
    m[2 * step] = real(2) * sum_a + real(0.5) * sum_b;
    m[3 * step] = real(2) * difference_a + real(0.5) * difference_b + m5;
}

// 3 filter values at the six points, those at A, B over A, B.
inline void filter_values(const double *g, int step, double *out, int out_step) {
    const double g0 = g[0], g1 = g[step], g2 = g[2 * step];
    out[0] = g0;
    out[out_step] = g0 / A + g1 + g2 * A;
    out[2 * out_step] = g0 / A - g1 + g2 * A;
    out[3 * out_step] = g0 / B + g1 + g2 * B;
    out[4 * out_step] = g0 / B - g1 + g2 * B;
    out[5 * out_step] = g2;
}

// A picture of many channels, those of a pixel in one piece; and what to do with it.
template <typename real> struct Correlation {
    typedef typename Vector<real>::type vec;
    static const int LANES = Vector<real>::lanes;

    int height, width, from, to;  // channels
    const real *x;
    const real *gate;     // where it is not positive, x counts as 0; null if there is none
    const real *filters;  // 36 times from x to, laid out; and, if there is a bias, their sums
    const real *bias;     // null: neither bias nor rectification
    real *y;
    const real *zeros;    // as many as x has channels; needed with a bias

    int across() const { return (width + TILE - 1) / TILE; }
    int tiles() const { return across() * ((height + TILE - 1) / TILE); }
    int at_once(int threads) const {
        const int fitting = int(CACHE / (POINTS * (from + to) * sizeof(real)));
        const int share = (tiles() + threads - 1) / threads;
        return (std::min(std::max(fitting, LEAST_TILES), share) + ROWS - 1) / ROWS * ROWS;
    }
    // Between the matrices; not a power of two, which would put all 36 into the same lines of the cache.
    static size_t pitch(int many, int channels) {
        return (size_t(many) * channels + 2 * LANES - 1) / (2 * LANES) * 2 * LANES + LANES;
    }
    size_t scratch(int many) const {
        return POINTS * (pitch(many, from) + pitch(many, padded<real>(to))) + padded<real>(to);
    }

    void block(int first, int many, real *values) const {
        const size_t pitch_in = pitch(many, from), pitch_out = pitch(many, padded<real>(to));
        real *const products = values + POINTS * pitch_in;
        for (int i = 0; i < many; i++)
            take((first + i) / across() * TILE, (first + i) % across() * TILE, values + size_t(i) * from, pitch_in);
        for (int point = 0; point < POINTS; point++)
            multiply<false>(many, to, from, values + point * pitch_in, from,
                            filters + size_t(point) * from * padded<real>(to), products + point * pitch_out, padded<real>(to));
        const real *last = nullptr;
        for (int i = 0; i < many; i++) {
            const int top = (first + i) / across() * TILE, left = (first + i) % across() * TILE;
            give(top, left, products + size_t(i) * padded<real>(to), pitch_out);
            if (bias)
                level(top, left, products + POINTS * pitch_out, &last);
            else
                clear(top, left);
        }
    }

private:
    // Zeros beyond the border.
    const real *pixel(int row, int column) const {
        return row >= 0 && row < height && column >= 0 && column < width ? x + (size_t(row) * width + column) * from : zeros;
    }
    bool same(const real *a, const real *b) const { return *a == *b && !std::memcmp(a, b, from * sizeof(real)); }

    void add_product(const real *pixel, int block, real *result) const {
        multiply<true>(1, to, from, pixel, from, filters + block * size_t(from) * padded<real>(to), result, padded<real>(to));
    }
    // Whether the three rows, or columns, around a pixel are the same.
    bool rows_alike(int row, int column) const {
        for (int j = column - 1; j <= column + 1; j++)
            if (!same(pixel(row - 1, j), pixel(row, j)) || !same(pixel(row + 1, j), pixel(row, j)))
                return false;
        return true;
    }
    bool columns_alike(int row, int column) const {
        for (int i = row - 1; i <= row + 1; i++)
            if (!same(pixel(i, column - 1), pixel(i, column)) || !same(pixel(i, column + 1), pixel(i, column)))
                return false;
        return true;
    }

    // Results of flat surroundings; `result` may be that of the pixel `last` already, and is kept for the next.
    void level(int top, int left, real *result, const real **last) const {
        for (int row = top; row < std::min(top + TILE, height); row++)
            for (int column = left; column < std::min(left + TILE, width); column++) {
                const bool upright = rows_alike(row, column), level = columns_alike(row, column);
                if (!upright && !level)
                    continue;
                const real *const centre = pixel(row, column);
                if (!(upright && level && *last && same(*last, centre))) {
                    std::fill(result, result + padded<real>(to), real(0));
                    if (upright && level)
                        add_product(centre, ALL, result);
                    else if (upright)
                        for (int j = 0; j < 3; j++)
                            add_product(pixel(row, column - 1 + j), COLUMNS + j, result);
                    else
                        for (int i = 0; i < 3; i++)
                            add_product(pixel(row - 1 + i, column), ROWS_OF_3 + i, result);
                    *last = upright && level ? centre : nullptr;
                }
                real *const at = y + (size_t(row) * width + column) * to;
                for (int k = 0; k < to; k++)
                    at[k] = std::max(result[k] + bias[k], real(0));
            }
    }

    bool passes(int row, int column) const {
        if (row < 0 || row >= height || column < 0 || column >= width)
            return false;
        const size_t at = (size_t(row) * width + column) * from;
        for (int c = 0; c < from; c++)
            if (gate[at + c] > 0 && x[at + c] != 0)
                return true;
        return false;
    }

    void clear(int top, int left) const {
        bool any[PATCH][PATCH];
        int zeros = 0;
        for (int i = 0; i < PATCH; i++)
            for (int j = 0; j < PATCH; j++)
                zeros += !(any[i][j] = passes(top - 1 + i, left - 1 + j));
        if (!zeros)
            return;
        for (int row = top; row < std::min(top + TILE, height); row++)
            for (int column = left; column < std::min(left + TILE, width); column++) {
                bool reached = false;
                for (int i = 0; i < 3; i++)
                    for (int j = 0; j < 3; j++)
                        reached |= any[row - top + i][column - left + j];
                if (!reached)
                    std::fill_n(y + (size_t(row) * width + column) * to, to, real(0));
            }
    }

    // A tile, and a pixel around it.
    void take(int top, int left, real *values, size_t pitch) const {
        const int y0 = std::max(top - 1, 0), y1 = std::min(top + TILE + 1, height);
        const int x0 = std::max(left - 1, 0), x1 = std::min(left + TILE + 1, width);
        const bool whole = y1 - y0 == PATCH && x1 - x0 == PATCH;
        for (int c = 0; c < from; c += LANES) {
            const int lanes = std::min(LANES, from - c);
            vec d[POINTS];
            if (!whole)
                std::fill(d, d + POINTS, vec{});
            for (int i = y0; i < y1; i++)
                for (int j = x0; j < x1; j++) {
                    const size_t at = (size_t(i) * width + j) * from + c;
                    vec &value = d[(i - top + 1) * PATCH + j - left + 1];
                    load<real>(value, x + at, lanes);
                    if (gate) {
                        vec open;
                        load<real>(open, gate + at, lanes);
                        value = open > real(0) ? value : vec{};
                    }
                }
            for (int j = 0; j < PATCH; j++)
                analyse<real>(d + j, PATCH);
            for (int i = 0; i < PATCH; i++)
                analyse<real>(d + i * PATCH, 1);
            for (int p = 0; p < POINTS; p++)
                store<real>(values + p * pitch + c, d[p], lanes);
        }
    }

    void give(int top, int left, const real *products, size_t pitch) const {
        const int rows = std::min(TILE, height - top), columns = std::min(TILE, width - left);
        for (int c = 0; c < to; c += LANES) {
            const int lanes = std::min(LANES, to - c);
            vec m[POINTS];
            for (int p = 0; p < POINTS; p++)
                load<real>(m[p], products + p * pitch + c, lanes);
            for (int j = 0; j < PATCH; j++)
                synthesise<real>(m + j, PATCH);
            for (int i = 0; i < TILE; i++)
                synthesise<real>(m + i * PATCH, 1);
            vec shift{};
            if (bias)
                load<real>(shift, bias + c, lanes);
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < columns; j++) {
                    vec value = m[i * PATCH + j];
                    if (bias) {
                        value += shift;
                        value = value < real(0) ? vec{} : value;  // keeps what is not a number
                    }
                    store<real>(y + (size_t(top + i) * width + left + j) * to + c, value, lanes);
                }
        }
    }
};

template <typename real> int correlate(const Correlation<real> &job) {
    const int many = job.at_once(most_threads()), blocks = (job.tiles() + many - 1) / many;
    const int threads = std::min(most_threads(), blocks);
    const size_t own = job.scratch(many);
    real *const scratch = static_cast<real *>(std::malloc(threads * own * sizeof(real)));
    if (!scratch) {
        PyErr_NoMemory();
        return 1;
    }
#ifdef _OPENMP
#pragma omp parallel for num_threads(threads) schedule(dynamic)
#endif
    for (int index = 0; index < blocks; index++)
        job.block(index * many, std::min(many, job.tiles() - index * many), scratch + own_thread() * own);
    std::free(scratch);
    return 0;
}

// ---------------------------------------------------------------- what Theano calls; 0 if all went well

// weight (rows, columns, 3, 3) -> filters (36 and 7 sums, panels of rows, columns, lanes)
template <typename real> int winograd_filters(PyArrayObject *weight, PyArrayObject **filters) {
    const int rows = int(PyArray_DIM(weight, 0)), columns = int(PyArray_DIM(weight, 1));
    const int lanes = Vector<real>::lanes, panels = padded<real>(rows) / lanes;
    const npy_intp shape[] = {BLOCKS, panels, columns, lanes};
    const Contiguous<real> from(weight);
    real *const to = output<real>(filters, 4, shape);
    if (!from.data || !to)
        return 1;
#ifdef _OPENMP
#pragma omp parallel for
#endif
    for (int panel = 0; panel < panels; panel++)
        for (int column = 0; column < columns; column++)
            for (int lane = 0; lane < lanes; lane++) {
                const int row = panel * lanes + lane;
                double g[9] = {}, half[PATCH * 3], all[BLOCKS];
                if (row < rows)
                    std::copy_n(from.data + (size_t(row) * columns + column) * 9, 9, g);
                for (int j = 0; j < 3; j++)
                    filter_values(g + j, 3, half + j, 3);
                for (int i = 0; i < PATCH; i++)
                    filter_values(half + i * 3, 1, all + i * PATCH, 1);
                all[ALL] = std::accumulate(g, g + 9, 0.0);
                for (int i = 0; i < 3; i++) {
                    all[COLUMNS + i] = g[i] + g[3 + i] + g[6 + i];
                    all[ROWS_OF_3 + i] = g[3 * i] + g[3 * i + 1] + g[3 * i + 2];
                }
                for (int block = 0; block < BLOCKS; block++)
                    to[((size_t(block) * panels + panel) * columns + column) * lanes + lane] = real(all[block]);
            }
    return 0;
}

// Those filters for the way back: transposed, and turned around.
template <typename real> void turn_filters(const real *filters, int rows, int columns, real *turned) {
    const int lanes = Vector<real>::lanes;
    const size_t size = size_t(columns) * padded<real>(rows), turned_size = size_t(rows) * padded<real>(columns);
    std::fill(turned, turned + POINTS * turned_size, real(0));
#ifdef _OPENMP
#pragma omp parallel for
#endif
    for (int point = 0; point < POINTS; point++) {
        const real *const from = filters + (FLIPPED[point / PATCH] * PATCH + FLIPPED[point % PATCH]) * size;
        real *const to = turned + point * turned_size;
        for (int first = 0; first < columns; first += lanes)
            for (int row = 0; row < rows; row++)
                for (int i = 0; i < std::min(lanes, columns - first); i++)
                    to[(size_t(first / lanes) * rows + row) * lanes + i] =
                        from[(size_t(row / lanes) * columns + first + i) * lanes + row % lanes];
    }
}

template <typename real> bool are_filters(PyArrayObject *filters, npy_intp rows) {
    return PyArray_DIM(filters, 0) == BLOCKS && PyArray_DIM(filters, 1) * Vector<real>::lanes == padded<real>(int(rows))
           && PyArray_DIM(filters, 3) == Vector<real>::lanes;
}

// x (1, height, width, columns), filters, bias (rows) -> y (1, height, width, rows)
template <typename real>
int rectified_correlation(PyArrayObject *x, PyArrayObject *filters, PyArrayObject *bias, PyArrayObject **y) {
    if (PyArray_DIM(x, 3) != PyArray_DIM(filters, 2) || !are_filters<real>(filters, PyArray_DIM(bias, 0)))
        return wrong_shapes("RectifiedCorrelation", x, filters, bias);
    const npy_intp shape[] = {1, PyArray_DIM(x, 1), PyArray_DIM(x, 2), PyArray_DIM(bias, 0)};
    const Contiguous<real> picture(x), values(filters), shift(bias);
    real *const to = output<real>(y, 4, shape);
    if (!picture.data || !values.data || !shift.data || !to)
        return 1;
    const std::vector<real> zeros(PyArray_DIM(x, 3));
    return correlate(Correlation<real>{int(shape[1]), int(shape[2]), int(PyArray_DIM(x, 3)), int(shape[3]), picture.data,
                                       nullptr, values.data, shift.data, to, zeros.data()});
}

// gradient (1, height, width, rows), y alike, filters -> result (1, height, width, columns)
template <typename real>
int rectified_correlation_gradient(PyArrayObject *gradient, PyArrayObject *y, PyArrayObject *filters,
                                   PyArrayObject **result) {
    if (!PyArray_SAMESHAPE(gradient, y) || !are_filters<real>(filters, PyArray_DIM(y, 3)))
        return wrong_shapes("RectifiedCorrelationGradient", gradient, y, filters);
    const npy_intp shape[] = {1, PyArray_DIM(y, 1), PyArray_DIM(y, 2), PyArray_DIM(filters, 2)};
    const Contiguous<real> picture(gradient), gate(y), values(filters);
    real *const to = output<real>(result, 4, shape);
    if (!picture.data || !gate.data || !values.data || !to)
        return 1;
    const int rows = int(PyArray_DIM(y, 3)), columns = int(shape[3]);
    real *const turned = static_cast<real *>(std::malloc(POINTS * size_t(rows) * padded<real>(columns) * sizeof(real)));
    if (!turned) {
        PyErr_NoMemory();
        return 1;
    }
    turn_filters(values.data, rows, columns, turned);
    const int failed = correlate(
        Correlation<real>{int(shape[1]), int(shape[2]), rows, columns, picture.data, gate.data, turned, nullptr, to, nullptr});
    std::free(turned);
    return failed;
}

}  // namespace
