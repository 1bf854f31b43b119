// sd_notify and sd_journal_sendv, so that Swift can import them by module name.
#ifndef CONVERSIOND_CLIBSYSTEMD_SHIM_H
#define CONVERSIOND_CLIBSYSTEMD_SHIM_H
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <sys/prctl.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
// Swift can't call functions with variable arguments.
static inline int conversiond_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L); }
#endif
