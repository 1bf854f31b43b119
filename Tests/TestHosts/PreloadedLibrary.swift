import Foundation

/// Libraries that change what the C library tells a program.
public enum PreloadedLibrary {
  /// Whether this host has a C compiler.
  public static let isPossible = ["/usr/bin/cc", "/usr/bin/clang"].contains {
    FileManager.default.isExecutableFile(atPath: $0)
  }
}

extension TemporaryFolder {
  /// Builds a library of this name from its source.
  func buildLibrary(_ name: String, _ source: String) async throws {
    try write(source, to: name + ".c")
    let compiler = FileManager.default.isExecutableFile(atPath: "/usr/bin/cc") ? "cc" : "clang"
    let arguments = ["-shared", "-fPIC", "-O1", "-o", path(name + ".so"), path(name + ".c"), "-ldl"]
    let built = try await ChildProcess.run(compiler, arguments)
    guard built.end == .exited(0) else { throw TestHostError("the library was not built: \(built.errors)") }
  }
}
