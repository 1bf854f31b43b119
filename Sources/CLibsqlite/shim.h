// The one call of SQLite's that Swift can't make itself, as it takes variable arguments.
#ifndef CONVERSIOND_CLIBSQLITE_SHIM_H
#define CONVERSIOND_CLIBSQLITE_SHIM_H
#include <sqlite3.h>

// Memory statistics are off: nobody reads them, and each of SQLite's allocations takes a lock for them (SQLite,
// sqlite3_config, SQLITE_CONFIG_MEMSTATUS). Before SQLite's first use; later it does nothing.
static inline int conversiond_sqlite_without_statistics(void) {
  return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}
#endif
