import Foundation
import Systemd
import TestHosts
import Testing

/// The pages that explain the events, as the repository has them.
@Suite struct EventPagesTests {
  private static func path(of file: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../../\(file)").standardizedFileURL
      .path
  }

  /// Compares a file with the text that it must have; with `CONVERSIOND_WRITE_EXAMPLE` set, writes it before.
  private func expectText(_ text: String, at file: String) throws {
    let path = Self.path(of: file)
    if ProcessInfo.processInfo.environment["CONVERSIOND_WRITE_EXAMPLE"] != nil {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
  }

  @Test func thePagesAreWhatTheTableSays() throws {
    try expectText(EventPages.catalog, at: "deploy/conversiond.catalog")
    try expectText(EventPages.troubleshooting, at: "deploy/man/conversiond-troubleshooting.7")
  }

  @Test func eachEventIsExplained() {
    for event in EventCatalog.events {
      #expect(EventPages.troubleshooting.contains("\\fB\(event.name)\\fR\n"), "\(event.name)")
      #expect(EventPages.catalog.contains("-- \(event.messageID)\nSubject: \(event.subject)\n"), "\(event.name)")
      #expect(!event.advice.isEmpty && event.meaning.hasSuffix(".") && event.money.hasSuffix("."), "\(event.name)")
    }
    for event in EventCatalog.events {
      let saysWhatToType = event.advice.hasPrefix("Nothing") || event.advice.contains("`")
      #expect(saysWhatToType, "\(event.name): \(event.advice)")
    }
    // The journal shows the name of a field that an entry lacks in place of its value.
    #expect(!EventPages.catalog.contains("@"))
  }

  @Test func theCatalogIsOneThatJournalctlTakes() async throws {
    let folder = try TemporaryFolder("catalog")
    try FileManager.default.createDirectory(
      atPath: folder.path("usr/lib/systemd/catalog"), withIntermediateDirectories: true)
    try FileManager.default.createDirectory(
      atPath: folder.path("var/lib/systemd/catalog"), withIntermediateDirectories: true)
    try EventPages.catalog.write(
      toFile: folder.path("usr/lib/systemd/catalog/conversiond.catalog"), atomically: true, encoding: .utf8)
    let update = try await ChildProcess.run("journalctl", ["--root", folder.path, "--update-catalog"])
    #expect(update.end == .exited(0), "\(update.errors)")
    let list = try await ChildProcess.run("journalctl", ["--root", folder.path, "--list-catalog"])
    for event in EventCatalog.events {
      #expect(list.output.contains("\(event.messageID) conversiond: \(event.subject)"), "\(event.name)")
    }
  }

  @Test(arguments: ["conversiond.8", "conversiond.yaml.5", "conversiond-troubleshooting.7"])
  func aManualPageIsSetWithoutAWarning(page: String) async throws {
    let result = try await ChildProcess.run(
      "sh",
      ["-c", #"MANROFFSEQ= MANWIDTH=80 man --warnings=w -l "$0" >/dev/null"#, Self.path(of: "deploy/man/\(page)")])
    #expect(result.end == .exited(0) && result.errors.isEmpty, "\(result.errors)")
  }
}
