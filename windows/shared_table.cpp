// The table in a section of the file that this is linked into: share_data.exe, and share_data_table.dll, which has
// nothing else in it. All processes that run or load the same file have it at once.
#include "table.h"

// One declaration in two spellings. The letters RWS are the section's flags: read, write, shared. GCC ignores
// the pragmas and would share nothing; the others do not know its attribute.
//   https://learn.microsoft.com/cpp/preprocessor/data-seg
//   https://learn.microsoft.com/cpp/build/reference/section-specify-section-attributes
//   https://gcc.gnu.org/onlinedocs/gcc/Microsoft-Windows-Variable-Attributes.html

// What lies here must be initialised, with constants (`constinit`): code that initialised it at start-up
// would run in every process and wipe out what the others wrote. Neither pointers nor handles belong here:
// each process has its own. Exported, so that no linker leaves it out.
#if defined(_MSC_VER) || defined(__clang__)
#pragma data_seg("SHARED")
__declspec(dllexport) constinit share_data::Table share_data_table{.magic = share_data::table_magic};
#pragma data_seg()
#pragma comment(linker, "/SECTION:SHARED,RWS")
#else
__declspec(dllexport) constinit share_data::Table share_data_table
    __attribute__((section("SHARED"), shared)){.magic = share_data::table_magic};
#endif
