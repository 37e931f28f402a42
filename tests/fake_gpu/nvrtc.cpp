/* A CUDA compiler that takes every source, for an architecture that it knows, and returns it as it is.

FAKE_NVRTC_MAJOR and _MINOR set its version, FAKE_ARCHS the compute capabilities it compiles for. */

#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>

#ifndef FAKE_NVRTC_MAJOR
#define FAKE_NVRTC_MAJOR 12
#define FAKE_NVRTC_MINOR 4
#endif
#ifndef FAKE_ARCHS
#define FAKE_ARCHS 50, 75, 90
#endif

static const int archs[] = {FAKE_ARCHS};

extern "C" {

int nvrtcVersion(int *major, int *minor) { *major = FAKE_NVRTC_MAJOR; *minor = FAKE_NVRTC_MINOR; return 0; }
int nvrtcGetNumSupportedArchs(int *count) { *count = sizeof archs / sizeof *archs; return 0; }
int nvrtcGetSupportedArchs(int *list) { memcpy(list, archs, sizeof archs); return 0; }
int nvrtcCreateProgram(std::string **program, const char *source, const char *name, int count, const char **headers,
                       const char **names) {
  *program = new std::string;
  for (int i = 0; i < count; i++) **program += headers[i];
  **program += std::string("\n") + source;
  for (size_t at; (at = (*program)->find("#include \"")) != std::string::npos;) (*program)->replace(at, 2, "//");
  return 0;
}
int nvrtcCompileProgram(void *program, int count, const char **options) {
  char name[32];
  for (int i = 0; i < sizeof archs / sizeof *archs; i++) {
    snprintf(name, sizeof name, "compute_%d", archs[i]);
    if (count == 2 && !strcmp(options[1], name)) return 0;
  }
  return 5; /* NVRTC_ERROR_INVALID_OPTION */
}
int nvrtcDestroyProgram(std::string **program) { delete *program; return 0; }
int nvrtcGetProgramLogSize(void *program, size_t *size) { *size = 1; return 0; }
int nvrtcGetProgramLog(void *program, char *log) { *log = 0; return 0; }
int nvrtcGetPTXSize(std::string *program, size_t *size) { *size = program->size() + 1; return 0; }
int nvrtcGetPTX(std::string *program, char *text) { strcpy(text, program->c_str()); return 0; }
const char *nvrtcGetErrorString(int error) { return "an error"; }

}
