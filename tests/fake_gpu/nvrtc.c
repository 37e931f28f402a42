/* A CUDA compiler that takes every source, for an architecture that it knows, and returns a text that is no program.

FAKE_NVRTC_MAJOR and _MINOR set its version, FAKE_ARCHS the compute capabilities it compiles for. */

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#ifndef FAKE_NVRTC_MAJOR
#define FAKE_NVRTC_MAJOR 12
#define FAKE_NVRTC_MINOR 4
#endif
#ifndef FAKE_ARCHS
#define FAKE_ARCHS 50, 75, 90
#endif

static const int archs[] = {FAKE_ARCHS};
static const char ptx[] = "no program";

int nvrtcVersion(int *major, int *minor) { *major = FAKE_NVRTC_MAJOR; *minor = FAKE_NVRTC_MINOR; return 0; }
int nvrtcGetNumSupportedArchs(int *count) { *count = sizeof archs / sizeof *archs; return 0; }
int nvrtcGetSupportedArchs(int *list) { memcpy(list, archs, sizeof archs); return 0; }
int nvrtcCreateProgram(void **program, const char *source, const char *name, int count, const char **headers,
                       const char **names) { *program = (void *)1; return 0; }
int nvrtcCompileProgram(void *program, int count, const char **options) {
  char name[32];
  for (int i = 0; i < sizeof archs / sizeof *archs; i++) {
    snprintf(name, sizeof name, "compute_%d", archs[i]);
    if (count == 2 && !strcmp(options[1], name)) return 0;
  }
  return 5; /* NVRTC_ERROR_INVALID_OPTION */
}
int nvrtcDestroyProgram(void **program) { return 0; }
int nvrtcGetProgramLogSize(void *program, size_t *size) { *size = 1; return 0; }
int nvrtcGetProgramLog(void *program, char *log) { *log = 0; return 0; }
int nvrtcGetPTXSize(void *program, size_t *size) { *size = sizeof ptx; return 0; }
int nvrtcGetPTX(void *program, char *text) { memcpy(text, ptx, sizeof ptx); return 0; }
const char *nvrtcGetErrorString(int error) { return "an error"; }
