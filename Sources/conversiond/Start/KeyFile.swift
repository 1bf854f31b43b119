import Configuration
import Foundation
import Glibc
import PartnersAPI
import Systemd

/// Reads the API key: from systemd's credential, else from the configured file. Never from an argument, never from the
/// environment.
enum KeyFile {
  /// - Throws: `CommandFailure` 77 where others could read the key or we can't, 78 where it is no key.
  static func read(_ configuration: Configuration.API) throws -> APIKey {
    CoreDumps.forbid()
    if let credential = Credentials.path(of: "api-key"), FileManager.default.fileExists(atPath: credential) {
      // systemd may show a credential's ACL as group bits (systemd.exec(5), LoadCredential=).
      return try read(path: credential, forbidden: S_IROTH)
    }
    return try read(path: configuration.keyFile, forbidden: S_IROTH | S_IRGRP)
  }

  private static func read(path: String, forbidden: mode_t) throws -> APIKey {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let words = unsafe String(cString: strerror(errno))
      throw CommandFailure(
        errno == EACCES ? .permission : .configuration, "cannot read the API key from \(path): \(words)")
    }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw CommandFailure(.configuration, "the API key's file \(path) is not a regular file")
    }
    guard status.st_mode & forbidden == 0 else {
      throw CommandFailure(.permission, "others can read the API key in \(path); run: chmod 600 \(path)")
    }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    guard let key = APIKey(text) else {
      throw CommandFailure(
        .configuration, "\(path) holds no API key: a key is oft_ and 32 hexadecimal characters, and nothing else")
    }
    return key
  }
}
