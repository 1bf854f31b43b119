import Foundation

/// Sets the wall clock of one program alone ahead or back while it runs: a library that is loaded before the C library
/// (ld.so(8), LD_PRELOAD), built with the host's C compiler. The clocks that can't be set stay as they are.
public final class ShiftedClock: Sendable {
  private static let source = #"""
    #define _GNU_SOURCE
    #include <errno.h>
    #include <fcntl.h>
    #include <stdlib.h>
    #include <sys/syscall.h>
    #include <sys/time.h>
    #include <time.h>
    #include <unistd.h>
    // In seconds, as the file on order says: read anew each time, as a clock is set at any moment.
    static long shift(void) {
      const char *order = getenv("CLOCK_ORDER");
      char text[32] = "";
      int error = errno, file = order ? syscall(SYS_openat, AT_FDCWD, order, O_RDONLY | O_CLOEXEC) : -1;
      if (file >= 0) { if (syscall(SYS_read, file, text, sizeof text - 1) < 0) text[0] = 0; syscall(SYS_close, file); }
      errno = error;
      return atol(text);
    }
    int clock_gettime(clockid_t clock, struct timespec *now) {
      int result = syscall(SYS_clock_gettime, clock, now);
      if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
      return result;
    }
    int gettimeofday(struct timeval *restrict now, void *restrict zone) {
      int result = syscall(SYS_gettimeofday, now, zone);
      if (result == 0) now->tv_sec += shift();
      return result;
    }
    time_t time(time_t *kept) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      if (kept) *kept = now.tv_sec;
      return now.tv_sec;
    }
    """#

  private let folder: TemporaryFolder

  /// Builds the library; the clock is right at first.
  public init() async throws {
    folder = try TemporaryFolder("clock")
    try await folder.buildLibrary("clock", Self.source)
    try shift(by: 0)
  }

  /// The environment that a program must be started with.
  public var environment: [String: String] {
    ["LD_PRELOAD": folder.path("clock.so"), "CLOCK_ORDER": folder.path("order")]
  }

  /// Sets the clock so many seconds ahead of what is right, from now on.
  public func shift(by seconds: Int) throws { try folder.write(String(seconds), to: "order") }
}
