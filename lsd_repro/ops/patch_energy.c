// A row of patches, written out in full, would hold every pixel `size` times across and
// `size` times down.  It is enough to repeat pixels down: let a "column" be the values under
// one pixel, as far down as a patch reaches, and a "strip" the columns of one row of patches, one
// after the other.  Every patch then is `size` consecutive columns of its strip, and
// every size-th patch, from any of the first `size` on, follows its predecessor without
// overlap.  So these patches are a matrix as they lie, and their gradients can be
// added in place by the matrix product itself.  Strips may follow each other without a gap:
// patches that reach from one into the next are computed, and count as zero.
//
// Seven of 16 multiplications are saved as well.  Let E and O be the even and the odd columns of a
// patch that begins at an even one, E' the even columns one further, and F and G the even and the odd
// columns of the filters.  The responses there and one column on are
//     E F + O G = (E - O) F + O (F + G)   and   O F + E' G = (E' - O) G + O (F + G):
// three products instead of four.  Rows go the same way, so nine products do for the four patches that
// begin at a pair of rows and a pair of columns.  Each has strips of its own, half as high and half as long.

#include <cmath>
#include <cstdlib>

namespace {

// Rows of a matrix product: its result stays in the second-level cache.
const int CHUNK = 6 * ROWS;
// What pairs are turned into, and where it begins: at the even one, at the next even one, at the odd one.
enum { EVEN_LESS_ODD, NEXT_LESS_ODD, ODD, KINDS };
const int OFFSET[KINDS] = {0, 2, 1};
const int STRIPS = KINDS * KINDS;
// Fours of patches after which sums are carried over; below, 4^(4 * 8 + 1) must not overflow.
const int TOGETHER = 8;

template <typename real> struct Format;
template <> struct Format<float> {
    typedef npy_uint32 word;
    static const int mantissa = 23, newton_steps = 2;
    static const word exponent = 0x7f800000u;
};
template <> struct Format<double> {
    typedef npy_uint64 word;
    static const int mantissa = 52, newton_steps = 3;
    static const word exponent = 0x7ff0000000000000ull;
};

template <typename real> inline typename Vector<real>::type load(const real *from) {
    typename Vector<real>::type v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

template <typename real> inline void store(real *to, const typename Vector<real>::type &v) {
    std::memcpy(to, &v, sizeof v);
}

// Columns across, rows down: what is odd is added to the others, or taken from them.
template <int sign, typename value> inline void from_odd(value (&v)[KINDS][KINDS]) {
    for (int i = 0; i < ODD; i++)
        for (int j = 0; j < KINDS; j++)
            v[i][j] += sign * v[ODD][j];
    for (int i = 0; i < KINDS; i++)
        for (int j = 0; j < ODD; j++)
            v[i][j] += sign * v[i][ODD];
}

// The transpose.
template <int sign, typename value> inline void to_odd(value (&v)[KINDS][KINDS]) {
    for (int i = 0; i < KINDS; i++)
        v[i][ODD] += sign * (v[i][0] + v[i][1]);
    for (int j = 0; j < KINDS; j++)
        v[ODD][j] += sign * (v[0][j] + v[1][j]);
}

// Sums over patches, one for each component, with a vector of components at once.
template <typename real> class Tally {
    typedef typename Vector<real>::type vec;
    typedef typename Format<real>::word word;
    typedef word words __attribute__((vector_size(VECTOR_BYTES)));
    const int components;
    const bool student;
    const real scale;
    npy_int64 powers;  // that `normal` has been applied
    int fours;

public:
    real *const partial;    // products of mantissas, or sums of squares
    real *const exponents;  // bits of words: their sums
    double total;

    Tally(int components, bool student, real scale, real *partial, real *exponents)
        : components(components), student(student), scale(scale), powers(0), fours(0), partial(partial),
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
        vec power;
        // log(a) + log(b) + ... = log(ab...): mantissas are multiplied and exponents added.
        const vec mantissa = normal(scale + deviation * deviation, exponent, power);
        sum *= mantissa;
        // To divide takes longer.  This is right to 1/99 from 2 to 4, and every step of Newton's squares that.
        vec inverse = real(105. / 99) - mantissa * (real(36. / 99) - real(4. / 99) * mantissa);
#pragma GCC unroll 3
        for (int i = 0; i < Format<real>::newton_steps; i++)
            inverse += inverse * (1 - mantissa * inverse);
        return deviation * (inverse * power);
    }

    // After `patches` of up to four were counted.
    void next(int patches) {
        powers += patches;
        if (++fours % TOGETHER == 0)
            carry();
    }

    void finish() {
        if (student) {
            carry();
            // 8 factors below 4 fit easily.
            npy_int64 sum = 0;
            for (int k = 0; k < components; k++) {
                word count;
                std::memcpy(&count, exponents + k, sizeof count);
                sum += count;
                total += std::log(double(partial[k]));
            }
            const int bias = int(Format<real>::exponent >> Format<real>::mantissa) / 2 + 1;
            total += M_LN2 * double(sum - bias * powers * components);
        } else
            carry();
    }

private:
    // s over a power of two, which is counted: in [2, 4), and not-a-number where s is infinite or none.
    static vec normal(const vec s, vec &exponent, vec &power) {
        const words bits = words(s) & Format<real>::exponent;
        exponent = vec(words(exponent) + (bits >> Format<real>::mantissa));
        power = vec(Format<real>::exponent - bits);
        return s * power;
    }

    void carry() {
        if (student) {
            powers++;
            for (int k = 0; k < components; k += Vector<real>::lanes) {
                vec exponent = load(exponents + k), power;
                store(partial + k, normal(load(partial + k), exponent, power));
                store(exponents + k, exponent);
            }
        } else {
            for (int k = 0; k < components; k++) {
                total += partial[k];
                partial[k] = 0;
            }
        }
    }
};

template <typename real> struct PatchSums {
    typedef typename Vector<real>::type vec;
    static const int LANES = Vector<real>::lanes;

    int channels, height, width, size, components;
    bool student;
    double scale;
    real *picture, *gradient;  // pixels() each; see `place`
    real *filters[STRIPS];    // part() x components, laid out
    real *transpose[STRIPS];  // the same times what the derivatives lack
    real *mean;

    // Pairs in a patch, in the picture's rows, in its columns.  What is odd gets zeros.
    int half() const { return (size + 1) / 2; }
    int across() const { return (width + 1) / 2; }
    int down() const { return (height + 1) / 2; }
    // Columns lie in one piece, even rows before odd ones.  There is an even row, and column, one further.
    size_t place(int x, int y) const {
        return ((size_t(x) * 2 + y % 2) * (down() + 1) + y / 2) * channels;
    }
    // With room for what a vector reads beyond the last one.
    size_t pixels() const { return padded<real>(place(2 * across() + 1, 0)) + LANES; }
    // Of a strip; of a patch in it.
    int column() const { return half() * channels; }
    int part() const { return half() * column(); }
    // Of pairs of rows of patches.  Blocks with one other between them share no pixel.
    int block_rows() const { return half(); }
    int rows() const { return (height - size) / 2 + 1; }
    int blocks() const { return (rows() - 1) / block_rows() + 1; }
    // With room for what a product writes beyond the last column.
    size_t strip() const { return padded<real>(size_t(block_rows()) * across() * column()) + LANES; }
    int pitch() const { return padded<real>(components); }
    size_t scratch() const {
        return STRIPS * (2 * strip() + size_t(CHUNK) * pitch()) + 2 * size_t(pitch());
    }

    // Add the block's part to the gradient, and return that of the energy.
    double block(int index, real *scratch) const {
        const int first = index * block_rows(), many_rows = std::min(block_rows(), rows() - first);
        real *strips[STRIPS], *back[STRIPS], *responses[STRIPS];
        for (int i = 0; i < STRIPS; i++) {
            strips[i] = scratch;
            back[i] = strips[i] + strip();
            responses[i] = back[i] + strip();
            scratch = responses[i] + size_t(CHUNK) * pitch();
            std::fill(back[i], back[i] + strip(), real(0));
        }
        real *const partial = scratch;
        Tally<real> tally(components, student, real(scale), partial, partial + pitch());
        take(first, many_rows, strips);

        const int last = many_rows * across() - half();  // where the last patch begins
        for (int begin = 0; begin <= last; begin += CHUNK * half())
            for (int start = begin; start < begin + half() && start <= last; start++) {
                const int many = std::min(CHUNK, (last - start) / half() + 1);
                const size_t at = size_t(start) * column();
                for (int i = 0; i < STRIPS; i++)
                    multiply<false>(many, components, part(), strips[i] + at, part(), filters[i], responses[i], pitch());
                //PHASE(3);
                for (int i = 0; i < many; i++) {
                    const int pair = start + i * half();
                    derive(responses, size_t(i) * pitch(), 2 * (pair % across()), 2 * (first + pair / across()), tally);
                }
                //PHASE(4);
                for (int i = 0; i < STRIPS; i++)
                    multiply<true>(many, part(), components, responses[i], pitch(), transpose[i], back[i] + at, part());
                //PHASE(5);
            }
        tally.finish();
        give(first, many_rows, back);
        return tally.total;
    }

    double count() const { return double(height - size + 1) * (width - size + 1) * components; }

private:
    // Products to responses of the four patches from (x, y) on, to derivatives, to what the products get of them.
    void derive(real *const *products, size_t row, int x, int y, Tally<real> &tally) const {
        const int columns = std::min(std::max(width - size + 1 - x, 0), 2), rows = std::min(height - size + 1 - y, 2);
        for (int k = 0; k < components; k += LANES) {
            vec v[KINDS][KINDS], slopes[KINDS][KINDS] = {};
            for (int i = 0; i < STRIPS; i++)
                v[i / KINDS][i % KINDS] = load(products[i] + row + k);
            from_odd<1>(v);
            const vec centre = load(mean + k);
            vec sum = load(tally.partial + k), exponent = load(tally.exponents + k);
            for (int i = 0; i < 2; i++)
                for (int j = 0; j < 2; j++)
                    if (i < columns && j < rows)
                        slopes[i][j] = tally.derive(v[i][j] - centre, sum, exponent);
            store(tally.partial + k, sum);
            store(tally.exponents + k, exponent);
            to_odd<1>(slopes);
            for (int i = 0; i < STRIPS; i++)
                store(products[i] + row + k, slopes[i / KINDS][i % KINDS]);
        }
        tally.next(rows * columns);
    }

    // Columns of a block's strips, in order, with where their pixels are.
    template <typename Act> void for_each_column(int first, int many_rows, Act act) const {
        size_t at = 0, places[KINDS][KINDS];
        for (int y = first; y < first + many_rows; y++)
            for (int x = 0; x < across(); x++, at += column()) {
                for (int i = 0; i < KINDS; i++)
                    for (int j = 0; j < KINDS; j++)
                        places[i][j] = place(2 * x + OFFSET[i], 2 * y + OFFSET[j]);
                act(at, places);
            }
    }

    void take(int first, int many_rows, real *const *strips) const {
        for_each_column(first, many_rows, [=](size_t at, const size_t (&places)[KINDS][KINDS]) {
            for (int k = 0; k < column(); k += LANES) {
                vec v[KINDS][KINDS];
                for (int i = 0; i < STRIPS; i++)
                    v[i / KINDS][i % KINDS] = load(picture + places[i / KINDS][i % KINDS] + k);
                from_odd<-1>(v);
                // What is beyond the column, the next one overwrites.
                for (int i = 0; i < STRIPS; i++)
                    store(strips[i] + at + k, v[i / KINDS][i % KINDS]);
            }
        });
    }

    void give(int first, int many_rows, const real *const *back) const {
        for_each_column(first, many_rows, [=](size_t at, const size_t (&places)[KINDS][KINDS]) {
            for (int k = 0; k < column(); k += LANES) {
                vec v[KINDS][KINDS];
                for (int i = 0; i < STRIPS; i++)
                    v[i / KINDS][i % KINDS] = load(back[i] + at + k);
                to_odd<-1>(v);
                const int lanes = std::min(LANES, column() - k);
                for (int i = 0; i < STRIPS; i++)
                    for (int lane = 0; lane < lanes; lane++)
                        gradient[places[i / KINDS][i % KINDS] + k + lane] += v[i / KINDS][i % KINDS][lane];
            }
        });
    }
};

// Each value of a picture as it is given (channels, height, width) with its own place here.  Sixteen columns
// at a time, as these are a line of the cache there.
template <typename real, typename Planes, typename Act>
void for_each_value(const PatchSums<real> &sums, Planes *planes, real *columns, Act act) {
#ifdef _OPENMP
#pragma omp for
#endif
    for (int first = 0; first < sums.width; first += 16)
        for (int y = 0; y < sums.height; y++)
            for (int c = 0; c < sums.channels; c++)
                for (int x = first; x < std::min(first + 16, sums.width); x++)
                    act(planes[(size_t(c) * sums.height + y) * sums.width + x],
                        columns[sums.place(x, y) + c]);
}

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
            real v[KINDS][KINDS] = {};
            for (int i = x; i < std::min(x + 2, size); i++)
                for (int j = y; j < std::min(y + 2, size); j++)
                    v[i - x][j - y] = filters[((size_t(k) * channels + c) * size + size - 1 - j) * size + size - 1 - i];
            to_odd<1>(v);
            for (int i = 0; i < STRIPS; i++)
                parts[i][size_t(to) * components + k] = v[i / KINDS][i % KINDS];
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

// x (1, channels, height, width), filters (components, channels, size, size), mean (components,)
// -> energy (), gradient (1, channels, height, width)
template <typename real>
int patch_energy(PyArrayObject *x, PyArrayObject *filters, PyArrayObject *mean, bool student, double scale,
                 PyArrayObject **energy, PyArrayObject **gradient) {
    if (PyArray_DIM(filters, 1) != PyArray_DIM(x, 1) || PyArray_DIM(filters, 2) != PyArray_DIM(filters, 3)
        || PyArray_DIM(mean, 0) != PyArray_DIM(filters, 0)
        || std::min(PyArray_DIM(x, 2), PyArray_DIM(x, 3)) < PyArray_DIM(filters, 2))
        return wrong_shapes("PatchEnergy", x, filters, mean);
    const Contiguous<real> picture(x), given(filters), means(mean);
    real *const value = output<real>(energy, 0, nullptr), *const slope = output<real>(gradient, 4, PyArray_DIMS(x));
    if (!picture.data || !given.data || !means.data || !value || !slope)
        return 1;
    PatchSums<real> sums;
    sums.channels = int(PyArray_DIM(x, 1));
    sums.height = int(PyArray_DIM(x, 2));
    sums.width = int(PyArray_DIM(x, 3));
    sums.components = int(PyArray_DIM(filters, 0));
    sums.size = int(PyArray_DIM(filters, 2));
    sums.student = student;
    sums.scale = scale;
    const int part = sums.part(), components = sums.components;
    const int blocks = sums.blocks(), threads = std::min(most_threads(), (blocks + 1) / 2);
    const size_t pixels = sums.pixels(), weights = padded<real>(size_t(part) * components);
    const size_t laid_out = size_t(part) * sums.pitch(), turned = size_t(components) * padded<real>(part);
    real *const memory = allocate<real>(2 * pixels + sums.pitch() + STRIPS * (laid_out + turned + weights)
                                        + threads * sums.scratch() + blocks * sizeof(double) / sizeof(real));
    if (!memory) {
        PyErr_NoMemory();
        return 1;
    }
    sums.picture = memory;
    sums.gradient = sums.picture + pixels;
    sums.mean = sums.gradient + pixels;
    real *own = sums.mean + sums.pitch(), *parts[STRIPS];
    for (int i = 0; i < STRIPS; i++) {
        sums.filters[i] = own;
        sums.transpose[i] = own + laid_out;
        parts[i] = own + laid_out + turned;
        own += laid_out + turned + weights;
    }
    real *const scratch = own;
    double *const energies = reinterpret_cast<double *>(scratch + threads * sums.scratch());
    std::copy(means.data, means.data + components, sums.mean);

#ifdef _OPENMP
#pragma omp parallel num_threads(threads)
#endif
    {
        real *const mine = scratch + own_thread() * sums.scratch();
        split_filters(sums, given.data, parts);
#ifdef _OPENMP
#pragma omp for
#endif
        for (size_t i = 0; i < 2 * pixels; i++)
            memory[i] = 0;
        for_each_value(sums, picture.data, sums.picture, [](const real &given, real &own) { own = given; });
        // Every second block, then the others: who adds to a pixel, and when, is never left to chance.
        for (int phase = 0; phase < 2; phase++) {
#ifdef _OPENMP
#pragma omp for schedule(dynamic)
#endif
            for (int index = phase; index < blocks; index += 2)
                energies[index] = sums.block(index, mine);
        }
        for_each_value(sums, slope, sums.gradient, [](real &result, const real &own) { result = own; });
    }

    double total = 0;
    for (int index = 0; index < blocks; index++)
        total += energies[index];
    *value = real(total / sums.count() - (student ? std::log(scale) : 0));
    std::free(memory);
    return 0;
}

}  // namespace
