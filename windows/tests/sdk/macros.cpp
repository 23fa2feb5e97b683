// The macros of the Windows SDK that most often collide with other names.
#include <windows.h>

#if !defined(near) || !defined(far) || !defined(IN) || !defined(OUT) || !defined(DELETE) || !defined(ERROR)
#error "a macro that the Windows SDK always defines is missing"
#endif
#if defined(min) || defined(max)
#error "NOMINMAX does not switch off min and max"
#endif
#if defined(small) || defined(interface)
#error "without WIN32_LEAN_AND_MEAN there are small and interface"
#endif
