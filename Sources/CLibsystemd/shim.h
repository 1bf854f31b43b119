// sd_notify and sd_journal_sendv, so that Swift can import them by module name.
#ifndef CONVERSIOND_CLIBSYSTEMD_SHIM_H
#define CONVERSIOND_CLIBSYSTEMD_SHIM_H
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#endif
