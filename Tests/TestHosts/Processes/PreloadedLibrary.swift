import Foundation

/// Libraries that change what the C library tells a program.
public enum PreloadedLibrary {
  /// The host's C compiler.
  static let compiler = ["/usr/bin/cc", "/usr/bin/clang"].first { FileManager.default.isExecutableFile(atPath: $0) }
  /// True if this host has a C compiler.
  public static var isPossible: Bool { compiler != nil }
}

extension TemporaryFolder {
  /// Builds a library of this name from its source.
  func buildLibrary(_ name: String, _ source: String) async throws {
    guard let compiler = PreloadedLibrary.compiler else { throw TestHostError("there is no C compiler") }
    try write(source, to: name + ".c")
    let arguments = ["-shared", "-fPIC", "-O1", "-o", path(name + ".so"), path(name + ".c"), "-ldl"]
    let built = try await ChildProcess.run(compiler, arguments)
    guard built.end == .exited(0) else { throw TestHostError("the library was not built: \(built.errors)") }
  }
}
