// curl_easy_setopt and curl_easy_getinfo are variadic, which Swift cannot call: one inline for each
// argument type that is passed, and no more.
#ifndef CONVERSIOND_CLIBCURL_SHIM_H
#define CONVERSIOND_CLIBCURL_SHIM_H
#include <curl/curl.h>
#endif
