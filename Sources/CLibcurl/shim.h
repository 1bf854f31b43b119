// curl_easy_setopt, curl_easy_getinfo and curl_multi_setopt are variadic, which Swift cannot call: one inline for each
// argument type that is passed, and no more. The function names stand in parentheses to get past curl's own
// type-checking macros, which want to see the option as a constant.
#ifndef CONVERSIOND_CLIBCURL_SHIM_H
#define CONVERSIOND_CLIBCURL_SHIM_H
#include <curl/curl.h>
// The bell of who waits for a multi handle's sockets (eventfd(2)); Swift's Glibc leaves it out.
#include <sys/eventfd.h>

typedef size_t (*conversiond_curl_data_callback)(char *data, size_t size, size_t count, void *context);

// curl_easy_setopt, for a long.
static inline CURLcode conversiond_curl_setopt_long(CURL *handle, CURLoption option, long value) {
  return (curl_easy_setopt)(handle, option, value);
}

// curl_easy_setopt, for a curl_off_t.
static inline CURLcode conversiond_curl_setopt_offset(CURL *handle, CURLoption option, curl_off_t value) {
  return (curl_easy_setopt)(handle, option, value);
}

// curl_easy_setopt, for a string, which libcurl copies.
static inline CURLcode conversiond_curl_setopt_string(CURL *handle, CURLoption option, const char *value) {
  return (curl_easy_setopt)(handle, option, value);
}

// curl_easy_setopt, for a pointer: a callback's context, the error buffer, a body.
static inline CURLcode conversiond_curl_setopt_pointer(CURL *handle, CURLoption option, void *value) {
  return (curl_easy_setopt)(handle, option, value);
}

// curl_easy_setopt, for a header list.
static inline CURLcode conversiond_curl_setopt_list(CURL *handle, CURLoption option, struct curl_slist *value) {
  return (curl_easy_setopt)(handle, option, value);
}

// curl_easy_setopt, for CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION.
static inline CURLcode conversiond_curl_setopt_callback(
    CURL *handle, CURLoption option, conversiond_curl_data_callback value) {
  return (curl_easy_setopt)(handle, option, value);
}

// CURLOPT_PREREQFUNCTION, since 7.80.0: asked before each request on a connection.
static inline CURLcode conversiond_curl_setopt_before_request(CURL *handle, curl_prereq_callback value) {
  return (curl_easy_setopt)(handle, CURLOPT_PREREQFUNCTION, value);
}

// curl_multi_setopt, for CURLMOPT_SOCKETFUNCTION and CURLMOPT_TIMERFUNCTION, with the context of both.
static inline void conversiond_curl_multi_set_watchers(
    CURLM *handle, curl_socket_callback socket, curl_multi_timer_callback timer, void *context) {
  (curl_multi_setopt)(handle, CURLMOPT_SOCKETFUNCTION, socket);
  (curl_multi_setopt)(handle, CURLMOPT_SOCKETDATA, context);
  (curl_multi_setopt)(handle, CURLMOPT_TIMERFUNCTION, timer);
  (curl_multi_setopt)(handle, CURLMOPT_TIMERDATA, context);
}

// curl_multi_setopt, for a long.
static inline CURLMcode conversiond_curl_multi_setopt_long(CURLM *handle, CURLMoption option, long value) {
  return (curl_multi_setopt)(handle, option, value);
}

// curl_easy_getinfo, for a long.
static inline CURLcode conversiond_curl_getinfo_long(CURL *handle, CURLINFO info, long *value) {
  return (curl_easy_getinfo)(handle, info, value);
}

// curl_easy_getinfo, for a curl_off_t.
static inline CURLcode conversiond_curl_getinfo_offset(CURL *handle, CURLINFO info, curl_off_t *value) {
  return (curl_easy_getinfo)(handle, info, value);
}

// CURL_GLOBAL_DEFAULT is an expression, which Swift does not import.
static inline CURLcode conversiond_curl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

// Only http and https: by name since 7.85.0, by bits before it. By number, so that a binary built against 7.81.0 asks
// a newer library the newer way; an older library says CURLE_UNKNOWN_OPTION.
static inline CURLcode conversiond_curl_allow_only_http(CURL *handle) {
  CURLcode code = (curl_easy_setopt)(handle, (CURLoption)(CURLOPTTYPE_STRINGPOINT + 318), "http,https");
  if (code != CURLE_UNKNOWN_OPTION) return code;
  return (curl_easy_setopt)(handle, (CURLoption)(CURLOPTTYPE_LONG + 181), (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
}

// CURLOPT_QUICK_EXIT, since 7.87.0: a transfer that ends while a name is being resolved does not wait for the resolver's
// thread. Older libraries say CURLE_UNKNOWN_OPTION and wait.
static inline CURLcode conversiond_curl_leave_resolver_behind(CURL *handle) {
  return (curl_easy_setopt)(handle, (CURLoption)(CURLOPTTYPE_LONG + 322), 1L);
}
#endif
