import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// Each command that the README and the manual page name, run as it stands there.
@Suite struct DocumentedCommandsTests {
  private static let documents = ["README.md", "deploy/man/conversiond.8"]

  /// The command lines of a document, without their comments and shells around them.
  private static func commands(in document: String) throws -> [[String]] {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../../" + document)
    let text = try String(contentsOf: path, encoding: .utf8).replacing("\\-", with: "-")
    let lines = text.split(separator: "\n").flatMap { line in
      // A line of its own, one in backticks, or one in bold.
      line.matches(of: #/(?:^ *|`|\\fB|\| )(conversiond [a-z][^`\\#]*)/#).map(\.output.1)
    }
    return lines.map { line in
      line.split(separator: " ").dropFirst().map(String.init).filter { !$0.isEmpty && $0 != "..." }
    }.filter { $0.first.map(names.contains) ?? false }
  }

  private static let names: Set<String> = [
    "run", "check", "status", "queue", "resume", "accept-mapping", "backup", "restore", "rebuild", "forget", "sandbox",
  ]

  @Test(arguments: documents) func isACommandOfTheProgram(document: String) async throws {
    let commands = try Self.commands(in: document)
    #expect(commands.count >= 5, "\(commands)")
    try await DaemonFixture.with { shop in
      try await shop.insert(ShopOrder(1042, email: "friend@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1042": "waiting"]))
      try await shop.stop()
      for command in Set(commands) {
        // Those that stay are asked for their help; the others do what they say.
        let stays = ["run", "sandbox"].contains(command[0])
        // A whole ledger is refused without it.
        let isRebuild = command[0] == "rebuild"
        let words =
          command.map { $0 == "FILE" ? shop.folder.path("ledger-backup") : ["ID", "ORDER"].contains($0) ? "1042" : $0 }
          + (stays ? ["--help"] : [])
          + (isRebuild ? ["--even-if-whole"] : [])
        let result = try await shop.run(
          words + (words.contains("--help") ? [] : ["--config", shop.configurationFile]),
          input: "ana@example.com\n")
        #expect(![.exited(64), .exited(70)].contains(result.end), "\(words): \(result.errors)")
      }
    }
  }
}
