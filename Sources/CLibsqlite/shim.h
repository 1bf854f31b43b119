// The calls of SQLite's that Swift can't make itself, as they take variable arguments.
#ifndef CONVERSIOND_CLIBSQLITE_SHIM_H
#define CONVERSIOND_CLIBSQLITE_SHIM_H
#include <sqlite3.h>

// Memory statistics are off: nothing reads them, and each of SQLite's allocations takes a lock for them (SQLite,
// sqlite3_config, SQLITE_CONFIG_MEMSTATUS). Before SQLite's first use; later it does nothing.
static inline int conversiond_sqlite_without_statistics(void) {
  return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

// Makes closing leave the write-ahead log as it is, instead of folding it into the database and removing it.
static inline int conversiond_sqlite_keep_log(sqlite3 *connection, int keeps) {
  return sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keeps, (int *)0);
}
#endif
