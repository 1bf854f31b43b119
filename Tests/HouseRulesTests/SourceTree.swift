import Foundation

/// The files of the repository, as they lie on the disk.
enum SourceTree {
  /// The repository's top folder.
  static let top = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..")
    .standardizedFileURL.path

  /// A file's path below the top, and its lines.
  struct File: Sendable {
    let path: String
    let lines: [String]

    var name: String { path.split(separator: "/").last.map(String.init) ?? path }
    var folder: String { path.split(separator: "/").dropLast().joined(separator: "/") }
    /// The target that it belongs to.
    var target: String { String(path.split(separator: "/")[1]) }
  }

  static let sources = files(in: "Sources", ending: ".swift")
  static let tests = files(in: "Tests", ending: ".swift")
  /// Everything that is written for readers: README, articles, manual pages, changelog.
  static let documents =
    files(in: "Sources", ending: ".md") + files(in: "deploy", ending: ".md") + files(in: "deploy/man")
    + [file("README.md")].compactMap(\.self)

  static func file(_ path: String) -> File? {
    guard let text = try? String(contentsOfFile: top + "/" + path, encoding: .utf8) else { return nil }
    return File(path: path, lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
  }

  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: top + "/" + path) }

  static func files(in folder: String, ending: String = "") -> [File] {
    let paths = FileManager.default.enumerator(atPath: top + "/" + folder)?.compactMap { $0 as? String } ?? []
    return paths.filter { $0.hasSuffix(ending) }.sorted().compactMap { file(folder + "/" + $0) }
  }
}
