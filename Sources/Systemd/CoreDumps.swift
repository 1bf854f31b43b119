private import CLibsystemd
private import Glibc

/// Keeps the memory of a process that holds a secret from being written to a disk, or read by others of its user.
public enum CoreDumps {
  /// Forbids it; to be called before a secret is read, and again after the user has changed, which undoes it (prctl(2),
  /// PR_SET_DUMPABLE).
  public static func forbid() {
    // A core_pattern that is a pipe, as systemd-coredump's is, ignores a limit of 0 (core(5)), and obeys only this.
    _ = conversiond_forbid_dumps()
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
  }
}
