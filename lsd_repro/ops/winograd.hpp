// Winograd's F(4x4, 3x3): of a tile of 6x6 values, 36 numbers; times those of the filter; of the
// products, the 4x4 results.  So 36 multiplications do what takes 144 otherwise, and for all channels
// of many tiles they are 36 matrix products.  The numbers are values of polynomials at six points,
// across and down: 0, A, -A, B, -B and infinity.  With B = 1/A, turning a filter
// around exchanges 0 with infinity and A with B (see FLIPPED).  So the gradient, which is
// a correlation with the filters turned around, needs no others.
// A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks, 2015.

#include <cmath>
#include <numeric>

namespace {

const int TILE = 4, PATCH = 6, POINTS = PATCH * PATCH;
const double A = M_SQRT2, B = M_SQRT1_2;
// Sums of filters: over all, over each of the 3 columns, over each of the 3 rows.
enum { ALL = POINTS, COLUMNS = ALL + 1, ROWS_OF_3 = COLUMNS + 3, BLOCKS = ROWS_OF_3 + 3 };
const int FLIPPED[PATCH] = {5, 3, 4, 1, 2, 0};
// What is computed at once should stay in the second-level cache; but too few tiles would use the filters too rarely.
const size_t CACHE = 3 << 19;
const int LEAST_TILES = 8 * ROWS;

// The first values of a vector; so that the compiler knows each size, also for few.
template <int lanes, typename value> inline void copy(value *to, const value *from, int count) {
    if (count == lanes)
        std::memcpy(to, from, lanes * sizeof(value));
    else
        for (int part = lanes / 2; part; part /= 2)
            if (count & part) {
                std::memcpy(to, from, part * sizeof(value));
                to += part;
                from += part;
            }
}

template <typename vec, typename value> inline vec load(const value *from, int count) {
    vec v{};
    copy<sizeof(vec) / sizeof(value)>(reinterpret_cast<value *>(&v), from, count);
    return v;
}

// The same, where all that lies before `end` may be read.
template <typename vec, typename value> inline vec load(const value *from, int count, const value *end) {
    static const value NUMBERS[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const int lanes = sizeof(vec) / sizeof(value);
    if (count == lanes || end - from < lanes)
        return load<vec>(from, count);
    return load<vec>(NUMBERS, lanes) < value(count) ? load<vec>(from, lanes) : vec{};
}

template <typename vec, typename value> inline void store(value *to, const vec &v, int count) {
    copy<sizeof(vec) / sizeof(value)>(to, reinterpret_cast<const value *>(&v), count);
}

// What comparing vectors gives.
template <typename real> struct Bits;
template <> struct Bits<float> {
    typedef npy_int32 value;
    typedef value type __attribute__((vector_size(VECTOR_BYTES)));
};
template <> struct Bits<double> {
    typedef npy_int64 value;
    typedef value type __attribute__((vector_size(VECTOR_BYTES)));
};

template <typename vec> inline npy_uint64 in_any_lane(const vec &bits) {
    npy_uint64 all = 0;
    for (size_t i = 0; i < sizeof(vec) / sizeof bits[0]; i++)
        all |= bits[i];
    return all;
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

// A picture of many channels, those of a pixel in one piece, and filters.  A layer derives from it, and has
//     Patch(layer, top, left): knows where the 6x6 pixels are, from the one above and to the left on;
//         its gather(c, lanes, d) gives their values in the channels from c on;
//     look(d): what there is to be seen of them, in bits, those of all channels together; nothing more than ALL_SEEN;
//     Known(layer, own): its of_tile(top, left, seen) gives 4x4 addresses of results that are known otherwise, or
//         null; `own` holds KNOWN results;
//     scatter(top, left, c, lanes, m, largest): what to do with the results; `largest`, if NEEDS_LARGEST, of the
//         products they were made of.
template <typename real> struct Tiles {
    typedef typename Vector<real>::type vec;
    static const int LANES = Vector<real>::lanes, KNOWN = TILE * TILE + 1;

    int height, width, from, to;  // channels
    const real *filters;          // 36 times from x to, laid out; their sums may follow

    int across() const { return (width + TILE - 1) / TILE; }
    int down() const { return (height + TILE - 1) / TILE; }
    int count() const { return across() * down(); }
    int top(int tile) const { return tile / across() * TILE; }
    int left(int tile) const { return tile % across() * TILE; }
    int at_once(int threads) const {
        const int fitting = int(CACHE / (POINTS * sizeof(real) * (from + to)));
        const int share = (count() + threads - 1) / threads;
        return (std::min(std::max(fitting, LEAST_TILES), share) + ROWS - 1) / ROWS * ROWS;
    }
    // Between the matrices; not a power of two, which would put all 36 into the same lines of the cache.
    static size_t pitch(int many, int channels) {
        return (size_t(many) * channels + 2 * LANES - 1) / (2 * LANES) * 2 * LANES + LANES;
    }
    // In whole vectors: what is seen of each tile, values, products, and results that are known otherwise.
    static size_t seen(int many) { return padded<real>(many * sizeof(npy_uint64) / sizeof(real)); }
    size_t scratch(int many) const {
        return seen(many) + POINTS * (pitch(many, from) + pitch(many, padded<real>(to))) + KNOWN * padded<real>(to);
    }
};

template <typename real, typename Layer>
npy_uint64 take(const Layer &layer, int top, int left, real *values, size_t pitch) {
    const int LANES = Layer::LANES;
    npy_uint64 seen = 0;
    const typename Layer::Patch patch(layer, top, left);
    for (int c = 0; c < layer.from; c += LANES) {
        const int lanes = std::min(LANES, layer.from - c);
        typename Layer::vec d[POINTS];
        patch.gather(c, lanes, d);
        if (seen != Layer::ALL_SEEN)
            seen |= layer.look(d);
        for (int j = 0; j < PATCH; j++)
            analyse<real>(d + j, PATCH);
        for (int i = 0; i < PATCH; i++)
            analyse<real>(d + i * PATCH, 1);
        for (int p = 0; p < POINTS; p++)
            store(values + p * pitch + c, d[p], lanes);
    }
    return seen;
}

template <typename real, typename Layer>
void give(const Layer &layer, int top, int left, const real *products, size_t pitch, const real *const *known) {
    const int LANES = Layer::LANES;
    for (int c = 0; c < layer.to; c += LANES) {
        typename Layer::vec m[POINTS], largest{};
        for (int p = 0; p < POINTS; p++) {
            m[p] = load(products + p * pitch + c);
            if (Layer::NEEDS_LARGEST) {
                largest = m[p] > largest ? m[p] : largest;
                largest = -m[p] > largest ? -m[p] : largest;
            }
        }
        for (int j = 0; j < PATCH; j++)
            synthesise<real>(m + j, PATCH);
        for (int i = 0; i < TILE; i++)
            synthesise<real>(m + i * PATCH, 1);
        for (int i = 0; i < TILE * TILE; i++)
            if (known[i])
                m[i / TILE * PATCH + i % TILE] = load(known[i] + c);
        layer.scatter(top, left, c, std::min(LANES, layer.to - c), m, largest);
    }
}

template <typename real, typename Layer> void correlate_some(const Layer &layer, int first, int many, real *scratch) {
    const int columns = padded<real>(layer.to);
    const size_t pitch_in = layer.pitch(many, layer.from), pitch_out = layer.pitch(many, columns);
    npy_uint64 *const seen = reinterpret_cast<npy_uint64 *>(scratch);
    real *const values = scratch + layer.seen(many), *const products = values + POINTS * pitch_in;
    for (int i = 0; i < many; i++)
        seen[i] = take(layer, layer.top(first + i), layer.left(first + i), values + size_t(i) * layer.from, pitch_in);
    for (int point = 0; point < POINTS; point++)
        multiply<false>(many, layer.to, layer.from, values + point * pitch_in, layer.from,
                        layer.filters + size_t(point) * layer.from * columns, products + point * pitch_out, columns);
    typename Layer::Known known(layer, products + POINTS * pitch_out);
    for (int i = 0; i < many; i++) {
        const int top = layer.top(first + i), left = layer.left(first + i);
        give(layer, top, left, products + size_t(i) * columns, pitch_out, known.of_tile(top, left, seen[i]));
    }
}

template <typename real, typename Layer> void correlate(const Layer &layer) {
    const int many = layer.at_once(most_threads()), blocks = (layer.count() + many - 1) / many;
    const int threads = std::min(most_threads(), blocks);
    const size_t own = layer.scratch(many);
    const Memory<real> scratch(threads * own);
#ifdef _OPENMP
#pragma omp parallel for num_threads(threads) schedule(dynamic)
#endif
    for (int index = 0; index < blocks; index++)
        correlate_some(layer, index * many, std::min(many, layer.count() - index * many),
                       scratch.data() + own_thread() * own);
}

// weight (rows, columns, 3, 3) -> filters (36 and 7 sums, panels of rows, columns, lanes)
template <typename real> void transform_filters(const real *weight, int rows, int columns, real *filters) {
    const int lanes = Vector<real>::lanes, panels = padded<real>(rows) / lanes;
#ifdef _OPENMP
#pragma omp parallel for
#endif
    for (int panel = 0; panel < panels; panel++)
        for (int column = 0; column < columns; column++)
            for (int lane = 0; lane < lanes; lane++) {
                const int row = panel * lanes + lane;
                double g[9] = {}, half[PATCH * 3], all[BLOCKS];
                if (row < rows)
                    std::copy_n(weight + (size_t(row) * columns + column) * 9, 9, g);
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
                    filters[((size_t(block) * panels + panel) * columns + column) * lanes + lane] = real(all[block]);
            }
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

}  // namespace
