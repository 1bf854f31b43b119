// libpq's own header, so that Swift can import it by module name; pg_config/pkg-config give the folder.
// eventfd(2), which Swift's Glibc module leaves out, wakes a thread that waits for libpq's socket.
#ifndef CONVERSIOND_CLIBPQ_SHIM_H
#define CONVERSIOND_CLIBPQ_SHIM_H
#include <libpq-fe.h>
#include <sys/eventfd.h>
#endif
