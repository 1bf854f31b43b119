private import CLibsystemd
public import Foundation
private import Glibc

/// Tells the service manager how the daemon is (sd_notify(3)). Does nothing where NOTIFY_SOCKET is not set.
public enum ServiceNotifier {
  /// Tells that the daemon has started, or is done with reloading.
  @discardableResult public static func ready(status: String? = nil) -> Bool {
    send(["READY=1"] + statusLine(status))
  }

  /// Tells that the daemon loads its configuration; ``ready(status:)`` must follow. With the time that
  /// Type=notify-reload asks for.
  @discardableResult public static func reloading() -> Bool {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return send(["RELOADING=1", "MONOTONIC_USEC=\(time.tv_sec * 1_000_000 + time.tv_nsec / 1_000)"])
  }

  /// Asks for more time before a start counts as failed, from now on (EXTEND_TIMEOUT_USEC=).
  @discardableResult public static func extendTimeout(by time: Duration, status: String? = nil) -> Bool {
    let (seconds, attoseconds) = time.components
    return send(["EXTEND_TIMEOUT_USEC=\(seconds * 1_000_000 + attoseconds / 1_000_000_000_000)"] + statusLine(status))
  }

  /// Tells that the daemon is ending.
  @discardableResult public static func stopping(status: String? = nil) -> Bool {
    send(["STOPPING=1"] + statusLine(status))
  }

  /// Sets the line for `systemctl status`.
  @discardableResult public static func status(_ text: String) -> Bool { send(statusLine(text)) }

  /// Tells that the daemon is alive; to be called at least twice in each ``watchdogInterval(environment:processID:)``.
  @discardableResult public static func watchdog() -> Bool { send(["WATCHDOG=1"]) }

  /// The time within which the service manager expects ``watchdog()``; nil where it does not, or where the
  /// variables are meant for another process (sd_watchdog_enabled(3)).
  public static func watchdogInterval(
    environment: [String: String] = ProcessInfo.processInfo.environment,
    processID: Int32 = ProcessInfo.processInfo.processIdentifier
  ) -> Duration? {
    if let owner = environment["WATCHDOG_PID"], Int32(owner) != processID { return nil }
    guard let text = environment["WATCHDOG_USEC"], let microseconds = Int64(text), microseconds > 0 else { return nil }
    return .microseconds(microseconds)
  }

  /// Line breaks separate assignments, so a status has none.
  private static func statusLine(_ text: String?) -> [String] {
    text.map { ["STATUS=\(SafeText.escaped($0))"] } ?? []
  }

  /// True where the message was sent; false where NOTIFY_SOCKET is not set, or the message is not taken.
  private static func send(_ lines: [String]) -> Bool {
    unsafe sd_notify(0, lines.joined(separator: "\n")) > 0
  }
}
