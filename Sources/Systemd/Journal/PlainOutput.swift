private import Foundation
private import Glibc

/// Writes to standard error: by a bounded queue, and a thread of its own for write(2), which waits for as long as
/// the other end does not read.
public final class PlainOutput: Sendable {
  private let queue: LogQueue<[UInt8]>
  private let style: PlainStyle

  /// Writes to `descriptor`, which stays open for as long as the process runs.
  ///
  /// Lines are coloured where `color` is set, the descriptor is a terminal, and neither NO_COLOR nor `TERM=dumb`
  /// says otherwise (no-color.org).
  public convenience init(descriptor: Int32 = 2, color: Bool = true, limits: LogLimits = LogLimits()) {
    let environment = ProcessInfo.processInfo.environment
    let isTerminal = isatty(descriptor) == 1
    let style = PlainStyle(isTerminal: isTerminal, color: color, environment: environment)
    self.init(descriptor: descriptor, style: style, limits: limits)
  }

  init(descriptor: Int32, style: PlainStyle, limits: LogLimits) {
    self.style = style
    let work = LogQueue<[UInt8]>.Work(
      size: \.count, gap: { style.line(.gap(of: $0), at: .now) }, write: { Self.write($0, to: descriptor) })
    queue = LogQueue(name: "log", limits: limits, work: work)
  }

  /// The number of lines that were lost since the beginning.
  public var droppedCount: Int { queue.droppedCount }

  /// Waits until all lines are written, at most for `timeout`, blocking the thread; false where some are left.
  @discardableResult public func flush(timeout: Duration) -> Bool { queue.flush(timeout: timeout) }

  func put(_ record: LogRecord) { queue.put(style.line(record, at: .now)) }

  /// Writes all bytes, waiting where it must; false where they can never be read (EPIPE, EBADF, EIO).
  private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var offset = 0
    while offset < bytes.count {
      let written = unsafe bytes[offset...].withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written >= 0 {
        offset += written
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        // Another program that shares the pipe made it non-blocking.
        var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&ready, 1, 1_000)
      default: return false
      }
    }
    return true
  }
}
