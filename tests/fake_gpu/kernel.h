/* What the source of a kernel sees in place of CUDA.

The threads of a block run one after the other, each from barrier to barrier, on stacks
of their own; blocks run one after the other, so that shared memory can be static. */

#include <ucontext.h>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __shared__ static
#define __launch_bounds__(...)

struct dim3 { unsigned x, y, z; };
static dim3 threadIdx, blockIdx, blockDim, gridDim;
static const int warpSize = 32;
static char shared_memory[49152] __attribute__((aligned(16)));

using std::isinf;
using std::isnan;
template <class A, class B> auto max(A a, B b) { return a > b ? a : b; }
template <class A, class B> auto min(A a, B b) { return a < b ? a : b; }
static float __int_as_float(int bits) { float value; memcpy(&value, &bits, 4); return value; }
static int __float_as_int(float value) { int bits; memcpy(&bits, &value, 4); return bits; }
static double __longlong_as_double(long long bits) { double value; memcpy(&value, &bits, 8); return value; }
static long long __double_as_longlong(double value) { long long bits; memcpy(&bits, &value, 8); return bits; }

template <class A, class B> A atomicAdd(A *where, B value) { A old = *where; *where += value; return old; }
template <class A, class B> A atomicExch(A *where, B value) { A old = *where; *where = value; return old; }
template <class A, class B, class C> A atomicCAS(A *where, B expected, C value) {
  A old = *where;
  if (old == (A)expected) *where = value;
  return old;
}

/* Half precision is named in every source and used in none. */
static float __half2float(unsigned short) { __builtin_trap(); }
static unsigned short __float2half_rn(float) { __builtin_trap(); }
static unsigned __byte_perm(unsigned, unsigned, unsigned) { __builtin_trap(); }

struct thread {
  ucontext_t context;
  dim3 index;
  bool done;
  std::vector<char> stack;
};

static ucontext_t scheduler;
static std::vector<thread> threads;
static thread *current;
static void (*body)(void **);
static void **arguments;

static void __syncthreads() { swapcontext(&current->context, &scheduler); }

static void start() {
  body(arguments);
  current->done = true;
  __syncthreads();
}

template <class... A, size_t... I> void apply(void (*f)(A...), void **p, std::index_sequence<I...>) {
  f(*(std::remove_cv_t<A> *)p[I]...);
}
template <class... A> void apply(void (*f)(A...), void **p) { apply(f, p, std::index_sequence_for<A...>()); }

static void run_block() {
  size_t n = 0;
  for (unsigned z = 0; z < blockDim.z; z++)
    for (unsigned y = 0; y < blockDim.y; y++)
      for (unsigned x = 0; x < blockDim.x; x++) {
        thread &t = threads[n++];
        t.index = {x, y, z};
        t.done = false;
        t.stack.resize(65536);
        getcontext(&t.context);
        t.context.uc_stack.ss_sp = t.stack.data();
        t.context.uc_stack.ss_size = t.stack.size();
        t.context.uc_link = NULL;
        makecontext(&t.context, start, 0);
      }
  for (bool alive = true; alive;) {
    alive = false;
    for (thread &t : threads)
      if (!t.done) {
        current = &t;
        threadIdx = t.index;
        swapcontext(&scheduler, &t.context);
        alive = alive || !t.done;
      }
  }
}

static void run(void (*kernel)(void **), const unsigned *grid, const unsigned *block, void **p) {
  gridDim = {grid[0], grid[1], grid[2]};
  blockDim = {block[0], block[1], block[2]};
  threads.resize((size_t)block[0] * block[1] * block[2]);
  body = kernel;
  arguments = p;
  for (unsigned z = 0; z < grid[2]; z++)
    for (unsigned y = 0; y < grid[1]; y++)
      for (unsigned x = 0; x < grid[0]; x++) {
        blockIdx = {x, y, z};
        run_block();
      }
}
