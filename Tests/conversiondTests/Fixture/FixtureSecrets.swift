import Foundation
import TestHosts
import Testing

/// Secrets that nothing a test leaves behind, or is told, may hold: the key, and an address that is not masked.
extension DaemonFixture {
  private static var address: Regex<(Substring, Substring)> { /[A-Za-z0-9.%+_-]+@example\.(com|org)/ }

  /// Every file of the fixture but the one that must hold the key, with its bytes.
  var files: [(name: String, bytes: Data)] {
    let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    return names.filter { $0 != "api-key" }.compactMap { name in
      FileManager.default.contents(atPath: folder.path(name)).map { (name, $0) }
    }
  }

  /// Looks through what all daemons of a test have logged and printed, and every file that is left.
  func expectNoSecrets() {
    expectNoSecrets("log", log + output)
    // The operator's own are the files with the key, and the configuration.
    for (name, bytes) in files where !name.hasSuffix("api-key") && !name.hasPrefix("conversiond.yaml") {
      #expect(bytes.range(of: Data(Self.key.utf8)) == nil, "the key in \(name)")
      // The ledger needs addresses to match by; nothing else does.
      if !name.contains("ledger") { expectNoSecrets(name, String(decoding: bytes, as: UTF8.self)) }
    }
  }

  /// Looks through a text; `except` is what it may hold, as its reader wrote it himself.
  func expectNoSecrets(_ name: String, _ text: String, except own: String = "") {
    #expect(!text.contains(Self.key), "the key in the \(name)")
    for match in text.matches(of: Self.address) where !own.contains(match.output.0) {
      Issue.record("\(match.output.0) in the \(name): \(text[match.range.lowerBound...].prefix(200))")
      return
    }
  }
}
