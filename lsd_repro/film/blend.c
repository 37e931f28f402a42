/* A video frame between two pictures: both warped bilinearly, blended, and turned into bytes,
   in one pass over the frame.

   Coordinates are doubles, computed in scikit-image's order of operations: they decide where
   the second picture ends, and a pixel more or less of it is seen.  Colours are floats. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

enum {
    CHANNELS = 3,
    LANES = 4, /* floats that a pixel takes up in a picture, so that it lies on 16 bytes */
};

typedef struct {
    const float *pixels;     /* one row and one column more than the picture has */
    int rows, columns;       /* of the picture */
    const double *to_input;  /* from (x, y) of the frame to (x, y) of the picture: 2 x 3 */
} Warped;

static inline double input_column(const Warped *picture, int x, int y)
{
    return picture->to_input[0] * x + picture->to_input[1] * y + picture->to_input[2];
}

static inline double input_row(const Warped *picture, int x, int y)
{
    return picture->to_input[3] * x + picture->to_input[4] * y + picture->to_input[5];
}

static inline double clip(double value, double most)
{
    const double positive = value > 0 ? value : 0;
    return positive < most ? positive : most;
}

static inline unsigned char byte(float value)
{
    const float positive = value > 0 ? value : 0;
    return (unsigned char)(int)(positive < 255 ? positive : 255);
}

/* Written so that between equal values lies that value, exactly. */
static inline float mix(float from, float to, float share)
{
    return from + share * (to - from);
}

static inline void bilinear(const Warped *picture, double row, double column, float *colour)
{
    const int i = (int)row, j = (int)column;
    const float down = (float)(row - i), right = (float)(column - j);
    const size_t stride = ((size_t)picture->columns + 1) * LANES;
    const float *top = picture->pixels + i * stride + (size_t)j * LANES, *bottom = top + stride;
    for (int k = 0; k < LANES; k++)
        colour[k] = mix(mix(top[k], top[k + LANES], right), mix(bottom[k], bottom[k + LANES], right), down);
}

static void blend(unsigned char *frame, int height, int width, Warped a, Warped b, float share)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float colour[LANES], other[LANES];
            bilinear(&a, clip(input_row(&a, x, y), a.rows - 1), clip(input_column(&a, x, y), a.columns - 1), colour);
            const double row = input_row(&b, x, y), column = input_column(&b, x, y);
            if (row >= 0 && row <= b.rows - 1 && column >= 0 && column <= b.columns - 1) {
                bilinear(&b, row, column, other);
                for (int k = 0; k < LANES; k++)
                    colour[k] = mix(colour[k], other[k], share);
            }
            for (int k = 0; k < CHANNELS; k++)
                *frame++ = byte(colour[k]);
        }
}

static int fits(const Py_buffer *pixels, const Py_buffer *to_input, int rows, int columns)
{
    return rows > 0 && columns > 0
           && pixels->len == ((Py_ssize_t)rows + 1) * (columns + 1) * LANES * (Py_ssize_t)sizeof(float)
           && to_input->len == 6 * (Py_ssize_t)sizeof(double);
}

static PyObject *py_blend(PyObject *self, PyObject *args)
{
    Py_buffer frame, a, to_a, b, to_b;
    int height, width, rows, columns;
    float share;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "w*(ii)y*y*y*y*(ii)f", &frame, &height, &width, &a, &to_a, &b, &to_b, &rows, &columns,
                          &share))
        return NULL;
    if (height < 0 || width < 0 || frame.len != (Py_ssize_t)height * width * CHANNELS || !fits(&a, &to_a, rows, columns)
        || !fits(&b, &to_b, rows, columns))
        PyErr_SetString(PyExc_ValueError, "the buffers are not of the sizes given");
    else {
        const Warped warped_a = {a.buf, rows, columns, to_a.buf}, warped_b = {b.buf, rows, columns, to_b.buf};
        Py_BEGIN_ALLOW_THREADS
        blend(frame.buf, height, width, warped_a, warped_b, share);
        Py_END_ALLOW_THREADS
        Py_INCREF(Py_None); /* Python 3.9 has no Py_NewRef */
        result = Py_None;
    }
    PyBuffer_Release(&frame);
    PyBuffer_Release(&a);
    PyBuffer_Release(&to_a);
    PyBuffer_Release(&b);
    PyBuffer_Release(&to_b);
    return result;
}

static PyMethodDef methods[] = {
    {"blend", py_blend, METH_VARARGS,
     "blend(frame, (height, width), a, to_a, b, to_b, (rows, columns), share): fill the frame."},
    {NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_blend", "The film's video frames.", -1, methods};

PyMODINIT_FUNC PyInit__blend(void)
{
    return PyModule_Create(&module);
}
