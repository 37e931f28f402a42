// Rectified 3x3 correlations, the 2x2 max-pool behind some of them, and their gradients, by winograd.hpp.
//
// For the gradient a layer keeps a bit for each result: whether it is open, that is positive and, with a max-pool, one
// of the largest of four.  All of several that are the largest get the whole gradient, as in Theano.  The 16 bits of
// a tile are those of an integer, as large as a result, so that what compares results makes bits, too.
//
// The 16 results of a tile are computed in 16 ways, and differ in rounding where a picture is flat, as in black
// clipped to 0, or the same along one direction, as where that touches the border.  Then one of them would be
// the largest, and alone get the gradient through a max-pool, where by plain summation all are the same and
// all get it.  So results of such surroundings are computed in one way: see `Level`.  Likewise a gradient that
// nothing has come to is 0, and not rounding errors of its neighbours, which Adam would make steps of: see `Clear`.

#include <limits>

namespace {

// What is the same by plain summation may differ all the same: small patterns that recur, say.  In double precision
// such differences can be told from real ones, as a share of the products; in single precision they can't.
template <typename real> struct Rounding;
template <> struct Rounding<float> { static constexpr float share = 0; };
template <> struct Rounding<double> { static constexpr double share = 64 * std::numeric_limits<double>::epsilon(); };

template <typename real, typename Layer> class Level;

template <typename real, int window> struct Layer : Tiles<real> {
    typedef Level<real, Layer> Known;
    using typename Tiles<real>::vec;
    using Tiles<real>::height;
    using Tiles<real>::width;
    using Tiles<real>::from;
    using Tiles<real>::to;
    static const bool NEEDS_LARGEST = window > 1 && Rounding<real>::share > 0;
    static const npy_uint64 ALL_SEEN = (npy_uint64(1) << 2 * (POINTS - PATCH)) - 1;

    typedef typename Bits<real>::type bits;

    const real *x, *bias;
    const real *zeros;  // as many as x has channels, and a vector more
    real *y;
    typename Bits<real>::value *open;

    // Zeros beyond the border.
    const real *pixel(int row, int column) const {
        const bool inside = row >= 0 && row < height && column >= 0 && column < width;
        return inside ? x + (size_t(row) * width + column) * from : zeros;
    }

    class Patch {
        const real *pixels[POINTS], *end;

    public:
        Patch(const Layer &layer, int top, int left) : end(layer.x + size_t(layer.height) * layer.width * layer.from) {
            for (int i = 0; i < POINTS; i++)
                pixels[i] = layer.pixel(top - 1 + i / PATCH, left - 1 + i % PATCH);
        }
        void gather(int c, int lanes, vec *d) const {
            for (int i = 0; i < POINTS; i++)
                d[i] = load<vec>(pixels[i] + c, lanes, end);
        }
    };

    // Which pixels differ from those below; and from those to the right, column by column.
    npy_uint64 look(const vec *d) const {
        bits below{}, right{};
        for (int i = 0; i < PATCH - 1; i++)
            for (int j = 0; j < PATCH; j++) {
                const int place = 1 << (i * PATCH + j);
                below |= (d[i * PATCH + j] != d[(i + 1) * PATCH + j]) & place;
                right |= (d[j * PATCH + i] != d[j * PATCH + i + 1]) & place;
            }
        return in_any_lane(below) | in_any_lane(right) << (POINTS - PATCH);
    }

    void scatter(int top, int left, int c, int lanes, vec *m, const vec &largest) const {
        const vec shift = load<vec>(bias + c, lanes), tolerance = Rounding<real>::share * largest;
        const int rows = height / window, columns = width / window;
        bits places{};
        for (int i = 0; i < TILE; i += window)
            for (int j = 0; j < TILE; j += window) {
                const int row = (top + i) / window, column = (left + j) / window;
                if (row >= rows || column >= columns)
                    continue;
                vec values[window * window], best{};
                for (int k = 0; k < window * window; k++) {
                    const vec value = m[(i + k / window) * PATCH + j + k % window] + shift;
                    values[k] = value < real(0) ? vec{} : value;  // keeps what is not a number
                    best = k && best >= values[k] ? best : values[k];
                }
                for (int k = 0; k < window * window; k++) {
                    const int place = 1 << ((i + k / window) * TILE + j + k % window);
                    places |= (values[k] >= best - tolerance) & (values[k] > real(0)) & place;
                }
                store(y + (size_t(row) * columns + column) * to + c, best, lanes);
            }
        store(open + (size_t(top / TILE) * this->across() + left / TILE) * to + c, places, lanes);
    }
};

// Results of flat surroundings, without the bias.
template <typename real, typename Layer> class Level {
    const Layer &layer;
    const int columns;
    real *const own, *next;
    const real *centre, *last;  // the last result, of surroundings that are all like `centre`; null if they weren't
    const real *known[TILE * TILE];

public:
    Level(const Layer &layer, real *own)
        : layer(layer), columns(padded<real>(layer.to)), own(own), next(own), centre(nullptr), last(nullptr) {}

    const real *const *of_tile(int top, int left, npy_uint64 seen) {
        // Both differences between three rows, or columns, over as many pixels.
        const npy_uint64 three = 7, between = three | three << PATCH;
        for (int i = 0; i < TILE * TILE; i++) {
            const int row = i / TILE, column = i % TILE;
            const bool upright = !(seen >> (row * PATCH + column) & between);
            const bool level = !(seen >> (POINTS - PATCH + column * PATCH + row) & between);
            const bool inside = top + row < layer.height && left + column < layer.width;
            known[i] = inside && (upright || level) ? result(top + row, left + column, upright, level) : nullptr;
        }
        return known;
    }

private:
    bool same(const real *a, const real *b) const { return *a == *b && !std::memcmp(a, b, layer.from * sizeof(real)); }

    void add_product(int row, int column, int block, real *result) const {
        multiply<true>(1, layer.to, layer.from, layer.pixel(row, column), layer.from,
                       layer.filters + block * size_t(layer.from) * columns, result, columns);
    }

    const real *result(int row, int column, bool upright, bool level) {
        const real *const here = layer.pixel(row, column);
        if (upright && level && last && same(centre, here))
            return last;
        // Room for one more than a tile has, so that `last` stays.
        real *const result = next;
        next = next == own + size_t(TILE * TILE) * columns ? own : next + columns;
        std::fill(result, result + columns, real(0));
        if (upright && level)
            add_product(row, column, ALL, result);
        else if (upright)
            for (int j = 0; j < 3; j++)
                add_product(row, column - 1 + j, COLUMNS + j, result);
        else
            for (int i = 0; i < 3; i++)
                add_product(row - 1 + i, column, ROWS_OF_3 + i, result);
        centre = here;
        last = upright && level ? result : nullptr;
        return result;
    }
};

template <typename real> class Clear;

template <typename real, int window> struct LayerGradient : Tiles<real> {
    typedef Clear<real> Known;
    using typename Tiles<real>::vec;
    using Tiles<real>::height;
    using Tiles<real>::width;
    using Tiles<real>::from;
    using Tiles<real>::to;
    static const bool NEEDS_LARGEST = false;
    static const npy_uint64 ALL_SEEN = (npy_uint64(1) << POINTS) - 1;

    typedef typename Bits<real>::type bits;
    typedef typename Bits<real>::value word;

    const real *upstream;
    const word *open;
    const word *closed;  // zeros, as many as `upstream` has channels
    real *gradient;

    class Patch {
        const real *upstream[POINTS];
        const word *open[3][3];  // of the tile and those around

    public:
        Patch(const LayerGradient &layer, int top, int left) {
            const int rows = layer.height / window, columns = layer.width / window;
            for (int i = 0; i < POINTS; i++) {
                // Where nothing is open it does not matter from where.
                const int row = std::min(std::max(top - 1 + i / PATCH, 0) / window, rows - 1);
                const int column = std::min(std::max(left - 1 + i % PATCH, 0) / window, columns - 1);
                upstream[i] = layer.upstream + (size_t(row) * columns + column) * layer.from;
            }
            for (int i = 0; i < 3; i++)
                for (int j = 0; j < 3; j++) {
                    const int row = top / TILE + i - 1, column = left / TILE + j - 1;
                    const bool inside = row >= 0 && row < layer.down() && column >= 0 && column < layer.across();
                    const size_t tile = size_t(row) * layer.across() + column;
                    open[i][j] = inside ? layer.open + tile * layer.from : layer.closed;
                }
        }
        void gather(int c, int lanes, vec *d) const {
            bits places[3][3];
            for (int i = 0; i < 3; i++)
                for (int j = 0; j < 3; j++)
                    places[i][j] = load<bits>(open[i][j] + c, lanes);
            for (int i = 0; i < PATCH; i++)
                for (int j = 0; j < PATCH; j++) {
                    const int down = i + TILE - 1, right = j + TILE - 1;  // from the first of those tiles
                    const int place = 1 << (down % TILE * TILE + right % TILE);
                    const vec value = load<vec>(upstream[i * PATCH + j] + c, lanes);
                    d[i * PATCH + j] = (places[down / TILE][right / TILE] & place) != 0 ? value : vec{};
                }
        }
    };

    // Which pixels are not 0.
    npy_uint64 look(const vec *d) const {
        bits upper{}, lower{};
        for (int i = 0; i < POINTS / 2; i++) {
            upper |= (d[i] != real(0)) & (1 << i);
            lower |= (d[POINTS / 2 + i] != real(0)) & (1 << i);
        }
        return in_any_lane(upper) | in_any_lane(lower) << POINTS / 2;
    }

    void scatter(int top, int left, int c, int lanes, const vec *m, const vec &) const {
        for (int i = 0; i < TILE && top + i < height; i++)
            for (int j = 0; j < TILE && left + j < width; j++)
                store(gradient + (size_t(top + i) * width + left + j) * to + c, m[i * PATCH + j], lanes);
    }
};

// Zeros where nothing has come to the 3x3 around.
template <typename real> class Clear {
    const real *const zeros;
    const real *known[TILE * TILE];

public:
    Clear(const Tiles<real> &layer, real *own) : zeros(own) { std::fill_n(own, padded<real>(layer.to), real(0)); }

    const real *const *of_tile(int, int, npy_uint64 seen) {
        const npy_uint64 three = 7, around = three | three << PATCH | three << 2 * PATCH;
        for (int i = 0; i < TILE * TILE; i++)
            known[i] = seen >> (i / TILE * PATCH + i % TILE) & around ? nullptr : zeros;
        return known;
    }
};

// ---------------------------------------------------------------- what Theano calls; 0 if all went well

// weight (rows, columns, 3, 3) -> filters, as `transform_filters` has it
template <typename real> int winograd_filters(PyArrayObject *weight, PyArrayObject **filters) {
    const npy_intp rows = PyArray_DIM(weight, 0), columns = PyArray_DIM(weight, 1);
    if (any_empty(1, 1, rows, columns) || PyArray_DIM(weight, 2) != 3 || PyArray_DIM(weight, 3) != 3)
        return wrong_shapes("WinogradFilters", "is not that of 3x3 filters", weight);
    if (!countable(1, 1, rows, columns))
        return wrong_shapes("WinogradFilters", "is too large", weight);
    const int lanes = Vector<real>::lanes;
    const npy_intp shape[] = {BLOCKS, padded<real>(rows) / lanes, columns, lanes};
    const Contiguous<real> from(weight);
    real *const to = output<real>(filters, 4, shape);
    if (!from.data || !to)
        return 1;
    return without_python([&] { transform_filters(from.data, int(rows), int(columns), to); });
}

template <typename real> bool are_filters(PyArrayObject *filters, npy_intp rows, npy_intp columns) {
    const int lanes = Vector<real>::lanes;
    return PyArray_DIM(filters, 0) == BLOCKS && PyArray_DIM(filters, 1) == (rows + lanes - 1) / lanes
           && PyArray_DIM(filters, 2) == columns && PyArray_DIM(filters, 3) == lanes;
}

template <typename real, int window>
int run_layer(PyArrayObject *x, PyArrayObject *filters, PyArrayObject *bias, PyArrayObject **y, PyArrayObject **open) {
    Layer<real, window> layer;
    layer.height = int(PyArray_DIM(x, 1));
    layer.width = int(PyArray_DIM(x, 2));
    layer.from = int(PyArray_DIM(x, 3));
    layer.to = int(PyArray_DIM(bias, 0));
    const npy_intp shape[] = {1, layer.height / window, layer.width / window, layer.to};
    const npy_intp open_shape[] = {1, layer.down(), layer.across(), layer.to};
    const Contiguous<real> picture(x), values(filters), shift(bias);
    layer.filters = values.data;
    layer.x = picture.data;
    layer.bias = shift.data;
    layer.y = output<real>(y, 4, shape);
    layer.open = output<typename Bits<real>::value>(open, 4, open_shape);
    if (!layer.filters || !layer.x || !layer.bias || !layer.y || !layer.open)
        return 1;
    return without_python([&] {
        const size_t many = layer.from + layer.LANES;
        const Memory<real> zeros(many);
        std::fill_n(zeros.data(), many, real(0));
        layer.zeros = zeros.data();
        correlate<real>(layer);
    });
}

// x (1, height, width, columns), filters, bias (rows) -> y (1, height / window, width / window, rows), its bits
template <typename real>
int rectified_correlation(PyArrayObject *x, PyArrayObject *filters, PyArrayObject *bias, int window, PyArrayObject **y,
                          PyArrayObject **open) {
    const npy_intp height = PyArray_DIM(x, 1), width = PyArray_DIM(x, 2), columns = PyArray_DIM(x, 3);
    const npy_intp rows = PyArray_DIM(bias, 0);
    if (PyArray_DIM(x, 0) != 1 || any_empty(height, width, columns, rows) || !are_filters<real>(filters, rows, columns))
        return wrong_shapes("RectifiedCorrelation", DO_NOT_FIT, x, filters, bias);
    if (!countable(height, width, columns, rows))
        return wrong_shapes("RectifiedCorrelation", ARE_TOO_LARGE, x, filters, bias);
    const auto run = window == 1 ? run_layer<real, 1> : run_layer<real, 2>;
    return run(x, filters, bias, y, open);
}

template <typename real, int window>
int run_gradient(PyArrayObject *upstream, PyArrayObject *open, PyArrayObject *filters, int height, int width,
                 PyArrayObject **gradient) {
    LayerGradient<real, window> layer;
    layer.height = height;
    layer.width = width;
    layer.from = int(PyArray_DIM(upstream, 3));
    layer.to = int(PyArray_DIM(filters, 2));
    const npy_intp shape[] = {1, height, width, layer.to};
    const Contiguous<real> from(upstream), values(filters);
    const Contiguous<typename Bits<real>::value> places(open);
    layer.upstream = from.data;
    layer.open = places.data;
    layer.gradient = output<real>(gradient, 4, shape);
    if (!from.data || !places.data || !values.data || !layer.gradient)
        return 1;
    if (height < window || width < window) {  // nothing is left of a single row or column by a max-pool
        std::fill_n(layer.gradient, PyArray_SIZE(*gradient), real(0));
        return 0;
    }
    return without_python([&] {
        const Memory<typename Bits<real>::value> closed(layer.from);
        std::fill_n(closed.data(), layer.from, 0);
        const Memory<real> turned(POINTS * size_t(layer.from) * padded<real>(layer.to));
        turn_filters(values.data, layer.from, layer.to, turned.data());
        layer.closed = closed.data();
        layer.filters = turned.data();
        correlate<real>(layer);
    });
}

// gradient with respect to y, its bits, filters, size (height, width)
// -> gradient with respect to x (1, height, width, columns)
template <typename real>
int rectified_correlation_gradient(PyArrayObject *upstream, PyArrayObject *open, PyArrayObject *filters,
                                   PyArrayObject *size, int window, PyArrayObject **gradient) {
    const char *const op = "RectifiedCorrelationGradient";
    if (PyArray_SIZE(size) != 2)
        return wrong_shapes(op, DO_NOT_FIT, upstream, open, size);
    const Contiguous<npy_int64> both(size);
    if (!both.data)
        return 1;
    const npy_intp height = both.data[0], width = both.data[1];
    const npy_intp rows = PyArray_DIM(upstream, 3), columns = PyArray_DIM(filters, 2);
    // As many tiles, without adding what might overflow.
    const auto tiles = [](npy_intp side) { return side / TILE + (side % TILE > 0); };
    if (PyArray_DIM(upstream, 0) != 1 || PyArray_DIM(open, 0) != 1 || any_empty(height, width, rows, columns)
        || !are_filters<real>(filters, rows, columns) || PyArray_DIM(open, 3) != rows
        || PyArray_DIM(open, 1) != tiles(height) || PyArray_DIM(open, 2) != tiles(width)
        || PyArray_DIM(upstream, 1) != height / window || PyArray_DIM(upstream, 2) != width / window)
        return wrong_shapes(op, DO_NOT_FIT, upstream, open, filters);
    if (!countable(height, width, rows, columns))
        return wrong_shapes(op, ARE_TOO_LARGE, upstream, open, filters);
    const auto run = window == 1 ? run_gradient<real, 1> : run_gradient<real, 2>;
    return run(upstream, open, filters, int(height), int(width), gradient);
}

}  // namespace
