// MinGW's windows.h, with the two macros that it leaves out in C++ and the SDK does not.
#include_next <windows.h>

#ifndef NOMINMAX_ON_COMMAND_LINE
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
