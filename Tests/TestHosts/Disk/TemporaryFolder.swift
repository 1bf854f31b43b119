public import Foundation

/// A folder of a test's own, removed with everything in it when the last reference goes, and by the watchdog
/// should the process crash.
public final class TemporaryFolder: Sendable {
  /// The folder's absolute path, without a slash at its end.
  public let path: String

  /// Makes `$TMPDIR/conversiond-NAME-XXXXXX` (in `/tmp` by default, so that a socket's path in it stays short), or such
  /// a folder elsewhere.
  public init(_ name: String = "test", in place: String? = nil) throws {
    let parent = place ?? ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
    var template = Array("\(parent)/conversiond-\(name)-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw TestHostError("no folder in \(parent): errno \(errno)") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    Watchdog.shared?.remove(path)
  }

  /// The folder as a file URL.
  public var url: URL { URL(fileURLWithPath: path, isDirectory: true) }

  /// The path of an entry in the folder.
  public func path(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file into the folder and returns its path.
  @discardableResult
  public func write(_ text: String, to name: String, permissions: Int = 0o644) throws -> String {
    let file = path(name)
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: file)
    return file
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }
}
