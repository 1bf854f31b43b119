import Foundation
import TestHosts

/// The service manager's end of NOTIFY_SOCKET (sd_notify(3)).
final class NotifySocket: Sendable {
  let path: String
  private let descriptor: Int32

  init(path: String) throws {
    self.path = path
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw POSIXError(.EMFILE) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    let isBound = unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, size) == 0 }
    }
    guard isBound else { throw POSIXError(.EADDRNOTAVAIL) }
  }

  /// Whether a message with this line comes in time.
  func hears(_ line: String, within limit: Duration) async -> Bool {
    await eventually(within: limit, every: .milliseconds(1)) {
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = unsafe recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      return count > 0
        && String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n").contains { $0 == line }
    }
  }

  deinit { close(descriptor) }
}
