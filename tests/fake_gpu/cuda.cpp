/* A driver without hardware: memory is the host's.

Where the environment names a folder in FAKE_GPU_FOLDER, kernels are compiled there for
the processor and run, one thread after the other (kernel.h); else they do nothing.
What it reports is set by -D: FAKE_VERSION (as cuDriverGetVersion gives it), FAKE_INIT
(the result of cuInit), FAKE_DEVICES, FAKE_MAJOR and FAKE_MINOR (compute capability). */

#include <dlfcn.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <string>

#ifndef FAKE_VERSION
#define FAKE_VERSION 12040
#endif
#ifndef FAKE_INIT
#define FAKE_INIT 0
#endif
#ifndef FAKE_DEVICES
#define FAKE_DEVICES 1
#endif
#ifndef FAKE_MAJOR
#define FAKE_MAJOR 9
#endif
#ifndef FAKE_MINOR
#define FAKE_MINOR 0
#endif

typedef unsigned long long address;
typedef void kernel(const unsigned *grid, const unsigned *block, void **parameters);
typedef std::pair<std::string, std::string> named_source;

/* The kernel of this name in a source, compiled for the processor. */
static kernel *compiled(const std::string &folder, const named_source &named) {
  static std::map<named_source, kernel *> known;
  if (known.count(named)) return known[named];
  std::string file = folder + "/kernel" + std::to_string(known.size()), text = named.second;
  const std::string shared = "extern __shared__ ";
  for (size_t at; (at = text.find(shared)) != std::string::npos;) { /* "T name[];" becomes "T *name = (T *)..." */
    size_t end = text.find("[];", at), name = text.rfind(' ', end) + 1, type = at + shared.size();
    std::string declared = text.substr(type, name - type) + "*";
    text.replace(at, end + 2 - at, declared + text.substr(name, end - name) + " = (" + declared + ")shared_memory");
  }
  std::ofstream(file + ".cpp") << "#include \"" FAKE_KERNEL_H "\"\n"
                               << text << "\nextern \"C\" void launch(const unsigned *grid, const unsigned *block, void **p) {\n"
                               << "  run([](void **p) { apply(&" << named.first << ", p); }, grid, block, p);\n}\n";
  std::string command = "g++ -std=c++17 -O1 -w -fpermissive -shared -fPIC " + file + ".cpp -o " + file + ".so";
  void *library = system(command.c_str()) ? NULL : dlopen((file + ".so").c_str(), RTLD_NOW);
  return known[named] = library ? (kernel *)dlsym(library, "launch") : NULL;
}

extern "C" {

int cuInit(int flags) { return FAKE_INIT; }
int cuDriverGetVersion(int *version) { *version = FAKE_VERSION; return 0; }
/* A real NVRTC of CUDA 12 asks for it, and does without. */
int cuGetExportTable(const void **table, const void *id) { return 500; }
int cuGetErrorString(int error, const char **text) { *text = "an error"; return 0; }
int cuGetErrorName(int error, const char **text) { *text = "CUDA_ERROR_FAKE"; return 0; }

int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return ordinal < FAKE_DEVICES ? 0 : 101; }
int cuDeviceGetCount(int *count) { *count = FAKE_DEVICES; return 0; }
int cuDeviceGetName(char *name, int length, int device) { snprintf(name, length, "Fake GPU"); return 0; }
int cuDeviceGetPCIBusId(char *id, int length, int device) { snprintf(id, length, "0000:00:00.0"); return 0; }

int cuDeviceGetAttribute(int *value, int attribute, int device) {
  switch (attribute) {
  case 75: *value = FAKE_MAJOR; break;
  case 76: *value = FAKE_MINOR; break;
  case 10: *value = 32; break;            /* warp */
  case 8: case 81: *value = 49152; break; /* shared memory */
  case 41: *value = 1; break;             /* unified addressing */
  default: *value = 1024;
  }
  return 0;
}

int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) { *flags = 0; *active = 0; return 0; }
int cuDevicePrimaryCtxSetFlags(int device, unsigned flags) { return 0; }
int cuDevicePrimaryCtxRelease(int device) { return 0; }
int cuDevicePrimaryCtxRetain(void **context, int device) { *context = (void *)1; return 0; }
int cuCtxGetDevice(int *device) { *device = 0; return 0; }
int cuCtxPushCurrent_v2(void *context) { return 0; }
int cuCtxPopCurrent_v2(void **context) { return 0; }

/* A module is the text that NVRTC made of a source, which here is the source. */
static std::string linked;
int cuLinkCreate(unsigned n, int *options, void **values, void **state) { *state = &linked; return 0; }
int cuLinkAddData(void *state, int type, void *data, size_t size, const char *name, unsigned n, int *options,
                  void **values) {
  linked = (const char *)data;
  return 0;
}
int cuLinkComplete(void *state, void **binary, size_t *size) {
  *binary = (void *)linked.c_str();
  *size = linked.size() + 1;
  return 0;
}
int cuLinkDestroy(void *state) { return 0; }
int cuModuleLoadData(void **module, const void *image) { *module = new std::string((const char *)image); return 0; }
int cuModuleLoadDataEx(void **module, const void *image, unsigned n, int *options, void **values) {
  return cuModuleLoadData(module, image);
}
int cuModuleUnload(void *module) { delete (std::string *)module; return 0; }
int cuModuleGetFunction(void **function, void *module, const char *name) {
  *function = new named_source(name, *(std::string *)module); /* and never freed: the process is short */
  return 0;
}
int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, void *stream, void **parameters, void **extra) {
  const char *folder = getenv("FAKE_GPU_FOLDER");
  if (!folder) return 0;
  unsigned grid[] = {gx, gy, gz}, block[] = {bx, by, bz};
  if (!gx || !gy || !gz || !bx || !by || !bz || bx * by * bz > 1024) return 1; /* CUDA_ERROR_INVALID_VALUE */
  kernel *launch = compiled(folder, *(named_source *)function);
  if (!launch) return 200; /* CUDA_ERROR_INVALID_IMAGE */
  launch(grid, block, parameters);
  return 0;
}
int cuFuncGetAttribute(int *value, int attribute, void *function) { *value = 1024; return 0; }

int cuMemGetInfo_v2(size_t *available, size_t *total) { *available = *total = (size_t)1 << 34; return 0; }
int cuMemAlloc_v2(address *pointer, size_t size) { return (*pointer = (address)calloc(1, size)) ? 0 : 2; }
int cuMemFree_v2(address pointer) { free((void *)pointer); return 0; }
int cuMemAllocHost_v2(void **pointer, size_t size) { return (*pointer = calloc(1, size)) ? 0 : 2; }
int cuMemAllocManaged(address *pointer, size_t size, unsigned flags) { return cuMemAlloc_v2(pointer, size); }
int cuMemFreeHost(void *pointer) { free(pointer); return 0; }
int cuMemcpyHtoDAsync_v2(address to, const void *from, size_t size, void *stream) {
  memcpy((void *)to, from, size);
  return 0;
}
int cuMemcpyHtoD_v2(address to, const void *from, size_t size) { return cuMemcpyHtoDAsync_v2(to, from, size, NULL); }
int cuMemcpyDtoHAsync_v2(void *to, address from, size_t size, void *stream) {
  memcpy(to, (void *)from, size);
  return 0;
}
int cuMemcpyDtoDAsync_v2(address to, address from, size_t size, void *stream) {
  memmove((void *)to, (void *)from, size);
  return 0;
}
int cuMemcpyPeerAsync(address to, void *there, address from, void *here, size_t size, void *stream) { return 1; }
int cuMemsetD8Async(address to, unsigned char value, size_t size, void *stream) {
  memset((void *)to, value, size);
  return 0;
}

int cuEventCreate(void **event, unsigned flags) { *event = (void *)1; return 0; }
int cuEventRecord(void *event, void *stream) { return 0; }
int cuEventSynchronize(void *event) { return 0; }
int cuEventDestroy_v2(void *event) { return 0; }
int cuStreamCreate(void **stream, unsigned flags) { *stream = (void *)1; return 0; }
int cuStreamWaitEvent(void *stream, void *event, unsigned flags) { return 0; }
int cuStreamSynchronize(void *stream) { return 0; }
int cuStreamDestroy_v2(void *stream) { return 0; }

int cuIpcGetMemHandle(void *handle, address pointer) { return 1; }
int cuIpcOpenMemHandle(address *pointer, void *handle, unsigned flags) { return 1; }
int cuIpcCloseMemHandle(address pointer) { return 1; }

}
