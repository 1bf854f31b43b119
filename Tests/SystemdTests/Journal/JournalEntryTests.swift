import Logging
import Synchronization
import Testing

@testable import Systemd

@Suite struct JournalEntryTests {
  /// Returns the fields that a logger sends.
  private func sent(_ log: (Logger) -> Void) -> [[String]] {
    let entries = Sent()
    let output = JournalOutput(identifier: "conversiond", limits: LogLimits()) { entries.add($0) }
    log(Logger(label: "x") { _ in QueuedLogHandler(journal: output, level: SharedLogLevel(.trace)) })
    #expect(output.flush(timeout: .seconds(5)))
    return entries.all.map { $0.fields.map { String(decoding: $0, as: UTF8.self) } }
  }

  private final class Sent: Sendable {
    private let entries = Mutex<[JournalEntry]>([])
    var all: [JournalEntry] { entries.withLock { $0 } }
    func add(_ entry: JournalEntry) -> Bool {
      entries.withLock { $0.append(entry) }
      return true
    }
  }

  @Test func metadataBecomesFields() throws {
    let entries = sent { logger in
      var logger = logger
      logger[metadataKey: "referral"] = "jx7"
      logger.notice(
        "reported 1043",
        metadata: [
          "event": "reported", "order": "1043", "attempt": "2", "http_status": "201", "sqlstate": "08006",
          "reason": "r", "next_try": "t", "duration_ms": "140", "x-y.z é": "1",
        ])
    }
    let id = try #require(EventCatalog.messageID(of: "reported"))
    #expect(
      entries == [
        [
          "MESSAGE=reported 1043", "PRIORITY=5", "SYSLOG_IDENTIFIER=conversiond", "MESSAGE_ID=\(id)",
          "CONVERSIOND_ORDER=1043", "CONVERSIOND_REFERRAL=jx7", "CONVERSIOND_ATTEMPT=2", "CONVERSIOND_HTTP_STATUS=201",
          "CONVERSIOND_SQLSTATE=08006", "CONVERSIOND_REASON=r", "CONVERSIOND_NEXT_TRY=t", "CONVERSIOND_DURATION_MS=140",
          "CONVERSIOND_X_Y_Z___=1", "CONVERSIOND_EVENT=reported",
        ]
      ])
  }

  @Test func levelsArePriorities() {
    let entries = sent { logger in
      for level in Logger.Level.allCases { logger.log(level: level, "x") }
    }
    #expect(entries.map { $0[1].suffix(1) } == ["7", "7", "6", "5", "4", "3", "3"])
  }

  @Test func aNameCannotBeginAnotherField() {
    #expect(JournalEntry.name(of: "a=b\nMESSAGE") == "CONVERSIOND_A_B_MESSAGE")
    #expect(JournalEntry.name(of: String(repeating: "x", count: 200)).utf8.count == 64)
    #expect(JournalEntry.name(of: "") == "CONVERSIOND_")
  }

  @Test func anUnknownEventHasNoID() {
    let entries = sent { $0.info("x", metadata: ["event": "nothing_known"]) }
    #expect(entries[0].contains("CONVERSIOND_EVENT=nothing_known"))
    #expect(!entries[0].contains { $0.hasPrefix("MESSAGE_ID=") })
  }

  @Test func hugeValuesAreCut() {
    let entries = sent {
      $0.info(
        "\(String(repeating: "m", count: 1 << 20))", metadata: ["order": "\(String(repeating: "o", count: 1 << 20))"])
    }
    #expect(entries[0].allSatisfy { $0.utf8.count < 17_000 })
  }

  @Test func everyEventHasAnIDOfItsOwn() {
    let ids = EventCatalog.events.map(\.messageID)
    #expect(Set(ids).count == ids.count && Set(EventCatalog.events.map(\.name)).count == ids.count)
    #expect(ids.allSatisfy { $0.wholeMatch(of: #/[0-9a-f]{32}/#) != nil })
  }

  /// An ID that changes breaks every catalog and saved search.
  @Test func idsStayWhatTheyAre() {
    #expect(EventCatalog.messageID(of: "started") == "96458cf269f4413ca53617498e47c913")
    #expect(EventCatalog.messageID(of: "review") == "3c64aa38bdb946d78ce40cbceece0820")
  }
}
