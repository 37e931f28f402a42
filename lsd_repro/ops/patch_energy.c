// A row of patches, written out in full, would hold every pixel `size` times across and
// `size` times down.  It is enough to repeat pixels down: let a "column" be the
// size * channels values under one pixel, and a "strip" the columns of one row of patches, one
// after the other.  Every patch then is `size` consecutive columns of its strip, and
// every size-th patch, from any of the first `size` on, follows its predecessor without
// overlap.  So these patches are a matrix as they lie, and their gradients can be
// added in place by the matrix product itself.  Strips may follow each other without a gap:
// patches that reach from one into the next are computed, and count as zero.
//
// A quarter of the multiplications is saved as well.  Let E and O be the even and the odd columns of a
// patch that begins at an even one, E' the even columns one further, and F and G the even and the odd
// columns of the filters.  The responses there and one column on are
//     E F + O G = (E - O) F + O (F + G)   and   O F + E' G = (E' - O) G + O (F + G):
// three products instead of four.  So there are three strips, of E - O, E' - O and O, half as long.

#include <cmath>
#include <cstdlib>

namespace {

// Rows of a matrix product: its result stays in the second-level cache.
const int CHUNK = 18 * ROWS;
// The strips, and what belongs to each.
enum { EVEN_LESS_ODD, NEXT_LESS_ODD, ODD, STRIPS };
// Rows whose logarithms are taken together; below, 4^32 must not overflow.
const int TOGETHER = 32;

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

// Sums over patches, one for each component, with all components of a patch at once.
template <typename real> class Tally {
    typedef typename Format<real>::word word;
    const int components;
    const bool student;
    const real scale;
    const real *const mean;
    real *const partial;    // products of mantissas, or sums of squares
    word *const exponents;  // their sums
    int rows;

public:
    double total;

    Tally(int components, bool student, real scale, const real *mean, real *partial, word *exponents)
        : components(components), student(student), scale(scale), mean(mean), partial(partial),
          exponents(exponents), rows(0), total(0) { clear(); }

    // Count the responses of a patch, and turn them into half the derivatives.
    void add(real *responses) {
        if (student)
            add_student(responses, mean, partial, exponents);
        else
            add_gaussian(responses, mean, partial);
        if (++rows == TOGETHER)
            finish();
    }

    void finish() {
        if (student) {
            // 8 factors below 2^64 fit into a double.
            npy_int64 sum = 0;
            double product = 1;
            for (int k = 0; k < components; k++) {
                sum += exponents[k];
                product *= partial[k];
                if (k % 8 == 7 || k == components - 1) {
                    total += std::log(product);
                    product = 1;
                }
            }
            const int bias = int(Format<real>::exponent >> Format<real>::mantissa) / 2 + 1;
            total += M_LN2 * double(sum - npy_int64(bias) * rows * components);
        } else {
            for (int k = 0; k < components; k++)
                total += partial[k];
        }
        clear();
    }

private:
    void clear() {
        rows = 0;
        std::fill(partial, partial + components, real(student ? 1 : 0));
        std::fill(exponents, exponents + components, word(0));
    }

    // log(a) + log(b) + ... = log(ab...): mantissas are multiplied and exponents added.
    // The mantissa comes out in [2, 4), and as not-a-number where s is infinite or none.
    void add_student(real *__restrict d, const real *__restrict mean, real *__restrict product,
                     word *__restrict exponents) {
        const real v = scale;
        for (int k = 0; k < components; k++) {
            const real deviation = d[k] - mean[k];
            const real s = v + deviation * deviation;
            word bits, inverse;
            real power;
            std::memcpy(&bits, &s, sizeof s);
            bits &= Format<real>::exponent;
            inverse = Format<real>::exponent - bits;
            std::memcpy(&power, &inverse, sizeof s);
            product[k] *= s * power;
            exponents[k] += bits >> Format<real>::mantissa;
            d[k] = deviation / s;
        }
    }

    void add_gaussian(real *__restrict d, const real *__restrict mean, real *__restrict sums) {
        for (int k = 0; k < components; k++) {
            const real deviation = d[k] - mean[k];
            sums[k] += deviation * deviation;
            d[k] = deviation;
        }
    }
};

template <typename real> struct PatchSums {
    int channels, height, width, size, components;
    bool student;
    double scale;
    real *picture, *gradient;  // width x height x channels: columns lie in one piece
    real *filters[STRIPS];    // part() x components, laid out
    real *transpose[STRIPS];  // the same times what the derivatives lack
    real *mean;

    int column() const { return size * channels; }
    // Of a patch, in a strip; and pairs of columns in a row of patches.  An odd last column gets a column of zeros.
    int half() const { return (size + 1) / 2; }
    int part() const { return half() * column(); }
    int pairs() const { return (width + 1) / 2; }
    // Blocks with one other between them share no pixel.
    int block_rows() const { return size; }
    int blocks() const { return (height - size) / block_rows() + 1; }
    // With room for what a product writes beyond the last column.
    size_t strip() const { return size_t(block_rows()) * pairs() * column() + Vector<real>::lanes; }
    int pitch() const { return padded<real>(components); }
    // In units of `real`, as large as `word`.
    size_t scratch() const { return 2 * STRIPS * strip() + size_t(STRIPS * CHUNK + 2) * pitch(); }

    // Add the block's part to the gradient, and return that of the energy.
    double block(int index, real *scratch) const {
        const int first = index * block_rows(), rows = std::min(block_rows(), height - size + 1 - first);
        real *strips[STRIPS], *back[STRIPS], *responses[STRIPS];
        for (int i = 0; i < STRIPS; i++) {
            strips[i] = scratch + i * strip();
            back[i] = scratch + (STRIPS + i) * strip();
            responses[i] = scratch + 2 * STRIPS * strip() + size_t(i) * CHUNK * pitch();
            std::fill(back[i], back[i] + strip(), real(0));
        }
        real *const partial = responses[STRIPS - 1] + size_t(CHUNK) * pitch();
        Tally<real> tally(components, student, real(scale), mean, partial,
                          reinterpret_cast<typename Format<real>::word *>(partial + pitch()));
        take(first, rows, strips);

        const int last = rows * pairs() - half();  // where the last patch begins
        for (int begin = 0; begin <= last; begin += CHUNK * half())
            for (int start = begin; start < begin + half() && start <= last; start++) {
                const int many = std::min(CHUNK, (last - start) / half() + 1);
                const size_t at = size_t(start) * column();
                for (int i = 0; i < STRIPS; i++)
                    multiply<false>(many, components, part(), strips[i] + at, part(), filters[i], responses[i], pitch());
                for (int i = 0; i < many; i++) {
                    const int x = 2 * ((start + i * half()) % pairs());
                    const size_t row = size_t(i) * pitch();
                    derive(responses[EVEN_LESS_ODD] + row, responses[NEXT_LESS_ODD] + row, responses[ODD] + row, x, tally);
                }
                for (int i = 0; i < STRIPS; i++)
                    multiply<true>(many, part(), components, responses[i], pitch(), transpose[i], back[i] + at, part());
            }
        tally.finish();
        give(first, rows, back);
        return tally.total;
    }

    double count() const { return double(height - size + 1) * (width - size + 1) * components; }

private:
    // Products to responses of the patches at x and x + 1, to derivatives, to what the products get of them.
    void derive(real *here, real *next, real *both, int x, Tally<real> &tally) const {
        for (int k = 0; k < components; k++) {
            here[k] += both[k];
            next[k] += both[k];
        }
        for (real *const responses : {here, next})
            if (x++ <= width - size)
                tally.add(responses);
            else
                std::fill(responses, responses + components, real(0));
        for (int k = 0; k < components; k++)
            both[k] = here[k] + next[k];
    }

    // Columns of the picture, or zeros, at x = 2 * pair and so on.
    const real *column_at(int x, int y, const real *zeros) const {
        return x < width ? picture + (size_t(x) * height + y) * channels : zeros;
    }

    void take(int first, int rows, real *const *strips) const {
        // Nobody has added to this strip yet.
        const real *const zeros = strips[0] + STRIPS * strip();
        for (int pair = 0; pair < pairs(); pair++)
            for (int y = 0; y < rows; y++) {
                const real *const even = column_at(2 * pair, first + y, zeros);
                const real *const odd = column_at(2 * pair + 1, first + y, zeros);
                const real *const next = column_at(2 * pair + 2, first + y, zeros);
                const size_t at = (size_t(y) * pairs() + pair) * column();
                for (int i = 0; i < column(); i++) {
                    strips[EVEN_LESS_ODD][at + i] = even[i] - odd[i];
                    strips[NEXT_LESS_ODD][at + i] = next[i] - odd[i];
                    strips[ODD][at + i] = odd[i];
                }
            }
    }

    void give(int first, int rows, const real *const *back) const {
        for (int pair = 0; pair < pairs(); pair++)
            for (int y = 0; y < rows; y++) {
                const size_t at = (size_t(y) * pairs() + pair) * column();
                real *const even = gradient + (size_t(2 * pair) * height + first + y) * channels;
                real *const odd = even + size_t(height) * channels, *const next = odd + size_t(height) * channels;
                for (int i = 0; i < column(); i++) {
                    even[i] += back[EVEN_LESS_ODD][at + i];
                    if (2 * pair + 1 < width)
                        odd[i] += back[ODD][at + i] - back[EVEN_LESS_ODD][at + i] - back[NEXT_LESS_ODD][at + i];
                    if (2 * pair + 2 < width)
                        next[i] += back[NEXT_LESS_ODD][at + i];
                }
            }
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
                        columns[(size_t(x) * sums.height + y) * sums.channels + c]);
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
    const int channels = sums.channels, height = sums.height, width = sums.width, size = sums.size;
    const int part = sums.part(), components = sums.components;
    const int blocks = sums.blocks(), threads = std::min(most_threads(), (blocks + 1) / 2);
    const size_t pixels = size_t(channels) * height * width, weights = size_t(part) * components;
    const size_t laid_out = size_t(part) * padded<real>(components), turned = size_t(components) * padded<real>(part);
    const size_t bytes = (2 * pixels + STRIPS * (weights + laid_out + turned) + components + threads * sums.scratch())
                         * sizeof(real) + blocks * sizeof(double);
    double *const energies = static_cast<double *>(std::malloc(bytes));
    if (!energies) {
        PyErr_NoMemory();
        return 1;
    }
    sums.picture = reinterpret_cast<real *>(energies + blocks);
    sums.gradient = sums.picture + pixels;
    sums.mean = sums.gradient + pixels;
    real *own = sums.mean + components, *parts[STRIPS];
    for (int i = 0; i < STRIPS; i++) {
        sums.filters[i] = own;
        sums.transpose[i] = own + laid_out;
        parts[i] = own + laid_out + turned;
        own += laid_out + turned + weights;
    }
    real *const scratch = own;

    // In the order of a column; convolution flips the filters.  A filter of odd size gets a column of zeros.
    for (int k = 0; k < components; k++)
        for (int pair = 0; pair < sums.half(); pair++)
            for (int i = 0; i < size; i++)
                for (int c = 0; c < channels; c++) {
                    const size_t to = size_t((pair * size + i) * channels + c) * components + k;
                    const real *const row = given.data + ((size_t(k) * channels + c) * size + size - 1 - i) * size;
                    const real even = row[size - 1 - 2 * pair], odd = 2 * pair + 1 < size ? row[size - 2 - 2 * pair] : 0;
                    parts[EVEN_LESS_ODD][to] = even;
                    parts[NEXT_LESS_ODD][to] = odd;
                    parts[ODD][to] = even + odd;
                }
    for (int i = 0; i < STRIPS; i++) {
        lay_out(parts[i], part, components, components, 1, sums.filters[i]);
        for (size_t j = 0; j < weights; j++)
            parts[i][j] *= real(2 / sums.count());
        lay_out(parts[i], components, part, 1, components, sums.transpose[i]);
    }
    std::copy(means.data, means.data + components, sums.mean);
    std::fill(sums.gradient, sums.gradient + pixels, real(0));

#ifdef _OPENMP
#pragma omp parallel num_threads(threads)
#endif
    {
        real *const mine = scratch + own_thread() * sums.scratch();
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
    std::free(energies);
    return 0;
}

}  // namespace
