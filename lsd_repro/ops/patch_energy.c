// A row of patches, written out in full, would hold every pixel `size` times across and
// `size` times down.  It is enough to repeat pixels down: let a "column" be the
// size * channels values under one pixel, and a "strip" the columns of one row of patches, one
// after the other.  Every patch then is `size` consecutive columns of its strip, and
// every size-th patch, from any of the first `size` on, follows its predecessor without
// overlap.  So these patches are a matrix as they lie, and their gradients can be
// added in place by the matrix product itself.  Strips may follow each other without a gap:
// patches that reach from one into the next are computed, and count as zero.

#include <cmath>
#include <cstdlib>

namespace {

// Rows of a matrix product: its result stays in the second-level cache.
const int CHUNK = 36 * ROWS;
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
    real *filters;    // size * size * channels x components, laid out
    real *transpose;  // the same times what the derivatives lack
    real *mean;

    int column() const { return size * channels; }
    int patch() const { return size * column(); }
    // Blocks with one other between them share no pixel.
    int block_rows() const { return size; }
    int blocks() const { return (height - size) / block_rows() + 1; }
    // With room for what a product writes beyond the last column.
    size_t strip() const { return size_t(block_rows()) * width * column() + Vector<real>::lanes; }
    int pitch() const { return padded<real>(components); }
    // In units of `real`, as large as `word`.
    size_t scratch() const { return 2 * strip() + size_t(CHUNK + 2) * pitch(); }

    // Add the block's part to the gradient, and return that of the energy.
    double block(int index, real *scratch) const {
        const int first = index * block_rows(), rows = std::min(block_rows(), height - size + 1 - first);
        real *const strips = scratch, *const back = strips + strip(), *const responses = back + strip();
        real *const partial = responses + size_t(CHUNK) * pitch();
        Tally<real> tally(components, student, real(scale), mean, partial,
                          reinterpret_cast<typename Format<real>::word *>(partial + components));
        for (int x = 0; x < width; x++)
            for (int y = 0; y < rows; y++)
                std::memcpy(strips + (size_t(y) * width + x) * column(),
                            picture + (size_t(x) * height + first + y) * channels, column() * sizeof(real));
        std::fill(back, back + size_t(rows) * width * column(), real(0));

        const int last = rows * width - size;  // where the last patch begins
        for (int begin = 0; begin <= last; begin += CHUNK * size)
            for (int start = begin; start < begin + size && start <= last; start++) {
                const int many = std::min(CHUNK, (last - start) / size + 1);
                const size_t at = size_t(start) * column();
                multiply<false>(many, components, patch(), strips + at, patch(), filters, responses, pitch());
                int x = start % width;
                for (int i = 0; i < many; i++) {
                    if (x <= width - size)
                        tally.add(responses + size_t(i) * pitch());
                    else
                        std::fill(responses + size_t(i) * pitch(), responses + size_t(i + 1) * pitch(), real(0));
                    x += size;
                    if (x >= width)
                        x -= width;
                }
                multiply<true>(many, patch(), components, responses, pitch(), transpose, back + at, patch());
            }
        tally.finish();

        for (int x = 0; x < width; x++)
            for (int y = 0; y < rows; y++) {
                const real *__restrict from = back + (size_t(y) * width + x) * column();
                real *__restrict to = gradient + (size_t(x) * height + first + y) * channels;
                for (int i = 0; i < column(); i++)
                    to[i] += from[i];
            }
        return tally.total;
    }

    double count() const { return double(height - size + 1) * (width - size + 1) * components; }
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
    const int patch = sums.patch(), components = sums.components;
    const int blocks = sums.blocks(), threads = std::min(most_threads(), (blocks + 1) / 2);
    const size_t pixels = size_t(channels) * height * width, weights = size_t(patch) * components;
    const size_t laid_out = size_t(patch) * padded<real>(components), turned = size_t(components) * padded<real>(patch);
    const size_t bytes = (2 * pixels + weights + laid_out + turned + components + threads * sums.scratch()) * sizeof(real)
                         + blocks * sizeof(double);
    double *const energies = static_cast<double *>(std::malloc(bytes));
    if (!energies) {
        PyErr_NoMemory();
        return 1;
    }
    sums.picture = reinterpret_cast<real *>(energies + blocks);
    sums.gradient = sums.picture + pixels;
    sums.filters = sums.gradient + pixels;
    sums.transpose = sums.filters + laid_out;
    sums.mean = sums.transpose + turned;
    real *const ordered = sums.mean + components, *const scratch = ordered + weights;

    // In the order of a column; convolution flips the filters.
    for (int k = 0; k < components; k++)
        for (int j = 0; j < size; j++)
            for (int i = 0; i < size; i++)
                for (int c = 0; c < channels; c++)
                    ordered[size_t((j * size + i) * channels + c) * components + k] =
                        given.data[((size_t(k) * channels + c) * size + size - 1 - i) * size + size - 1 - j];
    lay_out(ordered, patch, components, components, 1, sums.filters);
    for (size_t i = 0; i < weights; i++)
        ordered[i] *= real(2 / sums.count());
    lay_out(ordered, components, patch, 1, components, sums.transpose);
    std::copy(means.data, means.data + components, sums.mean);
    std::fill(sums.gradient, sums.gradient + pixels, real(0));

#ifdef _OPENMP
#pragma omp parallel num_threads(threads)
#endif
    {
        real *const own = scratch + own_thread() * sums.scratch();
        for_each_value(sums, picture.data, sums.picture, [](const real &given, real &own) { own = given; });
        // Every second block, then the others: who adds to a pixel, and when, is never left to chance.
        for (int phase = 0; phase < 2; phase++) {
#ifdef _OPENMP
#pragma omp for schedule(dynamic)
#endif
            for (int index = phase; index < blocks; index += 2)
                energies[index] = sums.block(index, own);
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
