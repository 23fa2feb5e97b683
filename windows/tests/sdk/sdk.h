// Included before everything else. Makes MinGW's C headers behave like those of the Windows SDK.
#pragma once

// The C++ library defines NOMINMAX by itself; windows.h here has to know whether it was on the command line.
#ifdef NOMINMAX
#define NOMINMAX_ON_COMMAND_LINE
#endif

// With __MINGW_MSVC_COMPAT_WARNINGS the functions that cl rejects are deprecated, but even if they are allowed.
#include <_mingw.h>
#ifdef _CRT_SECURE_NO_WARNINGS
#undef __MINGW_ATTRIB_DEPRECATED_SEC_WARN
#define __MINGW_ATTRIB_DEPRECATED_SEC_WARN
#endif
