public import Glibc

/// A socket of the file system.
public enum LocalSocket {
  /// Makes a socket and binds or connects it.
  ///
  /// - Parameters:
  ///   - path: The path, of less than 108 bytes.
  ///   - use: Binds or connects a descriptor to an address of a length; false where that failed.
  /// - Returns: The descriptor, which the caller closes.
  /// - Throws: `TestHostError`.
  public static func open(
    _ path: String, _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Bool
  ) throws -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < 108 else { throw TestHostError("a socket's path is too long: \(path)") }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { place in
      for (index, byte) in bytes.enumerated() { unsafe place[index] = byte }
    }
    let works = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe use(descriptor, address, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard works else {
      close(descriptor)
      throw TestHostError("no socket at \(path): errno \(errno)")
    }
    return descriptor
  }
}
