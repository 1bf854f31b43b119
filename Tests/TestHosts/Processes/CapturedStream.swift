import Foundation
import Synchronization

/// The output of a descriptor, read by a thread of its own until its end.
final class CapturedStream: Sendable {
  private struct State {
    var bytes: [UInt8] = []
    var isComplete = false
  }

  private let state = Mutex(State())

  /// Everything so far.
  var text: String { state.withLock { String(decoding: $0.bytes, as: UTF8.self) } }

  /// True once the writers have closed it.
  var isComplete: Bool { state.withLock { $0.isComplete } }

  /// The lines that are complete, and the last one as it is once the stream is.
  var lines: [String] {
    let (text, isComplete) = (self.text, self.isComplete)
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let last = lines.popLast() ?? ""
    if isComplete, !last.isEmpty { lines.append(last) }
    return lines
  }

  /// Reads the descriptor to its end and closes it.
  func capture(_ descriptor: Int32) {
    Thread.detachNewThread { [self] in
      var buffer = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = unsafe read(descriptor, &buffer, buffer.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { break }
        state.withLock { $0.bytes += buffer[..<count] }
      }
      close(descriptor)
      state.withLock { $0.isComplete = true }
    }
  }
}
