import Foundation

/// Makes a program's calls on certain files fail on demand, as a bad disk makes them: a library that is loaded before
/// the C library (ld.so(8), LD_PRELOAD), built with the host's C compiler.
public final class FaultyFiles: Sendable {
  /// A fault of the calls.
  public enum Fault: String, Sendable {
    /// Nothing reaches the disk: fsync(2) and fdatasync(2) give EIO.
    case sync
    /// The file system was made read-only by the kernel: writes and opens for writing give EROFS.
    case readOnly = "readonly"
  }

  private static let source = #"""
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <stdarg.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/syscall.h>
    #include <sys/types.h>
    #include <unistd.h>
    #define REAL(name, type, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))
    // The first letter of what is on order: s, r, or 0 for nothing.
    static char fault(void) {
      const char *order = getenv("FAULTY_ORDER");
      char letter = 0;
      int error = errno, file = order ? syscall(SYS_openat, AT_FDCWD, order, O_RDONLY | O_CLOEXEC) : -1;
      if (file >= 0) { if (syscall(SYS_read, file, &letter, 1) != 1) letter = 0; syscall(SYS_close, file); }
      errno = error;
      return letter;
    }
    static int is_ours(const char *path) {
      const char *prefix = getenv("FAULTY_PATH");
      return prefix && path && strncmp(path, prefix, strlen(prefix)) == 0;
    }
    static int is_our_file(int file) {
      char link[64] = "/proc/self/fd/", path[4096];
      char digits[16]; int count = 0, number = file;
      do { digits[count++] = '0' + number % 10; number /= 10; } while (number > 0);
      char *end = link + strlen(link);
      while (count > 0) *end++ = digits[--count];
      *end = 0;
      ssize_t length = readlink(link, path, sizeof path - 1);
      if (length < 0) return 0;
      path[length] = 0;
      return is_ours(path);
    }
    static int fails(char kind, int file) { return fault() == kind && is_our_file(file); }
    #define REFUSE(code) do { errno = (code); return -1; } while (0)
    int fsync(int f) { if (fails('s', f)) REFUSE(EIO); return REAL(fsync, int, int)(f); }
    int fdatasync(int f) { if (fails('s', f)) REFUSE(EIO); return REAL(fdatasync, int, int)(f); }
    ssize_t write(int f, const void *b, size_t n) {
      if (fails('r', f)) REFUSE(EROFS);
      return REAL(write, ssize_t, int, const void *, size_t)(f, b, n);
    }
    ssize_t pwrite(int f, const void *b, size_t n, off_t o) {
      if (fails('r', f)) REFUSE(EROFS);
      return REAL(pwrite, ssize_t, int, const void *, size_t, off_t)(f, b, n, o);
    }
    ssize_t pwrite64(int f, const void *b, size_t n, off64_t o) {
      if (fails('r', f)) REFUSE(EROFS);
      return REAL(pwrite64, ssize_t, int, const void *, size_t, off64_t)(f, b, n, o);
    }
    int ftruncate(int f, off_t n) { if (fails('r', f)) REFUSE(EROFS); return REAL(ftruncate, int, int, off_t)(f, n); }
    int ftruncate64(int f, off64_t n) {
      if (fails('r', f)) REFUSE(EROFS);
      return REAL(ftruncate64, int, int, off64_t)(f, n);
    }
    int unlink(const char *p) {
      if (is_ours(p) && fault() == 'r') REFUSE(EROFS);
      return REAL(unlink, int, const char *)(p);
    }
    #define OPEN(name) int name(const char *p, int flags, ...) { \
      va_list list; va_start(list, flags); mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0; va_end(list); \
      if (is_ours(p) && flags & (O_WRONLY | O_RDWR) && fault() == 'r') REFUSE(EROFS); \
      return REAL(name, int, const char *, int, mode_t)(p, flags, mode); }
    OPEN(open)
    OPEN(open64)
    """#

  private let folder: TemporaryFolder
  private let prefix: String

  /// Builds the library, for files whose paths begin so.
  public init(pathPrefix: String) async throws {
    prefix = pathPrefix
    folder = try TemporaryFolder("faulty")
    try await folder.buildLibrary("faulty", Self.source)
  }

  /// The environment that a program must be started with.
  public var environment: [String: String] {
    ["LD_PRELOAD": folder.path("faulty.so"), "FAULTY_ORDER": folder.path("order"), "FAULTY_PATH": prefix]
  }

  /// Orders a fault, from now on.
  public func order(_ fault: Fault) throws { try folder.write(fault.rawValue, to: "order") }

  /// Ends it.
  public func heal() throws { try FileManager.default.removeItem(atPath: folder.path("order")) }
}
