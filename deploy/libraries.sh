# Shared by deploy/build-deb: what a binary needs of its host, against the oldest one that the package is for, Ubuntu 22.04.
# Sets nothing outside of the functions it defines.

# The libraries that every supported release has by these names.
needed_libraries=" libc.so.6 libm.so.6 libgcc_s.so.1 libstdc++.so.6 libcurl.so.4 libpq.so.5 libsqlite3.so.0 libsystemd.so.0 ld-linux-x86-64.so.2 ld-linux-aarch64.so.1 "

# The newest version of symbols that Ubuntu 22.04 has: glibc 2.35, GCC 12's libraries, libsystemd 249.
newest_symbols="GLIBC_2.35 GLIBCXX_3.4.30 CXXABI_1.3.13 GCC_12.0.0 LIBSYSTEMD_249"

# The calls that came after libcurl 7.81, libpq 14 and SQLite 3.37, whose symbols have no version of their own.
newer_calls="curl_easy_header curl_easy_nextheader curl_ws_recv curl_ws_send curl_ws_meta curl_ws_start_frame
curl_global_trace curl_multi_get_handles curl_multi_get_offt curl_multi_waitfds curl_multi_notify_enable curl_multi_notify_disable
curl_easy_ssls_import curl_easy_ssls_export
PQconnectionUsedGSSAPI PQchangePassword PQcancelCreate PQcancelStart PQcancelBlocking PQcancelPoll PQcancelStatus
PQcancelSocket PQcancelErrorMessage PQcancelReset PQcancelFinish PQclosePrepared PQclosePortal PQsendClosePrepared
PQsendClosePortal PQsendPipelineSync PQsetChunkedRowsMode PQsocketPoll PQgetCurrentTimeUSec PQfullProtocolVersion
PQsetAuthDataHook PQgetAuthDataHook PQdefaultAuthDataHook PQservice
sqlite3_error_offset sqlite3_vtab_distinct sqlite3_vtab_in sqlite3_vtab_in_first sqlite3_vtab_in_next sqlite3_vtab_rhs_value
sqlite3_db_name sqlite3_value_encoding sqlite3_is_interrupted sqlite3_stmt_explain sqlite3_get_clientdata
sqlite3_set_clientdata sqlite3_setlk_timeout sqlite3_db_status64 sqlite3_carray_bind"

# check_libraries BINARY: fails with each library, symbol version or search path that an old host lacks.
check_libraries() {
  local binary=$1 name newest used calls faults=()
  for name in $(objdump -p "$binary" | awk '$1 == "NEEDED" { print $2 }'); do
    [[ $needed_libraries == *" $name "* ]] || faults+=("$name is a library that not every host has")
  done
  ! objdump -p "$binary" | found -E '^ *(RUNPATH|RPATH)' || faults+=("it looks for libraries in folders of the build's host")
  used=$(objdump -T "$binary" | grep -oE '\b(GLIBC|GLIBCXX|CXXABI|GCC|LIBSYSTEMD)_[0-9.]+' | sort -u)
  for newest in $newest_symbols; do
    for name in $(grep "^${newest%%_*}_" <<<"$used"); do
      [ "$(printf '%s\n' "$name" "$newest" | sort -V | tail -1)" = "$newest" ] || faults+=("$name is newer than $newest")
    done
  done
  calls=$(objdump -T "$binary" | awk '/\*UND\*/ { print $NF }' | sort -u)
  for name in $newer_calls; do
    ! grep -qx "$name" <<<"$calls" || faults+=("$name is a call that Ubuntu 22.04's library has not")
  done
  [ ${#faults[@]} -eq 0 ] || fail "the binary does not run on every supported host:" "${faults[@]}"
  say "libs ok: glibc to $(grep '^GLIBC_' <<<"$used" | sort -V | tail -1), $(objdump -p "$binary" | grep -c NEEDED) libraries"
}
