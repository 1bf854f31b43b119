import Foundation
import Glibc

/// A datagram socket at a path, as systemd's are.
public final class DatagramSocket: Sendable {
  /// A system call that failed.
  struct Failed: Error {
    var call: String
    var code: Int32
  }

  /// Its path.
  public let path: String
  private let descriptor: Int32

  /// A socket at a path that nothing is at yet; it is taken away with the object.
  public init(path: String) throws {
    self.path = path
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failed(call: "socket", code: errno) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    let code = unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, size) }
    }
    guard code == 0 else { throw Failed(call: "bind", code: errno) }
  }

  /// The next datagram; nil where none comes in time.
  public func receive(milliseconds: Int32 = 2_000) -> [UInt8]? {
    var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard unsafe poll(&ready, 1, milliseconds) == 1 else { return nil }
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
    return count >= 0 ? Array(buffer[..<count]) : nil
  }

  deinit {
    close(descriptor)
    unsafe unlink(path)
  }
}
