// A row of patches, written out in full, would hold every pixel `size` times across and
// `size` times down.  It is enough to repeat pixels down: let a "column" be the values of a patch that lie
// under each other, and a "strip" the columns of one row of patches, one after the other.  Every patch
// then is some consecutive columns of its strip, as many as it is wide.  Patches of which each begins where
// another ends are a matrix as they lie, and their gradients can be added in place by the matrix product itself;
// there are as many such matrices as a patch has columns.  Strips may follow each other without a gap:
// patches that reach from one into the next are computed, and count as zero.
//
// Seven of 16 multiplications are saved as well.  Let E and O be the even and the odd columns of pixels of a
// patch that begins at an even one, E' the even columns one further, and F and G the even and the odd
// columns of the filters.  The responses there and one column on are
//     E F + O G = (E - O) F + O (F + G)   and   O F + E' G = (E' - O) G + O (F + G):
// three products instead of four.  With rows it is the same, so nine products make the responses of four patches.
// There are strips of nine kinds, each for pairs of pixels across and down: half as high, and half as long.

#include <cmath>
#include <numeric>

namespace {

// Rows of a matrix product: its results, nine times, stay in the second-level cache.
const int CHUNK = 6 * ROWS;
// What is made of pairs, and which of them comes first there: the even one, the next even one, the odd one.
enum { EVEN_LESS_ODD, NEXT_LESS_ODD, ODD, KINDS };
const int OFFSET[KINDS] = {0, 2, 1};
// Of each kind across, all kinds down.
const int STRIPS = KINDS * KINDS;
// Fours of patches after which sums are carried over; below, 4^(4 * 8 + 1) must not overflow.
const int TOGETHER = 8;

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

// Add the last of every `step`-th of three to the others, or take it from them; and the transpose of that.
template <int sign, typename value> inline void spread(value *v, int step) {
    v[0] += sign * v[2 * step];
    v[step] += sign * v[2 * step];
}

template <int sign, typename value> inline void collect(value *v, int step) {
    v[2 * step] += sign * (v[0] + v[step]);
}

// For nine, across and down.
template <int sign, typename value> inline void from_odd(value (&v)[STRIPS]) {
    for (int i = 0; i < KINDS; i++)
        spread<sign>(v + i, KINDS);
    for (int i = 0; i < KINDS; i++)
        spread<sign>(v + i * KINDS, 1);
}

template <int sign, typename value> inline void to_odd(value (&v)[STRIPS]) {
    for (int i = 0; i < KINDS; i++)
        collect<sign>(v + i, KINDS);
    for (int i = 0; i < KINDS; i++)
        collect<sign>(v + i * KINDS, 1);
}

// Sums over the patches of a block, one for each component, with a vector of components at once.
template <typename real> class Tally {
    typedef typename Vector<real>::type vec;
    typedef typename Format<real>::word word;
    typedef word words __attribute__((vector_size(VECTOR_BYTES)));
    const int components;
    const bool student;
    const real scale;
    npy_int64 mantissas;  // of a component, that were taken
    int fours;

public:
    real *const partial;    // products of mantissas, or sums of squares
    real *const exponents;  // the bits of words, their sums
    double total;

    Tally(int components, bool student, real scale, real *partial, real *exponents)
        : components(components), student(student), scale(scale), mantissas(0), fours(0), partial(partial),
          exponents(exponents), total(0) {
        std::fill(partial, partial + padded<real>(components), real(student ? 1 : 0));
        std::memset(exponents, 0, padded<real>(components) * sizeof(real));
    }

    // Half the derivative of the energy of responses, which is counted.
    vec derive(const vec deviation, vec &sum, vec &exponent) const {
        if (!student) {
            sum += deviation * deviation;
            return deviation;
        }
        // log(a) + log(b) + ... = log(ab...): mantissas are multiplied and exponents added.
        const vec s = scale + deviation * deviation;
        sum *= mantissa(s, exponent);
        return deviation / s;
    }

    // After `patches` of up to four were counted.
    void next(int patches) {
        mantissas += patches;
        if (++fours % TOGETHER == 0)
            carry();
    }

    void finish() {
        carry();
        if (!student)
            return;
        npy_int64 sum = 0;
        for (int k = 0; k < components; k++) {
            word exponent;
            std::memcpy(&exponent, exponents + k, sizeof exponent);
            sum += exponent;
            total += std::log(double(partial[k]));
        }
        const int bias = int(Format<real>::exponent >> Format<real>::mantissa) / 2 + 1;
        total += M_LN2 * double(sum - bias * mantissas * components);
    }

private:
    // In [2, 4), and not-a-number where s is infinite or none.
    static vec mantissa(const vec s, vec &exponent) {
        const words bits = words(s) & Format<real>::exponent;
        exponent = vec(words(exponent) + (bits >> Format<real>::mantissa));
        return s * vec(Format<real>::exponent - bits);
    }

    void carry() {
        if (student) {
            mantissas++;
            for (int k = 0; k < components; k += Vector<real>::lanes) {
                vec exponent = load(exponents + k);
                store(partial + k, mantissa(load(partial + k), exponent));
                store(exponents + k, exponent);
            }
        } else
            for (int k = 0; k < components; k++) {
                total += partial[k];
                partial[k] = 0;
            }
    }
};

template <typename real> struct PatchSums {
    typedef typename Vector<real>::type vec;
    static const int LANES = Vector<real>::lanes;

    int channels, height, width, size, components;
    bool student;
    double scale;
    const real *picture;
    real *gradient;
    real *filters[STRIPS];    // part() x components, laid out
    real *transpose[STRIPS];  // the same times what the derivatives lack
    real *mean;

    // Whether ints count the filters, and a word the exponents of a block: 2^20 columns of 8x8 patches in single precision.
    static bool countable(npy_intp width, npy_intp size, npy_intp channels, npy_intp components) {
        const double half = double((size + 1) / 2), exponents = 4 * half * double(width);
        return half * half * channels * components <= LARGEST
               && exponents * double(Format<real>::exponent >> Format<real>::mantissa) < double(typename Format<real>::word(-1));
    }

    // Pairs of pixels in a patch, across or down, and across in the picture; after an odd number there are zeros.
    int half() const { return (size + 1) / 2; }
    int across() const { return (width + 1) / 2; }
    // Values of a column, and of a patch, in a strip.
    int column() const { return half() * channels; }
    int part() const { return half() * column(); }
    // Of pairs: rows of patches, and rows of the pixels that a block reaches.  Blocks with one other between them
    // share no pixel.
    int block_rows() const { return half(); }
    int rows() const { return (height - size) / 2 + 1; }
    int blocks() const { return (rows() - 1) / block_rows() + 1; }
    int lines() const { return block_rows() + half(); }
    // A block has a copy of its pixels, or whole pages would be opened for each column: those under each other in
    // one piece, even rows before odd ones; with zeros after the last pair, and room for what a vector reads beyond.
    size_t place(int x, int y) const { return ((size_t(x) * 2 + y % 2) * lines() + y / 2) * channels; }
    size_t pixels() const { return padded<real>(place(2 * across() + 1, 0)) + LANES; }
    // So much of the strips is computed at once; with room for what a product writes beyond the last column.
    int strip_columns() const { return (CHUNK + 1) * half() - 1; }
    size_t strip() const { return padded<real>(size_t(strip_columns()) * column()) + LANES; }
    int pitch() const { return padded<real>(components); }
    size_t scratch() const {
        return 2 * (pixels() + STRIPS * strip() + pitch()) + size_t(STRIPS) * CHUNK * pitch();
    }

    // Add the block's part to the gradient, and return that of the energy.
    double block(int index, real *scratch) const {
        const int first = index * block_rows(), columns = std::min(block_rows(), rows() - first) * across();
        real *const pixels_in = scratch, *const pixels_out = scratch + pixels();
        scratch += 2 * pixels();
        std::fill(pixels_in, scratch, real(0));
        for_each_value(2 * first, picture, pixels_in, [](real given, real &own) { own = given; });
        real *strips[STRIPS], *back[STRIPS], *responses[STRIPS];
        for (int i = 0; i < STRIPS; i++) {
            strips[i] = scratch + i * strip();
            back[i] = scratch + (STRIPS + i) * strip();
            responses[i] = scratch + 2 * STRIPS * strip() + size_t(i) * CHUNK * pitch();
        }
        real *const partial = responses[STRIPS - 1] + size_t(CHUNK) * pitch();
        Tally<real> tally(components, student, real(scale), partial, partial + pitch());
        for (int begin = 0; begin <= columns - half(); begin += CHUNK * half()) {
            const int many_columns = std::min(strip_columns(), columns - begin);
            take(pixels_in, begin, many_columns, strips);
            std::fill(back[0], back[0] + STRIPS * strip(), real(0));
            for (int start = 0; start < half(); start++) {
                const int many = (many_columns - start) / half();
                const size_t at = size_t(start) * column();
                for (int i = 0; i < STRIPS; i++)
                    multiply<false>(many, components, part(), strips[i] + at, part(), filters[i], responses[i],
                                    pitch());
                for (int i = 0; i < many; i++) {
                    const int pair = begin + start + i * half();
                    derive(responses, size_t(i) * pitch(), 2 * (pair % across()), 2 * (first + pair / across()), tally);
                }
                for (int i = 0; i < STRIPS; i++)
                    multiply<true>(many, part(), components, responses[i], pitch(), transpose[i], back[i] + at, part());
            }
            give(back, begin, many_columns, pixels_out);
        }
        for_each_value(2 * first, gradient, pixels_out, [](real &result, real own) { result += own; });
        tally.finish();
        return tally.total;
    }

    double count() const { return double(height - size + 1) * (width - size + 1) * components; }

private:
    // Products to responses of the four patches from (x, y) on, to derivatives, to what the products get of them.
    void derive(real *const *products, size_t row, int x, int y, Tally<real> &tally) const {
        const int columns = std::min(std::max(width - size + 1 - x, 0), 2), rows = std::min(height - size + 1 - y, 2);
        for (int k = 0; k < components; k += LANES) {
            vec v[STRIPS];
            for (int i = 0; i < STRIPS; i++)
                v[i] = load(products[i] + row + k);
            from_odd<1>(v);
            const vec centre = load(mean + k);
            vec sum = load(tally.partial + k), exponent = load(tally.exponents + k);
            for (int i = 0; i < KINDS; i++)
                for (int j = 0; j < KINDS; j++) {
                    vec &value = v[i * KINDS + j];
                    value = i < columns && j < rows ? tally.derive(value - centre, sum, exponent) : vec{};
                }
            store(tally.partial + k, sum);
            store(tally.exponents + k, exponent);
            to_odd<1>(v);
            for (int i = 0; i < STRIPS; i++)
                store(products[i] + row + k, v[i]);
        }
        tally.next(rows * columns);
    }

    // Each value of the picture in a block that begins at row `top`, with its place in the copy.  Sixteen columns at
    // a time, as these are a line of the cache there.
    template <typename Planes, typename Own, typename Act>
    void for_each_value(int top, Planes *planes, Own *own, Act act) const {
        for (int first = 0; first < width; first += 16)
            for (int y = top; y < std::min(top + 2 * lines(), height); y++)
                for (int c = 0; c < channels; c++)
                    for (int x = first; x < std::min(first + 16, width); x++)
                        act(planes[(size_t(c) * height + y) * width + x], own[place(x, y - top) + c]);
    }

    // Columns of the strips, a vector at a time: where they are there, where their first pixel is in the copy, how
    // far away those are that the nine kinds begin with.
    template <typename Act> void for_each_column(int begin, int count, Act act) const {
        size_t away[STRIPS];
        for (int i = 0; i < STRIPS; i++)
            away[i] = place(OFFSET[i / KINDS], OFFSET[i % KINDS]);
        for (int i = 0; i < count; i++) {
            const int pair = begin + i;
            for (int k = 0; k < column(); k += LANES)
                act(size_t(i) * column() + k, place(2 * (pair % across()), 2 * (pair / across())) + k, away,
                    std::min(int(LANES), column() - k));
        }
    }

    void take(const real *pixels, int begin, int count, real *const *strips) const {
        for_each_column(begin, count, [=](size_t at, size_t pixel, const size_t *away, int) {
            vec v[STRIPS];
            for (int i = 0; i < STRIPS; i++)
                v[i] = load(pixels + pixel + away[i]);
            from_odd<-1>(v);
            // What is beyond the column, the next one overwrites.
            for (int i = 0; i < STRIPS; i++)
                store(strips[i] + at, v[i]);
        });
    }

    void give(const real *const *back, int begin, int count, real *pixels) const {
        for_each_column(begin, count, [=](size_t at, size_t pixel, const size_t *away, int lanes) {
            vec v[STRIPS];
            for (int i = 0; i < STRIPS; i++)
                v[i] = load(back[i] + at);
            to_odd<-1>(v);
            for (int i = 0; i < STRIPS; i++)
                for (int lane = 0; lane < lanes; lane++)
                    pixels[pixel + away[i] + lane] += v[i][lane];
        });
    }
};

// Filters (components, channels, size, size) as `PatchSums` needs them.
template <typename real>
void split_filters(const PatchSums<real> &sums, const real *filters, real *const *parts) {
    const int channels = sums.channels, size = sums.size, components = sums.components, part = sums.part();
    // In the order of a column; convolution flips the filters.
#ifdef _OPENMP
#pragma omp for
#endif
    for (int to = 0; to < part; to++) {
        const int x = 2 * (to / sums.column()), y = 2 * (to / channels % sums.half()), c = to % channels;
        for (int k = 0; k < components; k++) {
            real v[STRIPS] = {};
            for (int i = x; i < std::min(x + 2, size); i++)
                for (int j = y; j < std::min(y + 2, size); j++)
                    v[(i - x) * KINDS + j - y] =
                        filters[((size_t(k) * channels + c) * size + size - 1 - j) * size + size - 1 - i];
            to_odd<1>(v);
            for (int i = 0; i < STRIPS; i++)
                parts[i][size_t(to) * components + k] = v[i];
        }
    }
#ifdef _OPENMP
#pragma omp for
#endif
    for (int i = 0; i < STRIPS; i++) {
        lay_out(parts[i], part, components, components, 1, sums.filters[i]);
        for (int j = 0; j < part * components; j++)
            parts[i][j] *= real(2 / sums.count());
        lay_out(parts[i], components, part, 1, components, sums.transpose[i]);
    }
}

// The energy of a picture; its gradient goes to `sums.gradient`.
template <typename real> double energy_of(PatchSums<real> &sums, const real *filters, const real *mean) {
    const int part = sums.part(), components = sums.components;
    const int blocks = sums.blocks(), threads = std::min(most_threads(), (blocks + 1) / 2);
    const size_t pixels = size_t(sums.channels) * sums.height * sums.width;
    const size_t weights = padded<real>(size_t(part) * components);
    const size_t laid_out = size_t(part) * sums.pitch(), turned = size_t(components) * padded<real>(part);
    const Memory<real> memory(sums.pitch() + STRIPS * (laid_out + turned + weights) + threads * sums.scratch());
    const Memory<double> energies(blocks);
    sums.mean = memory.data();
    real *own = sums.mean + sums.pitch(), *parts[STRIPS];
    std::fill(std::copy(mean, mean + components, sums.mean), own, real(0));
    for (int i = 0; i < STRIPS; i++) {
        sums.filters[i] = own;
        sums.transpose[i] = own + laid_out;
        parts[i] = own + laid_out + turned;
        own += laid_out + turned + weights;
    }
    real *const scratch = own;

#ifdef _OPENMP
#pragma omp parallel num_threads(threads)
#endif
    {
        real *const mine = scratch + own_thread() * sums.scratch();
        split_filters(sums, filters, parts);
#ifdef _OPENMP
#pragma omp for
#endif
        for (size_t i = 0; i < pixels; i++)
            sums.gradient[i] = 0;
        // Every second block, then the others: who adds to a pixel, and when, is never left to chance.
        for (int phase = 0; phase < 2; phase++) {
#ifdef _OPENMP
#pragma omp for schedule(dynamic)
#endif
            for (int index = phase; index < blocks; index += 2)
                energies.data()[index] = sums.block(index, mine);
        }
    }

    const double total = std::accumulate(energies.data(), energies.data() + blocks, 0.0);
    return total / sums.count() - (sums.student ? std::log(sums.scale) : 0);
}

// x (1, channels, height, width), filters (components, channels, size, size), mean (components,)
// -> energy (), gradient (1, channels, height, width)
template <typename real>
int patch_energy(PyArrayObject *x, PyArrayObject *filters, PyArrayObject *mean, bool student, double scale,
                 PyArrayObject **energy, PyArrayObject **gradient) {
    const npy_intp channels = PyArray_DIM(x, 1), height = PyArray_DIM(x, 2), width = PyArray_DIM(x, 3);
    const npy_intp components = PyArray_DIM(filters, 0), size = PyArray_DIM(filters, 2);
    if (PyArray_DIM(x, 0) != 1 || PyArray_DIM(filters, 1) != channels || PyArray_DIM(filters, 3) != size
        || PyArray_DIM(mean, 0) != components || std::min(height, width) < size
        || any_empty(size, size, channels, components))
        return wrong_shapes("PatchEnergy", DO_NOT_FIT, x, filters, mean);
    if (!countable(height, width, channels, components) || !PatchSums<real>::countable(width, size, channels, components))
        return wrong_shapes("PatchEnergy", ARE_TOO_LARGE, x, filters, mean);
    const Contiguous<real> picture(x), given(filters), means(mean);
    real *const value = output<real>(energy, 0, nullptr), *const slope = output<real>(gradient, 4, PyArray_DIMS(x));
    if (!picture.data || !given.data || !means.data || !value || !slope)
        return 1;
    PatchSums<real> sums;
    sums.channels = int(channels);
    sums.height = int(height);
    sums.width = int(width);
    sums.components = int(components);
    sums.size = int(size);
    sums.student = student;
    sums.scale = scale;
    sums.picture = picture.data;
    sums.gradient = slope;
    return without_python([&] { *value = real(energy_of(sums, given.data, means.data)); });
}

}  // namespace
