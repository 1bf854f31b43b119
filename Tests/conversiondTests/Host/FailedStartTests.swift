import Foundation
import Systemd
import TestHosts
import Testing

@testable import conversiond

/// Starts that fail, as the journal tells of them.
@Suite(.enabled(if: PrivateDisk.isPermitted, "mounting is not permitted here")) struct FailedStartTests {
  /// Starts a daemon that is to end by itself, with a journal; returns its only event.
  private func failure(
    _ shop: DaemonFixture, status: Int32, prefix: [String] = []
  ) async throws -> (event: [String: String], lines: [[String: String]]) {
    let folder = try TemporaryFolder("journal")
    let journal = try PrivateJournal(in: folder.path)
    let daemon = try shop.launch(prefix: prefix + journal.prefix)
    #expect(try await daemon.wait() == .exited(status))
    #expect(daemon.standardError.isEmpty, "no line is told twice: \(daemon.standardError)")
    #expect(await eventually(within: .seconds(5)) { !journal.entries(of: "failed").isEmpty })
    let events = journal.entries(of: "failed")
    #expect(events.count == 1)
    let event = try #require(events.first)
    #expect(event["PRIORITY"] == "3" && event["CONVERSIOND_EXIT_STATUS"] == "\(status)")
    #expect(event["MESSAGE_ID"] == EventCatalog.messageID(of: "failed"))
    return (event, journal.entries.filter { $0["CONVERSIOND_EVENT"] == nil })
  }

  @Test func eachCauseIsAnEventWithItsStatusAndWhatToType() async throws {
    try await DaemonFixture.with { shop in
      try shop.folder.write("nonsense", to: "api-key", permissions: 0o600)
      var event = try await failure(shop, status: 78).event
      #expect(event["MESSAGE"]?.contains("api-key holds no API key") == true)
      #expect(
        event["MESSAGE"]?.contains("`conversiond check`") == true && event["CONVERSIOND_REASON"] == "configuration")
      try shop.folder.write(DaemonFixture.key, to: "api-key", permissions: 0o644)
      event = try await failure(shop, status: 77).event
      #expect(event["MESSAGE"]?.contains("chmod 600") == true && event["CONVERSIOND_REASON"] == "permission")
      try shop.folder.write(DaemonFixture.key, to: "api-key", permissions: 0o600)
      try String(repeating: "this is no database\n", count: 500)
        .write(toFile: shop.ledgerFile, atomically: false, encoding: .utf8)
      event = try await failure(shop, status: 65).event
      #expect(
        event["MESSAGE"]?.contains("`conversiond rebuild`") == true && event["CONVERSIOND_REASON"] == "ledger_damaged")
    }
  }

  @Test func eachMistakeOfTheFileIsALineOfPriorityErr() async throws {
    try await DaemonFixture.with(["log.level": "loud", "orders.poll_interval": "soon"]) { shop in
      let (event, lines) = try await failure(shop, status: 78)
      #expect(
        event["MESSAGE"]?.hasPrefix("2 mistakes in \(shop.configurationFile): \(shop.configurationFile):") == true)
      #expect(lines.count { $0["PRIORITY"] == "3" } == 2, "\(lines)")
      #expect(lines.allSatisfy { $0["PRIORITY"] == "3" || $0["MESSAGE"]?.contains(": warning: ") == true })
      #expect(lines.allSatisfy { $0["MESSAGE"]?.hasPrefix("\(shop.configurationFile):") == true })
    }
  }

  @Test func aFullDiskAndASecondDaemonAreTold() async throws {
    try await DaemonFixture.with { shop in
      let disk = try await PrivateDisk(over: shop.folder.path("state"), mebibytes: 1)
      try await disk.fill()
      var event = try await failure(shop, status: 74, prefix: disk.prefix).event
      #expect(event["CONVERSIOND_REASON"] == "disk" && event["MESSAGE"]?.contains("`df -h`") == true)
      try await shop.start()
      event = try await failure(shop, status: 75).event
      #expect(event["MESSAGE"]?.contains("one ledger has one daemon; systemd starts it again") == true)
      #expect(event["MESSAGE"]?.contains("`conversiond status`") == true)
    }
  }

  @Test func withoutAJournalItIsALineOfStandardErrorAsEver() async throws {
    try await DaemonFixture.with { shop in
      try shop.folder.write("nonsense", to: "api-key", permissions: 0o600)
      let daemon = try shop.launch()
      #expect(try await daemon.wait() == .exited(78))
      #expect(daemon.errorLines.count { $0.hasPrefix("conversiond: ") && $0.contains("holds no API key") } == 1)
    }
  }
}
