// libpq's own header, so that Swift can import it by module name; pg_config/pkg-config give the folder.
#ifndef CONVERSIOND_CLIBPQ_SHIM_H
#define CONVERSIOND_CLIBPQ_SHIM_H
#include <libpq-fe.h>
#endif
